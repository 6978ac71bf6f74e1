// MQTT.js, unmodified, over TCP and WebSocket in every version, and beside Socket.IO in one room.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { describe } from "node:test";
import mqtt from "mqtt";
import { connect, Inbox, serveFixture } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const VERSIONS = {
    3.1: { protocolVersion: 3, protocolId: "MQIsdp" },
    "3.1.1": { protocolVersion: 4 },
    "5.0": { protocolVersion: 5 },
};
const urls = (port) => ({
    tcp: `mqtt://127.0.0.1:${port}`,
    websocket: `ws://127.0.0.1:${port}/mqtt`,
});
let clients = 0;

/** A connected client; messages come out of next(). */
async function open(t, url, options = {}) {
    const client = mqtt.connect(url, {
        clientId: `js-${process.pid}-${clients++}`,
        reconnectPeriod: 0,
        clean: true,
        protocolVersion: 5,
        ...options,
    });
    t.after(() => client.endAsync(true));
    const queue = [],
        waiting = [];
    client.on("message", (topic, payload, packet) => {
        const take = waiting.shift();
        // The packet's own topic is empty under an alias.
        const message = { ...packet, topic, payload };
        if (take) take(message);
        else queue.push(message);
    });
    client.next = () =>
        queue.length ? Promise.resolve(queue.shift()) : new Promise((r) => waiting.push(r));
    client.waitingCount = () => queue.length;
    const [connack] = await once(client, "connect");
    client.connack = connack;
    return client;
}

