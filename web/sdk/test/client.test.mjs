// Where a client is, when answers come late or a connection does not last.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { rulesOf, sdk } from "./sources.mjs";

const ANSWER_MS = 10_000; // connection.ts

/** A server of one client, as docs/games.md says, whose answers may be held back. */
class Server {
    match = null; // where the client is
    asked = []; // types of messages
    opened = 0; // sockets
    held = null; // what is held back, or null
    #made = 0;

    /** What the client takes for WebSocket. */
    get Socket() {
        const server = this;
        return class {
            readyState = 1;
            bufferedAmount = 0;

            constructor() {
                server.socket = this;
                server.opened++;
                server.say("welcome", { id: "ann" });
            }

            send(text) {
                server.hear(JSON.parse(text));
            }

            close() {}
        };
    }

    say(type, content, id) {
        if (this.held) this.held.push([type, content, id]);
        else
            queueMicrotask(() =>
                this.socket.onmessage({ data: JSON.stringify({ type, content, id }) }),
            );
    }

    release() {
        const { held } = this;
        this.held = null;
        for (const message of held) this.say(...message);
    }

    hear({ type, content, id }) {
        this.asked.push(type);
        if (this.match && !content.leave)
            return this.say("error", { code: "already_in_match" }, id);
        const match = (this.match = `m${++this.#made}`);
        const joined = { match, game: "tictactoe", role: "player", seat: 0, token: "t" };
        this.say("joined", joined);
        this.say("ack", joined, id);
        return this.say("match", { match, phase: "waiting" });
    }
}

describe("an answer that comes late", { timeout: 30_000 }, () => {
    /** A client whose create() was refused for want of an answer, which is on its way. */
    async function open(t) {
        t.mock.timers.enable({ apis: ["setTimeout"] });
        t.mock.method(console, "warn", () => {}); // there are no rules
        t.mock.method(globalThis, "fetch", async () => new Response(null, { status: 404 }));
        const server = new Server();
        const { Socket: WebSocket } = server;
        const client = await sdk.connect({ url: "http://fray.test", WebSocket });
        t.after(() => client.close());
        const moved = [];
        client.on("moved", (match) => moved.push(match));
        server.held = [];
        const refused = assert.rejects(client.create("tictactoe"), { code: "lost" });
        t.mock.timers.tick(ANSWER_MS);
        await refused;
        const until = async (is) => {
            while (!is()) {
                t.mock.timers.tick(1);
                await setImmediate();
            }
        };
        return { client, server, moved, until };
    }

    test("leads into the match all the same", async (t) => {
        const { client, server, moved, until } = await open(t);
        server.release();
        await until(() => moved.length && moved[0].roster);
        assert.equal(client.match, moved[0]);
        assert.equal(client.match.id, server.match);
        assert.deepEqual(client.match.saved, { match: "m1", token: "t" });
    });

    test("does not keep from another match", async (t) => {
        const { client, server, moved, until } = await open(t);
        server.release();
        await until(() => client.match);
        const match = await client.create("tictactoe");
        assert.equal(match.id, "m2");
        assert.equal(server.match, "m2");
        assert.ok(moved[0].isOver);
        assert.equal(client.match, match);
    });

    test("is given up for another match that was asked for meanwhile", async (t) => {
        const { client, server, moved, until } = await open(t);
        const creating = client.create("tictactoe");
        server.release();
        const match = await creating;
        await until(() => match.roster);
        assert.equal(match.id, "m2");
        assert.equal(client.match, match);
        assert.equal(server.match, "m2");
        assert.deepEqual(moved, []);
    });
});

describe("connect() says why it does not", { timeout: 30_000 }, () => {
    const refused = async (options, code, message) =>
        assert.rejects(sdk.connect(options), { name: "Refusal", code, message });

    /** A server that is no fray, and its address. */
    async function serve(t, status, text) {
        const server = createServer((request, response) => {
            response.statusCode = status;
            response.end(text);
        });
        await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
        t.after(() => server.close());
        return `http://127.0.0.1:${server.address().port}`;
    }

    /** As in a page of this address, without a WebSocket. */
    function within(t, href) {
        const { location, WebSocket } = globalThis;
        Object.assign(globalThis, { location: href && new URL(href), WebSocket: undefined });
        t.after(() => Object.assign(globalThis, { location, WebSocket }));
    }

    test("for what it cannot try", async (t) => {
        within(t, undefined);
        const url = "http://fray.test";
        await refused({}, "bad_url", /no page of a server: give connect\(\) a url such as http:/);
        await refused({ url: "localhost:8080" }, "bad_url", /^"localhost:8080" is no server/);
        await refused({ url: "fray.test" }, "bad_url", /^"fray.test" is no server/);
        await refused({ url, transport: "sse" }, "unknown_transport", /"sse".*websocket, polling/);
        await refused({ url, transport: "websocket" }, "no_websocket", /Node 20.*the package ws/);
    });

    test("where nobody is, or no fray", async (t) => {
        within(t, undefined);
        const url = "http://127.0.0.1:1";
        const nobody = "There is no fray at http://127.0.0.1:1: nobody answers. Does it run, and";
        await refused({ url }, "unreachable", RegExp(`^${nobody}`));
        await refused({ url: "ws://127.0.0.1:1/ws" }, "unreachable", RegExp(`^${nobody}`));
        for (const [status, text] of [
            [501, "no"],
            [404, '{"error": "not found"}'],
            [200, "<h1>It works</h1>"],
            [200, "{}"],
        ]) {
            const message = RegExp(`: what answers is another program \\(HTTP ${status}\\)\\.`);
            await refused({ url: await serve(t, status, text) }, "unreachable", message);
        }
    });

    test("where the server has no room, in its own words", async (t) => {
        within(t, undefined);
        const text = '{"type": "error", "content": {"code": "full", "message": "Too many."}}';
        const url = await serve(t, 503, text);
        await refused({ url }, "unreachable", `${url}: Too many.`);
        await refused({ url: await serve(t, 401, text) }, "refused", "Too many.");
    });

    test("and names the option that lets pages of another origin in", async (t) => {
        within(t, "http://localhost:3000/page");
        const url = "http://127.0.0.1:1";
        await refused(
            { url },
            "unreachable",
            /nobody answers\. .*--cors-origin http:..localhost:3/,
        );
        globalThis.location = new URL("file:///page.html");
        await refused({ url }, "unreachable", /--cors-origin '\*'\.$/);
        await refused({}, "bad_url", /^"file:.*" is no server/);
    });
});

