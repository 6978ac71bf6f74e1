// `fray simulate` and the same command on a game's WebAssembly module: one line, one hash.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { GAMES } from "../integration/harness.mjs";

const root = join(import.meta.dirname, "../..");
const build = process.env.FRAY_BUILD ?? join(root, "build/release");
const script = join(root, "web/sdk/bin/simulate.mjs");
const cwd = join(build, "games"); // where it looks for modules
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

test("simulate says how it is used, and which option lacks its value", () => {
    const help = native("--help");
    assert.deepEqual([help.status, help.stderr], [0, ""]);
    assert.match(help.stdout, /^Usage: fray simulate GAME/);
    const { status, stderr } = native("duel", "--bots");
    assert.equal(status, 2);
    assert.match(stderr, /^There is no value for the option: "--bots"\.\nUsage:/);
    assert.match(native("duel", "--fast").stderr, /^This command has no option: "--fast"\.\n/);
});

test("simulate looks at the replay's file before it plays", () => {
    const { status, stderr, stdout } = native(
        ...["duel", "--ticks", "60", "--replay", "/nowhere/at/all.replay"],
    );
    assert.equal(status, 1);
    assert.match(stderr, /cannot be written to \/nowhere\/at\/all\.replay: No such file/);
    assert.equal(stdout, "");
    const full = native("duel", "--ticks", "60", "--replay", "/dev/full");
    assert.equal(full.status, 1);
    assert.match(full.stderr, /cannot be written to \/dev\/full: No space left/);
});

test("players of a simulated match have names of their own", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "fray-simulate-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "arena.replay");
    const options = ["--option", "spawn=10", "--option", "obstacles=0"];
    const args = ["--bots", "10", "--guests", "2", "--ticks", "3000", "--replay", file];
    assert.equal(native("arena", ...args, ...options).status, 0);
    const play = [...["replay", "play", "--json"], file];
    const { stdout } = spawnSync(join(build, "fray"), play, {
        encoding: "utf8",
        maxBuffer: 1 << 28,
    });
    const events = stdout
        .trim()
        .split("\n")
        .flatMap((line) => JSON.parse(line).events);
    const names = new Set(events.flatMap(({ content }) => [content.id, content.by]));
    for (const name of ["bot 1", "bot 10", "guest 11"]) assert.ok(names.has(name), name);
    for (const { content } of events)
        if (content.by !== undefined) assert.notEqual(content.id, content.by);
});

test("simulate refuses what it does not understand, native and in a module", () => {
    const usage = /Usage: fray(-| )simulate GAME/;
    for (const [args, sentence] of [
        [[], usage],
        [["chess"], usage],
        [["duel", "arena"], usage],
        [["duel", "--seed=-1"], /^--seed is an integer from 0 to 18446744073709551615, not "-1"/],
        [["duel", "--ticks", "4294967296"], /^--ticks is an integer from 0 to 4294967295, not /],
        [["duel", "--bots", "two"], /^--bots is an integer from 0 to 255, not "two"\.\n$/],
        [["arena", "--option", "gaol=1"], /^The game arena has no option "gaol"\. It has: width /],
        [["arena", "--option", "goal"], /^An option is NAME=VALUE, not: "goal"/],
        [["arena", "--option", "goal=3=4"], /^goal is an integer from 0 to 1000, not "3=4"\.\n$/],
        [["arena", "--option", "goal=9999"], /^goal is an integer from 0 to 1000, not "9999"\.\n$/],
        [["arena", "--option", "goal="], /^goal is an integer from 0 to 1000, not ""\.\n$/],
        [["arena", "--option", "goal=1e2"], /^goal is an integer from 0 to 1000, not "1e2"\.\n$/],
        [["arena", "--option", "goal=99999999999"], /^goal is an integer from 0 to 1000, not /],
        [["tictactoe", "--option", "turn_ms=1"], /in steps of 1000, not "1"\.\n$/],
        [["duel", "--fast"], usage],
    ]) {
        const inside = spawnSync(process.execPath, [script, ...args], { encoding: "utf8", cwd });
        for (const { status, stderr, stdout } of [native(...args), inside]) {
            assert.equal(status, 2, args.join(" "));
            assert.match(stderr, sentence);
            assert.equal(stdout, "");
        }
    }
});

test("simulate says how many can play", () => {
    const ten = native("duel", "--ticks", "600", "--bots", "10");
    assert.match(ten.stderr, /^The game duel has 2 seats: no more play\.\n$/);
    assert.equal(hashOf(ten, 600), hashOf(native("duel", "--ticks", "600", "--bots", "2"), 600));
});