describe("MQTT.js", LIMIT, () => {
    const server = serveFixture("mqtt_rooms");

    for (const [version, options] of Object.entries(VERSIONS)) {
        for (const way of ["tcp", "websocket"]) {
            test(`publishes_at_every_qos_with_${version}_over_${way}`, async (t) => {
                const client = await open(t, urls(server.port)[way], options);
                const topic = `every/${version}/${way}`;
                await client.subscribeAsync(`every/${version}/+`, { qos: 2 });
                for (const qos of [0, 1, 2]) {
                    await client.publishAsync(topic, `at ${qos}`, { qos });
                    const got = await client.next();
                    assert.deepEqual(
                        [got.topic, got.payload.toString(), got.qos],
                        [topic, `at ${qos}`, qos],
                    );
                }
            });
        }
    }

    test("a_packet_may_span_frames_and_a_frame_hold_several_packets", async (t) => {
        const client = await open(t, urls(server.port).websocket);
        await client.subscribeAsync("large", { qos: 1 });
        const large = Buffer.alloc(700_000, "x");
        await Promise.all([
            client.publishAsync("large", large, { qos: 1 }),
            ...Array.from({ length: 50 }, (_, i) =>
                client.publishAsync("large", `${i}`, { qos: 1 }),
            ),
        ]);
        assert.equal((await client.next()).payload.length, large.length);
        for (let i = 0; i < 50; i++) assert.equal((await client.next()).payload.toString(), `${i}`);
    });

    test("requests_find_their_response_with_user_properties_and_expiry", async (t) => {
        const url = urls(server.port).tcp;
        const [asker, answerer] = [await open(t, url), await open(t, url)];
        await answerer.subscribeAsync("ask");
        await asker.subscribeAsync("answer/+");
        await asker.publishAsync("ask", "?", {
            properties: {
                responseTopic: "answer/1",
                correlationData: Buffer.from("c"),
                contentType: "text/plain",
                messageExpiryInterval: 60,
                userProperties: { a: ["1", "2"] },
            },
        });
        const { properties } = await answerer.next();
        assert.deepEqual(
            [properties.responseTopic, `${properties.correlationData}`, properties.contentType],
            ["answer/1", "c", "text/plain"],
        );
        assert.equal(properties.messageExpiryInterval, 60);
        assert.deepEqual({ ...properties.userProperties }, { a: ["1", "2"] });
        await answerer.publishAsync(properties.responseTopic, "!", {
            properties: { correlationData: properties.correlationData },
        });
        assert.equal((await asker.next()).payload.toString(), "!");
    });

    test("aliases_work_both_ways", async (t) => {
        const client = await open(t, urls(server.port).tcp, {
            autoAssignTopicAlias: true,
            properties: { topicAliasMaximum: 5 },
        });
        assert.ok(client.connack.properties.topicAliasMaximum > 0);
        await client.subscribeAsync("aliased/#");
        for (let i = 0; i < 10; i++) await client.publishAsync(`aliased/${i % 3}`, `${i}`);
        for (let i = 0; i < 10; i++) {
            const { topic, payload } = await client.next();
            assert.deepEqual([topic, payload.toString()], [`aliased/${i % 3}`, `${i}`]);
        }
    });

    test("overlapping_subscriptions_are_one_delivery_with_all_identifiers", async (t) => {
        const client = await open(t, urls(server.port).tcp);
        await client.subscribeAsync("over/#", {
            qos: 0,
            properties: { subscriptionIdentifier: 7 },
        });
        await client.subscribeAsync("over/lap", {
            qos: 2,
            properties: { subscriptionIdentifier: 9 },
        });
        await client.publishAsync("over/lap", "once", { qos: 2 });
        const got = await client.next();
        assert.equal(got.qos, 2);
        assert.deepEqual([got.properties.subscriptionIdentifier].flat().sort(), [7, 9]);
        await client.publishAsync("over/other", "last");
        assert.equal((await client.next()).payload.toString(), "last");
    });

    test("a_taken_client_identifier_ends_the_former_with_0x8E_and_its_will", async (t) => {
        const url = urls(server.port).tcp,
            clientId = "twice";
        const watcher = await open(t, url);
        await watcher.subscribeAsync("wills/#");
        const former = await open(t, url, {
            clientId,
            will: { topic: "wills/twice", payload: Buffer.from("gone") },
        });
        const told = once(former, "disconnect");
        await open(t, url, { clientId });
        assert.equal((await told)[0].reasonCode, 0x8e);
        assert.equal((await watcher.next()).payload.toString(), "gone");
    });

    test("shared_subscriptions_take_turns", async (t) => {
        const url = urls(server.port).tcp;
        const members = await Promise.all([1, 2, 3].map(() => open(t, url)));
        for (const member of members) await member.subscribeAsync("$share/crew/work", { qos: 1 });
        for (let i = 0; i < 9; i++) await members[0].publishAsync("work", `${i}`, { qos: 1 });
        for (const member of members) {
            for (let i = 0; i < 3; i++) await member.next();
            assert.equal(member.waitingCount(), 0);
        }
    });

    test("SYS_tells_of_the_broker_and_nobody_else_may_write_there", async (t) => {
        const client = await open(t, urls(server.port).tcp);
        await client.subscribeAsync("$SYS/broker/version");
        assert.match((await client.next()).payload.toString(), /^fray \d/);
        await assert.rejects(client.publishAsync("$SYS/broker/version", "mine", { qos: 1 }), {
            code: 0x87,
        });
    });
});

describe("MQTT.js over TLS", LIMIT, () => {
    const server = serveFixture("mqtt_rooms", ["--tls-self-signed", "true"]);

    for (const [version, options] of Object.entries(VERSIONS)) {
        for (const way of ["mqtts", "wss"]) {
            test(`publishes_at_every_qos_with_${version}_over_${way}`, async (t) => {
                const url = `${way}://127.0.0.1:${server.port}${way === "wss" ? "/mqtt" : ""}`;
                const client = await open(t, url, { ...options, rejectUnauthorized: false });
                await client.subscribeAsync(`${way}/${version}`, { qos: 2 });
                const large = Buffer.alloc(40_000, "x"); // more than one record
                for (const qos of [0, 1, 2]) {
                    await client.publishAsync(`${way}/${version}`, large, { qos });
                    const got = await client.next();
                    assert.deepEqual([got.payload.length, got.qos], [large.length, qos]);
                }
            });
        }
    }
});

