// Namespaces that a pattern makes: there when asked for, gone when empty.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { io } from "socket.io-client";
import { serveFixture } from "./harness.mjs";

for (const workers of ["1", "3"]) {
    describe(`dynamic namespaces, ${workers} workers`, () => {
        const server = serveFixture("dynamic_namespaces", ["--workers", workers]);

        const open = (name) =>
            new Promise((resolve, reject) => {
                const socket = io(server.url + name, { forceNew: true, transports: ["websocket"] });
                socket.on("connect", () => resolve(socket));
                socket.on("connect_error", (error) => (socket.disconnect(), reject(error)));
            });

        test("each is a namespace of its own", async () => {
            const [a, b] = await Promise.all([open("/room-a"), open("/room-b")]);
            assert.equal(await a.emitWithAck("where"), "/room-a");
            assert.equal(await b.emitWithAck("where"), "/room-b");
            a.disconnect();
            b.disconnect();
        });

        test("what fits no pattern is refused", async () => {
            await assert.rejects(open("/room-"), /Invalid namespace/);
            await assert.rejects(open("/other"), /Invalid namespace/);
        });

        test("empty ones go, and come again", async () => {
            const watcher = await open("/");
            const until = async (isTrue) => {
                let stats;
                do stats = await watcher.emitWithAck("stats");
                while (!isTrue(stats));
                return stats;
            };
            const before = await until((stats) => stats.stopped === stats.started);
            for (let round = 1; round <= 2; round++) {
                const names = Array.from({ length: 60 }, (_, i) => `/room-${i}`);
                const sockets = await Promise.all(names.map(open));
                assert.equal(await sockets[7].emitWithAck("where"), "/room-7");
                for (const socket of sockets) socket.disconnect();
                await until((stats) => stats.stopped === before.stopped + 60 * round);
            }
            const stats = await until(() => true);
            assert.equal(stats.started, before.started + 120);
            watcher.disconnect();
        });
    });
}
