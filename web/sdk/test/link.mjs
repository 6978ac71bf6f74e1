// A network of one link: packets arrive after a latency with jitter, some never, some out of order.
// Everything that happens is an entry in the world's agenda.

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed) {
    return () => {
        seed = (seed + 0x6d2b79f5) | 0;
        let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

/** Time that passes only when run() says so. */
export class World {
    now = 1000; // ms
    #agenda = []; // {at, order, run}
    #order = 0;

    at(time, run) {
        this.#agenda.push({ at: Math.max(time, this.now), order: this.#order++, run });
    }

    every(ms, run) {
        this.at(this.now + ms, () => {
            if (run() !== false) this.every(ms, run);
        });
    }

    run(ms) {
        const until = this.now + ms;
        for (;;) {
            let next = null;
            for (const entry of this.#agenda)
                if (
                    !next ||
                    entry.at < next.at ||
                    (entry.at === next.at && entry.order < next.order)
                )
                    next = entry;
            if (!next || next.at > until) break;
            this.#agenda.splice(this.#agenda.indexOf(next), 1);
            this.now = next.at;
            next.run();
        }
        this.now = until;
    }
}

/** One direction. Options: latency and jitter in ms, loss 0 … 1; isStream: reliable and in order,
 * what is lost arrives a round trip later, and all behind it. */
export class Link {
    #world;
    #deliver;
    #random;
    #lastArrival = 0;

    constructor(world, options, deliver) {
        this.#world = world;
        this.options = { latency: 0, jitter: 0, loss: 0, isStream: false, seed: 1, ...options };
        this.#deliver = deliver;
        this.#random = randomOf(this.options.seed);
    }

    send(packet) {
        const { latency, jitter, loss, isStream } = this.options;
        const bytes = packet.slice();
        let arrival = this.#world.now + latency + this.#random() * jitter;
        if (this.#random() < loss) {
            if (!isStream) return;
            arrival += 2 * latency;
        }
        if (isStream) arrival = this.#lastArrival = Math.max(arrival, this.#lastArrival);
        this.#world.at(arrival, () => this.#deliver(bytes));
    }
}
