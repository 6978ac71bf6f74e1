// The game protocol of /games: binary messages, docs/protocols.md, "Game packets".
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { EnvelopeSocket, OPEN } from "./envelope.mjs";
import { serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const HELLO = [1, 1, 1, 0];
const STREAM = 1;
const WELCOME = 0x81;
const SNAPSHOT = 0x82;
const BACK = 4; /* of a SNAPSHOT: the byte that says how far back its baseline is; 0: full */
const TICK = 5;
const PONG = 0x83;
const REFUSED = 0x84;
const MALFORMED = 1;
const NOT_IN_MATCH = 2;
const NOT_TICKED = 3;
const FLOODING = 4;
const NO_HELLO = 5;
const VERSION = 6;

const ping = (stamp) => [3, stamp & 255, stamp >> 8, 0, 0];
/** INPUT without inputs: an ack of that snapshot. */
const ack = (seq) => [2, 0, seq & 255, seq >> 8, 0, 0, 0, 0, 0];

/** A client that sends packets: binary frames over WebSocket, base64 elsewhere. */
class PacketClient {
    packets = [];
    #waiting = new Set();

    async open(t, url, kind, name) {
        const auth = { namespace: "/games", name };
        this.kind = kind;
        this.client = await (kind === "envelope websocket"
            ? new EnvelopeSocket().open(t, url, auth)
            : OPEN[kind](t, url, auth));
        const push = this.client.push.bind(this.client);
        this.client.push = (message) => {
            push(message);
            const base64 = message.content?._base64;
            if (message.type === "message" && base64) this.hear(Buffer.from(base64, "base64"));
        };
        this.client.socket?.on("message", (data, isBinary) => {
            if (isBinary) this.hear(data);
        });
        await this.client.takeMessage("welcome");
        return this;
    }

    hear(bytes) {
        this.packets.push(bytes);
        for (const check of this.#waiting) check();
    }

    take(type, is = () => true) {
        return new Promise((resolve) => {
            const check = () => {
                const at = this.packets.findIndex((p) => p[0] === type && is(p));
                if (at < 0) return;
                this.#waiting.delete(check);
                resolve(this.packets.splice(at, 1)[0]);
            };
            this.#waiting.add(check);
            check();
        });
    }

    async ask(type, content) {
        const id = (this.ids = (this.ids ?? 0) + 1);
        await this.client.send(type, content, id);
        return (await this.client.takeMessage("ack", (_, m) => m.id === id)).content;
    }

    send(bytes) {
        const data = Buffer.from(bytes);
        if (this.client.socket) return void this.client.socket.send(data);
        return this.client.send("message", { _base64: data.toString("base64") });
    }
}

describe("game packets", LIMIT, () => {
    const server = serveFray([]);
    const open = (t, name, kind = "envelope websocket") =>
        new PacketClient().open(t, server.url, kind, name);

    for (const kind of ["envelope websocket", "envelope long polling", "Server-Sent Events"]) {
        test(`hello_snapshots_and_acks_over_${kind}`, LIMIT, async (t) => {
            const ann = await open(t, "Ann", kind);
            const isStream = kind !== "envelope long polling";
            const { seat } = await ann.ask("create", { game: "arena", bots: 3 });
            await ann.send([1, 1, isStream ? STREAM : 0, 0]);
            const welcome = await ann.take(WELCOME);
            assert.equal(welcome[1], 1, "version");
            assert.equal(welcome[2], seat);
            assert.equal(welcome[3], 30, "ticks a second");
            const first = await ann.take(SNAPSHOT);
            const seq = first.readUInt16LE(2);
            assert.equal(first[BACK], 0, "the first is full");
            await ann.send(ack(seq));
            const delta = await ann.take(SNAPSHOT, (p) => p[BACK] !== 0);
            assert.ok(delta.length < first.length / 2, `${delta.length} of ${first.length} bytes`);
            assert.ok(delta.readUInt32LE(TICK) > first.readUInt32LE(TICK), "later");
            await ann.send(ping(513));
            const pong = await ann.take(PONG);
            assert.equal(pong.readUInt32LE(1), 513);
            assert.ok(pong.readUInt32LE(5) >= delta.readUInt32LE(TICK));
        });
    }

    test("who_says_hello_gets_no_json_states", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match } = await ann.ask("create", { game: "arena", bots: 3 });
        const bob = await open(t, "Bob");
        await bob.ask("join", { match, as: "spectator" });
        const stock = await open(t, "Cid");
        await stock.ask("join", { match });
        for (const client of [ann, bob]) {
            await client.send(HELLO);
            await client.take(WELCOME);
            client.client.all.length = 0;
        }
        for (let i = 0; i < 5; i++) {
            await Promise.all([ann, bob].map((c) => c.take(SNAPSHOT)));
            await stock.client.takeMessage("state");
        }
        const dan = await (await open(t, "Dan")).ask("join", { match });
        await stock.client.takeMessage("new_player", ({ id }) => id === dan.id);
        await Promise.all([ann, bob].map((c) => c.take(SNAPSHOT)));
        for (const client of [ann, bob])
            assert.deepEqual(
                client.client.all
                    .map((m) => m.type)
                    .filter((type) => !["match", "message"].includes(type)),
                [],
            );
    });

    test("refusals_have_their_codes", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const refused = async (bytes, code) => {
            await ann.send(bytes);
            assert.equal((await ann.take(REFUSED))[1], code);
        };
        await refused(HELLO, NOT_IN_MATCH);
        await ann.ask("create", { game: "tictactoe" });
        await refused(HELLO, NOT_TICKED);
        await ann.ask("leave");
        await ann.ask("create", { game: "duel" });
        await refused(ack(1), NO_HELLO);
        await ann.send(HELLO);
        assert.equal((await ann.take(WELCOME))[3], 60);
        await refused([...HELLO, 0], MALFORMED);
        await refused([0x77], MALFORMED);
        await refused([1, 2, 1, 0], VERSION);
        await refused([1, 2, 1, 0, 7, 7, 7], VERSION); // it may well be longer
        await ann.send(ping(7));
        assert.equal((await ann.take(PONG)).readUInt32LE(5), 0, "no tick before the start");
    });

    test("nobody begins anew all the time", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        await ann.ask("create", { game: "arena", bots: 3 });
        let refusal;
        ann.take(REFUSED).then(([_, code]) => (refusal = code));
        while (!refusal) {
            for (let i = 0; i < 5; i++) ann.send(HELLO); // 100 a second
            await ann.take(SNAPSHOT);
        }
        assert.equal(refusal, FLOODING);
        const begun = ann.packets.filter(([type]) => type === WELCOME).length;
        assert.ok(begun >= 60, `${begun} beginnings`);
        await ann.take(SNAPSHOT);
    });

    test("A32_who_sends_garbage_is_put_out", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match } = await ann.ask("create", { game: "duel" });
        const bob = await open(t, "Bob");
        await bob.ask("join", { match });
        await ann.send(HELLO);
        await bob.send(HELLO);
        const closed = new Promise((resolve) =>
            bob.client.socket.on("close", (code, reason) => resolve(`${code} ${reason}`)),
        );
        for (let i = 0; i < 6; i++) await bob.send([2, 255, 255]);
        assert.equal(await closed, "4001 cheating");
        const before = (await ann.take(SNAPSHOT)).readUInt32LE(TICK);
        await ann.take(SNAPSHOT, (p) => p.readUInt32LE(TICK) > before + 30);
    });

    test("a_start_welcomes_again", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match } = await ann.ask("create", { game: "duel" });
        await ann.send(HELLO);
        assert.equal((await ann.take(WELCOME)).readUInt32LE(8), 0);
        const bob = await open(t, "Bob");
        await bob.ask("join", { match });
        await ann.take(WELCOME);
        const first = await ann.take(SNAPSHOT);
        assert.equal(first[BACK], 0);
        await ann.take(SNAPSHOT);
    });
});
