// Whom the camera follows where nobody looks from a seat of their own: who was chosen, else who
// leads among the living, until that one falls. It stays where somebody fell, never goes empty.

export class Following {
    chosen = null; // seat
    #seat = null;

    /** The same seat again: no choice any more. */
    choose(seat) {
        this.chosen = this.chosen === seat ? null : seat;
    }

    /** After a leap: who leads then. The choice stays. */
    forget() {
        this.#seat = null;
    }

    /** An entry of world.players, or null while nobody is there. */
    of({ players }) {
        const sits = (seat) => players.find((player) => player.seat === seat);
        const chosen = this.chosen === null ? null : sits(this.chosen);
        if (chosen) return chosen;
        const last = sits(this.#seat);
        if (last?.hp > 0) return last;
        const living = players.filter(({ hp }) => hp > 0);
        const best = living.reduce((a, b) => (a && a.score >= b.score ? a : b), null);
        if (best) this.#seat = best.seat;
        return best ?? last ?? players[0] ?? null;
    }
}
