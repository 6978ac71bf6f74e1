// {type, content} over WebSocket, polling and Server-Sent Events, as pages and scripts use it.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { describe } from "node:test";
import { setImmediate } from "node:timers/promises";
import { gunzipSync, inflateSync } from "node:zlib";
import mqtt from "mqtt";
import { client } from "./harness.mjs";
import { EnvelopeSocket, Session } from "./envelope.mjs";
import { serveFixture } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const server = serveFixture("envelope_support", ["--chat-max-length", "2000"]);
const open = (t, query) => new EnvelopeSocket().open(t, server.url, query);
const openSession = (t, auth) => new Session().open(t, server.url, auth);

describe("websocket", LIMIT, () => {
    test("B15_welcome_events_and_acks", async (t) => {
        const socket = await open(t, { name: "Ann" });
        const welcome = await socket.take("welcome");
        assert.match(welcome.id, /^[\w-]{20}$/);
        assert.equal(welcome.namespace, "/");
        assert.match(welcome.server, /^fray \d/);
        assert.equal(welcome.ping_interval_ms, 25000);
        await socket.send("echo", { a: [1] }, 5);
        assert.deepEqual(await socket.takeMessage("ack"), {
            type: "ack",
            id: 5,
            content: { a: [1] },
        });
        await socket.send("whoami", undefined, 6);
        assert.deepEqual(await socket.take("ack"), { name: "Ann", claims: null });
        await socket.send("ask");
        const question = await socket.takeMessage("question");
        assert.equal(question.content, 41);
        await socket.send("ack", 42, question.id);
        assert.equal(await socket.take("answer"), 42);
    });

    test("B15_several_arguments_are_spread", async (t) => {
        const socket = await open(t);
        socket.raw('{"type":"echo","content":[1,"b"],"spread":true,"id":1}');
        assert.deepEqual(await socket.takeMessage("ack"), {
            type: "ack",
            id: 1,
            content: [1, "b"],
            spread: true,
        });
        socket.raw('{"type":"echo","content":[1,"b"],"id":2}');
        assert.deepEqual(await socket.takeMessage("ack"), {
            type: "ack",
            id: 2,
            content: [1, "b"],
        });
    });

    test("B15_bad_input_is_answered_and_the_connection_kept", async (t) => {
        const socket = await open(t);
        const cases = [
            ["not JSON", "bad_json"],
            ["[]", "bad_message"],
            ['{"content":1}', "no_type"],
            ['{"type":"nope","id":1}', "unknown_type"],
            ['{"type":"move","content":{"x":"a","y":1},"id":2}', "wrong_shape"],
            ['{"type":"move","content":{"x":0,"y":1},"id":3}', "taken"],
            ['{"type":"join","content":"secret","id":4}', "denied"],
            [
                '{"type":"chat_message","content":{"room":"elsewhere","text":"a"},"id":5}',
                "not_in_room",
            ],
            [JSON.stringify({ type: "chat_message", content: "x".repeat(2001) }), "too_long"],
            [JSON.stringify({ type: "chat_message", content: "x".repeat(1 << 20) }), "too_long"],
            [`{"type":"echo","content":${"[".repeat(70)}${"]".repeat(70)}}`, "too_deep"],
        ];
        for (const [text, code] of cases) {
            socket.raw(text);
            const error = await socket.takeMessage("error");
            assert.equal(error.content.code, code, text.slice(0, 80));
            assert.match(error.content.message, /\w/);
            assert.equal(
                error.id,
                /"id":(\d)/.exec(text) ? Number(/"id":(\d)/.exec(text)[1]) : undefined,
            );
        }
        await socket.send("move", { x: 1, y: 2 }, 9);
        assert.equal(await socket.take("ack"), 3);
    });

    test("C02_binary_frames", async (t) => {
        const socket = await open(t);
        socket.socket.send(Buffer.from([1, 2, 255]));
        assert.deepEqual(await socket.take("message"), Buffer.from([1, 2, 255]));
    });

    test("B31_refusal_closes_with_1008_and_the_reason", async (t) => {
        const socket = await open(t, { name: "nobody" });
        assert.equal((await socket.take("error")).message, "Nobody may not enter.");
        assert.deepEqual(await socket.closed, { code: 1008, reason: "Nobody may not enter." });
    });

    test("the_server_may_close", async (t) => {
        const socket = await open(t);
        await socket.send("bye");
        assert.equal((await socket.closed).code, 1000);
    });

    test("namespaces_are_apart", async (t) => {
        const socket = await open(t, { namespace: "/other" });
        assert.equal((await socket.take("welcome")).namespace, "/other");
        await socket.send("echo", 1, 1);
        assert.equal(await socket.take("ack"), 1);
        await socket.send("say", 1);
        assert.equal((await socket.take("error")).code, "unknown_type");
        await assert.rejects(open(t, { namespace: "/none" }), /404/);
    });
});

