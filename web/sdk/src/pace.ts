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
    #lead = 0; // over the server's tick; the way is in it
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

    /** Advances to now and returns the client's tick, with its fraction. `server`: which tick the
     * clock says the server is at; `way`: how many pass until what leaves now gets there. */
    advance(now: number, server: number, way: number): number {
        const elapsed = Math.max(0, now - this.#last);
        this.#last = now;
        this.#tick += (elapsed * this.tickHz * this.rate) / 1000;
        const wanted = server + way + TARGET;
        let lack = wanted - this.#tick;
        if (!(Math.abs(lack) < (LOST_MS * this.tickHz) / 1000)) {
            this.#tick = wanted;
            this.#count = 0;
            this.margin = NaN;
            this.rate = 1;
        } else {
            this.margin = this.#count >= 2 ? this.#tick - server + this.#least() : NaN;
            if (this.#count >= 2) lack = TARGET - this.margin;
            const beyond = Math.sign(lack) * Math.max(0, Math.abs(lack) - DEAD_BAND);
            this.rate = 1 + Math.max(-MAX, Math.min(MAX, beyond * GAIN));
        }
        this.#lead = this.#tick - server;
        return this.#tick;
    }
}
