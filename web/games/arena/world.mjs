// What one frame of the match shows, in the words of arena_painter.mjs. Oneself is where the page
// predicts it, the others are where the server's snapshots put them. Filled anew for every frame.

const SIDE = 10; // px of a player
const RANGE = 10;
const TICK_HZ = 30;

export class World {
    map = null; // {width, height, side, range, obstacles}
    own = null; // seat of who looks
    roster = new Map(); // seat → {name, bot}
    players = []; // who is there, in the order of seats
    self = null; // one's own entry, or null
    respawnIn = 0; // s, while dead
    isOver = false;
    winner = null; // seat; null also where somebody else has that seat since
    goal = 0;
    #entries = [];
    #seats = null;
    #mapKey = "";

    /** `frame` of the SDK's match or of practice; `seats`: of the table's model. */
    fill(frame, seat, seats) {
        const others = frame.interpolated.tables;
        const own = seat === null ? others : frame.predicted.tables;
        this.own = seat;
        this.#meet(seats);
        this.#measure(others);
        this.players.length = 0;
        this.self = null;
        for (const row of others.players) {
            const from = row.row === seat ? own.players[seat] : row;
            if (!from.present) continue;
            const entry = (this.#entries[row.row] ??= { seat: row.row });
            entry.x = from.x;
            entry.y = from.y;
            entry.hp = from.hp;
            entry.swings = from.swings;
            entry.score = from.score;
            entry.deaths = from.deaths;
            this.players.push(entry);
            if (row.row === seat) this.self = entry;
        }
        const { match, options } = own;
        this.isOver = match.over !== 0;
        this.winner = match.winner === 255 ? null : match.winner;
        this.goal = options.goal;
        const dead = this.self?.hp === 0 ? own.players[seat].respawn_tick - match.tick : 0;
        this.respawnIn = Math.max(0, dead / TICK_HZ);
    }

    nameOf(seat) {
        return this.roster.get(seat)?.name ?? "somebody";
    }

    #meet(seats) {
        if (seats === this.#seats) return;
        this.#seats = seats;
        this.roster = new Map(
            seats.map(({ seat, name, bot, stand_in: away }) => [
                seat,
                { name, bot: bot !== null || away },
            ]),
        );
    }

    #measure({ options: { width, height }, obstacles }) {
        const boxes = obstacles
            .filter((box) => box.width > 0)
            .map((box) => [box.x, box.y, box.width, box.height]);
        const key = [width, height, ...boxes].join();
        if (key === this.#mapKey) return;
        this.#mapKey = key;
        this.map = { width, height, side: SIDE, range: RANGE, obstacles: boxes };
    }
}
