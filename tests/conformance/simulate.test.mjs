// `fray simulate` and the same command on a game's WebAssembly module: one line, one hash.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { GAMES } from "../integration/harness.mjs";

const root = join(import.meta.dirname, "../..");
const build = process.env.FRAY_BUILD ?? join(root, "build/release");
/* Options beside the standard ones. */
const SETTINGS = {
    tictactoe: ["turn_ms=5000"],
    rps: ["kinds=5", "round_ms=3000"],
    arena: ["goal=3"],
};

function native(...args) {
    return spawnSync(join(build, "fray"), ["simulate", ...args], { encoding: "utf8" });
}

function wasm(game, ...args) {
    const module = join(build, "games", `${game}.wasm`);
    const script = join(root, "web/sdk/bin/simulate.mjs");
    const all = [script, game, "--module", module, ...args];
    return spawnSync(process.execPath, all, { encoding: "utf8" });
}

function hashOf({ stdout, stderr, status }, ticks) {
    assert.equal(status, 0, stderr);
    const line = /^ticks=(\d+) hash=([0-9a-f]{16}) ticks_per_s=\d+\n$/.exec(stdout);
    assert.ok(line, stdout);
    assert.equal(line[1], String(ticks));
    return line[2];
}

for (const game of GAMES) {
    test(`E_simulate_${game}`, () => {
        const args = ["--seed", "18446744073709551615", "--ticks", "3000", "--bots", "1"];
        const hash = hashOf(native(game, ...args), 3000);
        assert.equal(hash, hashOf(wasm(game, ...args), 3000));
        assert.notEqual(hash, hashOf(native(game, ...args, "--seed", "2"), 3000));
        const more = [
            ...args,
            ...(SETTINGS[game] ?? []).flatMap((setting) => ["--option", setting]),
        ];
        assert.equal(hashOf(native(game, ...more), 3000), hashOf(wasm(game, ...more), 3000));
    });
}

test("simulate refuses what it does not understand", () => {
    for (const args of [
        [],
        ["chess"],
        ["duel", "arena"],
        ["duel", "--seed", "-1"],
        ["duel", "--ticks", "4294967296"],
        ["duel", "--bots", "two"],
        ["duel", "--option", "no_such=1"],
        ["duel", "--fast"],
    ]) {
        const { status, stderr, stdout } = native(...args);
        assert.equal(status, 2, args.join(" "));
        assert.match(stderr, /Usage: fray simulate GAME/);
        assert.equal(stdout, "");
    }
});
