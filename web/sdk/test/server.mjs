// A server of one match, as small as the protocol allows: the real rules and the real codec, in a
// module of its own. What the C host does better (budgets, rewinding, hold) is tested there.
export const HELLO = 0x01;
export const INPUT = 0x02;
export const PING = 0x03;
export const REPORT = 0x04;
export const WELCOME = 0x81;
export const SNAPSHOT = 0x82;
export const PONG = 0x83;
export const REFUSED = 0x84;
const KEPT = 32;
const EVENTS_MAX = 64;

export class Server {
    tick = 0;
    reports = []; // {seat, tick}
    inputs = []; // every one that was used: {tick, seat}
    malformed = 0;
    #viewers = new Map(); // seat → viewer
    #events = []; // {tick, bytes}

    /** Options: snapshotHz, seed, startTick, rulesHash, options: {name: value}. */
    constructor(world, rules, options = {}) {
        this.world = world;
        this.rules = rules;
        this.wasm = rules.wasm;
        this.options = { snapshotHz: 20, seed: 1n, ...options };
        const { game } = rules;
        this.state = rules.alloc(game.state_size);
        this.view = rules.alloc(game.state_size);
        this.baseAt = rules.alloc(game.state_size);
        this.inputsAt = rules.alloc(game.seats_max * game.input_size);
        this.givenAt = rules.alloc(game.seats_max);
        this.batchAt = rules.alloc(24 * game.input_size);
        this.packetAt = rules.alloc(65536);
        const chosen = rules.alloc(4 * game.options.length);
        game.options.forEach(({ name, standard }, i) =>
            rules.data.setInt32(chosen + 4 * i, options.options?.[name] ?? standard, true),
        );
        this.wasm.init(this.state, this.options.seed, chosen);
        this.startedAt = world.now;
        let ms = 1000 / game.tick_hz;
        world.every(ms, () => this.#step());
        world.every(1000 / this.options.snapshotHz, () => this.#sendAll());
    }

    join(seat) {
        this.wasm.join(this.state, seat);
        this.rules.refresh();
    }

    /** The viewer's packets are sent by `send`. */
    connect(seat, send) {
        this.#viewers.set(seat, { seat, send, isGreeted: false });
    }

    /** What this seat sees of the state, as bytes. */
    viewOf(seat) {
        this.wasm.view(this.state, seat, this.view);
        return this.rules.bytes.slice(this.view, this.view + this.rules.game.state_size);
    }

    /** A game event for all, as if a step had made it. */
    event(kind, ...args) {
        this.#events.push({ tick: this.tick, kind, args });
        for (const viewer of this.#viewers.values()) viewer.pending?.push(this.#events.at(-1));
    }

    receive(seat, packet) {
        const viewer = this.#viewers.get(seat);
        const data = new DataView(packet.buffer, packet.byteOffset, packet.length);
        if (packet[0] === HELLO) this.#greet(viewer, (packet[2] & 1) !== 0);
        else if (packet[0] === PING) this.#pong(viewer, data.getUint32(1, true));
        else if (packet[0] === REPORT) this.reports.push({ seat, tick: data.getUint32(1, true) });
        else if (packet[0] === INPUT && viewer.isGreeted) this.#onInput(viewer, packet);
        else viewer.send(Uint8Array.of(REFUSED, packet[0] === INPUT ? 5 : 1));
    }

    /** The same seats play from the beginning. */
    restart() {
        const { game } = this.rules;
        const seats = [...this.#viewers.keys()].filter((seat) => seat < game.seats_max);
        this.rules.bytes.fill(0, this.state, this.state + game.state_size);
        this.wasm.init(this.state, 2n, 0);
        this.tick = 0;
        for (const seat of seats) this.join(seat);
        for (const viewer of this.#viewers.values()) this.#greet(viewer);
    }

    #greet(viewer, isStream = viewer.isStream) {
        Object.assign(viewer, {
            isGreeted: true,
            isStream,
            seq: 0,
            base: 0,
            sent: new Map(), // seq → {view, tick}
            inputs: new Map(),
            used: 0,
            margin: -128,
            pending: [],
            unacked: [],
            eventSeq: 0,
        });
        const { game } = this.rules;
        const bytes = new Uint8Array(20);
        const data = new DataView(bytes.buffer);
        bytes.set([WELCOME, 1, viewer.seat, game.tick_hz, this.options.snapshotHz, 0]);
        data.setUint32(8, this.tick, true);
        data.setBigUint64(12, this.options.rulesHash ?? this.rules.hash, true);
        viewer.send(bytes);
    }

    #pong(viewer, stamp) {
        const bytes = new Uint8Array(11);
        const data = new DataView(bytes.buffer);
        const exact = ((this.world.now - this.steppedAt) * this.rules.game.tick_hz) / 1000;
        bytes[0] = PONG;
        data.setUint32(1, stamp, true);
        data.setUint32(5, this.tick, true);
        data.setUint16(9, Math.min(65535, Math.max(0, exact * 65536)), true);
        viewer.send(bytes);
    }

    #onInput(viewer, packet) {
        const { rules } = this;
        const size = rules.game.input_size;
        rules.bytes.set(packet, this.packetAt);
        if (this.wasm.input_decode(this.batchAt, this.packetAt, packet.length)) {
            this.malformed++;
            return;
        }
        rules.refresh();
        const at = this.wasm.input_packet();
        const flags = rules.data.getUint8(at);
        const count = rules.data.getUint8(at + 1);
        const ack = rules.data.getUint16(at + 2, true);
        const first = rules.data.getUint32(at + 12, true);
        this.#acknowledge(viewer, ack, (flags & 1) !== 0);
        for (let i = 0; i < count; i++) {
            const tick = first + i;
            if (i === count - 1)
                viewer.margin = Math.max(-127, Math.min(127, tick - this.tick - 1));
            if (tick <= this.tick || viewer.inputs.has(tick)) continue;
            const from = this.batchAt + i * size;
            viewer.inputs.set(tick, rules.bytes.slice(from, from + size));
        }
    }

    #acknowledge(viewer, ack, needsFull) {
        const sent = viewer.sent.get(ack);
        if (needsFull) viewer.base = 0;
        else if (sent && !viewer.isStream) viewer.base = ack;
        if (sent) viewer.unacked = viewer.unacked.filter((event) => event.sentWith > ack);
    }

    #step() {
        const { rules, wasm } = this;
        const { game } = rules;
        this.tick++;
        this.steppedAt = this.world.now;
        rules.bytes.fill(0, this.givenAt, this.givenAt + game.seats_max);
        for (const viewer of this.#viewers.values()) {
            const input = viewer.inputs?.get(this.tick);
            if (!input) continue;
            viewer.inputs.delete(this.tick);
            rules.bytes.set(input, this.inputsAt + viewer.seat * game.input_size);
            rules.bytes[this.givenAt + viewer.seat] = 1;
            this.inputs.push({ tick: this.tick, seat: viewer.seat });
        }
        wasm.step(this.state, this.inputsAt, this.givenAt, 0);
        rules.refresh();
    }

