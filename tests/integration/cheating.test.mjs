// What a client that breaks the rules gains by game packets: nothing (docs/games.md, "Cheating").
// An honest player by the SDK sits in the same match and sees what the cheater gets.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { setImmediate } from "node:timers/promises";
import WebSocket from "ws";
import { HELLO, REPORT, SNAPSHOT } from "../../web/sdk/test/server.mjs";
import { rulesOf, sdk } from "../../web/sdk/test/sources.mjs";
import { EnvelopeSocket } from "./envelope.mjs";
import { replayVerifies, serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const WALK_PX = 3; // of the duel, a tick
const STEP_PX = 5; // of the arena
const COOLDOWN = 15; // ticks between two shots of the duel
const DUEL = { countdown_ticks: 0, hits: 100, rounds: 20 };
const VIEWS = 32; // as many baselines as the server may name
const PACKET_MAX = 65536;
const HAS_VIEW = 2;
const HELLO_PACKET = Uint8Array.of(HELLO, 1, 1, 0); // version, a stream, the match's rate
/* All appear within reach of each other. */
const FIELD = { obstacles: 0, width: 200, height: 200, spawn: 7, sight: 200 };

/** Sends any packet that it likes, and keeps what the server says of everybody after each. */
class Cheater {
    views = []; // {tick, players: [{…}], match}
    #waiting = new Set();
    #asked = 0;
    #ack = 0; // seq of the newest view

    async join(t, url, name, match) {
        this.socket = await new EnvelopeSocket().open(t, url, { namespace: "/games", name });
        await this.socket.takeMessage("welcome");
        this.joined = await this.ask("join", { match });
        this.seat = this.joined.seat;
        this.rules = await rulesOf(this.joined.game);
        const { state_size, input_size } = this.rules.game;
        this.ring = this.rules.alloc(VIEWS * state_size);
        this.inputs = this.rules.alloc(24 * input_size);
        this.packetAt = this.rules.alloc(PACKET_MAX);
        this.socket.socket.on("message", (data, isBinary) => isBinary && this.hear(data));
        this.send(HELLO_PACKET);
        await this.saw(() => true);
        return this;
    }

    async ask(type, content) {
        const id = ++this.#asked;
        await this.socket.send(type, content, id);
        const answer = (kind) => this.socket.takeMessage(kind, (_, m) => m.id === id);
        const { type: kind, content: said } = await Promise.race(["ack", "error"].map(answer));
        if (kind === "error") throw new Error(said.code);
        return said;
    }

    hear(bytes) {
        const { wasm, data } = this.rules;
        if (bytes[0] !== SNAPSHOT) return;
        this.rules.bytes.set(bytes, this.packetAt);
        assert.ok(wasm.snapshot_header(this.packetAt, bytes.length));
        const header = wasm.snapshot();
        const seq = data.getUint16(header + 2, true);
        const base = data.getUint16(header + 4, true);
        const from = base === seq ? 0 : this.#viewOf(base);
        const to = this.#viewOf(seq);
        assert.equal(wasm.snapshot_decode(from, to, this.packetAt, bytes.length, this.seat), 0);
        this.#ack = seq;
        const tick = data.getUint32(header + 8, true);
        this.views.push({ tick, players: this.#rows("players"), match: this.#rows("match")[0] });
        for (const check of [...this.#waiting]) check();
    }

    /** Resolves to the next view for which `is` holds. */
    saw(is) {
        return new Promise((resolve) => {
            const check = () => {
                const view = this.views.at(-1);
                if (!view || !is(view)) return;
                this.#waiting.delete(check);
                resolve(view);
            };
            this.#waiting.add(check);
        });
    }

    async until(tick) {
        return this.saw((view) => view.tick >= tick);
    }

    send(bytes) {
        this.socket.socket.send(bytes);
    }

    /** An INPUT packet with these inputs from that tick on. */
    packet(firstTick, inputs, view = -1) {
        const { rules } = this;
        const { wasm, data } = rules;
        const size = rules.game.input_size;
        inputs.forEach((values, i) => {
            const at = this.inputs + i * size;
            rules.bytes.fill(0, at, at + size);
            for (const field of rules.game.input.fields) {
                const value = (values[field.name] ?? 0) * 2 ** (field.fraction ?? 0);
                sdk.writeField(rules.data, at + field.offset, field, value);
            }
        });
        const at = wasm.input_packet();
        data.setUint8(at, view < 0 ? 0 : HAS_VIEW);
        data.setUint8(at + 1, inputs.length);
        data.setUint16(at + 2, this.#ack, true);
        data.setUint32(at + 4, 0, true);
        data.setUint32(at + 8, Math.max(0, view), true);
        data.setUint32(at + 12, firstTick, true);
        const len = wasm.input_encode(this.inputs, this.packetAt, PACKET_MAX);
        return rules.bytes.slice(this.packetAt, this.packetAt + len);
    }

    play(...args) {
        this.send(this.packet(...args));
    }

    #viewOf(seq) {
        return this.ring + (seq % VIEWS) * this.rules.game.state_size;
    }

    #rows(name) {
        const { rules } = this;
        const table = rules.game.tables.find((table) => table.name === name);
        return Array.from({ length: Math.min(table.rows, 2) }, (_, row) => {
            const at = this.#viewOf(this.#ack) + table.offset + row * table.stride;
            const read = (f) =>
                sdk.readField(rules.data, at + f.offset, f) / 2 ** (f.fraction ?? 0);
            return Object.fromEntries(
                table.fields.filter((f) => (f.count ?? 1) === 1).map((f) => [f.name, read(f)]),
            );
        });
    }
}

/** Plays by the SDK and does nothing but look, until told otherwise. */
async function honest(t, url, game, options) {
    const client = await sdk.connect({ url, name: "Ann", WebSocket });
    t.after(() => client.close());
    const match = await client.create(game, { options, bots: 0, start: "auto" });
    const timer = setInterval(() => match.frame(performance.now()), 10);
    t.after(() => clearInterval(timer));
    return match;
}

async function metric(url, name) {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^fray_${name}_total (\\d+)$`, "m").exec(text)[1]);
}

/** The metric comes about a second later. */
async function untilMetric(url, name, least) {
    while ((await metric(url, name)) < least) await setImmediate();
}

/** The fastest that this seat was between two views, px a tick. */
function speedOf(views, seat) {
    const speeds = views.slice(1).map(({ tick, players }, i) => {
        const before = views[i];
        const [a, b] = [before.players[seat], players[seat]];
        return Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) / (tick - before.tick || 1);
    });
    return Math.max(...speeds);
}

describe("a cheating client", LIMIT, () => {
    const server = serveFray(["--replay-min-ms", "0"]);

    const verifies = (match) => replayVerifies(server, match); // cheats and all

    test("A32_walks_no_faster_and_shoots_no_faster", LIMIT, async (t) => {
        const match = await honest(t, server.url, "duel", DUEL);
        const bob = await new Cheater().join(t, server.url, "Bob", match.id);
        const late = await metric(server.url, "game_inputs_late");
        await bob.saw((view) => view.match.phase === 2);
        bob.views.length = 0;
        const towards = (tick) => ((tick >> 4) & 1 ? 1 : -1);
        const input = (tick, sign) => ({
            walk: sign * towards(tick),
            fire: 1,
            aim_x: 0,
            aim_y: 270,
        });
        const first = (await bob.saw(() => true)).tick;
        const old = bob.packet(first + 2, [input(first + 2, 1)]);
        for (let tick = first; tick < first + 150;) {
            const ticks = Array.from({ length: 9 }, (_, i) => tick + 2 + i);
            const fair = ticks.map((tick) => input(tick, 1));
            bob.play(tick + 2, fair);
            bob.play(tick + 2, fair); // the same ticks again
            bob.play(
                tick + 2,
                ticks.map((tick) => input(tick, -1)),
            ); // others for them
            bob.send(old); // a packet of long ago
            bob.play(tick > 40 ? tick - 40 : 1, fair); // the past
            tick = (await bob.until(tick + 1)).tick;
        }
        const fastest = speedOf(bob.views, bob.seat);
        assert.ok(fastest <= WALK_PX, `${fastest} px a tick`);
        assert.ok(fastest > WALK_PX / 2, "it walked at all");
        const ready = [...new Set(bob.views.map(({ players }) => players[bob.seat].ready_tick))];
        const waits = ready.slice(1).map((tick, i) => tick - ready[i]);
        assert.ok(waits.length >= 5, `${waits.length} shots`);
        assert.ok(Math.min(...waits.slice(1)) >= COOLDOWN, `${waits}`);
        const places = new Set(bob.views.map(({ players }) => players[match.seat].x));
        assert.equal(places.size, 1, "packets name no seat: nobody else moves by them");
        await untilMetric(server.url, "game_inputs_late", late + 100);
        assert.equal(match.stats.desyncs, 0);
        await bob.ask("leave", {});
        await match.leave();
        await verifies(match.id);
    });

    test("A32_leaps_nowhere", LIMIT, async (t) => {
        const match = await honest(t, server.url, "arena", FIELD);
        const bob = await new Cheater().join(t, server.url, "Bob", match.id);
        const refused = await metric(server.url, "game_inputs_refused");
        const { tick, players } = bob.views.at(-1);
        const far = { mode: 1, x: 190, y: 190 };
        bob.views.length = 0;
        bob.play(tick + 4, Array(10).fill(far));
        await bob.until(tick + 20);
        assert.deepEqual(bob.views.at(-1).players[bob.seat].x, players[bob.seat].x);
        await untilMetric(server.url, "game_inputs_refused", refused + 10);
        const now = bob.views.at(-1).tick;
        const { x, y } = players[bob.seat];
        const near = { mode: 1, x: x + 40, y };
        bob.play(now + 4, Array(20).fill(near));
        const view = await bob.saw((view) => view.players[bob.seat].x === x + 40);
        assert.equal(view.players[bob.seat].y, y);
        assert.ok(speedOf(bob.views, bob.seat) <= STEP_PX);
        await bob.ask("leave", {});
        await match.leave();
        await verifies(match.id);
    });

    test("A32_hits_nobody_who_has_long_left", LIMIT, async (t) => {
        const match = await honest(t, server.url, "arena", FIELD);
        const bob = await new Cheater().join(t, server.url, "Bob", match.id);
        const attack = async (view) => {
            const { tick, players } = bob.views.at(-1);
            const { swings } = players[bob.seat];
            bob.play(tick + 4, [{ attack: 1 }], view);
            await bob.saw(({ players }) => players[bob.seat].swings === swings + 1);
            return bob.until(tick + 20); // another may follow
        };
        const start = await attack(-1);
        assert.equal(start.players[match.seat].hp, 90, "beside each other it hits");
        const beside = start.tick;
        match.setInput({ dx: 127, dy: 127 });
        await bob.saw(({ players }) => players[match.seat].x > 100);
        match.setInput({ dx: 0, dy: 0 });
        await bob.until(beside + 60);
        for (const claim of [beside * 256, 1, 0xffffffff, (bob.views.at(-1).tick + 500) * 256]) {
            const view = await attack(claim);
            assert.equal(view.players[match.seat].hp, 90, `looking at ${claim}`);
        }
        await bob.ask("leave", {});
        await match.leave();
        await verifies(match.id);
    });

    test("who was cut off for seconds is no cheat, though all comes at once", LIMIT, async (t) => {
        const match = await honest(t, server.url, "duel", DUEL);
        const bob = await new Cheater().join(t, server.url, "Bob", match.id);
        const { tick } = await bob.saw(() => true);
        await bob.until(tick + 300);
        for (let i = 1; i <= 300; i++) bob.play(tick + i, [{ walk: 1 }]);
        await bob.ask("ready", {}); // answered after all of these
        assert.deepEqual([match.roster.seats[1].name, match.roster.seats[1].bot], ["Bob", null]);
        await bob.ask("leave", {});
        await match.leave();
    });

    test("who only watches reports what it likes, a few times", LIMIT, async (t) => {
        const match = await honest(t, server.url, "duel", DUEL);
        const eve = await new EnvelopeSocket().open(t, server.url, {
            namespace: "/games",
            name: "Eve",
        });
        await eve.send("join", { match: match.id, as: "spectator" }, 1);
        await eve.takeMessage("ack");
        const before = await metric(server.url, "game_desyncs");
        eve.socket.send(HELLO_PACKET);
        const report = Buffer.alloc(13, REPORT); // tick and hash: any
        for (let i = 0; i < 1000; i++) {
            report.writeUInt32LE(i, 1);
            eve.socket.send(report);
        }
        await eve.send("leave", {}, 2);
        await eve.takeMessage("ack", (_, { id }) => id === 2);
        const told = (await metric(server.url, "game_desyncs")) - before;
        assert.ok(told > 0 && told < 10, `${told} reports were noted`);
        await match.leave();
    });

    test("A32_who_is_to_be_put_out_does_not_get_away_by_leaving", LIMIT, async (t) => {
        const match = await honest(t, server.url, "duel", DUEL);
        const options = { namespace: "/games", name: "Bob" };
        const bob = await new EnvelopeSocket().open(t, server.url, options);
        await bob.send("join", { match: match.id });
        await bob.take("joined");
        const impossible = JSON.stringify({ type: "input", content: { walk: 5 } });
        for (let i = 0; i < 20; i++) bob.socket.send(impossible);
        bob.socket.send(JSON.stringify({ type: "leave", content: {} }));
        assert.deepEqual(await bob.closed, { code: 4001, reason: "cheating" });
        const again = await new EnvelopeSocket().open(t, server.url, options);
        await again.send("join", { match: match.id });
        assert.equal((await again.take("error")).code, "kicked");
        await match.leave();
    });

    for (const [what, send] of [
        ["malformed", (bob, tick) => bob.send(Buffer.from([2, 255, 255, tick & 255]))],
        ["flooding", (bob, tick) => bob.play(tick + 2, [{ walk: 1 }])],
        ["early", (bob, tick) => bob.play(tick + 100_000, Array(24).fill({ walk: 1 }))],
    ])
        test(`A32_is_put_out_for_${what}_packets_and_stays_out`, LIMIT, async (t) => {
            const match = await honest(t, server.url, "duel", DUEL);
            const bob = await new Cheater().join(t, server.url, "Bob", match.id);
            const name = what === "malformed" ? "game_packets_malformed" : `game_inputs_${what}`;
            const [counted, cheaters] = await Promise.all(
                [name, "game_cheaters"].map((name) => metric(server.url, name)),
            );
            if (what === "early") await bob.until(5 * 60 + 20); // clocks may be wrong for a moment
            const patience = what === "early" ? 5 : 50; // packets for a snapshot
            let isClosed = false;
            bob.socket.closed.then(() => (isClosed = true));
            while (!isClosed) {
                const { tick } = bob.views.at(-1);
                for (let i = 0; i < patience; i++) send(bob, tick);
                await Promise.race([bob.until(tick + 1), bob.socket.closed]);
            }
            assert.deepEqual(await bob.socket.closed, { code: 4001, reason: "cheating" });
            assert.equal(await metric(server.url, "game_cheaters"), cheaters + 1);
            await untilMetric(server.url, name, counted + (what === "malformed" ? 5 : 50));

            const { token } = bob.joined;
            const again = await new EnvelopeSocket().open(t, server.url, {
                namespace: "/games",
                name: "Carl",
            });
            for (const [type, content, code] of [
                ["join", { match: match.id }, "kicked"],
                ["join", { match: match.id, as: "spectator" }, "kicked"],
                ["reconnect", { match: match.id, token }, "bad_token"],
            ]) {
                await again.send(type, content, 1);
                assert.equal((await again.take("error")).code, code);
            }
            const { newestTick } = match.netcode.status;
            while (match.netcode.status.newestTick < newestTick + 60) await setImmediate();
            assert.equal(match.roster.seats[1].bot !== null, true, "a bot plays on");
            await match.leave();
            await verifies(match.id);
        });
});
