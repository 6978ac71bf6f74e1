const KEPT = 9; // samples that the median is of
const JOIN_PINGS = 5;
const JOIN_INTERVAL_MS = 100;
const INTERVAL_MS = 2000;
/* A round trip so far from the median, and by a quarter, may be the first over another path. */
const CHANGED_MS = 20;
/* As Quake III: drift by a little, halve what is far, take over what is hopeless. */
const DRIFT_UP_MS = 1;
const DRIFT_DOWN_MS = -2;
const FAR_MS = 100;
const HOPELESS_MS = 500;

/** Which tick the server is at, told from pings: five at first, then one every two seconds; of the
 * newest nine the median of the quicker half. What was held up says little, and a stall of the
 * network holds up many (RFC 5905, 10: the clock filter). Times are ms of the caller's clock. */
export class Clock {
    rtt = 0; // ms, median
    jitter = 0; // ms, mean deviation of round trips from the one before
    samples = 0;
    #offset = 0; // ms: server time - local time
    #offsets: number[] = [];
    #rtts: number[] = [];
    #lastRtt = 0;
    #sent = 0;
    #nextPing = -Infinity;

    constructor(readonly tickHz: number) {}

    /** A new connection: what was learnt still counts, but is asked again soon. */
    restart(): void {
        this.#sent = 0;
        this.#nextPing = -Infinity;
    }

    /** The server counts anew. */
    reset(): void {
        this.samples = 0;
        this.#offsets = [];
        this.#rtts = []; // one for each offset
        this.restart();
    }

    shouldPing(now: number): boolean {
        if (now < this.#nextPing) return false;
        this.#nextPing = now + (++this.#sent < JOIN_PINGS ? JOIN_INTERVAL_MS : INTERVAL_MS);
        return true;
    }

    pong(sentAt: number, now: number, serverTick: number): void {
        const rtt = now - sentAt;
        if (!(rtt >= 0 && rtt < 60_000)) return;
        if (this.samples) this.jitter += (Math.abs(rtt - this.#lastRtt) - this.jitter) / 8;
        this.#lastRtt = rtt;
        keep(this.#rtts, rtt);
        this.rtt = median(this.#rtts);
        const change = Math.abs(rtt - this.rtt);
        if (this.#sent > JOIN_PINGS && change > Math.max(CHANGED_MS, this.rtt / 4)) this.restart();
        keep(this.#offsets, (serverTick * 1000) / this.tickHz + rtt / 2 - now);
        const error = median(this.#quickest()) - this.#offset;
        if (this.samples++ < JOIN_PINGS || Math.abs(error) > HOPELESS_MS) this.#offset += error;
        else if (Math.abs(error) > FAR_MS) this.#offset += error / 2;
        else this.#offset += Math.max(DRIFT_DOWN_MS, Math.min(DRIFT_UP_MS, error));
    }

    /** The offsets of the quicker half: of the newest where they are equally quick. */
    #quickest(): number[] {
        const order = this.#rtts.map((_, i) => i).reverse();
        order.sort((a, b) => this.#rtts[a]! - this.#rtts[b]!);
        return order.slice(0, (order.length + 1) >> 1).map((i) => this.#offsets[i]!);
    }

    /** The server's tick at this moment, with its fraction. */
    tick(now: number): number {
        return ((now + this.#offset) * this.tickHz) / 1000;
    }
}

function keep(list: number[], value: number): void {
    list.push(value);
    if (list.length > KEPT) list.shift();
}

function median(list: number[]): number {
    const sorted = [...list].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