    #sendAll() {
        for (const viewer of this.#viewers.values()) if (viewer.isGreeted) this.#send(viewer);
    }

    #send(viewer) {
        const { rules, wasm } = this;
        viewer.seq = viewer.seq === 65535 ? 1 : viewer.seq + 1;
        const base = viewer.sent.get(viewer.base);
        const view = rules.bytes.subarray(this.view, this.view + rules.game.state_size);
        if (base) rules.bytes.set(base.view, this.baseAt);
        wasm.view(this.state, viewer.seat, this.view);
        const withHash = viewer.seq % 10 === 0;
        const at = wasm.snapshot();
        const { data } = rules;
        data.setUint8(at, withHash ? 1 : 0);
        data.setInt8(at + 1, viewer.margin);
        data.setUint16(at + 2, viewer.seq, true);
        data.setUint16(at + 4, base ? viewer.base : viewer.seq, true);
        data.setUint32(at + 8, this.tick, true);
        data.setUint32(at + 12, this.tick, true);
        data.setBigUint64(at + 24, BigInt.asUintN(64, wasm.hash(this.view)), true);
        this.#writeEvents(viewer, at);
        const len = wasm.snapshot_encode(
            base ? this.baseAt : 0,
            this.view,
            this.packetAt,
            65536,
            viewer.seat,
        );
        viewer.sent.set(viewer.seq, { view: view.slice(), tick: this.tick });
        viewer.sent.delete(viewer.seq - KEPT);
        if (viewer.isStream) viewer.base = viewer.seq;
        viewer.send(rules.bytes.slice(this.packetAt, this.packetAt + len));
    }

    #writeEvents(viewer, at) {
        for (const event of viewer.pending.splice(0))
            viewer.unacked.push({ ...event, seq: ++viewer.eventSeq, sentWith: viewer.seq });
        const events = viewer.unacked.slice(0, EVENTS_MAX);
        const { data } = this.rules;
        data.setUint32(at + 16, events.length, true);
        events.forEach((event, i) => {
            const to = at + 32 + 32 * i;
            data.setUint16(to, event.seq, true);
            data.setUint32(to + 4, event.tick, true);
            data.setUint8(to + 8, event.kind);
            data.setUint8(to + 9, 255);
            for (let n = 0; n < 5; n++) data.setInt32(to + 12 + 4 * n, event.args[n] ?? 0, true);
        });
    }
}
