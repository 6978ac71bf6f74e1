/** How it goes, for a corner of the page. Times are ms, rates per second. */
export interface Stats {
    transport: "websocket" | "polling" | "none";
    rtt: number;
    jitter: number;
    /** Of the snapshots that were sent, 0 … 1. */
    loss: number;
    /** Since the newest snapshot came. */
    snapshotAge: number;
    snapshotRate: number;
    tickRate: number;
    bytesIn: number;
    bytesOut: number;
    /** By how many ticks inputs come before they are used. */
    inputMargin: number;
    /** How fast the client's ticks run, 0.95 … 1.05. */
    timeDilation: number;
    interpolationDelay: number;
    corrections: number;
    correctionPx: number;
    extrapolated: number;
    desyncs: number;
    /** Packets that could not be understood. */
    refused: number;
}

/** What happens per second. */
export class Rate {
    perSecond = 0;
    #sum = 0;
    #since = NaN;

    add(amount: number): void {
        this.#sum += amount;
    }

    update(now: number): void {
        if (Number.isNaN(this.#since)) this.#since = now;
        const elapsed = now - this.#since;
        if (elapsed < 1000) return;
        this.perSecond = (this.#sum * 1000) / elapsed;
        this.#sum = 0;
        this.#since = now;
    }
}
