// The rules in Chromium's WebAssembly: a million ticks of each game end with the hash that
// determinism.txt recorded, which every native build has too (tests/conformance/determinism.sh).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { simulate } from "../../web/sdk/wasm/simulate.mjs";
import { GAMES } from "../integration/harness.mjs";
import { useBrowser } from "./browser.mjs";

const root = join(import.meta.dirname, "../..");
const build = process.env.FRAY_BUILD ?? join(root, "build/release");
const rows = readFileSync(join(root, "tests/conformance/determinism.txt"), "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([set]) => set === "browser");

/** In the page: `source` is simulate()'s. */
async function run([source, base64, seed, numbers]) {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const simulate = new Function(`return ${source}`)();
    return simulate(bytes, (game) => ({
        ...numbers,
        seed: BigInt(seed),
        options: game.options.map(({ standard }) => standard),
    }));
}

describe("determinism in Chromium", () => {
    const open = useBrowser();

    test("E_determinism_chromium has a row for each game", () => {
        assert.deepEqual(rows.map(([, game]) => game).sort(), GAMES);
    });

    for (const [, game, seed, ticks, bots, guests, recorded] of rows) {
        test(`E_determinism_chromium_${game}`, { timeout: 300_000 }, async () => {
            assert.ok(Number(ticks) >= 1e6);
            const module = readFileSync(join(build, "games", `${game}.wasm`), "base64");
            const page = await open("about:blank");
            const numbers = { ticks: Number(ticks), bots: Number(bots), guests: Number(guests) };
            const { hash } = await page.evaluate(run, [`${simulate}`, module, seed, numbers]);
            assert.equal(hash, recorded);
        });
    }
});
