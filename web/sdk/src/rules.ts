import type { Game } from "./describe";
import { INPUTS_MAX } from "./packets";

const PACKET_MAX = 65536;
/* struct fray_packet_input and struct fray_packet_snapshot of games/packet.h, in wasm32. */
const INPUT = { flags: 0, count: 1, ack: 2, ackBits: 4, view: 8, firstTick: 12 };
const SNAPSHOT = { flags: 0, margin: 1, seq: 2, tick: 8, inputTick: 12, events: 16, hash: 24 };
const EVENTS_AT = 32;
const EVENT = { size: 32, seq: 0, tick: 4, kind: 8, args: 12 };
const HAS_HASH = 1;
const EVENTS_LOST = 2;
const NEED_FULL = 1;
const HAS_VIEW = 2;

/** What a snapshot says beside the view. One object, of the last one that was decoded. */
export interface SnapshotHeader {
    seq: number;
    tick: number;
    /** Of the newest own input that the server is through with; 0: none. */
    inputTick: number;
    /** By how many ticks the newest input was early. */
    margin: number;
    eventsLost: boolean;
    hash: bigint | null;
}

/** What an INPUT packet says beside inputs. */
export interface Acknowledgement {
    ack: number;
    ackBits: number;
    needsFull: boolean;
    view: number; // in 1/256 ticks; −1: nothing yet
}

/** What web/sdk/wasm/module.c exports. Numbers that are places are addresses in `memory`. */
interface Exports {
    memory: WebAssembly.Memory;
    alloc(size: number): number;
    describe(): number;
    predict(view: number, seat: number, input: number): number;
    hash(state: number): bigint;
    rules_hash(): bigint;
    bot_init(memory: number, level: number, seed: bigint): void;
    bot(view: number, seat: number, memory: number, input: number): number;
    snapshot(): number;
    snapshot_decode(base: number, view: number, bytes: number, len: number, seat: number): number;
    input_packet(): number;
    input_encode(inputs: number, out: number, size: number): number;
}