describe("polling", LIMIT, () => {
    test("B03_only_what_is_newer_and_the_same_again", async (t) => {
        const session = await openSession(t, { name: "Ann" });
        assert.equal((await session.get()).body.messages[0].type, "welcome");
        assert.deepEqual((await session.get({ after: 1 })).body, { cursor: 1, messages: [] });
        await session.send("echo", "a", 1);
        await session.send("echo", "b", 2);
        const wanted = {
            cursor: 3,
            messages: [
                { type: "ack", id: 1, content: "a" },
                { type: "ack", id: 2, content: "b" },
            ],
        };
        for (let i = 0; i < 3; i++) {
            /* A reply that is lost is asked for again. */
            let reply;
            do reply = await session.get({ after: 1 });
            while (reply.body.cursor < 3);
            assert.deepEqual(reply.body, wanted);
        }
        assert.deepEqual((await session.get({ after: 2 })).body.messages, wanted.messages.slice(1));
        assert.equal((await session.get({ after: 4 })).body.content.code, "bad_cursor");
        assert.equal((await session.get({ after: "x" })).body.content.code, "bad_query");
    });

    test("several_events_in_one_request_all_or_nothing", async (t) => {
        const session = await openSession(t);
        assert.deepEqual(
            await session.post(
                '[{"type":"echo","id":1},{"type":"nope","id":2},{"type":"echo","id":3}]',
            ),
            {
                status: 200,
                body: { accepted: 3 },
            },
        );
        let reply;
        do reply = await session.get({ after: 0 });
        while (reply.body.cursor < 4);
        assert.deepEqual(
            reply.body.messages.map((m) => [m.type, m.id]),
            [
                ["welcome", undefined],
                ["ack", 1],
                ["error", 2],
                ["ack", 3],
            ],
        );
        for (const [body, code, index] of [
            ["", "bad_json", 0],
            ["7", "bad_message", 0],
            ['[{"type":"echo"},{}]', "no_type", 1],
        ]) {
            const refused = await session.post(body);
            assert.equal(refused.status, 400);
            assert.equal(refused.body.content.code, code);
            assert.equal(refused.body.content.index, index);
        }
        assert.equal(
            (await session.post(JSON.stringify({ type: "echo", content: "x".repeat(1 << 20) })))
                .status,
            413,
        );
        assert.deepEqual((await session.get({ after: 4 })).body, { cursor: 4, messages: [] });
    });

    test("a_POST_that_comes_again_is_answered_again_and_nothing_more", async (t) => {
        const session = await openSession(t);
        const post = (number, ...ids) =>
            session.post(JSON.stringify(ids.map((id) => ({ type: "echo", id }))), { number });
        for (let times = 0; times < 3; times++)
            assert.deepEqual(await post(1, 1, 2), { status: 200, body: { accepted: 2 } });
        assert.equal((await session.post("{}", { number: 4 })).status, 400); // it was not taken
        for (let times = 0; times < 2; times++)
            assert.deepEqual(await post(4, 3), { status: 200, body: { accepted: 1 } });
        assert.equal((await post(1, 1, 2)).body.content.code, "bad_number");
        assert.equal((await post("x", 4)).body.content.code, "bad_query");
        await session.send("echo", null, 5); // without a number each is news
        await session.send("echo", null, 5);
        let reply;
        do reply = await session.get({ after: 0 });
        while (reply.body.messages.at(-2)?.id !== 5);
        assert.deepEqual(
            reply.body.messages.slice(1).map(({ id }) => id),
            [1, 2, 3, 5, 5],
        );
    });

    test("B04_news_end_the_wait", async (t) => {
        const [session, speaker] = await Promise.all([openSession(t), open(t)]);
        await session.get();
        const waiting = session.get({ after: 1, wait: 20_000 });
        await speaker.send("say", "news");
        assert.deepEqual((await waiting).body, {
            cursor: 2,
            messages: [{ type: "say", content: "news" }],
        });
    });

    test("B05_the_wait_ends_empty_at_its_limit", async (t) => {
        const session = await openSession(t);
        await session.get();
        assert.deepEqual((await session.get({ after: 1, wait: 50 })).body, {
            cursor: 1,
            messages: [],
        });
    });

    test("replies_are_compressed_where_asked_for", async (t) => {
        const session = await openSession(t);
        await session.send("echo", "a".repeat(5000), 1);
        for (const [coding, inflate] of [
            ["gzip", gunzipSync],
            ["deflate", inflateSync],
        ]) {
            let body;
            do {
                const request = http.get(`${server.url}/poll/${session.id}?after=0`, {
                    headers: { "Accept-Encoding": coding },
                });
                const [reply] = await once(request, "response");
                const bytes = Buffer.concat(await reply.toArray());
                body = JSON.parse(reply.headers["content-encoding"] ? inflate(bytes) : bytes);
                if (body.cursor < 2) continue;
                assert.equal(reply.headers["content-encoding"], coding);
                assert.ok(bytes.length < 500);
            } while (body.cursor < 2);
            assert.equal(body.messages[1].content.length, 5000);
        }
    });

    test("DELETE_ends_the_session_and_what_is_open", async (t) => {
        const session = await openSession(t);
        const stream = await fetch(`${server.url}/sse/${session.id}`);
        const end = () => fetch(`${server.url}/poll/${session.id}`, { method: "DELETE" });
        assert.equal((await end()).status, 204);
        const events = await stream.text();
        assert.match(events, /\n\nevent: closed\ndata: "client namespace disconnect"\n\n$/);
        assert.equal((await session.get()).status, 404);
        assert.equal((await end()).status, 404);
    });

    test("who_may_not_enter_is_refused", async () => {
        const reply = await fetch(`${server.url}/poll`, {
            method: "POST",
            body: '{"name":"nobody"}',
        });
        assert.equal(reply.status, 403);
        assert.equal((await reply.json()).content.message, "Nobody may not enter.");
        assert.equal(
            (await fetch(`${server.url}/poll`, { method: "POST", body: "{" })).status,
            400,
        );
        assert.equal(
            (await fetch(`${server.url}/poll?namespace=/none`, { method: "POST" })).status,
            404,
        );
    });
});