describe("MQTT and Socket.IO in one room", LIMIT, () => {
    const server = serveFixture("mqtt_rooms");

    /** One of each kind in the room "lobby" of a namespace. */
    async function both(t, nsp, options) {
        const socket = await connect(t, server.url + nsp, options);
        const inbox = new Inbox(socket);
        assert.equal(await socket.emitWithAck("join", "lobby"), true);
        return { socket, inbox, client: await open(t, urls(server.port).tcp) };
    }

    for (const [nsp, level] of [
        ["/", "-"],
        ["/game", "game"],
    ]) {
        test(`event_from_MQTT_reaches_the_room_of_${nsp}`, async (t) => {
            const { inbox, client } = await both(t, nsp);
            await client.publishAsync(`fray/${level}/lobby/said`, '{"text":"hi","n":[1,2]}', {
                qos: 1,
            });
            assert.deepEqual(await inbox.take("said"), [{ text: "hi", n: [1, 2] }]);
            await client.publishAsync(`fray/${level}/lobby/said`, "just text");
            assert.deepEqual(await inbox.take("said"), ["just text"]);
            await client.publishAsync(`fray/${level}/lobby/said`, Buffer.from([0xff, 0, 1]));
            assert.deepEqual(await inbox.take("said"), [Buffer.from([0xff, 0, 1])]);
            await client.publishAsync(`fray/${level}/lobby/said`, "[1,2]");
            assert.deepEqual(await inbox.take("said"), [[1, 2]]); // one argument
            await client.publishAsync(`fray/${level}/lobby/said`, "");
            assert.deepEqual(await inbox.take("said"), []);
            await client.publishAsync(`fray/${level}/elsewhere/said`, "2");
            await client.publishAsync(`fray/${level}/-/said`, "3");
            assert.deepEqual(await inbox.take("said"), [3]);
        });

        test(`event_of_the_room_of_${nsp}_reaches_MQTT`, async (t) => {
            const { socket, client } = await both(t, nsp);
            await client.subscribeAsync(`fray/${level}/#`, { qos: 2 });
            const cases = [
                [["say", { text: "hi" }], `fray/${level}/lobby/said`, '{"text":"hi"}', 1],
                [["say", 1, "two"], `fray/${level}/lobby/said`, '[1,"two"]', 1],
                [["say", Buffer.from("bytes")], `fray/${level}/lobby/said`, "bytes", 1],
                [
                    ["say", 1, Buffer.from([0, 255])],
                    `fray/${level}/lobby/said`,
                    '[1,{"_base64":"AP8="}]',
                    1,
                ],
                [["shout"], `fray/${level}/-/said`, "", 1],
                [["state", 5], `fray/${level}/lobby/said`, "5", 0],
                [["blink", 6], `fray/${level}/lobby/said`, "6", 0],
            ];
            for (const [event, topic, payload, qos] of cases) {
                socket.emit(...event);
                const got = await client.next();
                assert.deepEqual(
                    [got.topic, got.payload.toString(), got.qos],
                    [topic, payload, qos],
                );
            }
        });
    }

    test("names_with_special_characters_are_escaped_both_ways", async (t) => {
        const { socket, inbox, client } = await both(t, "/");
        for (const [event, level] of [
            ["100%", "100%25"],
            ["a+b#", "a%2Bb%23"],
            ["über uns", "über uns"],
            ["a/b", "a/b"],
        ]) {
            await client.publishAsync(`fray/-/lobby/${level}`, "1");
            assert.deepEqual(await inbox.take(event), [1]);
        }
        await client.publishAsync("fray/-/%6Cobby/said", "2"); // what need not be may be, too
        assert.deepEqual(await inbox.take("said"), [2]);
        await client.publishAsync("fray/-/lobby/connect", "3"); // Socket.IO's own
        await client.publishAsync("fray/-/lobby/%2", "4"); // no escape
        await client.publishAsync("fray/-/%2D/said", "5"); // the room "-"
        await client.subscribeAsync("fray/-/+/said");
        socket.emit("say", 6);
        assert.deepEqual(await inbox.take("said"), [6]);
        assert.deepEqual((await client.next()).topic, "fray/-/lobby/said");
        assert.equal(inbox.count("connect"), 0);
    });

    test("nobody_speaks_past_the_handlers_of_a_namespace", async (t) => {
        const { socket, inbox, client } = await both(t, "/guarded");
        await client.subscribeAsync("fray/guarded/#");
        for (const topic of ["fray/guarded/lobby/said", "fray/guarded/-/said", "fray/guarded/x"])
            await assert.rejects(client.publishAsync(topic, '"forged"', { qos: 1, retain: true }), {
                code: 0x87,
            });
        const will = { topic: "fray/guarded/-/said", payload: '"forged"', qos: 1 };
        const refused = mqtt.connect(urls(server.port).tcp, {
            protocolVersion: 5,
            reconnectPeriod: 0,
            will,
        });
        t.after(() => refused.endAsync(true));
        assert.equal((await once(refused, "error"))[0].code, 0x87);
        // Written otherwise it is another topic, and no room's.
        await client.publishAsync("fray/%67uarded/lobby/said", '"forged"', { qos: 1 });
        await client.publishAsync("fray/guarded%2Fx/lobby/said", '"forged"', { qos: 1 });
        socket.emit("say", "true");
        assert.deepEqual(await inbox.take("said"), ["true"]);
        const heard = await client.next();
        assert.deepEqual([heard.topic, `${heard.payload}`], ["fray/guarded/lobby/said", '"true"']);
        assert.equal(client.waitingCount(), 0);
    });

    test("without_handlers_there_is_nothing_to_speak_past", async (t) => {
        const socket = await connect(t, `${server.url}/open`);
        const inbox = new Inbox(socket);
        const client = await open(t, urls(server.port).tcp);
        await client.publishAsync("fray/open/-/said", "1", { qos: 1 });
        assert.deepEqual(await inbox.take("said"), [1]);
    });

    test("of_latest_a_slow_reader_gets_the_newest", async (t) => {
        const { socket, client } = await both(t, "/");
        await client.subscribeAsync("fray/-/lobby/said");
        client.stream.pause();
        const count = 2000, // more than the kernel holds
            ballast = "x".repeat(20_000);
        for (let i = 0; i < count; i++) socket.emit("state", { i, ballast });
        assert.equal(await socket.emitWithAck("join", "lobby"), true); // all were handled
        client.stream.resume();
        let got = 0;
        for (let last = -1; last < count - 1; got++) {
            const { i } = JSON.parse((await client.next()).payload);
            assert.ok(i > last);
            last = i;
        }
        assert.ok(got < count, `${got}`);
    });

    test("what_MQTT_says_in_a_room_comes_back_to_MQTT_once", async (t) => {
        const { inbox, client } = await both(t, "/");
        await client.subscribeAsync("fray/-/lobby/+");
        await client.publishAsync("fray/-/lobby/said", "1");
        await inbox.take("said");
        assert.equal((await client.next()).payload.toString(), "1");
        await client.publishAsync("fray/-/lobby/said", "2");
        assert.equal((await client.next()).payload.toString(), "2");
    });

    test("events_keep_their_order_between_both", async (t) => {
        const { socket, inbox, client } = await both(t, "/game", { transports: ["polling"] });
        await client.subscribeAsync("fray/game/lobby/said", { qos: 1 });
        for (let i = 0; i < 50; i++) client.publish("fray/game/lobby/said", `${i}`, { qos: 1 });
        for (let i = 0; i < 50; i++) assert.deepEqual(await inbox.take("said"), [i]);
        for (let i = 0; i < 50; i++) await client.next();
        for (let i = 0; i < 50; i++) socket.emit("say", i);
        for (let i = 0; i < 50; i++) assert.equal((await client.next()).payload.toString(), `${i}`);
    });

    test("acknowledged_to_MQTT_is_had_and_a_peer_answers_at_the_response_topic", async (t) => {
        const { inbox, client } = await both(t, "/game");
        // PUBACK and PUBREC say that the server has it, whoever listens ...
        const acknowledgement = once(client, "packetreceive");
        await client.publishAsync("fray/game/empty/said", "1", { qos: 1 });
        const [{ cmd, reasonCode }] = await acknowledgement;
        assert.deepEqual([cmd, reasonCode], ["puback", 0x10]); // no matching subscribers
        for (const qos of [1, 2]) {
            await client.publishAsync("fray/game/lobby/said", `${qos}`, { qos });
            assert.deepEqual(await inbox.take("said"), [qos]);
        }
        // ... and what a peer answers is a publication of its own.
        const peer = await open(t, urls(server.port).tcp);
        await peer.subscribeAsync("fray/game/lobby/said");
        await client.subscribeAsync("answers/mine");
        await client.publishAsync("fray/game/lobby/said", '"?"', {
            properties: { responseTopic: "answers/mine", correlationData: Buffer.from("7") },
        });
        const { properties } = await peer.next();
        await peer.publishAsync(properties.responseTopic, "!", {
            properties: { correlationData: properties.correlationData },
        });
        const answer = await client.next();
        assert.deepEqual(
            [answer.payload.toString(), `${answer.properties.correlationData}`],
            ["!", "7"],
        );
        assert.deepEqual(await inbox.take("said"), ["?"]);
    });

    test("acknowledged_to_Socket_IO_is_the_handlers_word_and_MQTT_has_it", async (t) => {
        const { socket, client } = await both(t, "/game");
        await client.subscribeAsync("fray/game/lobby/said", { qos: 1 });
        assert.equal(await socket.emitWithAck("join", "lobby"), true);
        socket.emit("say", "after");
        const got = await client.next();
        assert.deepEqual([got.payload.toString(), got.qos], ['"after"', 1]);
        assert.equal(client.waitingCount(), 0); // an acknowledgement is nobody else's
    });

    test("presence_is_a_will_in_the_room_a_retained_state_and_SYS", async (t) => {
        const { inbox, client } = await both(t, "/game");
        const url = urls(server.port).tcp;
        const clients = "$SYS/broker/clients/connected";
        await client.subscribeAsync(clients);
        const now = await client.next();
        assert.ok(Number(now.payload) >= 0 && now.retain);
        // A peer states that it is there, for whoever comes later ...
        const state = "fray/game/lobby/present";
        const peer = await open(t, url, {
            will: { topic: state, payload: Buffer.from("false"), retain: true, qos: 1 },
        });
        await peer.publishAsync(state, "true", { retain: true, qos: 1 });
        assert.deepEqual(await inbox.take("present"), [true]);
        const late = await open(t, url);
        await late.subscribeAsync(state);
        const first = await late.next();
        assert.deepEqual([first.payload.toString(), first.retain], ["true", true]);
        // ... and its will says when it is not, to Socket.IO's clients too.
        peer.stream.destroy();
        assert.deepEqual(await inbox.take("present"), [false]);
        assert.equal((await late.next()).payload.toString(), "false");
    });

    test("SUBSCRIBE_and_UNSUBSCRIBE_are_nothing_that_the_room_sees", async (t) => {
        const { socket, inbox, client } = await both(t, "/game");
        const seen = [];
        socket.onAny((name) => seen.push(name));
        await client.subscribeAsync("fray/game/lobby/said");
        await client.unsubscribeAsync("fray/game/lobby/said");
        socket.emit("say", "last");
        assert.deepEqual(await inbox.take("said"), ["last"]);
        assert.deepEqual(seen, ["said"]);
        assert.equal(client.waitingCount(), 0);
    });
});

