import type { Game } from "./describe";
import { distance } from "./snapshots";

const WAITING_MAX = 512;

/** Something that happened in the game. `args` by the names of describe(): seats are numbers, what
 * has a dot in its name is inside an object. */
export interface GameEvent {
    name: string;
    tick: number;
    args: { [name: string]: any };
}

/** Events as snapshots bring them, again and again until acknowledged: each is given out once, when
 * the view has come to its tick. */
export class GameEvents {
    #waiting: { due: number; event: GameEvent }[] = [];
    #lastSeq = -1;

    constructor(readonly game: Game) {}

    restart(): void {
        this.#lastSeq = -1;
        for (const waiting of this.#waiting) waiting.due = -Infinity; // of ticks that are over
    }

    /** `arg(i)` reads the event's i-th argument. */
    add(seq: number, kind: number, tick: number, arg: (i: number) => number): void {
        if (this.#lastSeq >= 0 && distance(this.#lastSeq, seq) <= 0) return;
        this.#lastSeq = seq;
        const described = this.game.events[kind];
        if (!described) return;
        const args: { [name: string]: any } = {};
        described.args.forEach(({ name, fraction }, i) => {
            const [outer, inner] = name.split(".") as [string, string?];
            const value = arg(i) / 2 ** (fraction ?? 0);
            if (inner) (args[outer] ??= {})[inner] = value;
            else args[outer] = value;
        });
        this.#waiting.push({ due: tick, event: { name: described.name, tick, args } });
    }

    /** Gives out what is due when this tick is shown. */
    release(tick: number, give: (event: GameEvent) => void): void {
        while (
            this.#waiting.length &&
            (this.#waiting[0]!.due <= tick || this.#waiting.length > WAITING_MAX)
        )
            give(this.#waiting.shift()!.event);
    }
}
