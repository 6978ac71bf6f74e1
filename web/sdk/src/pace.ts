import { NO_MARGIN } from "./packets";

const TARGET = 1.5; // ticks before their use that inputs should arrive
const DEAD_BAND = 0.5;
const WINDOW = 20; // reports: about a second
const GAIN = 0.05; // of the pace, per tick of error
const MAX = 0.05;
const LOST_MS = 250; // this far off it is not slewed any more

/** Time dilation: how fast the client's ticks run so that its inputs reach the server just before
 * they are used. The client's tick is ahead of the server's by the way there and a little. */
export class Pace {
    rate = 1; // 0.95 … 1.05
    margin = NaN; // ticks that inputs have to spare now
    #tick = NaN;
    #lead = 0; // of the clock
    #last = 0;
    #spare = new Float64Array(WINDOW); // margins, had the lead been 0: old ones stay comparable
    #count = 0;

    constructor(readonly tickHz: number) {}

    /** A new connection may have another latency. */
    restart(): void {
        this.#tick = NaN;
    }

    /** What a snapshot said: how many ticks early the newest input was. */
    report(margin: number): void {
        if (margin !== NO_MARGIN) this.#spare[this.#count++ % WINDOW] = margin - this.#lead;
    }

    /** The second least of them: one packet that was held up is none to hurry for. */
    #least(): number {
        const known = Math.min(this.#count, WINDOW);
        let least = Infinity;
        let second = Infinity;
        for (let i = 0; i < known; i++) {
            const value = this.#spare[i]!;
            if (value < least) {
                second = least;
                least = value;
            } else if (value < second) second = value;
        }
        return second;
    }

    /** Advances to now and returns the client's tick, with its fraction. `expected`: what the clock
     * says of the server's tick when a packet that leaves now arrives. */
    advance(now: number, expected: number): number {
        const elapsed = Math.max(0, now - this.#last);
        this.#last = now;
        const error = expected + TARGET - this.#tick;
        if (!(Math.abs(error) < (LOST_MS * this.tickHz) / 1000)) {
            this.#tick = expected + TARGET;
            this.#lead = TARGET;
            this.#count = 0;
            this.margin = NaN;
            this.rate = 1;
            return this.#tick;
        }
        this.#lead = this.#tick - expected;
        const isKnown = this.#count >= 2;
        this.margin = isKnown ? this.#lead + this.#least() : NaN;
        const lack = isKnown ? TARGET - this.margin : error;
        const beyond = Math.sign(lack) * Math.max(0, Math.abs(lack) - DEAD_BAND);
        this.rate = 1 + Math.max(-MAX, Math.min(MAX, beyond * GAIN));
        this.#tick += (elapsed * this.tickHz * this.rate) / 1000;
        return this.#tick;
    }
}
