// RFC 6455 and 7692 against the fixture ws_echo, with frames built by hand: what is echoed, and how
// every violation ends. Sections are RFC 6455's.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import test, { describe } from "node:test";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { serveFixture } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const server = serveFixture("ws_echo");
const MIB = 1 << 20;
const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const FIN = 0x80,
    RSV1 = 0x40,
    RSV2 = 0x20,
    RSV3 = 0x10;

/** A frame as clients send it (5.2). `first` is FIN, reserved bits and opcode. */
function frame(first, payload = "", { masked = true, length = null, lengthBytes = null } = {}) {
    const data = Buffer.from(payload);
    const len = length ?? BigInt(data.length);
    const width = lengthBytes ?? (len < 126n ? 0 : len < 65536n ? 2 : 8);
    const header = Buffer.alloc(2 + width);
    header[0] = first;
    header[1] = (masked ? 0x80 : 0) | (width === 0 ? Number(len) : width === 2 ? 126 : 127);
    if (width === 2) header.writeUInt16BE(Number(len), 2);
    if (width === 8) header.writeBigUInt64BE(len, 2);
    if (!masked) return Buffer.concat([header, data]);
    const key = randomBytes(4);
    const out = Buffer.allocUnsafe(data.length);
    for (let i = 0; i < data.length; i++) out[i] = data[i] ^ key[i & 3];
    return Buffer.concat([header, key, out]);
}

const text = (payload) => frame(FIN | TEXT, payload);
const binary = (payload) => frame(FIN | BINARY, payload);
const closing = (code, reason = "") =>
    frame(FIN | CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));

/** Whatever the server sends, as bytes, then cut as asked for. */
class Connection {
    #chunks = [];
    #length = 0;
    #ended = false;
    #wake = () => {};

    constructor(t, port = server.port) {
        this.socket = net.connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
        this.socket.on("data", (chunk) => {
            this.#chunks.push(chunk);
            this.#length += chunk.length;
            this.#wake();
        });
        const end = () => {
            this.#ended = true;
            this.#wake();
        };
        this.socket
            .on("end", end)
            .on("close", end)
            .on("error", (error) => (this.error = error));
        t.after(() => this.socket.destroy());
    }

