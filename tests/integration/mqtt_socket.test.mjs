// MQTT clients as sockets of a namespace (docs/protocols.md): what they publish to
// fray/<namespace>/me/<event> are their events, and what they are sent comes to that topic.
import assert from "node:assert/strict";
import { once } from "node:events";
import test, { describe } from "node:test";
import mqtt from "mqtt";
import { MqttSocket, OPEN_ALL } from "./envelope.mjs";
import { serveFixture } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

describe("an MQTT client as a socket", LIMIT, () => {
    const server = serveFixture("envelope_support");
    const open = (t, name, options = {}) =>
        new MqttSocket().open(t, server.url, {
            namespace: "/all",
            name,
            protocolVersion: 5,
            ...options,
        });
    const plain = async (t, options = {}) => {
        const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`, {
            reconnectPeriod: 0,
            protocolVersion: 5,
            ...options,
        });
        t.after(() => client.endAsync(true));
        client.heard = [];
        client.on("message", (topic, payload) => client.heard.push([topic, `${payload}`]));
        return client;
    };
    /** What was sent to the client before now has come. */
    const settle = async (client) => {
        await client.subscribeAsync("settled/#");
        const said = new Promise((resolve) =>
            client.on("message", (topic) => topic === "settled/now" && resolve()),
        );
        await client.publishAsync("settled/now", "");
        await said;
    };

    test("acknowledges_to_the_event_s_topic_or_to_the_response_topic", async (t) => {
        const ann = await open(t, "Ann");
        await ann.send("move", { x: 1, y: 2 });
        assert.equal(await ann.take("move/ack"), 3);
        await ann.client.subscribeAsync("replies/ann");
        const answered = once(ann.client, "message");
        await ann.send("echo", ["as it is"], {
            properties: { responseTopic: "replies/ann", correlationData: Buffer.from([7, 0]) },
        });
        const [topic, payload, packet] = await answered;
        assert.deepEqual([topic, JSON.parse(`${payload}`)], ["replies/ann", ["as it is"]]);
        assert.deepEqual(Buffer.from(packet.properties.correlationData), Buffer.from([7, 0]));
        assert.equal(packet.properties.userProperties, undefined);
    });

    test("errors_come_as_error_or_to_the_response_topic_marked_as_such", async (t) => {
        const ann = await open(t, "Ann");
        for (const [type, content, code] of [
            ["move", { x: 0, y: 2 }, "taken"],
            ["move", { x: "0" }, "wrong_shape"],
            ["fly", {}, "unknown_type"],
        ]) {
            await ann.send(type, content);
            const error = await ann.take("error", (e) => e.type === type);
            assert.equal(error.code, code);
        }
        await ann.client.subscribeAsync("replies/ann");
        const answered = once(ann.client, "message");
        await ann.send("move", { x: 0, y: 2 }, { properties: { responseTopic: "replies/ann" } });
        const [, payload, packet] = await answered;
        assert.equal(JSON.parse(`${payload}`).code, "taken");
        assert.deepEqual({ ...packet.properties.userProperties }, { type: "error" });
    });

    test("every_qos_is_one_event_and_what_comes_has_the_subscription_s_identifier", async (t) => {
        const ann = await open(t, "Ann");
        await ann.client.subscribeAsync("fray/all/me/say", {
            qos: 2,
            properties: { subscriptionIdentifier: 5 },
        });
        for (const qos of [0, 1, 2]) {
            await ann.send("say", { qos }, { qos });
            const { content, packet } = await ann.takeMessage("say");
            assert.deepEqual(content, { qos });
            assert.equal(packet.qos, 0);
            assert.equal([packet.properties.subscriptionIdentifier].flat()[0], 5);
        }
        assert.equal(ann.all.filter((m) => m.type === "say").length, 3);
    });

    test("another_connection_that_knows_the_session_speaks_for_it", async (t) => {
        const ann = await open(t, "Ann");
        const other = await plain(t);
        await other.publishAsync(`fray/all/${ann.welcome.session}/whoami`, "", { qos: 1 });
        assert.equal((await ann.take("whoami/ack")).name, "Ann");
        await other.subscribeAsync("mine");
        const answered = once(other, "message");
        await other.publishAsync(`fray/all/${ann.welcome.session}/whoami`, "", {
            properties: { responseTopic: "mine" },
        });
        const [topic, payload] = await answered;
        assert.deepEqual([topic, JSON.parse(`${payload}`).name], ["mine", "Ann"]);
        const { session } = ann.welcome;
        const wrong = session.slice(0, -1) + (session.endsWith("A") ? "B" : "A");
        await other.publishAsync(`fray/all/${wrong}/say`, '"forged"', { qos: 1 });
        await other.publishAsync(`fray/other/${ann.welcome.session}/say`, '"forged"');
        await ann.send("say", "end");
        await ann.take("say", (c) => c === "end");
        assert.equal(JSON.stringify(ann.all).includes("forged"), false);
    });

    test("nobody_speaks_as_the_server_or_hears_what_is_another_s", async (t) => {
        const ann = await open(t, "Ann");
        const spy = await plain(t);
        await spy.subscribeAsync(["#", "fray/all/+/#", "$share/g/fray/all/me/#"]);
        for (const [n, topic] of [
            "fray/all/-/forged",
            "fray/all/lobby/forged",
            "fray/all/me",
            "fray/all",
            "fray/all/me/disconnect",
            "fray/all/-/connect",
            `fray/all/${ann.welcome.id}/forged`,
        ].entries())
            await spy.publishAsync(topic, "{}", { qos: n % 3, retain: n % 2 === 0 });
        await ann.send("say", "to all");
        await ann.take("say");
        const late = await open(t, "Late"); // nothing was retained
        await settle(spy);
        /* By publishing to …/me it would have become a socket, too; its subscriptions do not. */
        assert.deepEqual(
            spy.heard.filter(([topic]) => !topic.startsWith("settled/")),
            [],
        );
        for (const one of [ann, late])
            assert.deepEqual(
                one.all.map((m) => m.type).filter((type) => type !== "say"),
                ["welcome"],
            );
        await assert.rejects(
            plain(t, { will: { topic: "fray/all/me/say", payload: '"gone"', qos: 1 } }),
            { code: 0x87 },
        );
    });

    test("who_only_publishes_is_a_socket_too_and_hears_what_it_has_subscribed_to", async (t) => {
        const client = await plain(t, { username: "Quiet" });
        const ann = await open(t, "Ann");
        await client.subscribeAsync("fray/all/+/say");
        /* Before its welcome. */
        for (let i = 0; i < 40; i++) client.publish("fray/all/me/say", `${i}`);
        await ann.take("say", (c) => c === 39);
        const own = ann.all.filter((m) => m.type === "say").map((m) => m.content);
        assert.deepEqual(own, [...Array(40).keys()]);
        await settle(client);
        assert.deepEqual(
            client.heard.filter(([topic]) => topic.startsWith("fray/")),
            own.map((n) => ["fray/all/me/say", `${n}`]),
        );
    });

    test("payloads_are_JSON_or_text_or_bytes", async (t) => {
        const ann = await open(t, "Ann");
        for (const [payload, wanted] of [
            ["", undefined],
            ["not JSON", "not JSON"],
            ["[1,2]", [1, 2]],
            [' {"a" : 1} ', { a: 1 }],
            [`${"[".repeat(10_000)}`, "[".repeat(10_000)],
        ]) {
            await ann.client.publishAsync("fray/all/me/echo", payload);
            const { content } = await ann.takeMessage("echo/ack");
            assert.deepEqual(content, wanted);
        }
        await ann.client.publishAsync("fray/all/me/echo", Buffer.from([255, 0, 1]));
        assert.deepEqual(await ann.take("echo/ack"), Buffer.from([255, 0, 1]));
    });

    test("refused_or_sent_away_it_is_told_why", async (t) => {
        const nobody = await plain(t, { username: "nobody" });
        const refusal = once(nobody, "message");
        await nobody.subscribeAsync("fray/all/me/#");
        const [topic, payload] = await refusal;
        assert.equal(topic, "fray/all/me/error");
        assert.deepEqual(JSON.parse(`${payload}`), {
            code: "refused",
            message: "Nobody may not enter.",
        });
        const ann = await open(t, "Ann");
        const left = once(ann.client, "disconnect");
        await ann.send("bye", undefined, { qos: 0 });
        assert.equal((await left)[0].reasonCode, 0x98);
        await ann.closed;
    });

    test("its_socket_ends_with_its_connection", async (t) => {
        const watcher = await OPEN_ALL["envelope websocket"](t, server.url, { namespace: "/all" });
        await watcher.send("join", "hall", 1);
        for (let i = 0; i < 20; i++) {
            const ann = await open(t, `Ann ${i}`, i % 2 ? {} : { clean: false, clientId: "ann" });
            await ann.send("join", "hall");
            assert.equal((await ann.take("join/ack")).members, 2);
            if (i % 3) ann.client.stream.destroy();
            else await ann.client.endAsync();
            await ann.closed;
            for (let members = 2; members > 1;) {
                await watcher.send("join", "hall", 100 + i);
                ({ members } = await watcher.take("ack", (_, m) => m.id === 100 + i));
            }
        }
    });

    test("a_reader_too_slow_for_what_is_reliable_is_closed_and_no_other", async (t) => {
        const slow = await open(t, "Slow");
        const ann = await open(t, "Ann");
        slow.client.stream.pause();
        const text = "x".repeat(100_000);
        const closed = async () => {
            const metrics = await (await fetch(`${server.url}/metrics`)).text();
            return Number(/^fray_sessions_closed_slow_total (\d+)$/m.exec(metrics)[1]);
        };
        for (let n = 0; (await closed()) === 0; n++) {
            assert.ok(n < 1000);
            await ann.send("say", { n, text }, { qos: 0 });
            await ann.take("say", (c) => c.n === n);
        }
        slow.client.stream.destroy();
        await ann.send("whoami");
        await ann.take("whoami/ack");
    });
});
