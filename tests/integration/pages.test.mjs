// Which of fray's own pages a program serves: none unless it hosts games, and then beneath its own.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { serveExample, serveFixture, serveFray } from "./harness.mjs";

const get = (server, path) => fetch(server.url + path, { redirect: "manual" });
const status = async (server, path) => (await get(server, path)).status;
const PAGES = [
    "/",
    "/lobby/",
    "/docs/games.html",
    "/games/duel/",
    "/games/duel.wasm",
    "/sdk/fray-client.mjs",
];

describe("a program without games", () => {
    const server = serveFixture("mqtt_rooms");

    test("serves no page of fray's", async () => {
        for (const path of PAGES) assert.equal(await status(server, path), 404, path);
    });
});

describe("a program with a page and without games", () => {
    const server = serveExample("chat");

    test("serves its own page alone", async () => {
        assert.match(await (await get(server, "/")).text(), /Chat/i);
        for (const path of PAGES.slice(1)) assert.equal(await status(server, path), 404, path);
    });
});

describe("fray", () => {
    const server = serveFray();

    test("serves all of its pages", async () => {
        for (const path of PAGES) assert.equal(await status(server, path), 200, path);
        assert.equal(await status(server, "/games/chess/"), 404);
        assert.equal(await status(server, "/games/chess"), 404);
        assert.equal(await status(server, "/games/"), 404);
    });

    test("describes its games", async () => {
        const reply = await get(server, "/games/duel.json");
        assert.match(reply.headers.get("content-type"), /^application\/json/);
        const game = await reply.json();
        assert.deepEqual([game.name, game.tick_hz, game.seats_max], ["duel", 60, 2]);
        assert.equal(await status(server, "/games/chess.json"), 404);
    });
});

describe("fray without pages", () => {
    const server = serveFray(["--no-pages"]);

    test("serves what pages elsewhere need", async () => {
        for (const path of ["/", "/lobby/", "/docs/games.html", "/games/duel/"])
            assert.equal(await status(server, path), 404, path);
        for (const path of ["/sdk/fray-client.mjs", "/games/duel.wasm", "/games/duel.json"])
            assert.equal(await status(server, path), 200, path);
    });
});

describe("a program with games of its own", () => {
    const dir = mkdtempSync(join(tmpdir(), "fray-pages-"));
    after(() => rmSync(dir, { recursive: true }));
    mkdirSync(join(dir, "games/tag"), { recursive: true });
    writeFileSync(join(dir, "games/tag.wasm"), "module");
    writeFileSync(join(dir, "games/tag/index.html"), "tag's page");
    writeFileSync(join(dir, "about.html"), "about");
    const server = serveFixture("own_games", ["--static-dir", dir]);

    test("serves its files over fray's pages", async () => {
        for (const [path, text] of [
            ["/about.html", "about"],
            ["/games/tag/", "tag's page"],
            ["/games/tag.wasm", "module"],
        ])
            assert.equal(await (await get(server, path)).text(), text, path);
        for (const path of [
            "/lobby/",
            "/sdk/fray-client.mjs",
            "/games/rps/",
            "/games/rps.wasm",
            "/games/replay/",
            "/games/tag.json",
        ])
            assert.equal(await status(server, path), 200, path);
    });

    test("leads to the lobby where there is no arena to show", async () => {
        const reply = await get(server, "/");
        assert.equal(reply.status, 302);
        assert.equal(new URL(reply.headers.get("location"), server.url + "/").pathname, "/lobby/");
    });

    test("has the playground for a game without a page, and none for others", async () => {
        const reply = await get(server, "/games/noughts/");
        assert.equal(reply.status, 200);
        assert.match(await reply.text(), /playground/i);
        const slashless = await get(server, "/games/noughts?match=x");
        assert.equal(slashless.status, 301);
        assert.equal(slashless.headers.get("location"), "./noughts/?match=x");
        for (const path of [
            "/games/noughts/x",
            "/games/duel/",
            "/games/duel.wasm",
            "/games/duel.json",
            "/games/chess/",
        ])
            assert.equal(await status(server, path), 404, path);
    });
});