/** One game's rules and codec: an instance of its WebAssembly module with a memory of its own. */
export class Rules {
    readonly game: Game;
    readonly hash: bigint;
    readonly wasm: Exports;
    data: DataView;
    bytes: Uint8Array;
    #packet: number;
    #batch: number;
    #header: SnapshotHeader = {
        seq: 0,
        tick: 0,
        inputTick: 0,
        margin: 0,
        eventsLost: false,
        hash: null,
    };

    constructor(instance: WebAssembly.Instance) {
        this.wasm = instance.exports as unknown as Exports;
        this.data = new DataView(this.wasm.memory.buffer);
        this.bytes = new Uint8Array(this.wasm.memory.buffer);
        this.game = JSON.parse(this.#text(this.wasm.describe())) as Game;
        this.hash = BigInt.asUintN(64, this.wasm.rules_hash());
        this.#packet = this.alloc(PACKET_MAX);
        this.#batch = this.alloc(INPUTS_MAX * this.game.input_size);
    }

    /** Zeroed, for as long as the rules live. Growing the memory makes `data` and `bytes` anew. */
    alloc(size: number): number {
        const at = this.wasm.alloc(size);
        if (!at) throw new Error(`No memory for ${this.game.name}.`);
        this.refresh();
        return at;
    }

    /** After calls that may have made the memory grow. */
    refresh(): void {
        if (this.data.buffer === this.wasm.memory.buffer) return;
        this.data = new DataView(this.wasm.memory.buffer);
        this.bytes = new Uint8Array(this.wasm.memory.buffer);
    }

    copyState(to: number, from: number): void {
        this.bytes.copyWithin(to, from, from + this.game.state_size);
    }

    /** One tick of which only this seat's input is known; 0 for the input: not even that. */
    step(state: number, seat: number, input: number): void {
        this.wasm.predict(state, seat, input);
        this.refresh();
    }

    stateHash(state: number): bigint {
        return BigInt.asUintN(64, this.wasm.hash(state));
    }

    /** Makes the view that the packet tells, from the baseline's (0: the packet is complete). null:
     * the packet is malformed, and what is at `view` has no meaning. */
    decodeSnapshot(
        base: number,
        view: number,
        packet: Uint8Array,
        seat: number,
    ): SnapshotHeader | null {
        if (packet.length > PACKET_MAX) return null;
        this.bytes.set(packet, this.#packet);
        if (this.wasm.snapshot_decode(base, view, this.#packet, packet.length, seat)) return null;
        const at = this.wasm.snapshot();
        const { data } = this;
        const flags = data.getUint8(at + SNAPSHOT.flags);
        const header = this.#header;
        header.seq = data.getUint16(at + SNAPSHOT.seq, true);
        header.tick = data.getUint32(at + SNAPSHOT.tick, true);
        header.inputTick = data.getUint32(at + SNAPSHOT.inputTick, true);
        header.margin = data.getInt8(at + SNAPSHOT.margin);
        header.eventsLost = (flags & EVENTS_LOST) !== 0;
        header.hash = flags & HAS_HASH ? data.getBigUint64(at + SNAPSHOT.hash, true) : null;
        return header;
    }

    /** The events of the snapshot that was decoded last; they may have come before. */
    eachEvent(
        take: (seq: number, kind: number, tick: number, arg: (i: number) => number) => void,
    ): void {
        const { data } = this;
        const at = this.wasm.snapshot();
        const count = data.getUint32(at + SNAPSHOT.events, true);
        for (let i = 0; i < count; i++) {
            const event = at + EVENTS_AT + i * EVENT.size;
            take(
                data.getUint16(event + EVENT.seq, true),
                data.getUint8(event + EVENT.kind),
                data.getUint32(event + EVENT.tick, true),
                (n) => data.getInt32(event + EVENT.args + 4 * n, true),
            );
        }
    }

    /** An INPUT packet with the inputs of `count` ticks; `inputAt` tells each one's address. */
    encodeInput(
        inputAt: (tick: number) => number,
        firstTick: number,
        count: number,
        said: Acknowledgement,
    ): Uint8Array {
        const { data } = this;
        const at = this.wasm.input_packet();
        const size = this.game.input_size;
        const flags = (said.needsFull ? NEED_FULL : 0) | (said.view >= 0 ? HAS_VIEW : 0);
        data.setUint8(at + INPUT.flags, flags);
        data.setUint8(at + INPUT.count, count);
        data.setUint16(at + INPUT.ack, said.ack, true);
        data.setUint32(at + INPUT.ackBits, said.ackBits, true);
        data.setUint32(at + INPUT.view, Math.max(0, said.view), true);
        data.setUint32(at + INPUT.firstTick, firstTick, true);
        for (let i = 0; i < count; i++) {
            const input = inputAt(firstTick + i);
            this.bytes.copyWithin(this.#batch + i * size, input, input + size);
        }
        const len = this.wasm.input_encode(this.#batch, this.#packet, PACKET_MAX);
        return this.bytes.slice(this.#packet, this.#packet + len);
    }

    #text(at: number): string {
        const bytes = new Uint8Array(this.wasm.memory.buffer);
        return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
    }
}

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** Compiled once per address; every match has an instance of its own. */
export async function loadRules(url: string): Promise<Rules> {
    let module = modules.get(url);
    if (!module) modules.set(url, (module = compile(url)));
    module.catch(() => modules.delete(url));
    return new Rules(await WebAssembly.instantiate(await module, {}));
}

async function compile(url: string): Promise<WebAssembly.Module> {
    const reply = await fetch(url);
    if (!reply.ok) throw new Error(`${url}: HTTP ${reply.status}`);
    return WebAssembly.compile(await reply.arrayBuffer());
}
