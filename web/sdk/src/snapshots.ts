import type { Rules, SnapshotHeader } from "./rules";

const KEPT = 32; // as many baselines as the server may name

/** The views that came, by sequence number, and what to acknowledge. */
export class Snapshots {
    newest = -1; // slot
    ack = 0; // newest sequence number; 0: none
    ackBits = 0;
    needsFull = false;
    received = 0;
    missed = 0; // sequence numbers that never came
    #at: number[];
    #isAnew = true; // the next one has nothing to do with those before
    #seqs = new Int32Array(KEPT).fill(-1);
    #ticks = new Float64Array(KEPT).fill(-1); // −1: nothing there

    constructor(readonly rules: Rules) {
        this.#at = Array.from({ length: KEPT }, () => rules.alloc(rules.game.state_size));
    }

    /** A new connection begins with a full snapshot. What is there can still be looked at. */
    restart(): void {
        this.ack = 0;
        this.ackBits = 0;
        this.needsFull = false;
        this.#seqs.fill(-1);
        this.#isAnew = true;
    }

    /** The header of a packet that was understood; its view is the slot's. */
    receive(packet: Uint8Array, seat: number): SnapshotHeader | null {
        if (packet.length < 5) return this.#refuse();
        const seq = packet[2]! | (packet[3]! << 8);
        const baseSeq = (seq - packet[4]!) & 0xffff;
        const slot = seq % KEPT;
        const base = baseSeq % KEPT;
        const isFull = baseSeq === seq;
        if (!isFull && (base === slot || this.#seqs[base] !== baseSeq)) return this.#refuse();
        if (this.ack && distance(this.ack, seq) <= -KEPT) return null;
        this.#seqs[slot] = -1;
        this.#ticks[slot] = -1;
        const header = this.rules.decodeSnapshot(
            isFull ? 0 : this.#at[base]!,
            this.#at[slot]!,
            packet,
            seat,
        );
        if (!header) return this.#refuse();
        this.#seqs[slot] = seq;
        this.#ticks[slot] = header.tick;
        this.#acknowledge(seq);
        if (isFull) this.needsFull = false;
        if (this.#isAnew) this.#ticks.fill(-1).fill(header.tick, slot, slot + 1);
        if (this.#isAnew || header.tick >= this.#ticks[this.newest]!) this.newest = slot;
        this.#isAnew = false;
        return header;
    }

    get tick(): number {
        return this.newest < 0 ? -1 : this.#ticks[this.newest]!;
    }

    get state(): number {
        return this.newest < 0 ? 0 : this.#at[this.newest]!;
    }

    /** The view of a snapshot that is still kept. */
    stateOf(seq: number): number {
        return this.#at[seq % KEPT]!;
    }

    at(slot: number): number {
        return this.#at[slot]!;
    }

    tickOf(slot: number): number {
        return this.#ticks[slot]!;
    }

    /** The slot of the last view that is not newer than this tick; −1: none. */
    before(tick: number): number {
        let found = -1;
        for (let i = 0; i < KEPT; i++) {
            const its = this.#ticks[i]!;
            if (its >= 0 && its <= tick && (found < 0 || its > this.#ticks[found]!)) found = i;
        }
        return found;
    }

    /** The slot of the first view that is newer; −1: none. */
    after(tick: number): number {
        let found = -1;
        for (let i = 0; i < KEPT; i++) {
            const its = this.#ticks[i]!;
            if (its > tick && (found < 0 || its < this.#ticks[found]!)) found = i;
        }
        return found;
    }

    #refuse(): null {
        this.needsFull = true;
        return null;
    }

    #acknowledge(seq: number): void {
        this.received++;
        if (!this.ack) {
            this.ack = seq;
            return;
        }
        const step = distance(this.ack, seq);
        if (step > 0) {
            this.missed += step - 1;
            this.ackBits = step > 32 ? 0 : ((this.ackBits << 1) | 1) << (step - 1);
            this.ack = seq;
        } else if (step < 0 && step >= -32) {
            this.missed = Math.max(0, this.missed - 1);
            this.ackBits |= 1 << (-step - 1);
        }
    }
}

/** From a to b, where sequence numbers run in a circle of 1 … 65535. */
export function distance(a: number, b: number): number {
    const step = (b - a + 65535) % 65535;
    return step > 32767 ? step - 65535 : step;
}
