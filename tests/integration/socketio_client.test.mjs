// The official client, unmodified, against the fixture socketio_support.
import assert from "node:assert/strict";
import { once } from "node:events";
import test, { describe } from "node:test";
import { Socket as Engine } from "engine.io-client";
import { client, connect, Inbox, lose, serveFixture, startProxy, TRANSPORTS } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const server = serveFixture("socketio_support");

async function refusal(t, url, options) {
    const socket = client(t, url, options);
    socket.connect();
    const [error] = await once(socket, "connect_error");
    return error;
}

for (const [way, transports] of Object.entries(TRANSPORTS)) {
    describe(`over ${way}`, LIMIT, () => {
        const join = (t, path = "/", options = {}) =>
            connect(t, server.url + path, { transports, ...options });

        test("C01_connects_with_an_id_of_its_own", async (t) => {
            const socket = await join(t);
            assert.match(socket.id, /^[\w-]{20}$/);
            assert.notEqual(socket.id, socket.io.engine.id);
            assert.equal(await socket.emitWithAck("getId"), socket.id);
        });

        test("C02_events_and_text_of_any_language", async (t) => {
            const socket = await join(t);
            const inbox = new Inbox(socket);
            socket.emit("getUtf8");
            for (const text of [
                "てすと",
                "Я Б Г Д Ж Й",
                "Ä ä Ü ü ß",
                "utf8 — string",
                "utf8 — string",
            ])
                assert.equal((await inbox.take("takeUtf8"))[0], text); // [1]: the offset
            socket.emit("false");
            assert.equal((await inbox.take("false"))[0], false);
        });

        test("C02_values_return_as_they_were_sent", async (t) => {
            const socket = await join(t);
            const values = [
                null,
                true,
                0,
                -1.5e-7,
                2 ** 53 - 1,
                "",
                '\u0000\u2028"\\/😀',
                [],
                {},
                { a: [1, { b: null }], "": "empty" },
                "x".repeat(100_000),
            ];
            for (const value of values)
                assert.deepEqual(await socket.emitWithAck("echo", value), value);
        });

        test("C02_binary_event", async (t) => {
            const socket = await join(t);
            const inbox = new Inbox(socket);
            socket.emit("doge");
            const [bytes] = await inbox.take("doge");
            assert.equal(Buffer.from(bytes).toString(), "asdfasdf");
            socket.emit("buffa", Buffer.from([0, 255]));
            await inbox.take("buffack");
            socket.emit("jsonbuff", {
                hello: "lol",
                message: Buffer.from("howdy"),
                goodbye: "gotcha",
            });
            await inbox.take("jsonbuff-ack");
        });

        test("C02_binary_returns_nested_and_in_order", async (t) => {
            const socket = await join(t);
            const big = Buffer.alloc(70_000, 7);
            const value = await socket.emitWithAck("echo", {
                first: Buffer.from("one"),
                rest: [Buffer.alloc(0), big],
            });
            assert.equal(Buffer.from(value.first).toString(), "one");
            assert.equal(Buffer.from(value.rest[0]).length, 0);
            assert.ok(big.equals(Buffer.from(value.rest[1])));
        });

        test("C02_binary_keeps_its_place_among_text", async (t) => {
            const socket = await join(t);
            const inbox = new Inbox(socket);
            socket.emit("blob1", Buffer.from("first"));
            socket.emit("blob2", "second");
            socket.emit("blob3", Buffer.from("third"));
            await inbox.take("blob3-ack");
        });

        test("C08_server_asks_for_an_acknowledgement", async (t) => {
            const socket = await join(t);
            const inbox = new Inbox(socket);
            socket.on("ack", (reply) => reply(5, { test: true }));
            socket.emit("ack");
            await inbox.take("got it");
        });

        test("C08_an_acknowledgement_that_never_comes_times_out", async (t) => {
            const socket = await join(t);
            await assert.rejects(socket.timeout(50).emitWithAck("nobody listens"), /timed out/);
            assert.equal(await socket.emitWithAck("echo", 1), 1);
        });

        test("namespaces_share_a_connection", async (t) => {
            const socket = await join(t);
            const foo = socket.io.socket("/foo");
            foo.connect();
            await once(foo, "connect");
            assert.notEqual(foo.id, socket.id);
            assert.equal(await foo.emitWithAck("getId"), foo.id);
            const left = once(foo, "disconnect");
            foo.disconnect();
            assert.deepEqual((await left)[0], "io client disconnect");
            assert.equal(await socket.emitWithAck("echo", "still here"), "still here");
        });

        test("middleware_and_unknown_namespaces_refuse", async (t) => {
            const at = (path) => refusal(t, server.url + path, { transports });
            assert.equal((await at("/no")).message, "Auth failed (custom namespace)");
            assert.equal((await at("/?fail=1")).message, "Auth failed (main namespace)");
            assert.equal((await at("/nowhere")).message, "Invalid namespace");
        });

        test("handshake_tells_query_headers_and_auth", async (t) => {
            const socket = client(t, `${server.url}/abc?a=b%20c&d=`, {
                transports,
                auth: { token: "t" },
                extraHeaders: { "X-Kind": "test" },
            });
            const inbox = new Inbox(socket);
            socket.connect();
            const [handshake] = await inbox.take("handshake");
            assert.deepEqual(handshake.auth, { token: "t" });
            assert.equal(handshake.query.a, "b c");
            assert.equal(handshake.query.d, "");
            assert.equal(handshake.query.EIO, "4");
            assert.equal(handshake.headers["x-kind"], "test");
            assert.equal(handshake.address, "127.0.0.1");
            assert.equal(handshake.secure, false);
            assert.match(handshake.url, /^\/socket\.io\/\?/);
            assert.ok(Math.abs(handshake.issued - Date.now()) < 60_000);
            assert.ok(Math.abs(Date.parse(handshake.time) - handshake.issued) < 2000);
        });

        test("C06_recovers_the_same_socket_after_the_connection_broke", async (t) => {
            const proxy = await startProxy(t, server.port);
            const socket = await connect(t, proxy.url, {
                transports,
                reconnection: true,
                reconnectionDelay: 10,
            });
            const inbox = new Inbox(socket);
            const { id } = socket;
            socket.emit("hi"); // brings an offset
            await inbox.take("hi");
            for (let round = 0; round < 5; round++) {
                const connected = once(socket, "connect");
                await lose(socket, proxy);
                await connected;
                assert.equal(socket.recovered, true);
                assert.equal(socket.id, id);
            }
            assert.equal(await socket.emitWithAck("getId"), id);
            assert.equal(inbox.count("hi"), 1);
        });
    });
}

