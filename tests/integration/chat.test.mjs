// examples/chat.c: rooms, names, history, typing; and that a broken connection loses nothing (C06).
import assert from "node:assert/strict";
import { once } from "node:events";
import test, { describe } from "node:test";
import { client, Inbox, lose, serveExample, startProxy, TRANSPORTS } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const server = serveExample("chat", ["--messages-per-second", "0"]);

/** Somebody who came in and was told so. */
async function enter(t, name, room, options = {}) {
    const socket = client(t, server.url, { auth: { name, room }, ...options });
    const inbox = new Inbox(socket);
    socket.connect();
    const [history] = await inbox.take("history");
    const [, names] = await inbox.take("joined", (who) => who === name);
    return { socket, inbox, history, names };
}

describe("chat", LIMIT, () => {
    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        test(`C10_message_reaches_the_room_and_no_other_over_${way}`, async (t) => {
            const ann = await enter(t, "ann", `one ${way}`, { transports });
            const bob = await enter(t, "bob", `one ${way}`, { transports });
            const cid = await enter(t, "cid", `two ${way}`, { transports });
            assert.deepEqual(bob.names.sort(), ["ann", "bob"]);
            assert.deepEqual(await ann.socket.emitWithAck("message", "Grüße 👋"), {});
            for (const { inbox } of [ann, bob]) {
                const [{ name, text, at }] = await inbox.take("message");
                assert.deepEqual({ name, text }, { name: "ann", text: "Grüße 👋" });
                assert.ok(Math.abs(at - Date.now()) < 60_000);
            }
            await cid.socket.emitWithAck("message", "alone");
            assert.equal(cid.inbox.count("message"), 1);
            assert.equal(bob.inbox.count("message"), 1);
        });
    }

    test("newcomer_is_shown_the_last_50_messages", async (t) => {
        const ann = await enter(t, "ann", "history");
        assert.deepEqual(ann.history, []);
        for (let i = 0; i < 60; i++) ann.socket.emit("message", `${i}`);
        await ann.socket.emitWithAck("message", "60");
        const bob = await enter(t, "bob", "history");
        assert.deepEqual(
            bob.history.map(({ text }) => text),
            Array.from({ length: 50 }, (_, i) => `${i + 11}`),
        );
    });

    test("left_is_told", async (t) => {
        const ann = await enter(t, "ann", "leaving");
        const bob = await enter(t, "bob", "leaving");
        bob.socket.disconnect();
        assert.deepEqual((await ann.inbox.take("left")).slice(0, 2), ["bob", ["ann"]]);
    });

    test("typing_is_told_to_the_others", async (t) => {
        const transports = ["websocket"]; // always writable, so that nothing transient is dropped
        const ann = await enter(t, "ann", "typing", { transports });
        const bob = await enter(t, "bob", "typing", { transports });
        bob.socket.emit("typing");
        assert.deepEqual(await ann.inbox.take("typing"), ["bob"]);
        await bob.socket.emitWithAck("message", "done");
        assert.equal(bob.inbox.count("typing"), 0);
    });

    test("names_are_checked", async (t) => {
        await enter(t, "ann", "names");
        const bad = [
            undefined,
            {},
            { name: "ann" },
            { name: "", room: "names" },
            { name: 5, room: "names" },
            { name: "x".repeat(33), room: "names" },
            { name: "a\0b", room: "names" },
            { name: "ann", room: "names" },
        ];
        for (const auth of bad) {
            const socket = client(t, server.url, { auth });
            socket.connect();
            const [error] = await once(socket, "connect_error");
            assert.match(error.message, /^(Choose a name|Somebody of that name)/);
        }
    });

    test("messages_are_checked", async (t) => {
        const ann = await enter(t, "ann", "limits");
        assert.ok((await ann.socket.emitWithAck("message", "")).error);
        assert.ok((await ann.socket.emitWithAck("message", "x".repeat(2001))).error);
        ann.socket.emit("message", { no: "text" });
        assert.equal((await ann.inbox.take("error"))[0].event, "message");
        await ann.socket.emitWithAck("message", "fine");
        assert.equal(ann.inbox.count("message"), 1);
    });

    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        test(`C06_broken_connections_lose_double_and_reorder_nothing_over_${way}`, async (t) => {
            const proxy = await startProxy(t, server.port);
            const room = `recovery ${way}`;
            const ann = client(t, proxy.url, {
                auth: { name: "ann", room },
                transports,
                reconnection: true,
                reconnectionDelay: 1,
                reconnectionDelayMax: 20,
            });
            const inbox = new Inbox(ann);
            ann.connect();
            await inbox.take("history");
            const bob = await enter(t, "bob", room);
            const sent = [];
            for (let round = 0; round < 10; round++) {
                const connected = once(ann, "connect");
                for (let i = 0; i < 20; i++) {
                    sent.push(`${round} ${i}`);
                    bob.socket.emit("message", sent.at(-1));
                    if (i === 10) await lose(ann, proxy); // the rest while it is away
                }
                await connected;
                assert.equal(ann.recovered, true);
            }
            await inbox.take("message", ({ text }) => text === sent.at(-1));
            const received = inbox.all
                .filter(([name]) => name === "message")
                .map(([, { text }]) => text);
            assert.deepEqual(received, sent);
            assert.equal(inbox.count("history"), 1);
        });
    }
});
