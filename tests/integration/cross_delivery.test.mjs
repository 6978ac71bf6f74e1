// Row B01: whoever says something in a room is heard there by everybody, whatever they speak and
// over which transport. Every kind of client as sender, every kind as receiver, two workers.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { OPEN_ALL as OPEN, withBuffers } from "./envelope.mjs";
import { serveFixture } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

describe("cross delivery", LIMIT, () => {
    const server = serveFixture("envelope_support");
    const kinds = Object.keys(OPEN);
    const open = (t, kind, name = kind) => OPEN[kind](t, server.url, { namespace: "/all", name });
    const openAll = async (t) =>
        Object.fromEntries(
            await Promise.all(kinds.map(async (kind) => [kind, await open(t, kind)])),
        );

    for (const sender of kinds) {
        test(`B01_${sender.replaceAll(/\W/g, "_")}_reaches_all`, LIMIT, async (t) => {
            const clients = await openAll(t);
            const values = [
                { from: sender, n: 1 },
                [1, [2]],
                "Я\u2028😀\n",
                0,
                null,
                { a: { b: [] } },
            ];
            for (const [n, value] of values.entries()) {
                await clients[sender].send("say", { n, value });
                for (const kind of kinds)
                    assert.deepEqual(
                        await clients[kind].take("say", (c) => c.n === n),
                        { n, value },
                        kind,
                    );
            }
        });

        test(`C02_binary_of_${sender.replaceAll(/\W/g, "_")}_reaches_all`, LIMIT, async (t) => {
            const clients = await openAll(t);
            const bytes = Buffer.from([0, 255, 10, 13]);
            const data = sender.startsWith("Socket.IO")
                ? bytes
                : { _base64: bytes.toString("base64") };
            await clients[sender].send("say", { sender, data });
            for (const kind of kinds) {
                const { data } = withBuffers(
                    await clients[kind].take("say", (c) => c.sender === sender),
                );
                assert.deepEqual(Buffer.from(data), bytes, kind);
            }
        });

        test(`B16_chat_of_${sender.replaceAll(/\W/g, "_")}_reaches_the_room`, LIMIT, async (t) => {
            const room = `room of ${sender}`;
            const clients = await openAll(t);
            const { outside, ...inside } = {
                ...clients,
                outside: await open(t, "envelope long polling"),
            };
            for (const kind of kinds) {
                await inside[kind].send("join", room);
                /* Its own line says that it is in. */
                await inside[kind].send("chat_message", { room, text: `${kind} is in` });
                await inside[kind].take("chat_message", (c) => c.text === `${kind} is in`);
            }
            await inside[sender].send("chat_message", { room, text: "hello" });
            const lines = await Promise.all(
                kinds.map((kind) => inside[kind].take("chat_message", (c) => c.text === "hello")),
            );
            for (const line of lines) {
                assert.deepEqual(line, lines[0]);
                assert.equal(line.from.name, sender);
            }
            assert.equal(
                outside.all.some((m) => m.type === "chat_message" && m.content.room === room),
                false,
            );
        });
    }

    test("B16_the_last_50_are_replayed_to_who_joins", LIMIT, async (t) => {
        const room = "history";
        const sayer = await open(t, "envelope websocket", "sayer");
        await sayer.send("join", room);
        const said = [];
        for (let i = 0; i < 60; i++) {
            /* More than one socket may say in ten seconds. */
            const other =
                i % 10 ? said.at(-1).client : await open(t, "envelope websocket", `n${i}`);
            if (i % 10 === 0) await other.send("join", room);
            await other.send("chat_message", { room, text: `line ${i}` });
            said.push({
                client: other,
                line: await other.take("chat_message", (c) => c.text === `line ${i}`),
            });
        }
        for (const kind of kinds) {
            const late = await open(t, kind, "late");
            await late.send("join", room);
            await late.take("chat_message", (c) => c.room === room && c.text === "line 59");
            const lines = late.all.filter(
                (m) => m.type === "chat_message" && m.content.room === room,
            );
            assert.deepEqual(
                lines.map((m) => m.content),
                said.slice(-50).map((s) => s.line),
                kind,
            );
        }
    });
});
