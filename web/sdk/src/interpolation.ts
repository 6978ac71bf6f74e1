import type { Game } from "./describe";
import type { Playback } from "./playback";
import type { Rules } from "./rules";
import type { Snapshots } from "./snapshots";
import { View, type Smoothing } from "./view";

const AHEAD_MS = 250;

/** Everybody as they were a moment ago, between two snapshots. When none comes, everything goes on
 * for a quarter of a second, and then stands still: lagging. It goes on by the rules, or straight
 * ahead where they cannot know what the others are up to. */
export class Interpolation<T> {
    readonly view: View<T>;
    isLagging = false;
    mayStep = false; // the server has the same rules
    extrapolated = 0; // frames
    #older: number;
    #newer: number;
    #aheadOf = -1; // tick of the snapshot that was stepped on from
    #aheadTick = -1; // of #newer
    #knowsInputs: boolean;

    constructor(
        readonly rules: Rules,
        readonly snapshots: Snapshots,
        readonly playback: Playback,
        smoothing: Smoothing,
    ) {
        this.#older = rules.alloc(rules.game.state_size);
        this.#newer = rules.alloc(rules.game.state_size);
        this.view = new View<T>(rules, false, smoothing);
        this.#knowsInputs = !hidesInputs(rules.game);
    }

    restart(): void {
        this.#aheadOf = -1;
    }

    /** Returns the tick that is shown. */
    frame(now: number): number {
        const wanted = this.playback.advance(now);
        const { snapshots, view } = this;
        if (Number.isNaN(wanted) || snapshots.newest < 0) return NaN;
        const hz = this.rules.game.tick_hz;
        const most = snapshots.tick + Math.floor((AHEAD_MS * hz) / 1000);
        this.isLagging = wanted > most;
        const tick = Math.min(wanted, most);
        if (tick > snapshots.tick) this.#showAhead(tick);
        else this.#showBetween(tick);
        view.tick = tick;
        return tick;
    }

    #showBetween(tick: number): void {
        const { snapshots } = this;
        let after = snapshots.after(tick);
        if (after < 0) after = snapshots.newest;
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
        this.extrapolated++;
        if (this.mayStep && this.#knowsInputs) this.#stepAhead(tick);
        else this.#drift(tick);
    }

    #drift(tick: number): void {
        const { snapshots } = this;
        const before = snapshots.before(snapshots.tick - 1);
        const newest = snapshots.newest;
        const from = before < 0 ? newest : before;
        const ticks = Math.max(1, snapshots.tick - snapshots.tickOf(from));
        const alpha = 1 + (tick - snapshots.tick) / ticks;
        this.view.show(snapshots.at(from), snapshots.at(newest), alpha, ticks);
    }

    #stepAhead(tick: number): void {
        const { snapshots, rules } = this;
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

/** What somebody last pressed is in the row, by the input's name: is it the owner's secret? */
function hidesInputs(game: Game): boolean {
    const inputs = game.input.fields.map(({ name }) => name);
    return game.tables.some(({ fields }) =>
        fields.some(({ name, owner }) => owner && inputs.includes(name)),
    );
}
