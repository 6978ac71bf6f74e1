// What strangers do to an open HTTP port, against the server binary: every request that two readers
// could read differently is refused and its connection ended, the slow are cut off, and storms
// leave nothing behind. Sections are RFC 9112's.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import test, { describe } from "node:test";
import tls from "node:tls";
import { connect, serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const POLL = "/socket.io/?EIO=4&transport=polling";
const SMUGGLED = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
const GET = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
const LAST = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/** A connection; `t.after` ends it. */
function dial(t, port) {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    t.after(() => socket.destroy());
    return socket;
}

/** All that the server says until it ends. */
async function listen(socket) {
    const chunks = [];
    socket.on("data", (chunk) => chunks.push(chunk)).on("error", () => {});
    await once(socket, "close");
    return Buffer.concat(chunks).toString("latin1");
}

function say(t, port, bytes) {
    const socket = dial(t, port);
    socket.write(Buffer.from(bytes, "latin1"));
    return listen(socket);
}

const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => +match[1]);

async function metrics(t, port) {
    const text = await say(t, port, SMUGGLED.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    return Object.fromEntries([...text.matchAll(/^(\w+) (\d+)$/gm)].map((m) => [m[1], +m[2]]));
}

describe("requests that could be smuggled", LIMIT, () => {
    const server = serveFray();
    const post = (fields, body = "") => `POST ${POLL} HTTP/1.1\r\nHost: x\r\n${fields}\r\n${body}`;
    const chunked = (body) => post("Transfer-Encoding: chunked\r\n", body);
    const get = (fields) => `GET /healthz HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
    const requests = {
        "a length and chunks (6.3)": post(
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        "two lengths": post("Content-Length: 5\r\nContent-Length: 6\r\n", "xxxxx"),
        "a list of lengths": post("Content-Length: 5, 6\r\n", "xxxxx"),
        "a length with a sign": post("Content-Length: +5\r\n", "xxxxx"),
        "a negative length": post("Content-Length: -1\r\n"),
        "a hexadecimal length": post("Content-Length: 0x5\r\n", "xxxxx"),
        "an empty length": post("Content-Length:\r\n"),
        "a length beyond 64 bits": post("Content-Length: 18446744073709551617\r\n", "x"),
        "chunks that are not last": post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"),
        "chunks twice": post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
        "an unknown coding": post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        "chunks in HTTP/1.0 (6.1)": chunked("0\r\n\r\n").replace("1.1", "1.0"),
        "a blank before the colon (5.1)": post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        "a folded line (5.2)": get("X: a\r\n b\r\n"),
        "a field without a name": get(": a\r\n"),
        "a name with a blank": get("X Y: a\r\n"),
        "a field without a colon": get("nonsense\r\n"),
        "a NUL in a value": get("X: a\0b\r\n"),
        "a bare CR in a value (2.2)": get("X: a\rY: b\r\n"),
        "a bare LF in a value": get("X: a\nTransfer-Encoding: chunked\r\n"),
        "no Host (3.2)": "GET /healthz HTTP/1.1\r\n\r\n",
        "two Hosts": get("Host: y\r\n"),
        "a Host with a blank": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "two blanks in the request line (3)": "GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "a tab in the request line": "GET\t/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "a blank in the target": "GET /heal thz HTTP/1.1\r\nHost: x\r\n\r\n",
        "a control character in the target": "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
        "no version": "GET /healthz\r\nHost: x\r\n\r\n",
        "a version in small letters": "GET /healthz http/1.1\r\nHost: x\r\n\r\n",
        "HTTP/1.10": "GET /healthz HTTP/1.10\r\nHost: x\r\n\r\n",
        "HTTP/2.0": "GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
        "a chunk of 0x5 (7.1)": chunked("0x5\r\nxxxxx\r\n0\r\n\r\n"),
        "a chunk of -1": chunked("-1\r\nx\r\n0\r\n\r\n"),
        "a chunk without a size": chunked("\r\nx\r\n0\r\n\r\n"),
        "a chunk beyond 64 bits": chunked("10000000000000001\r\nx\r\n0\r\n\r\n"),
        "a chunk longer than it says": chunked("1\r\nxx\r\n0\r\n\r\n"),
        "a chunk that ends with LF": chunked("1\nx\r\n0\r\n\r\n"),
    };
    for (const [what, request] of Object.entries(requests)) {
        test(what, async (t) => {
            const reply = await say(t, server.port, request + SMUGGLED);
            const [status, ...others] = statuses(reply);
            assert.ok([400, 501, 505].includes(status), reply);
            assert.deepEqual(others, [], "what follows is not a request");
            assert.doesNotMatch(reply, /fray_/);
        });
    }

    test("a_body_hides_no_request", async (t) => {
        const hidden =
            post(`Content-Length: ${SMUGGLED.length}\r\n`, SMUGGLED) +
            chunked(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`);
        const reply = await say(t, server.port, hidden + LAST);
        assert.equal(statuses(reply).at(-1), 200);
        assert.equal(statuses(reply).length, 3);
        assert.doesNotMatch(reply, /fray_/);
    });
});