describe("a game without its module", { timeout: 30_000 }, () => {
    /** A match of tic-tac-toe; `fetched(url)` for fetch. */
    async function play(t, fetched) {
        const warn = t.mock.method(console, "warn", () => {});
        t.mock.method(globalThis, "fetch", async (url) => fetched(String(url)));
        const { Socket: WebSocket } = new Server();
        const client = await sdk.connect({ url: "http://fray.test", WebSocket });
        t.after(() => client.close());
        const match = await client.create("tictactoe");
        return { match, warned: warn.mock.calls.map(({ arguments: [text] }) => text) };
    }

    test("that has no ticks needs none", async (t) => {
        const { game } = await rulesOf("tictactoe");
        const { match, warned } = await play(t, (url) =>
            url.endsWith(".json") ? Response.json(game) : new Response(null, { status: 404 }),
        );
        assert.deepEqual(warned, []);
        assert.equal(match.game.title, "Tic-tac-toe");
        assert.throws(() => match.frame(0), {
            code: "no_ticks",
            message: /^tictactoe has no ticks, so no frame\(\)\..* as ask\("place", {cell: …}\)\.$/,
        });
        assert.throws(() => match.setInput({}), { code: "no_ticks", message: /no setInput\(\)/ });
    });

    test("that a browser does not show to other origins: which option lets it", async (t) => {
        const { location } = globalThis;
        globalThis.location = new URL("http://localhost:3000");
        t.after(() => (globalThis.location = location));
        const { match, warned } = await play(t, () => {
            throw new TypeError("Failed to fetch");
        });
        assert.equal(match.game, null);
        assert.equal(warned.length, 1);
        const why =
            "http://fray.test/games/tictactoe.wasm cannot be fetched: Failed to fetch. If it " +
            "runs, it has to let pages of this origin in: --cors-origin http://localhost:3000.";
        assert.ok(warned[0].includes(why), warned[0]);
        const lack = `Without its module tictactoe has no frame(). ${why}`;
        assert.throws(
            () => match.frame(0),
            ({ code, message }) => {
                assert.equal(code, "no_rules");
                return message.startsWith(lack);
            },
        );
    });

    test("or with something else in its place", async (t) => {
        for (const bytes of ["<h1>Login</h1>", Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)]) {
            const { warned } = await play(t, () => new Response(bytes));
            assert.match(warned[0], /tictactoe\.wasm is no module to play with: make it anew/);
            t.mock.restoreAll();
        }
    });
});

test("a misspelt member is refused before it is asked", { timeout: 30_000 }, async (t) => {
    const server = new Server();
    const { Socket: WebSocket } = server;
    const client = await sdk.connect({ url: "http://fray.test", WebSocket });
    t.after(() => client.close());
    await assert.rejects(client.create("duel", { option: { hits: 3 } }), {
        code: "unknown_member",
        message:
            'There is no "option" here: there are options, private, start, bots, ' +
            "spectator_delay_s, leave.",
    });
    await assert.rejects(client.watch("duel", { private: true }), { code: "unknown_member" });
    await assert.rejects(client.join("m1", { role: "player" }), { code: "unknown_member" });
    assert.deepEqual(server.asked, []);
});

test("who closes on being lost does not come back", { timeout: 30_000 }, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const server = new Server();
    const { Socket: WebSocket } = server;
    const client = await sdk.connect({ url: "http://fray.test", WebSocket });
    const told = [];
    for (const type of ["lost", "back", "closed"]) client.on(type, () => told.push(type));
    client.on("lost", () => client.close());
    server.socket.onclose({ code: 1006, reason: "" });
    t.mock.timers.tick(60_000);
    await setImmediate();
    assert.equal(server.opened, 1);
    assert.equal(client.transport, "none");
    await assert.rejects(client.ask("lobby"), { code: "lost" });
    assert.deepEqual(told, ["lost", "closed"]);
});

test("a closed client has no connection", { timeout: 30_000 }, async () => {
    const server = new Server();
    const { Socket: WebSocket } = server;
    const client = await sdk.connect({ url: "http://fray.test", WebSocket });
    assert.equal(client.transport, "websocket");
    client.close();
    assert.equal(client.transport, "none");
    await assert.rejects(client.ask("lobby"), { code: "lost" });
});
