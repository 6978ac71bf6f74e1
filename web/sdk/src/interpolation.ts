import type { Playback } from "./playback";
import type { Rules } from "./rules";
import type { Snapshots } from "./snapshots";
import { View, type Smoothing } from "./view";

const AHEAD_MS = 250;

/** Everybody as they were a moment ago, between two snapshots. When none comes, the rules go on for
 * a quarter of a second, and then everything stands still: lagging. */
export class Interpolation<T> {
    readonly view: View<T>;
    isLagging = false;
    mayStep = false; // the server has the same rules
    extrapolated = 0; // frames
    #older: number;
    #newer: number;
    #aheadOf = -1; // tick of the snapshot that was stepped on from
    #aheadTick = -1; // of #newer

    constructor(
        readonly rules: Rules,
        readonly snapshots: Snapshots,
        readonly playback: Playback,
        smoothing: Smoothing,
    ) {
        this.#older = rules.alloc(rules.game.state_size);
        this.#newer = rules.alloc(rules.game.state_size);
        this.view = new View<T>(rules, false, smoothing);
    }

    /** Returns the tick that is shown. */
    frame(now: number): number {
        const wanted = this.playback.advance(now);
        const { snapshots, view } = this;
        if (Number.isNaN(wanted) || snapshots.newest < 0) return NaN;
        const hz = this.rules.game.tick_hz;
        const most = snapshots.tick + (this.mayStep ? Math.floor((AHEAD_MS * hz) / 1000) : 0);
        this.isLagging = wanted > snapshots.tick + (AHEAD_MS * hz) / 1000;
        const tick = Math.min(wanted, most);
        if (tick >= snapshots.tick) this.#showAhead(tick);
        else this.#showBetween(tick);
        view.tick = tick;
        return tick;
    }

    #showBetween(tick: number): void {
        const { snapshots } = this;
        const after = snapshots.after(tick);
        let before = snapshots.before(tick);
        if (before < 0) before = after;
        const from = snapshots.tickOf(before);
        const ticks = snapshots.tickOf(after) - from;
        this.view.show(
            snapshots.at(before),
            snapshots.at(after),
            ticks > 0 ? (tick - from) / ticks : 0,
            Math.max(1, ticks),
        );
    }

    #showAhead(tick: number): void {
        const { snapshots, rules } = this;
        if (tick === snapshots.tick) {
            this.view.show(snapshots.state, snapshots.state, 0, 1);
            return;
        }
        this.extrapolated++;
        const until = Math.floor(tick) + 1;
        if (this.#aheadOf !== snapshots.tick || this.#aheadTick > until) {
            rules.copyState(this.#newer, snapshots.state);
            this.#aheadOf = this.#aheadTick = snapshots.tick;
        }
        while (this.#aheadTick < until) {
            this.#aheadTick++;
            rules.copyState(this.#older, this.#newer);
            rules.step(this.#newer, 0, 0);
        }
        this.view.show(this.#older, this.#newer, tick - (until - 1), 1);
    }
}