describe("limits", LIMIT, () => {
    const server = serveFray([
        "--http-max-header-bytes",
        "4096",
        "--http-max-headers",
        "20",
        "--max-http-buffer-size",
        "1000",
    ]);

    const many = (count) => Array.from({ length: count }, (_, i) => `X-${i}: y\r\n`).join("");
    const cases = {
        "a target too long": [[414, 431], `GET /${"x".repeat(5000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
        "a field too long": [[431], `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(5000)}\r\n\r\n`],
        "too many fields": [[431], `GET / HTTP/1.1\r\nHost: x\r\n${many(25)}\r\n`],
        "a head without an end": [[414, 431], `GET / HTTP/1.1\r\nHost: x\r\n${many(2000)}`],
        "a method too long": [[400, 501, 414, 431], `${"G".repeat(5000)} / HTTP/1.1\r\n`],
    };
    for (const [what, [expected, request]] of Object.entries(cases)) {
        test(what, async (t) => {
            const reply = await say(t, server.port, request);
            assert.equal(statuses(reply).length, 1, reply);
            assert.ok(expected.includes(statuses(reply)[0]), reply.slice(0, 200));
        });
    }

    async function openSession(t) {
        const reply = await say(
            t,
            server.port,
            `GET ${POLL} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        );
        return /"sid":"([\w-]+)"/.exec(reply)[1];
    }

    for (const [what, head] of Object.entries({
        "a body announced too long": "Content-Length: 1000000000\r\n\r\n",
        "chunks that grow too long":
            "Transfer-Encoding: chunked\r\n\r\n" + `1ff\r\n${"x".repeat(0x1ff)}\r\n`.repeat(4),
    })) {
        test(`413 for ${what}`, async (t) => {
            const sid = await openSession(t);
            const reply = await say(
                t,
                server.port,
                `POST ${POLL}&sid=${sid} HTTP/1.1\r\nHost: x\r\n${head}`,
            );
            assert.equal(statuses(reply)[0], 413);
        });
    }
});

describe("the slow", LIMIT, () => {
    const server = serveFray([
        "--http-header-timeout-ms",
        "200",
        "--http-body-timeout-ms",
        "200",
        "--http-keep-alive-timeout-ms",
        "200",
    ]);

    for (const [what, [status, bytes]] of Object.entries({
        "a head that never ends": [408, "GET / HTTP/1.1\r\nHost: x\r\n"],
        "a body that never comes": [
            408,
            `POST ${POLL} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n`,
        ],
        "nothing at all": [undefined, ""],
        "an idle connection": [200, GET],
    })) {
        test(what, async (t) => {
            const reply = await say(t, server.port, bytes);
            assert.deepEqual(statuses(reply), status ? [status] : []);
        });
    }

    test("drops_of_a_head_buy_no_time", async (t) => {
        const socket = dial(t, server.port);
        socket.write("GET / HTTP/1.1\r\nHost: x\r\n");
        const drip = setInterval(() => socket.write("X: y\r\n"), 20);
        t.after(() => clearInterval(drip));
        assert.match(await listen(socket), /^(HTTP\/1\.1 408 |$)/);
    });
});

