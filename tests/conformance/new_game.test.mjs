// What tools/new_game.sh begins keeps to the contract that all games keep to.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
    cpSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const root = join(import.meta.dirname, "../..");
const tree = mkdtempSync(join(tmpdir(), "fray-new-game-"));
after(() => rmSync(tree, { recursive: true }));
for (const path of ["games", "include", "examples/own_game", "tools/new_game.sh"])
    cpSync(join(root, path), join(tree, path), { recursive: true });
mkdirSync(join(tree, "build"));

const begin = (...args) => spawnSync(join(tree, "tools/new_game.sh"), args, { encoding: "utf8" });
const sourcesOf = (folder) =>
    readdirSync(join(tree, "games", folder))
        .filter((name) => name.endsWith(".c") && !name.endsWith("_test.c"))
        .map((name) => join(tree, "games", folder, name));

test("a new game passes the contract test, event-driven and ticked", { timeout: 180_000 }, () => {
    for (const args of [["four"], ["chase_2", "--ticked"]]) {
        const { status, stderr } = begin(...args);
        assert.equal(status, 0, stderr);
    }
    assert.match(readFileSync(join(tree, "games/meson.build"), "utf8"), /'four', 'chase_2'\]/);
    const list = join(tree, "list.c");
    writeFileSync(
        list,
        `#include "fray/game.h"
        extern const struct fray_game fray_four, fray_chase_2;
        const struct fray_game *const fray_games_builtin[] = {&fray_four, &fray_chase_2, NULL};`,
    );
    const common = sourcesOf(".");
    const program = join(tree, "contract_test");
    execFileSync("cc", [
        ...["-std=c17", "-O1", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", program],
        ...[`-I${tree}/include`, `-I${tree}/games`, `-I${tree}`, list],
        ...[join(tree, "games/contract_test.c"), ...common],
        ...[...sourcesOf("four"), ...sourcesOf("chase_2"), "-lcmocka", "-ljansson"],
    ]);
    execFileSync(program, { stdio: "pipe" });
});

test("new_game.sh refuses names that are none, or taken", () => {
    for (const args of [[], ["Four"], ["4"], ["four-wins"], ["x", "--quick"]])
        assert.equal(begin(...args).status, 2, args.join(" "));
    assert.equal(begin("duel").status, 1);
});