describe("while upgrading", LIMIT, () => {
    const echo = serveFixture("engineio_echo");

    test("C04_nothing_is_lost_doubled_or_reordered", async (t) => {
        for (let round = 0; round < 20; round++) {
            const engine = new Engine(echo.url, { forceBase64: round % 2 === 1 });
            t.after(() => engine.close());
            const sent = [];
            const received = [];
            let rest = 20; // messages after the upgrade
            const send = () => {
                const message = `${sent.length}`;
                sent.push(message);
                engine.send(sent.length % 3 ? message : Buffer.from(message));
                if (engine.transport.name === "websocket") rest--;
            };
            engine.on("open", () => {
                for (let i = 0; i < 10; i++) send(); // as many as are under way at any time
            });
            await new Promise((resolve, reject) => {
                engine.on("error", reject);
                engine.on("message", (message) => {
                    received.push(Buffer.from(message).toString());
                    if (rest > 0) send();
                    else if (received.length >= sent.length) resolve();
                });
            });
            assert.equal(engine.transport.name, "websocket");
            assert.deepEqual(received, sent);
            engine.close();
        }
    });

    test("C05_stays_on_polling_where_websocket_is_blocked", async (t) => {
        const proxy = await startProxy(
            t,
            server.port,
            (request) => !/^upgrade: *websocket/im.test(request),
        );
        const socket = client(t, proxy.url);
        socket.connect();
        const [error] = await once(socket.io.engine, "upgradeError");
        assert.equal(error.transport, "websocket");
        assert.equal(await socket.emitWithAck("echo", 1), 1);
        assert.equal(socket.io.engine.transport.name, "polling");
    });
});

describe("heartbeat", LIMIT, () => {
    test("C07_server_pings_and_the_client_stays", async (t) => {
        const socket = await connect(t, server.url, { transports: ["websocket"] });
        await once(socket.io.engine, "ping");
        await once(socket.io.engine, "ping");
        assert.equal(await socket.emitWithAck("echo", 1), 1);
    });
});

describe("client file", LIMIT, () => {
    test("C38_is_served_with_an_etag", async () => {
        const file = await fetch(`${server.url}/socket.io/socket.io.js`);
        assert.equal(file.status, 200);
        assert.match(file.headers.get("content-type"), /javascript/);
        assert.match(await file.text(), /Socket\.IO v4/);
        const again = await fetch(file.url, {
            headers: { "If-None-Match": file.headers.get("etag") },
        });
        assert.equal(again.status, 304);
    });
});