describe("connections", LIMIT, () => {
    const server = serveFray(["--tls-self-signed"]);

    test("pipelined_requests_are_answered_in_order", async (t) => {
        const pairs = (GET + GET.replace("healthz", "nowhere")).repeat(100);
        const reply = await say(t, server.port, pairs + LAST);
        const expected = Array.from({ length: 201 }, (_, i) => (i % 2 ? 404 : 200));
        assert.deepEqual(statuses(reply), expected);
    });

    test("a_HEAD_has_no_body", async (t) => {
        const reply = await say(t, server.port, GET.replace("GET", "HEAD") + LAST);
        assert.deepEqual(statuses(reply), [200, 200]);
        assert.match(reply.split("\r\n\r\n")[1], /^HTTP\/1\.1 200/);
    });

    test("HTTP_1_0_ends_after_a_reply_unless_asked_to_stay", async (t) => {
        const old = GET.replace("1.1", "1.0");
        assert.equal(statuses(await say(t, server.port, old + old)).length, 1);
        const kept = old.replace("Host", "Connection: keep-alive\r\nHost");
        assert.equal(statuses(await say(t, server.port, kept + old)).length, 2);
    });

    test("TLS_and_plain_share_the_port", async (t) => {
        assert.deepEqual(statuses(await say(t, server.port, LAST)), [200]);
        const secure = tls.connect(server.port, "127.0.0.1", { rejectUnauthorized: false });
        t.after(() => secure.destroy());
        await once(secure, "secureConnect");
        secure.write(LAST);
        assert.deepEqual(statuses(await listen(secure)), [200]);
    });

    for (const [what, bytes] of Object.entries({
        zeros: "\0".repeat(100),
        "a TLS record of nonsense": "\x16\x03\x01\x00\x20" + "?".repeat(32),
        "a TLS alert": "\x15\x03\x01\x00\x02\x02\x28",
        "all ones": "\xff".repeat(100),
        SSH: "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    })) {
        test(`${what} in place of a request ends the connection`, async (t) => {
            const reply = await say(t, server.port, bytes);
            assert.ok(
                statuses(reply).every((status) => [400, 505].includes(status)),
                reply,
            );
            assert.deepEqual(statuses(await say(t, server.port, LAST)), [200]);
        });
    }
});

describe("storms", LIMIT, () => {
    const server = serveFray([
        "--http-header-timeout-ms",
        "500",
        "--http-keep-alive-timeout-ms",
        "1500",
        "--ping-interval-ms",
        "200",
        "--ping-timeout-ms",
        "400",
        "--workers",
        "2",
    ]);
    const websocket =
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n" +
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const openings = [
        "",
        "G",
        GET.slice(0, 30),
        GET,
        GET.repeat(50),
        "\x16\x03\x01",
        websocket,
        websocket + "\x81\x82abcdUR",
        `GET ${POLL} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ];

    /** Connects, says something, and is lost: by FIN, by RST, or falls silent. */
    async function cycle(t, number) {
        const socket = dial(t, server.port);
        socket.on("error", () => {});
        await once(socket, "connect");
        socket.write(Buffer.from(openings[number % openings.length], "latin1"));
        const how = Math.floor(number / openings.length) % 4;
        if (how === 0) socket.destroy();
        else if (how === 1) socket.resetAndDestroy();
        else if (how === 2) socket.end().resume();
        else socket.resume(); // says nothing more
        if (how !== 3) await once(socket, "close");
    }

    test("B13_2000_connections_come_and_go", async (t) => {
        const bystanders = await Promise.all(
            ["websocket", "polling"].map((transport) =>
                connect(t, server.url, { transports: [transport] }),
            ),
        );
        const lost = [];
        for (const bystander of bystanders) bystander.on("disconnect", (why) => lost.push(why));
        await once(bystanders[0].io.engine, "ping"); // all is at rest
        const before = await metrics(t, server.port);
        for (let number = 0; number < 2000; number += 100)
            await Promise.all(Array.from({ length: 100 }, (_, i) => cycle(t, number + i)));
        let now;
        do now = await metrics(t, server.port);
        while (
            now.fray_connections_open > before.fray_connections_open ||
            now.fray_sessions_open > before.fray_sessions_open ||
            now.process_open_fds > before.process_open_fds
        );
        assert.equal(now.fray_sessions_open, 2);
        assert.ok(now.fray_connections_accepted_total >= 2000);
        assert.deepEqual(lost, []);
    });
});

describe("more connections than are allowed", LIMIT, () => {
    const MOST = 10;
    const server = serveFray(["--workers", "2", "--max-connections", String(MOST)]);

    /** "open" when it was answered, "closed" when it was refused. */
    async function ask(t) {
        const socket = dial(t, server.port);
        socket.write("GET /replays HTTP/1.1\r\nHost: x\r\n\r\n");
        const closed = new Promise((resolve) =>
            socket.on("error", () => {}).on("close", () => resolve("closed")),
        );
        const opened = new Promise((resolve) => socket.once("data", () => resolve("open")));
        return { socket, state: await Promise.race([closed, opened]) };
    }

    test("B13_connections_count_also_where_they_moved_to", async (t) => {
        const asked = await Promise.all(Array.from({ length: 6 * MOST }, () => ask(t)));
        const open = asked.filter(({ state }) => state === "open");
        assert.equal(open.length, MOST);
        for (const { socket } of open) socket.destroy();
        let again;
        do again = await ask(t);
        while (again.state === "closed"); // until the server has seen one go
    });
});
