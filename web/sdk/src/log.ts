import type { Rules } from "./rules.js";

const INPUTS = 4096; // ticks
const HASHES = 128;

export interface LogEntry {
    tick: number;
    input: string; // its bytes, hexadecimal
}

/** What to look at when client and server disagree: own inputs by tick, and both hashes. */
export class Log {
    #ticks = new Uint32Array(INPUTS);
    #bytes: Uint8Array;
    #count = 0;
    #hashes: { tick: number; own: string; server: string }[] = [];

    constructor(
        readonly rules: Rules,
        readonly seat: number,
    ) {
        this.#bytes = new Uint8Array(INPUTS * rules.game.input_size);
    }

    input(tick: number, at: number): void {
        const size = this.rules.game.input_size;
        const slot = this.#count++ % INPUTS;
        this.#ticks[slot] = tick;
        for (let i = 0; i < size; i++) this.#bytes[slot * size + i] = this.rules.bytes[at + i]!;
    }

    hash(tick: number, own: bigint, server: bigint): void {
        this.#hashes.push({ tick, own: hex(own), server: hex(server) });
        if (this.#hashes.length > HASHES) this.#hashes.shift();
    }

    /** JSON text of at most `max` characters: where there is too much, the oldest inputs are left
     * out. */
    text(max = Infinity): string {
        let text = JSON.stringify(this);
        for (let kept = INPUTS / 2; text.length > max && kept >= 1; kept /= 2)
            text = JSON.stringify(this.#last(kept));
        return text;
    }

    toJSON() {
        return this.#last(INPUTS);
    }

    #last(count: number) {
        const size = this.rules.game.input_size;
        const inputs: LogEntry[] = [];
        for (let i = Math.max(0, this.#count - count); i < this.#count; i++) {
            const slot = i % INPUTS;
            const bytes = this.#bytes.subarray(slot * size, (slot + 1) * size);
            const input = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
            inputs.push({ tick: this.#ticks[slot]!, input });
        }
        const { name, version } = this.rules.game;
        const rules = hex(this.rules.hash);
        return { game: name, version, rules, seat: this.seat, hashes: this.#hashes, inputs };
    }
}

function hex(hash: bigint): string {
    return hash.toString(16).padStart(16, "0");
}
