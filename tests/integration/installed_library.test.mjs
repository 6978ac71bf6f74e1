// What `meson install` puts down is enough for a program, and for a game of one's own, wherever it
// lies: headers, library, pkg-config, fray-wasm.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import WebSocket from "ws";
import { BUILD, serveProgram } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

// It calls fray and, as handlers do, jansson.
const program = `
#include <fray/fray.h>
static void on_move(fray_socket *socket, const fray_event *event, void *app)
{
    (void)app;
    json_t *where;
    if (!fray_event_unpack(event, "o", &where) && json_is_object(where))
        fray_broadcast_except(socket, "move", "O", where);
}
int main(int argc, char **argv)
{
    return fray_main(argc, argv, &(struct fray_app){.events = {{"move", on_move}}});
}
`;

const where = mkdtempSync(join(tmpdir(), "fray-installed-"));
const env = { ...process.env, DESTDIR: where };
const run = (tool, args) => execFileSync(tool, args, { encoding: "utf8", env });

before(() => {
    run("meson", ["install", "-C", BUILD, "--no-rebuild", "--quiet"]);
    const files = readdirSync(where, { recursive: true });
    const described = join(
        where,
        files.find((file) => file.endsWith("/fray.pc")),
    );
    assert.match(
        readFileSync(described, "utf8"),
        /pcfiledir/,
        `Older than the option: meson configure ${BUILD} -Dpkgconfig.relocatable=true`,
    );
    delete env.DESTDIR;
    env.PKG_CONFIG_PATH = dirname(described);
    assert.ok(files.some((file) => file.endsWith("include/fray/fray.h")));
});
after(() => rmSync(where, { recursive: true }));

describe("the installed library", LIMIT, () => {
    for (const kind of ["shared", "static"]) {
        test(`compiles and runs a program, ${kind}`, () => {
            const source = join(where, "program.c");
            const binary = join(where, kind);
            writeFileSync(source, program);
            const flags = (...args) =>
                run("pkg-config", [...args, "fray"])
                    .trim()
                    .split(/\s+/);
            const libraries =
                kind === "shared"
                    ? [...flags("--libs"), `-Wl,-rpath,${flags("--variable=libdir")}`]
                    : flags("--static", "--libs").map((flag) =>
                          flag === "-lfray" ? "-l:libfray.a" : flag,
                      );
            run("cc", ["-std=c17", source, ...flags("--cflags"), "-o", binary, ...libraries]);
            assert.match(run(binary, ["--version"]), /^fray \d/);
        });
    }
});

describe("a game of one's own (examples/own_game)", LIMIT, () => {
    const bin = () => run("pkg-config", ["--variable=bindir", "fray"]).trim();
    const source = join(where, "own_game");
    const built = join(source, "build");
    const tag = join(built, "tag");
    const data = join(where, "data");
    before(() => {
        cpSync(join(import.meta.dirname, "../../examples/own_game"), source, { recursive: true });
        run("meson", ["setup", built, source]);
        run("meson", ["compile", "-C", built]);
    });
    const site = ["--static-dir", join(built, "page"), "--data", data];
    const server = serveProgram(tag, site);
    const get = (path) => fetch(server.url + path);

    test("passes its own test, and is simulated", () => {
        assert.match(run("meson", ["test", "-C", built]), /Ok: +1/);
        const simulated = ["tag", "--ticks", "900", "--bots", "4"];
        const line = run(tag, ["simulate", ...simulated]);
        assert.match(line, /^ticks=900 hash=[0-9a-f]{16} /);
        assert.equal(run(tag, ["simulate", ...simulated]).slice(0, 32), line.slice(0, 32));
        const module = ["--module", join(built, "page/games/tag.wasm")];
        assert.equal(
            run(join(bin(), "fray-simulate"), [...simulated, ...module]).slice(0, 32),
            line.slice(0, 32),
        );
    });

    test("serves its page, its module, the SDK and the lobby", async () => {
        const page = await (await get("/games/tag/")).text();
        assert.match(page, /<title>Tag<\/title>/);
        assert.ok(page.split("\n").length <= 150, "a page can be as short as that");
        for (const path of [
            "/games/tag.wasm",
            "/games/tag.json",
            "/sdk/fray-client.mjs",
            "/lobby/",
        ])
            assert.equal((await get(path)).status, 200, path);
        assert.equal((await get("/games/duel/")).status, 404);
    });

    /** One session of /poll, as by curl. */
    async function polls(name) {
        const query = `namespace=/games&name=${name}`;
        const opened = await (
            await fetch(`${server.url}/poll?${query}`, { method: "POST" })
        ).json();
        const url = server.url + opened.poll;
        let after = 0;
        return {
            async send(type, content) {
                const body = JSON.stringify({ type, content });
                assert.equal((await fetch(url, { method: "POST", body })).status, 200);
            },
            /** The first message of that type, from here on, for which `is` holds. */
            async take(type, is = () => true) {
                for (;;) {
                    const reply = await (await fetch(`${url}?after=${after}&wait=5000`)).json();
                    after = reply.cursor;
                    const found = reply.messages.find((m) => m.type === type && is(m.content));
                    if (found) return found.content;
                }
            },
            end: () => fetch(url, { method: "DELETE" }),
        };
    }

    test("is played over JSON, and its replay verifies", async () => {
        const ann = await polls("Ann");
        await ann.send("create", { game: "tag", options: { seconds: 10 } });
        const { match, link } = await ann.take("joined");
        assert.equal(link, `/games/tag/?match=${match}`);
        await ann.send("add_bot", {});
        await ann.send("start_game");
        const own = ({ state }) => state.players.find(({ seat }) => seat === 0);
        const first = own(await ann.take("state", ({ state }) => state.players.length === 2));
        await ann.send("steer", { dx: first.x < 320 ? 1 : -1 });
        await ann.take("state", (state) => Math.abs(own(state).x - first.x) > 50);
        const { results } = await ann.take("end_game");
        assert.deepEqual(
            results.map(({ seat }) => seat),
            [0, 1],
        );
        await ann.end();
        let listed;
        while (!listed?.complete) {
            const { replays } = await (await get("/replays?game=tag")).json();
            listed = replays.find(({ id }) => id === match);
            await sleep(50);
        }
        assert.match(
            run(tag, ["replay", "verify", "--data", data, match]),
            /hashes agree|ok|good/i,
        );
    });

    test("is played over packets, predicted by its module", async (t) => {
        const file = join(where, "fray-client.mjs");
        writeFileSync(file, await (await get("/sdk/fray-client.mjs")).text());
        const { connect } = await import(pathToFileURL(file));
        const client = await connect({ url: server.url, name: "Bob", WebSocket });
        t.after(() => client.close());
        const match = await client.create("tag", { private: true });
        await match.addBot(0);
        await match.start();
        const look = async (is) => {
            for (;;) {
                const frame = match.frame(performance.now());
                if (frame.ready && is(frame)) return frame;
                await sleep(10);
            }
        };
        const { predicted } = await look(({ isPredicted }) => isPredicted);
        const x = predicted.tables.players[0].x;
        match.setInput({ dx: x < 320 ? 1 : -1, dy: 0 });
        await look((frame) => Math.abs(frame.predicted.tables.players[0].x - x) > 50);
        await look((frame) => Math.abs(frame.interpolated.tables.players[0].x - x) > 50);
        assert.equal(match.stats.desyncs, 0);
    });
});