    write(...parts) {
        this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))));
    }

    async #until(isThere) {
        while (!isThere()) {
            assert.ok(!this.#ended, `the connection ended with ${this.#length} bytes left`);
            await new Promise((resolve) => (this.#wake = resolve));
        }
        const all = Buffer.concat(this.#chunks);
        this.#chunks = [all];
        return all;
    }

    async read(length) {
        const all = await this.#until(() => this.#length >= length);
        this.#chunks = [all.subarray(length)];
        this.#length -= length;
        return all.subarray(0, length);
    }

    async readHead() {
        let end = -1;
        await this.#until(() => (end = Buffer.concat(this.#chunks).indexOf("\r\n\r\n")) >= 0);
        const head = (await this.read(end + 4)).toString("latin1");
        const [status, ...lines] = head.trimEnd().split("\r\n");
        const fields = {};
        for (const line of lines) {
            const [, name, value] = /^([^:]+): *(.*)$/.exec(line);
            fields[name.toLowerCase()] = value;
        }
        return { status: Number(status.split(" ")[1]), fields };
    }

    /** The next frame, checked to be as servers may send it. */
    async readFrame() {
        const [first, second] = await this.read(2);
        assert.equal(second & 0x80, 0, "a server's frames are not masked (5.1)");
        assert.equal(first & (RSV2 | RSV3), 0);
        let length = second & 127;
        if (length === 126) length = (await this.read(2)).readUInt16BE();
        else if (length === 127) length = Number((await this.read(8)).readBigUInt64BE());
        return { first, payload: length ? await this.read(length) : Buffer.alloc(0) };
    }

    async expect(first, payload) {
        const got = await this.readFrame();
        assert.equal(got.first, first, `${got.first}: ${got.payload.subarray(0, 80)}`);
        assert.ok(got.payload.equals(Buffer.from(payload)), `${got.payload.subarray(0, 80)}`);
    }

    /** A close frame with this code, then the end of TCP, which the server begins (7.1.1). */
    async expectClose(code) {
        const { first, payload } = await this.readFrame();
        assert.equal(first, FIN | CLOSE);
        assert.equal(payload.readUInt16BE(), code, payload.subarray(2).toString());
        await this.expectEnd();
    }

    async expectEnd() {
        while (!this.#ended) await new Promise((resolve) => (this.#wake = resolve));
        assert.equal(this.#length, 0, "nothing after the close frame (5.5.1)");
        assert.equal(this.error, undefined, "a FIN, no reset");
        this.socket.end();
    }
}

function request(fields = {}, line = "GET /any/path HTTP/1.1") {
    const all = {
        Host: "localhost",
        Upgrade: "websocket",
        Connection: "keep-alive, Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...fields,
    };
    const lines = Object.entries(all)
        .filter(([, value]) => value !== null)
        .map(([name, value]) => `${name}: ${value}\r\n`);
    return `${line}\r\n${lines.join("")}\r\n`;
}

async function open(t, fields, port) {
    const connection = new Connection(t, port);
    connection.write(request(fields));
    const { status, fields: reply } = await connection.readHead();
    assert.equal(status, 101);
    connection.extensions = reply["sec-websocket-extensions"];
    return connection;
}

describe("opening handshake (4.2)", LIMIT, () => {
    test("B13_accept_is_the_hash_of_the_key", async (t) => {
        const connection = new Connection(t);
        connection.write(request());
        const { status, fields } = await connection.readHead();
        assert.equal(status, 101);
        assert.equal(fields["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); // 1.3
        assert.equal(fields.upgrade.toLowerCase(), "websocket");
        assert.equal(fields.connection.toLowerCase(), "upgrade");
        assert.equal(fields["sec-websocket-protocol"], undefined);
        assert.equal(fields["sec-websocket-extensions"], undefined);
    });

    test("frames_may_come_with_the_request", async (t) => {
        const connection = new Connection(t);
        connection.write(request(), text("early"), frame(TEXT, "bi"));
        assert.equal((await connection.readHead()).status, 101);
        await connection.expect(FIN | TEXT, "early");
        connection.write(frame(FIN | CONTINUATION, "rd"));
        await connection.expect(FIN | TEXT, "bird");
    });

    test("a_head_may_come_byte_by_byte", async (t) => {
        const connection = new Connection(t);
        for (const byte of request()) {
            connection.write(byte);
            await new Promise(setImmediate);
        }
        assert.equal((await connection.readHead()).status, 101);
    });

    test("an_unknown_sub_protocol_is_not_chosen", async (t) => {
        const connection = new Connection(t);
        connection.write(request({ "Sec-WebSocket-Protocol": "chat, superchat" }), text("x"));
        const { status, fields } = await connection.readHead();
        assert.equal(status, 101);
        assert.equal(fields["sec-websocket-protocol"], undefined);
        await connection.expect(FIN | TEXT, "x");
    });

    const bad = {
        "no key": [400, { "Sec-WebSocket-Key": null }],
        "a key that is no base64": [400, { "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" }],
        "a key of 15 bytes": [400, { "Sec-WebSocket-Key": Buffer.alloc(15).toString("base64") }],
        "no version": [426, { "Sec-WebSocket-Version": null }],
        "version 8": [426, { "Sec-WebSocket-Version": "8" }],
        "another protocol's upgrade": [400, { Upgrade: "h2c" }],
        "no Host": [400, { Host: null }],
        "a POST": [405, { "Content-Length": "0" }, "POST / HTTP/1.1"],
    };
    for (const [what, [status, fields, line]] of Object.entries(bad)) {
        test(`${status} for ${what}`, async (t) => {
            const connection = new Connection(t);
            connection.write(request(fields, line));
            const reply = await connection.readHead();
            assert.equal(reply.status, status);
            if (status === 426) assert.equal(reply.fields["sec-websocket-version"], "13"); // 4.4
            if (status === 405) assert.match(reply.fields.allow, /\bGET\b/);
        });
    }

    // What asks for no upgrade is an ordinary request, for a file that is not there.
    const ordinary = {
        "no Upgrade": [{ Upgrade: null, Connection: null }],
        "no Connection: Upgrade": [{ Connection: "keep-alive" }],
        "HTTP/1.0 (RFC 9110 7.8)": [{}, "GET /any/path HTTP/1.0"],
    };
    for (const [what, [fields, line]] of Object.entries(ordinary)) {
        test(`404 for ${what}`, async (t) => {
            const connection = new Connection(t);
            connection.write(request(fields, line));
            assert.equal((await connection.readHead()).status, 404);
        });
    }
});

describe("messages (5)", LIMIT, () => {
    for (const size of [0, 1, 125, 126, 127, 65535, 65536, 65537, MIB, 16 * MIB]) {
        test(`B13_echo_of_${size}_bytes`, async (t) => {
            const connection = await open(t);
            const bytes = randomBytes(size);
            const letters = "é".repeat(size / 2) + "x".repeat(size % 2);
            connection.write(binary(bytes), text(letters));
            await connection.expect(FIN | BINARY, bytes);
            await connection.expect(FIN | TEXT, letters);
        });
    }

    test("B13_16_MiB_in_fragments_of_every_size", async (t) => {
        const connection = await open(t);
        const bytes = randomBytes(16 * MIB);
        for (const size of [1000, 65536, 3 * MIB + 1]) {
            for (let at = 0; at < bytes.length; at += size) {
                const fin = at + size >= bytes.length ? FIN : 0;
                const opcode = at ? CONTINUATION : BINARY;
                connection.write(frame(fin | opcode, bytes.subarray(at, at + size)));
            }
            await connection.expect(FIN | BINARY, bytes);
        }
    });

    test("fragments_may_be_empty_and_characters_be_cut", async (t) => {
        const connection = await open(t);
        const bytes = Buffer.from("κόσμε😀");
        connection.write(frame(TEXT));
        for (const byte of bytes) connection.write(frame(CONTINUATION, Buffer.from([byte])));
        connection.write(frame(FIN | CONTINUATION));
        await connection.expect(FIN | TEXT, bytes);
    });

    test("bytes_may_come_one_by_one", async (t) => {
        const connection = await open(t);
        const frames = [text("κόσμε"), frame(FIN | PING, "p"), binary(Buffer.alloc(200, 9))];
        for (const byte of Buffer.concat(frames)) {
            connection.write([byte]);
            await new Promise(setImmediate);
        }
        const got = [];
        for (const _ of frames) got.push(await connection.readFrame());
        const isPong = ({ first }) => first === (FIN | PONG); // it may overtake messages (5.5.3)
        assert.deepEqual(got.filter(isPong), [{ first: FIN | PONG, payload: Buffer.from("p") }]);
        assert.deepEqual(
            got.filter((it) => !isPong(it)),
            [
                { first: FIN | TEXT, payload: Buffer.from("κόσμε") },
                { first: FIN | BINARY, payload: Buffer.alloc(200, 9) },
            ],
        );
    });

    test("a_thousand_messages_in_one_write_keep_their_order", async (t) => {
        const connection = await open(t);
        connection.write(...Array.from({ length: 1000 }, (_, i) => text(`${i}`)));
        for (let i = 0; i < 1000; i++) await connection.expect(FIN | TEXT, `${i}`);
    });

    test("a_ping_between_fragments_is_answered_at_once", async (t) => {
        const connection = await open(t);
        connection.write(frame(TEXT, "frag"), frame(FIN | PING, "now"));
        await connection.expect(FIN | PONG, "now");
        connection.write(
            frame(FIN | PONG, "unasked"),
            frame(FIN | PING),
            frame(FIN | CONTINUATION, "ment"),
        );
        await connection.expect(FIN | PONG, "");
        await connection.expect(FIN | TEXT, "fragment");
    });
});

describe("a peer that pings and does not read (5.5.3)", LIMIT, () => {
    const residentBytes = async () => {
        const metrics = await (await fetch(`${server.url}/metrics`)).text();
        return Number(/^process_resident_memory_bytes (\d+)$/m.exec(metrics)[1]);
    };

    test("costs_no_memory_and_gets_the_last_pong", async (t) => {
        const connection = await open(t);
        connection.socket.pause();
        const before = await residentBytes();
        const pings = Buffer.concat(Array(1000).fill(frame(FIN | PING, "p".repeat(125))));
        for (let i = 0; i < 400; i++)
            await new Promise((resolve) => connection.socket.write(pings, resolve));
        assert.ok((await residentBytes()) - before < 24 * MIB); // of pings there were 50 MiB
        const wanted = new Set(["the last", "after"]); // too many frames to look at each
        let tail = "";
        const answered = new Promise((resolve) => {
            connection.socket.on("data", (chunk) => {
                tail = tail.slice(-16) + chunk.toString("latin1");
                for (const word of wanted) if (tail.includes(word)) wanted.delete(word);
                if (wanted.size === 0) resolve();
            });
        });
        connection.write(frame(FIN | PING, "the last"), text("after"));
        connection.socket.resume();
        await answered;
    });
});

describe("violations", LIMIT, () => {
    const utf8 = {
        "a lone surrogate": "eda080",
        "an overlong NUL": "c080",
        "beyond U+10FFFF": "f4908080",
        "a lone continuation": "80",
        "an unfinished character": "e282",
    };
    const badOpcodes = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
    const badCodes = [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2999, 5000, 65535];
    const each = (list, toEntry) => Object.fromEntries(list.map(toEntry));
    const violations = {
        "an unmasked frame (5.1)": [1002, frame(FIN | TEXT, "x", { masked: false })],
        "RSV1 without an extension (5.2)": [1002, frame(FIN | RSV1 | TEXT, "x")],
        RSV2: [1002, frame(FIN | RSV2 | TEXT, "x")],
        "RSV3 on a ping": [1002, frame(FIN | RSV3 | PING, "x")],
        ...each(badOpcodes, (opcode) => [`opcode ${opcode}`, [1002, frame(FIN | opcode, "x")]]),
        "a length of 126 in 8 bytes (5.2)": [
            1002,
            frame(FIN | TEXT, "x".repeat(126), { lengthBytes: 8 }),
        ],
        "a length of 5 in 2 bytes": [1002, frame(FIN | TEXT, "xxxxx", { lengthBytes: 2 })],
        "a length with its top bit set": [1002, frame(FIN | TEXT, "", { length: 1n << 63n })],
        "a fragmented ping (5.4)": [1002, frame(PING, "x")],
        "a ping of 126 bytes (5.5)": [1002, frame(FIN | PING, "x".repeat(126))],
        "a continuation of nothing": [1002, frame(FIN | CONTINUATION, "x")],
        "a message within another": [1002, frame(TEXT, "x"), text("y")],
        "a message too long (7.4.1)": [
            1009,
            frame(FIN | BINARY, "x", { length: 16n * 2n ** 20n + 1n }),
        ],
        "fragments that add up to too much": [
            1009,
            frame(BINARY, Buffer.alloc(16 * MIB)),
            frame(FIN | CONTINUATION, "x"),
        ],
        ...each(Object.entries(utf8), ([what, hex]) => [
            `${what} (8.1)`,
            [1007, text(Buffer.from(hex, "hex"))],
        ]),
        "bad UTF-8 before the message ends": [
            1007,
            frame(TEXT, "κόσμε"),
            frame(CONTINUATION, Buffer.from([0xff])),
        ],
        "bad UTF-8 before the frame ends": [
            1007,
            frame(FIN | TEXT, Buffer.from([0xf4, 0x90]), { length: 1000n }),
        ],
        "a close frame of one byte (5.5.1)": [1002, frame(FIN | CLOSE, "x")],
        "a close reason that is not UTF-8": [1007, closing(1000, Buffer.from([0xff]))],
        ...each(badCodes, (code) => [`close code ${code} (7.4)`, [1002, closing(code)]]),
    };
    for (const [what, [code, ...frames]] of Object.entries(violations)) {
        test(`${code} for ${what}`, async (t) => {
            const [guilty, bystander] = [await open(t), await open(t)];
            guilty.write(...frames, text("ignored"));
            await guilty.expectClose(code);
            bystander.write(text("unharmed"));
            await bystander.expect(FIN | TEXT, "unharmed");
        });
    }

    test("what_came_before_a_violation_is_answered", async (t) => {
        const connection = await open(t);
        connection.write(text("first"), frame(FIN | PING, "p"), frame(FIN | 3));
        // A control frame need not wait for messages (5.5.2).
        const answers = [await connection.readFrame(), await connection.readFrame()];
        assert.deepEqual(answers.map(({ first }) => first).sort(), [FIN | TEXT, FIN | PONG]);
        await connection.expectClose(1002);
    });
});

describe("closing handshake (7)", LIMIT, () => {
    for (const code of [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999]) {
        test(`a close with ${code} is answered with it`, async (t) => {
            const connection = await open(t);
            connection.write(closing(code, "r".repeat(123)));
            await connection.expectClose(code);
        });
    }

    test("a_close_without_a_code_is_answered", async (t) => {
        const connection = await open(t);
        connection.write(frame(FIN | CLOSE));
        const { first } = await connection.readFrame();
        assert.equal(first, FIN | CLOSE);
        await connection.expectEnd();
    });

    test("what_was_sent_before_a_close_is_echoed_and_nothing_behind_it", async (t) => {
        const connection = await open(t);
        connection.write(
            text("last words"),
            frame(TEXT, "unfinished"),
            closing(1000),
            frame(FIN | CONTINUATION, "x"),
            text("more"),
            frame(FIN | PING),
        );
        await connection.expect(FIN | TEXT, "last words");
        await connection.expectClose(1000);
    });

    test("a_peer_that_ends_without_a_close_is_let_go", async (t) => {
        const connection = await open(t);
        connection.socket.end();
        await once(connection.socket, "close");
    });
});

describe("permessage-deflate (RFC 7692)", LIMIT, () => {
    const flush = { finishFlush: constants.Z_SYNC_FLUSH };
    const tail = Buffer.from([0, 0, 0xff, 0xff]); // does not travel (7.2.1)
    const squeeze = (data) => deflateRawSync(data, flush).subarray(0, -4);
    const expand = (payload) => inflateRawSync(Buffer.concat([payload, tail]), flush);
    const NO_CONTEXT = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
    const words = "the quick brown fox jumps over the lazy dog. ".repeat(2000);

    const offers = [
        "permessage-deflate",
        NO_CONTEXT,
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=10",
        "x-unknown, permessage-deflate; server_no_context_takeover",
    ];
    for (const offer of offers) {
        test(`echo with ${offer}`, async (t) => {
            const connection = await open(t, { "Sec-WebSocket-Extensions": offer });
            assert.match(connection.extensions, /^permessage-deflate/);
            const packed = squeeze(words); // without regard to what came before
            connection.write(
                frame(FIN | RSV1 | TEXT, packed),
                text("plain"),
                frame(RSV1 | TEXT, packed.subarray(0, 7)),
                frame(FIN | CONTINUATION, packed.subarray(7)),
            );
            const first = await connection.readFrame();
            assert.equal(first.first, FIN | RSV1 | TEXT);
            assert.ok(first.payload.length < words.length / 10);
            assert.equal(expand(first.payload).toString(), words);
            for (const _ of "12") assert.equal((await connection.readFrame()).first & 15, TEXT);
        });
    }

    const malformed = [
        "permessage-deflate; unknown",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    ];
    for (const offer of malformed) {
        test(`${offer} is declined (7.1)`, async (t) => {
            const connection = await open(t, { "Sec-WebSocket-Extensions": offer });
            assert.equal(connection.extensions, undefined);
        });
    }

    const violations = {
        "RSV1 on a continuation (6.1)": [
            1002,
            frame(RSV1 | TEXT, squeeze("x")),
            frame(FIN | RSV1 | CONTINUATION, ""),
        ],
        "RSV1 on a ping": [1002, frame(FIN | RSV1 | PING, "")],
        "bytes that do not inflate": [1002, frame(FIN | RSV1 | TEXT, Buffer.alloc(50, 0xff))],
        "inflated text that is not UTF-8": [
            1007,
            frame(FIN | RSV1 | TEXT, squeeze(Buffer.from([0xff, 0xfe]))),
        ],
        "a bomb": [1009, frame(FIN | RSV1 | BINARY, squeeze(Buffer.alloc(16 * MIB + 1)))],
    };
    for (const [what, [code, ...frames]] of Object.entries(violations)) {
        test(`${code} for ${what}`, async (t) => {
            const connection = await open(t, { "Sec-WebSocket-Extensions": NO_CONTEXT });
            connection.write(...frames);
            await connection.expectClose(code);
        });
    }
});

const threaded = serveFixture("ws_echo", ["--workers", "3"]);

test("B13_clients_in_parallel_do_not_mix", LIMIT, async (t) => {
    const connections = await Promise.all(
        Array.from({ length: 50 }, () => open(t, {}, threaded.port)),
    );
    await Promise.all(
        connections.map(async (connection, i) => {
            for (let n = 0; n < 50; n++) {
                const payload = createHash("sha256").update(`${i} ${n}`).digest();
                connection.write(binary(payload));
                await connection.expect(FIN | BINARY, payload);
            }
        }),
    );
});
