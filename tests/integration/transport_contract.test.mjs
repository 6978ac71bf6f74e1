// One contract, whatever carries it: the official client against socketio_support, over each way of
// connecting, plain and TLS, on one worker and on two.
import assert from "node:assert/strict";
import { once } from "node:events";
import test, { describe } from "node:test";
import { client, connect, Inbox, lose, serveFixture, startProxy, TRANSPORTS } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const SERVERS = {
    "plain, one worker": ["http", ["--workers", "1"]],
    "plain, two workers": ["http", ["--workers", "2"]],
    "TLS, one worker": ["https", ["--workers", "1", "--tls-self-signed", "true"]],
    "TLS, two workers": ["https", ["--workers", "2", "--tls-self-signed", "true"]],
};

/** The transport that the socket has come to, the upgrade waited for. */
async function settled(socket, transports) {
    const { engine } = socket.io;
    if (engine.transport.name !== transports.at(-1)) await once(engine, "upgrade");
    return engine.transport.name;
}

function contract(server, scheme, transports) {
    const url = (path) => `${scheme}://127.0.0.1:${server.port}${path}`;
    const options = { transports, rejectUnauthorized: false };
    const join = (t, path = "/", more = {}) => connect(t, url(path), { ...options, ...more });

    test("C03_connects_over_the_transport_that_it_asked_for", async (t) => {
        const socket = await join(t);
        assert.equal(await settled(socket, transports), transports.at(-1));
        assert.equal(await socket.emitWithAck("getId"), socket.id);
        const handshake = await socket.emitWithAck("getHandshake");
        assert.equal(handshake.secure, scheme === "https");
    });

    test("C02_values_binary_and_long_text_return", async (t) => {
        const socket = await join(t);
        const values = [
            null,
            -1.5,
            "Я Б Г",
            { a: [{}] },
            "é".repeat(300_000),
            Buffer.alloc(0),
            { deep: [Buffer.from([0, 1, 255])] },
            Buffer.alloc(400_000, 7),
        ];
        for (const value of values)
            assert.deepEqual(await socket.emitWithAck("echo", value), value);
    });

    test("C03_order_is_kept_across_the_upgrade", async (t) => {
        const socket = client(t, url("/"), options);
        const answers = [];
        for (let i = 0; i < 500; i++)
            answers.push(new Promise((resolve) => socket.emit("echo", i, resolve)));
        const order = [];
        for (const answer of answers) answer.then((i) => order.push(i));
        socket.connect();
        await once(socket, "connect");
        await settled(socket, transports);
        for (let i = 500; i < 1000; i++)
            answers.push(socket.emitWithAck("echo", i).then((i) => order.push(i)));
        await Promise.all(answers);
        assert.deepEqual(order, [...Array(1000).keys()]);
    });

    test("C08_the_server_asks_for_an_answer", async (t) => {
        const socket = await join(t);
        socket.on("ack", (answer) => answer(5, { test: true }));
        socket.emit("ack");
        await once(socket, "got it");
    });

    test("C01_namespaces_share_a_connection_and_have_ids_of_their_own", async (t) => {
        const socket = await join(t);
        const foo = socket.io.socket("/foo");
        t.after(() => foo.disconnect());
        foo.connect();
        await once(foo, "connect");
        assert.notEqual(await foo.emitWithAck("getId"), socket.id);
        const refused = socket.io.socket("/no");
        refused.connect();
        const [error] = await once(refused, "connect_error");
        assert.equal(error.message, "Auth failed (custom namespace)");
        foo.disconnect();
        assert.equal(await socket.emitWithAck("getId"), socket.id);
    });

    test("C07_the_heartbeat_keeps_a_silent_client", async (t) => {
        const socket = await join(t);
        await once(socket.io, "ping");
        assert.equal(await socket.emitWithAck("getId"), socket.id);
    });

    test("C06_a_lost_client_comes_back_as_itself", async (t) => {
        const proxy = await startProxy(t, server.port);
        const socket = await connect(t, proxy.url.replace("http", scheme), {
            ...options,
            reconnection: true,
            reconnectionDelay: 10,
        });
        const inbox = new Inbox(socket);
        socket.emit("hi");
        await inbox.take("hi");
        const { id } = socket;
        await settled(socket, transports);
        await lose(socket, proxy);
        await once(socket, "connect");
        assert.equal(socket.recovered, true);
        assert.equal(socket.id, id);
        socket.emit("hi");
        await inbox.take("hi");
    });

    test("B13_a_hundred_clients_at_once", async (t) => {
        const sockets = await Promise.all(Array.from({ length: 100 }, () => join(t)));
        const ids = await Promise.all(sockets.map((socket) => socket.emitWithAck("getId")));
        assert.deepEqual(
            ids,
            sockets.map((socket) => socket.id),
        );
        assert.equal(new Set(ids).size, 100);
    });
}

for (const [name, [scheme, options]] of Object.entries(SERVERS)) {
    describe(name, LIMIT, () => {
        const often = ["--ping-interval-ms", "300"];
        const server = serveFixture("socketio_support", [...options, ...often]);
        for (const [way, transports] of Object.entries(TRANSPORTS))
            describe(way, LIMIT, () => contract(server, scheme, transports));
    });
}