describe("limits of the broker", LIMIT, () => {
    const server = serveFixture("mqtt_rooms", [
        ...["--mqtt-max-packet-size", "1000"],
        ...["--mqtt-receive-maximum", "2"],
        ...["--mqtt-max-subscriptions-per-client", "2"],
        ...["--mqtt-max-sessions", "1"],
    ]);

    async function counter(name) {
        const text = await (await fetch(`${server.url}/metrics`)).text();
        return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)[1]);
    }

    /** What comes back to a CONNECT of 5.0 and more, until the server closes. */
    async function send(...packets) {
        const socket = net.connect(server.port, "127.0.0.1");
        const connect = [0x10, 0x10, 0, 4, 77, 81, 84, 84, 5, 2, 0, 60, 0, 0, 3, 114, 97, 119];
        socket.write(Buffer.from([...connect, ...packets.flat()]));
        const chunks = [];
        for await (const chunk of socket) chunks.push(chunk);
        return Buffer.concat(chunks);
    }

    const endsWith = (bytes, reason) =>
        assert.deepEqual([...bytes.subarray(-3)], [0xe0, 1, reason]); // DISCONNECT

    test("a_packet_too_large_ends_with_0x95", async () => {
        endsWith(await send([0x30, 0xe9, 0x07]), 0x95); // 1001 bytes are announced
        assert.equal(await counter("fray_mqtt_closed_packet_too_large_total"), 1);
    });

    test("too_many_open_messages_end_with_0x93", async () => {
        const publish = (id) => [0x34, 6, 0, 1, 97, 0, id, 0];
        endsWith(await send(publish(1), publish(2), publish(3)), 0x93);
        assert.equal(await counter("fray_mqtt_closed_receive_maximum_total"), 1);
    });

    test("too_many_subscriptions_get_0x97_and_too_many_sessions_0x89", async (t) => {
        const client = await open(t, urls(server.port).tcp);
        await client.subscribeAsync(["a", "b"]);
        await assert.rejects(client.subscribeAsync("c"), /Quota exceeded/);
        await client.subscribeAsync("a", { qos: 1 }); // one that is there may be changed
        assert.equal(await counter("fray_mqtt_subscriptions_refused_total"), 1);
        const bytes = await send();
        assert.deepEqual([bytes[0], bytes[3]], [0x20, 0x89]);
        assert.equal(await counter("fray_mqtt_sessions_refused_total"), 1);
        const socket = net.connect(server.port, "127.0.0.1");
        socket.write(Buffer.from([0x10, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 1, 97]));
        const [connack] = await once(socket, "data"); // 3.1.1 says it in its words
        assert.deepEqual([...connack], [0x20, 2, 0, 3]);
        socket.destroy();
    });
});

