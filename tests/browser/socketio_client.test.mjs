// The official browser client, as fray serves it, against the fixture socketio_support in Chromium.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serveFixture, TRANSPORTS } from "../integration/harness.mjs";
import { useBrowser } from "./browser.mjs";

describe("socket.io-client in Chromium", () => {
    const server = serveFixture("socketio_support");
    const open = useBrowser();

    /** A page with the client; from another origin than the server when `host` differs. */
    async function load(host = "127.0.0.1", options = {}) {
        const page = await open(`http://${host}:${server.port}/healthz`, options);
        await page.addScriptTag({ url: `${server.url}/socket.io/socket.io.js` });
        await page.evaluate(() => {
            window.next = (socket, name) =>
                new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
            window.join = async (url, options) => {
                const socket = io(url, { forceNew: true, reconnection: false, ...options });
                await new Promise((resolve, reject) => {
                    socket.on("connect", resolve);
                    socket.on("connect_error", reject);
                });
                const upgrades = options.transports.length > 1;
                if (upgrades && socket.io.engine.transport.name === "polling")
                    await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
                return socket;
            };
        });
        return page;
    }

    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        /** Calls run(socket) in the page, with a socket that came in this way. */
        const within = async (run, host) => {
            const page = await load(host);
            return page.evaluate(
                async ([source, url, options]) => {
                    const socket = await window.join(url, options);
                    return new Function(`return ${source}`)()(socket);
                },
                [run.toString(), server.url, { transports }],
            );
        };

        test(`C01_C03_C05_connects_over_${way}`, async () => {
            const seen = await within(async (socket) => ({
                transport: socket.io.engine.transport.name,
                id: socket.id,
                told: await socket.emitWithAck("getId"),
            }));
            assert.equal(seen.transport, transports.at(-1));
            assert.equal(seen.id, seen.told);
        });

        test(`C02_C08_text_and_acks_over_${way}`, async () => {
            const values = ["てすと", { a: [1, null, { b: "😀" }] }, 0.1, "x".repeat(50_000)];
            const back = await within(async (socket) => {
                const sent = ["てすと", { a: [1, null, { b: "😀" }] }, 0.1, "x".repeat(50_000)];
                return Promise.all(sent.map((value) => socket.emitWithAck("echo", value)));
            });
            assert.deepEqual(back, values);
        });

        test(`C02_ArrayBuffer_and_Blob_arrive_over_${way}`, async () => {
            const answers = await within(async (socket) => {
                const bytes = new Uint8Array([0, 1, 254, 255]);
                const object = (message) => ({ hello: "lol", message, goodbye: "gotcha" });
                const asked = [
                    ["buffack", "buffa", bytes.buffer],
                    ["jsonbuff-ack", "jsonbuff", object(new TextEncoder().encode("howdy").buffer)],
                    ["back", "blob", new Blob(["hello world"])],
                    ["jsonblob-ack", "jsonblob", object(new Blob(["EEEEEEEEE"]))],
                ];
                const got = [];
                for (const [reply, name, value] of asked) {
                    const answer = window.next(socket, reply);
                    socket.emit(name, value);
                    await answer;
                    got.push(reply);
                }
                const blobs = window.next(socket, "blob3-ack");
                socket.emit("blob1", new Blob(["first"]));
                socket.emit("blob2", "second");
                socket.emit("blob3", new Blob(["blob3"]));
                await blobs;
                return got;
            });
            assert.deepEqual(answers, ["buffack", "jsonbuff-ack", "back", "jsonblob-ack"]);
        });

        test(`C02_bytes_return_unchanged_over_${way}`, async () => {
            const sum = await within(async (socket) => {
                const bytes = new Uint8Array(70_000).map((_, i) => (i * 31) % 256);
                const back = new Uint8Array(await socket.emitWithAck("echo", bytes.buffer));
                return back.length === bytes.length && back.every((b, i) => b === bytes[i]);
            });
            assert.equal(sum, true);
        });

        test(`C02_binary_comes_as_ArrayBuffer_over_${way}`, async () => {
            const [kind, text] = await within(async (socket) => {
                const answer = window.next(socket, "doge");
                socket.emit("doge");
                const [bytes] = await answer;
                return [bytes.constructor.name, new TextDecoder().decode(bytes)];
            });
            assert.deepEqual([kind, text], ["ArrayBuffer", "asdfasdf"]);
        });

        test(`C38_from_another_origin_over_${way}`, async () => {
            const id = await within((socket) => socket.emitWithAck("getId"), "localhost");
            assert.match(id, /^[\w-]{20}$/);
        });
    }

    test("C06_reconnects_and_receives_what_it_missed", async () => {
        // Its poll may come after the packet that says that it goes, which is another request.
        const page = await load("127.0.0.1", { allows: /status of 400/ });
        const result = await page.evaluate(async (url) => {
            const socket = io(url, { forceNew: true, reconnectionDelay: 1 });
            await window.next(socket, "connect");
            const { id } = socket;
            const hi = window.next(socket, "hi");
            socket.emit("hi"); // recovery goes on from the last event with an offset
            await hi;
            const again = window.next(socket, "connect");
            socket.io.engine.close();
            await again;
            return { recovered: socket.recovered, same: socket.id === id };
        }, server.url);
        assert.deepEqual(result, { recovered: true, same: true });
    });

    test("refusals_carry_the_reason", async () => {
        const page = await load();
        const message = await page.evaluate(
            (url) =>
                new Promise((resolve) => {
                    io(`${url}/no`, { forceNew: true, transports: ["websocket"] }).on(
                        "connect_error",
                        (error) => resolve(error.message),
                    );
                }),
            server.url,
        );
        assert.equal(message, "Auth failed (custom namespace)");
    });
});
