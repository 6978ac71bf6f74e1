// The network lab (docs/network-lab.md) with the official client: what comes is what was sent, in
// order, and no sooner than the delay. How long it takes is only ever bounded from below.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { EnvelopeSocket } from "./envelope.mjs";
import { connect, Inbox, serveExample, serveFixture, TRANSPORTS } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const DELAY = 150;

/** Fifty events at once, in a transport's own way; how long each took to come back. */
async function echoes(socket) {
    const started = performance.now();
    const order = [];
    const values = Array.from({ length: 50 }, (_, i) =>
        i % 5 ? { i, text: "ä".repeat(i * 20) } : Buffer.alloc(i * 200, i),
    );
    const times = await Promise.all(
        values.map(async (value, i) => {
            assert.deepEqual(await socket.emitWithAck("echo", value), value);
            order.push(i);
            return performance.now() - started;
        }),
    );
    assert.deepEqual(order, [...order.keys()]);
    return times;
}

describe("network lab for all", LIMIT, () => {
    const server = serveFixture("socketio_support", [
        ...["--workers", "2", "--lab-delay-ms", `${DELAY}`, "--lab-jitter-ms", "30"],
        ...["--lab-loss-percent", "2", "--lab-rate-kbps", "20000", "--lab-seed", "7"],
    ]);

    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        test(`C35_all_comes_in_order_and_no_sooner_over_${way}`, async (t) => {
            const socket = await connect(t, server.url, { transports });
            for (const time of await echoes(socket)) assert.ok(time >= 2 * DELAY, `${time} ms`);
        });
    }
});

describe("network lab for oneself", LIMIT, () => {
    const options = ["--workers", "2", "--lab-self-service", "true"];
    const server = serveFixture("socketio_support", options);
    const enveloped = serveFixture("envelope_support", options);
    const without = serveFixture("socketio_support");

    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        test(`C35_a_page_makes_its_own_network_bad_over_${way}`, async (t) => {
            const socket = await connect(t, server.url, { transports });
            const wanted = { delay_ms: DELAY, jitter_ms: 20, loss_percent: 1 };
            assert.deepEqual(await socket.emitWithAck("lab", wanted), { lab: wanted });
            for (const time of await echoes(socket)) assert.ok(time >= 2 * DELAY, `${time} ms`);
            assert.deepEqual(await socket.emitWithAck("lab", null), { lab: null });
            await echoes(socket);
        });
    }

    test("C35_a_page_of_the_envelope_does_it_too", async (t) => {
        const socket = await new EnvelopeSocket().open(t, enveloped.url);
        await socket.send("lab", { delay_ms: DELAY }, 1);
        assert.equal((await socket.takeMessage("ack", (_, { id }) => id === 1)).id, 1);
        const started = performance.now();
        await socket.send("echo", "x", 2);
        await socket.takeMessage("ack", (_, { id }) => id === 2);
        assert.ok(performance.now() - started >= 2 * DELAY);
        await socket.send("lab", { delay_ms: 5000 }, 3);
        assert.equal((await socket.take("error")).code, "wrong_shape");
    });

    test("what_is_beyond_the_bounds_is_refused", async (t) => {
        const socket = await connect(t, server.url, { transports: ["websocket"] });
        const inbox = new Inbox(socket);
        const wrong = [
            { delay_ms: 1001 },
            { jitter_ms: 1001 },
            { loss_percent: 51 },
            { duplicate_percent: 51 },
            { reorder_percent: 51 },
            { rate_kbps: 63 },
            { delay_ms: -1 },
            { delay_ms: "1" },
            { latency: 1 },
            "slow",
        ];
        for (const settings of wrong) {
            socket.emit("lab", settings);
            const [{ code, message }] = await inbox.take("error");
            assert.equal(code, "wrong_shape");
            assert.match(message, /^[A-Za-z].*\.$/);
        }
        socket.emit("lab");
        await inbox.take("error");
    });

    test("there_is_no_such_event_unless_asked_for", async (t) => {
        const socket = await connect(t, without.url, { transports: ["websocket"] });
        let isAnswered = false;
        socket.emit("lab", { delay_ms: 1 }, () => (isAnswered = true));
        await socket.emitWithAck("echo", 1);
        assert.ok(!isAnswered);
    });
});

describe("unreliable messages as datagrams", LIMIT, () => {
    const lossy = ["--lab-datagrams", "--lab-loss-percent", "100", "--lab-delay-ms", "5"];
    const doubling = ["--lab-datagrams", "--lab-duplicate-percent", "100"];
    const servers = [serveExample("chat", lossy), serveExample("chat", doubling)];

    for (const [copies, name] of [
        [0, "lost"],
        [2, "doubled"],
    ]) {
        test(`C35_a_transient_message_is_${name}_and_a_reliable_one_is_not`, async (t) => {
            const { url } = servers[copies / 2];
            const enter = (who) =>
                connect(t, url, { transports: ["websocket"], auth: { name: who, room: "one" } });
            const ann = await enter("ann");
            const inbox = new Inbox(ann);
            const bob = await enter("bob");
            bob.emit("typing");
            for (let i = 0; i < copies; i++) assert.deepEqual(await inbox.take("typing"), ["bob"]);
            await bob.emitWithAck("message", "after");
            await inbox.take("message", ({ text }) => text === "after");
            assert.equal(inbox.count("typing"), copies);
            assert.equal(inbox.count("message"), 1);
        });
    }
});
