import type { Inputs } from "./inputs";
import type { Rules } from "./rules";
import { View, type RowBase, type Smoothing } from "./view";

const AHEAD_MAX = 120; // ticks that are predicted on from a snapshot, and no more than a second
const SMOOTHING_MS = 100; // until a correction has faded to 1/20
const FADE = 3 / SMOOTHING_MS;

/** The client's own future: the newest snapshot, stepped on with the inputs that the server has not
 * answered yet. Of the others only what they did last is known. A correction, when the server
 * thinks otherwise, shows as an offset of the own row that fades. */
export class Prediction<T> {
    readonly view: View<T>;
    tick = -1; // of the newest predicted state
    corrections = 0;
    correctionPx = 0; // of the last one
    readonly #aheadMax: number;
    #base = -1; // tick of the snapshot that all follows from
    #previous: number;
    #current: number;
    #own: RowBase & { x?: number; y?: number } = {} as RowBase;
    #ownAt = -1; // in the state
    #ownSize = 0;
    #before: Uint8Array;

    constructor(
        readonly rules: Rules,
        readonly seat: number,
        readonly inputs: Inputs,
        smoothing: Smoothing,
        public snapPx: number,
    ) {
        const { tables, state_size } = rules.game;
        this.#aheadMax = Math.min(AHEAD_MAX, rules.game.tick_hz);
        this.#previous = rules.alloc(state_size);
        this.#current = rules.alloc(state_size);
        this.view = new View<T>(rules, true, smoothing);
        const table = tables.find((table) => table.owner === "row" && table.x !== undefined);
        if (table && seat < table.rows) {
            const rows = (this.view.tables as Record<string, RowBase[]>)[table.name]!;
            this.#own = table.rows === 1 ? (rows as unknown as RowBase) : rows[seat]!;
            this.#ownAt = table.offset + seat * table.stride;
            this.#ownSize = table.stride;
        }
        this.#before = new Uint8Array(this.#ownSize);
    }

    restart(): void {
        this.tick = -1;
    }

    /** A snapshot came: what follows from it at the client's tick? */
    reconcile(state: number, tick: number): void {
        const until = this.tick;
        const isFirst = until < 0 || until - tick > this.#aheadMax || tick > until;
        const { rules } = this;
        const own = this.#ownAt;
        const oldX = this.#own.x ?? 0;
        const oldY = this.#own.y ?? 0;
        if (own >= 0)
            this.#before.set(
                rules.bytes.subarray(this.#current + own, this.#current + own + this.#ownSize),
            );
        rules.copyState(this.#current, state);
        rules.copyState(this.#previous, state);
        this.tick = this.#base = tick;
        if (isFirst) {
            this.#show();
            this.#own.offsetX = this.#own.offsetY = 0;
            return;
        }
        this.advance(until);
        if (own >= 0 && !this.#isAsBefore(this.#current + own)) this.#correct(oldX, oldY);
    }

    /** Predicts on to this tick, or until the snapshot is a second old: what one does then, the
     * server will not hear of in time. */
    advance(until: number): void {
        if (this.tick < 0) return;
        const { rules, inputs } = this;
        const last = Math.min(until, this.#base + this.#aheadMax);
        while (this.tick < last) {
            this.tick++;
            rules.copyState(this.#previous, this.#current);
            rules.step(this.#current, this.seat, inputs.at(this.tick));
        }
        this.#show();
    }

    /** Between the last two ticks; `elapsed` ms went by since the last frame. */
    frame(alpha: number, elapsed: number): void {
        this.view.alpha = alpha;
        this.view.tick = this.tick - 1 + alpha;
        const keep = Math.exp(-elapsed * FADE);
        this.#own.offsetX *= keep;
        this.#own.offsetY *= keep;
    }

    #show(): void {
        this.view.show(this.#previous, this.#current, this.view.alpha, 1);
    }

    #isAsBefore(at: number): boolean {
        for (let i = 0; i < this.#ownSize; i++)
            if (this.rules.bytes[at + i] !== this.#before[i]) return false;
        return true;
    }

    /** What is not to be seen, as a hit that came as a surprise, is none. */
    #correct(oldX: number, oldY: number): void {
        const own = this.#own;
        if (own.x === oldX && own.y === oldY) return;
        this.corrections++;
        own.offsetX += oldX - own.x!;
        own.offsetY += oldY - own.y!;
        this.correctionPx = Math.hypot(own.offsetX, own.offsetY);
        if (this.correctionPx > this.snapPx) own.offsetX = own.offsetY = 0;
    }
}