describe("Server-Sent Events", LIMIT, () => {
    test("B01_streams_and_resumes_by_Last_Event_ID", async (t) => {
        const session = await openSession(t);
        await session.keepReading();
        await session.take("welcome");
        await session.send("echo", "a", 1);
        assert.equal(await session.take("ack"), "a");
        /* Another stream takes over, from before the ack. */
        await session.keepReading("1");
        await session.take("ack");
        await session.send("echo", "b", 2);
        assert.equal(await session.take("ack", (c) => c === "b"), "b");
        assert.equal(session.cursor, 3);
        await session.send("bye");
        await session.stream;
    });
});

describe("B31 identity", LIMIT, () => {
    const secret = "a secret that is long enough for HS256";
    const keys = generateKeyPairSync("ed25519");
    const file = join(mkdtempSync(join(tmpdir(), "fray-")), "key.pem");
    writeFileSync(file, keys.publicKey.export({ type: "spki", format: "pem" }));
    const guarded = serveFixture("envelope_support", [
        "--auth",
        "jwt",
        "--jwt-secret",
        secret,
        "--jwt-public-key",
        file,
        "--jwt-audience",
        "game",
    ]);
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const make = (claims, alg = "HS256") => {
        const all = { aud: "game", exp: Date.now() / 1000 + 60, ...claims };
        const text = `${encode({ alg })}.${encode(all)}`;
        const signature =
            alg === "HS256"
                ? createHmac("sha256", secret).update(text).digest()
                : alg === "EdDSA"
                  ? sign(null, Buffer.from(text), keys.privateKey)
                  : Buffer.alloc(0);
        return `${text}.${signature.toString("base64url")}`;
    };

    for (const alg of ["HS256", "EdDSA"]) {
        test(`B31_${alg}_by_query_header_and_payload`, async (t) => {
            const token = make({ name: "Ann", sub: "7" }, alg);
            const socket = await new EnvelopeSocket().open(t, guarded.url, {
                token,
                name: "Root",
            });
            await socket.send("whoami", undefined, 1);
            const me = await socket.take("ack");
            assert.equal(me.name, "Ann");
            assert.equal(me.claims.sub, "7");
            const reply = await fetch(`${guarded.url}/poll`, {
                method: "POST",
                headers: { authorization: `Bearer ${token}` },
            });
            assert.equal(reply.status, 201);
            for (const options of [
                { auth: { token } },
                { query: { token } },
                { extraHeaders: { Authorization: `bearer ${token}` } },
            ]) {
                const io = client(t, guarded.url, options);
                io.connect();
                await once(io, "connect");
                assert.equal((await io.emitWithAck("whoami")).claims.sub, "7");
            }
        });
    }

    for (const [what, token, reason] of [
        ["nothing", undefined, "A token is needed."],
        ["expired", make({ exp: 1 }), "The token has expired."],
        ["another_audience", make({ aud: "x" }), "The token is for another audience."],
        ["forged", `${make({}).slice(0, -4)}AAAA`, "The token's signature is wrong."],
        ["none", make({}, "none"), "The token's algorithm is not allowed."],
        ["nonsense", "nonsense", "The token is malformed."],
    ]) {
        test(`B31_${what}_is_refused_in_the_same_words`, async (t) => {
            const query = token ? { token } : {};
            const socket = await new EnvelopeSocket().open(t, guarded.url, query);
            assert.deepEqual(await socket.closed, { code: 1008, reason });
            const reply = await fetch(`${guarded.url}/poll`, {
                method: "POST",
                body: JSON.stringify(query),
            });
            assert.equal(reply.status, 401);
            assert.equal(reply.headers.get("www-authenticate"), "Bearer");
            const error = await reply.json();
            assert.equal(error.content.message, reason);
            assert.equal(error.content.code, "unauthorized");
            const io = client(t, guarded.url, { auth: query });
            io.connect();
            const [refused] = await once(io, "connect_error");
            assert.equal(refused.message, reason);
            assert.deepEqual(refused.data, { code: "unauthorized" });
        });
    }
});

