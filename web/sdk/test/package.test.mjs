// The package as it is published: its size, its types, and the README's example.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import { buildClient, buildTypes } from "../build.mjs";
import { built } from "./sources.mjs";

const MAX = 12 * 1024;
const folder = join(import.meta.dirname, "..");
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

describe("the package", () => {
    const out = mkdtempSync(join(tmpdir(), "fray-client-"));
    test.after(() => rmSync(out, { recursive: true }));
    const user = join(out, "user"); // a project that has installed it
    const installed = join(user, "node_modules/@fray/client");

    before(async () => {
        const source = join(out, "source");
        for (const part of ["package.json", "README.md", "bin", "wasm"])
            cpSync(join(folder, part), join(source, part), { recursive: true });
        await buildClient(join(source, "dist/fray-client.mjs"));
        buildTypes(join(source, "dist")); // which also passes tsc --strict
        const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", out];
        const name = execFileSync("npm", pack, { cwd: source, encoding: "utf8" }).trim();
        mkdirSync(installed, { recursive: true });
        const tar = ["-xf", join(out, name), "--strip-components=1"];
        execFileSync("tar", tar, { cwd: installed });
        writeFileSync(join(user, "package.json"), '{"type": "module"}');
    });

    /** What tsc says of a program of the user's. */
    function compile(text, module, moduleResolution) {
        writeFileSync(join(user, "program.ts"), text);
        const how = ["--module", module, "--moduleResolution", moduleResolution];
        const options = ["--noEmit", "--strict", "--target", "es2022", ...how, "program.ts"];
        const { stdout } = spawnSync(process.execPath, [tsc, ...options], {
            cwd: user,
            encoding: "utf8",
        });
        return stdout;
    }

    test("is at most 12 KB gzipped and minified, in one file without imports", async () => {
        const file = join(out, "small.mjs");
        await buildClient(file, { minify: true });
        const size = gzipSync(readFileSync(file), { level: 9 }).length;
        assert.ok(size <= MAX, `${size} bytes`);
        assert.doesNotMatch(`${readFileSync(file)}`, /\bimport\s*[{"'*]/);
    });

    test("has what its exports name", () => {
        const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
        for (const path of Object.values(exports["."]))
            assert.ok(readFileSync(join(installed, path)).length, path);
    });

    test("simulates a match inside a module", () => {
        const { bin } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
        const module = join(built, "games/duel.wasm");
        const options = ["duel", "--ticks", "60", "--module", module];
        const line = execFileSync(join(installed, bin["fray-simulate"]), options);
        assert.match(`${line}`, /^ticks=60 hash=[0-9a-f]{16} /);
    });

    test("shows a line of its source where something is thrown, not all of it", () => {
        const text = 'import { Refusal } from "@fray/client"; new Refusal(Symbol(), Symbol());';
        writeFileSync(join(user, "throws.mjs"), text);
        const { stderr } = spawnSync(process.execPath, ["throws.mjs"], {
            cwd: user,
            encoding: "utf8",
        });
        assert.match(stderr, /TypeError/);
        assert.ok(stderr.length < 2000, `${stderr.length} characters`);
    });

    const program = `
        import { connect, type Match } from "@fray/client";
        const client = await connect({ url: "http://localhost:8080" });
        const match: Match = await client.create("duel", { options: { hits: 3 } });
        const seat: number | null = match.seat;
        const all = { options: { hits: 3 }, private: true, start: "host", bots: 1 } as const;
        await client.create("arena", { ...all, spectator_delay_s: 2, leave: true });
        // @ts-expect-error: a member that there is not
        await client.create("duel", { option: { hits: 3 } });
        // @ts-expect-error: likewise
        await client.watch("duel", { private: true });
        // @ts-expect-error: whose types are not found is any, and has anything
        match.nothing();
        export { seat };
    `;
    for (const [module, resolution] of [
        ["esnext", "bundler"],
        ["node16", "node16"],
        ["nodenext", "nodenext"],
    ])
        test(`has types for ${resolution}`, () =>
            assert.equal(compile(program, module, resolution), ""));

    test("has an example of at most 20 lines of script that parses", async () => {
        const readme = readFileSync(join(folder, "README.md"), "utf8");
        const script = /<script type="module">\n([^]*?)<\/script>/.exec(readme)[1];
        assert.ok(script.trimEnd().split("\n").length <= 20);
        await transform(script, { loader: "js", format: "esm" });
    });
});
