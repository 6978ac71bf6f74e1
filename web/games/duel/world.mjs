// What one frame of the match shows, in the words of the picture. Oneself and one's bullets are
// where the page predicts them, the other is where the server's snapshots put it; who was hit and
// who has won is the server's to say. Made once and filled for every frame.

export const PHASES = ["waiting", "countdown", "playing", "round_over", "over"];
const COUNTDOWN = 1;
const ROUND_OVER = 3; // the first phase in which nobody fights any more
const TICK_HZ = 60;

const player = (seat) => ({
    ...{ seat, aim: { x: 0, y: 0 }, present: false, hp: 0 },
    ...{ wins: null, name: "" }, // as they were last, of who has left; null: never seen
});

export class World {
    seat = null; // of who looks; null: watches
    phase = "waiting";
    tick = 0;
    round = 0;
    winner = null; // seat, or null
    hits = 5;
    rounds = 3;
    secondsLeft = null; // of the phase
    isLive = false; // bullets may fly
    players = [player(0), player(1)];
    bullets = [];
    platforms = [];
    #startTick = null; // of the first round, while it is to come
    #bullets = Array.from({ length: 16 }, () => ({}));

    /** Another match. */
    forget() {
        this.#startTick = null;
        for (const one of this.players) Object.assign(one, { wins: null, name: "" });
    }

    /** `frame` of the SDK's match or of practice. */
    fill(frame, seat, people) {
        const isPlayer = seat === 0 || seat === 1;
        const others = frame.interpolated.tables;
        const own = isPlayer ? (frame.predicted ?? frame.interpolated).tables : others;
        this.seat = isPlayer ? seat : null;
        const { options } = own;
        // When a round begins is certain, how it ends is not: that comes with the snapshots.
        const isEnd = own.match.phase >= ROUND_OVER && others.match.phase < ROUND_OVER;
        const match = isEnd ? others.match : own.match;
        this.phase = PHASES[match.phase];
        this.tick = match.tick;
        this.round = match.round;
        this.matches = match.matches;
        this.winner = others.match.winner < 2 ? others.match.winner : null;
        this.hits = options.hits;
        this.rounds = options.rounds;
        const left = (match.until_tick - match.tick) / TICK_HZ;
        this.secondsLeft = left < 1e6 ? Math.max(0, left) : null;
        if (isPlayer) this.#awaitStart(match, frame.serverTick);
        this.isLive = this.phase === "playing";
        this.platforms = own.platforms;
        for (const into of this.players) {
            const tables = into.seat === seat ? own : others;
            this.#fillPlayer(into, tables.players[into.seat], people);
            const told = others.players[into.seat];
            into.hp = told.hp;
            if (told.present) into.wins = told.wins; // the row of a free seat is empty
            into.rematch = told.rematch !== 0;
        }
        this.#fillBullets(own, others, isPlayer ? seat : null);
    }

    /** Both see the first round begin at one time, the server's: who is far predicts it earlier. */
    #awaitStart({ phase, round, until_tick: until }, now) {
        if (phase === COUNTDOWN && round <= 1) this.#startTick = until;
        if (phase >= ROUND_OVER || !(now < this.#startTick)) this.#startTick = null;
        if (this.#startTick === null) return;
        this.phase = "countdown";
        this.secondsLeft = (this.#startTick - now) / TICK_HZ;
    }

    #fillPlayer(into, row, people) {
        const sitting = people.find(({ seat }) => seat === into.seat);
        into.present = row.present;
        into.x = row.x;
        into.y = row.y;
        into.velocityX = row.velocity_x;
        into.velocityY = row.velocity_y;
        into.aim.x = row.aim_x;
        into.aim.y = row.aim_y;
        into.grounded = row.grounded !== 0;
        if (sitting) into.name = sitting.name;
        into.isBot = Boolean(sitting && (sitting.bot !== null || sitting.stand_in));
    }

    #fillBullets(own, others, seat) {
        this.bullets.length = 0;
        for (let at = 0; at < this.#bullets.length; at++) {
            const isOwn = Math.floor(at / 8) === seat; // rows are the seats', eight each
            const row = (isOwn ? own : others).bullets[at];
            const into = this.#bullets[at];
            if (!row.present) continue;
            into.row = at;
            into.x = row.x;
            into.y = row.y;
            into.velocityX = row.velocity_x;
            into.velocityY = row.velocity_y;
            into.seat = row.seat;
            this.bullets.push(into);
        }
    }
}