describe("B31 tokens that expire", LIMIT, () => {
    const secret = "a secret that is long enough for HS256";
    const guarded = serveFixture("envelope_support", ["--auth", "jwt", "--jwt-secret", secret]);
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const make = () => {
        const claims = { sub: "ann", exp: Date.now() / 1000 + 1 };
        const text = `${encode({ alg: "HS256" })}.${encode(claims)}`;
        return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
    };
    const message = "The token has expired.";

    test("B31_a_websocket_is_closed_with_1008", async (t) => {
        const socket = await new EnvelopeSocket().open(t, guarded.url, { token: make() });
        assert.deepEqual(await socket.take("error"), { code: "token_expired", message });
        assert.deepEqual(await socket.closed, { code: 1008, reason: message });
    });

    test("B31_a_polling_session_ends", async (t) => {
        const session = await new Session().open(t, guarded.url, { token: make() });
        session.keepPolling(10_000);
        assert.deepEqual(await session.take("error"), { code: "token_expired", message });
        let reply;
        do reply = await session.get();
        while (reply.status === 200);
        assert.equal(reply.body.content.code, "unknown_session");
        const again = await fetch(`${guarded.url}/poll`, { method: "POST" });
        assert.equal(again.status, 401);
    });

    for (const transports of [["websocket"], ["polling"]])
        test(`B31_Socket.IO_over_${transports}_is_disconnected`, async (t) => {
            const io = client(t, guarded.url, { transports, auth: { token: make() } });
            const told = new Promise((resolve) => io.on("error", resolve));
            const left = new Promise((resolve) => io.on("disconnect", resolve));
            io.connect();
            assert.deepEqual(await told, { code: "token_expired", message });
            assert.equal(await left, "io server disconnect");
        });

    test("B31_MQTT_is_disconnected_with_0x87", async (t) => {
        for (const topic of ["any/topic", "fray/all/me/#"]) {
            const mqttClient = await mqtt.connectAsync(guarded.url.replace("http", "mqtt"), {
                protocolVersion: 5,
                reconnectPeriod: 0,
                username: "ann",
                password: make(),
            });
            t.after(() => mqttClient.endAsync(true));
            const left = once(mqttClient, "disconnect");
            await mqttClient.subscribeAsync(topic);
            assert.equal((await left)[0].reasonCode, 0x87);
        }
    });
});