describe("a broker that is killed", LIMIT, () => {
    const build = process.env.FRAY_BUILD ?? join(import.meta.dirname, "../../build/release");

    /** The fray program on a free port; kill() is SIGKILL. */
    async function start(data, port = 0) {
        const child = spawn(
            join(build, "fray"),
            ["--listen", `127.0.0.1:${port}`, "--data", data],
            { stdio: ["ignore", "ignore", "pipe"] },
        );
        let said = "";
        for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
            said += chunk;
            const found = /listening address=127.0.0.1:(\d+)/.exec(said);
            if (found) {
                child.stderr.resume();
                return {
                    port: Number(found[1]),
                    kill: async () => {
                        child.kill("SIGKILL");
                        await once(child, "exit");
                    },
                };
            }
        }
        throw new Error(said);
    }

    test("loses_no_acknowledged_message_subscription_or_retained_message", async (t) => {
        const data = await mkdtemp(join(tmpdir(), "fray-mqtt-"));
        t.after(() => rm(data, { recursive: true }));
        const lasting = {
            clientId: "lasting",
            clean: false,
            properties: { sessionExpiryInterval: 3600 },
        };
        let server = await start(data);
        let keeper = await open(t, urls(server.port).tcp, lasting);
        await keeper.subscribeAsync("kept/#", { qos: 2 });
        await keeper.endAsync();
        const acknowledged = [];
        for (let round = 0; round < 3; round++) {
            const writer = await open(t, urls(server.port).tcp);
            let isUp = true;
            const writing = (async () => {
                for (let i = 0; isUp; i++) {
                    const text = `${round}.${i}`;
                    try {
                        await Promise.race([
                            writer.publishAsync("kept/a", text, { qos: 1 + (i % 2) }),
                            once(writer, "close").then(() => {
                                throw new Error("cut");
                            }),
                        ]);
                        acknowledged.push(text);
                    } catch {
                        return;
                    }
                }
            })();
            while (acknowledged.filter((text) => text.startsWith(`${round}.`)).length < 100)
                await new Promise((r) => setImmediate(r));
            if (round === 0)
                await writer.publishAsync("state", "retained", { qos: 1, retain: true });
            await server.kill();
            isUp = false;
            await writing;
            server = await start(data);
        }
        keeper = await open(t, urls(server.port).tcp, lasting);
        assert.equal(keeper.connack.sessionPresent, true);
        const missing = new Set(acknowledged);
        while (missing.size) missing.delete((await keeper.next()).payload.toString());
        await keeper.subscribeAsync("state");
        for (let got = await keeper.next(); ; got = await keeper.next()) {
            if (got.topic !== "state") continue; // written, and not acknowledged: it may come
            assert.deepEqual([got.payload.toString(), got.retain], ["retained", true]);
            break;
        }
        await keeper.endAsync();
        await server.kill();
    });
});
