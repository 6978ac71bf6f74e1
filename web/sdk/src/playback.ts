const WINDOW = 64; // arrivals that jitter is told from
const MIN_MS = 33;
const MAX_MS = 250;
const SLEW = 0.02;
const JUMP_MS = 500;

/** When to show which tick of the snapshots that came: so far behind their arrival that nearly
 * always there is a newer one to move towards, and no further. Times are milliseconds. */
export class Playback {
    delay = 100; // ms behind a snapshot's usual arrival
    jitter = 0; // ms: 95 of 100 come no later than this after their usual time
    #tick = NaN;
    #last = 0;
    #offsets = new Float64Array(WINDOW); // of server time to arrival
    #sorted = new Float64Array(WINDOW);
    #count = 0;
    #usual = 0;

    constructor(
        readonly tickHz: number,
        public intervalMs: number,
    ) {}

    /** A new connection may have another latency. */
    restart(): void {
        this.#count = 0;
    }

    arrived(tick: number, now: number): void {
        this.#offsets[this.#count++ % WINDOW] = (tick * 1000) / this.tickHz - now;
        const known = Math.min(this.#count, WINDOW);
        const sorted = this.#sorted.subarray(0, known);
        sorted.set(this.#offsets.subarray(0, known));
        sorted.sort();
        this.#usual = sorted[known >> 1]!;
        this.jitter = this.#usual - sorted[Math.floor(known * 0.05)]!;
        const wanted = Math.max(2 * this.intervalMs, this.intervalMs + this.jitter);
        this.delay = Math.max(MIN_MS, Math.min(MAX_MS, wanted));
    }

    /** The tick to show now, with its fraction; NaN before anything came. */
    advance(now: number): number {
        if (!this.#count) return this.#tick;
        const elapsed = now - this.#last;
        this.#last = now;
        const target = ((now + this.#usual - this.delay) * this.tickHz) / 1000;
        const step = (elapsed * this.tickHz) / 1000;
        const error = target - (this.#tick + step);
        if (!(Math.abs(error) < (JUMP_MS * this.tickHz) / 1000)) this.#tick = target;
        else this.#tick += step + Math.max(-SLEW * step, Math.min(SLEW * step, error));
        return this.#tick;
    }
}