describe("B13 resources", LIMIT, () => {
    const small = serveFixture("envelope_support", [
        "--ping-interval-ms",
        "200",
        "--ping-timeout-ms",
        "200",
        "--poll-session-timeout-ms",
        "300",
    ]);
    const metric = async (name) => {
        const text = await (await fetch(`${small.url}/metrics`)).text();
        return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)[1]);
    };
    const openSessions = async () =>
        (await metric("fray_sessions_opened_total")) - (await metric("fray_sessions_closed_total"));
    const head =
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

    /* CONNECT, and SUBSCRIBE to fray/all/me/#: the connection, and a socket in a namespace. */
    const topic = "fray/all/me/#";
    const mqttHead = Buffer.concat([
        Buffer.from("100c00044d5154540402003c0000", "hex"),
        Buffer.from([0x82, topic.length + 5, 0, 1, 0, topic.length]),
        Buffer.from(`${topic}\0`),
    ]);
    const descriptors = () => readdirSync(`/proc/${small.pid}/fd`).length;

    async function dial(end, first = head) {
        const socket = net.connect({ port: small.port, host: "127.0.0.1" });
        socket.on("error", () => {});
        socket.write(first);
        await once(socket, "data");
        if (end === "FIN") socket.end();
        else if (end === "RST") socket.resetAndDestroy();
        return socket;
    }

    test("B13_what_a_dropped_party_held_is_freed", { timeout: 120_000 }, async (t) => {
        const round = async (count) => {
            for (let i = 0; i < count; i += 50)
                await Promise.all(
                    Array.from({ length: 50 }, (_, j) =>
                        dial(j % 2 ? "FIN" : "RST", j % 4 < 2 ? head : mqttHead),
                    ),
                );
            while ((await openSessions()) > 0);
        };
        await round(1000); /* what is kept for reuse is there now */
        const memory = await metric("process_resident_memory_bytes");
        const open = descriptors();
        await round(9000);
        const grown = (await metric("process_resident_memory_bytes")) - memory;
        assert.ok(grown < 2 << 20, `${grown} bytes more after 9000 connections`);
        while (descriptors() > open) await setImmediate();
        /* Silence: it answers no ping, and polls no more. */
        const silent = await dial("silence");
        t.after(() => silent.destroy());
        silent.pause();
        await fetch(`${small.url}/poll`, { method: "POST" });
        assert.equal(await openSessions(), 2);
        while ((await openSessions()) > 0);
        assert.ok((await metric("fray_sessions_closed_ping_timeout_total")) >= 2);
    });
});
