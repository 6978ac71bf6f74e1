// What the server said, made smooth: states arrive 20 times a second and not evenly; screens want
// places 60 times and more. Others are shown a little in the past, between two states; oneself is
// shown as late as the newest state, carried on by what one steers.

const DELAY_MIN_MS = 100; // two states
const DELAY_MAX_MS = 250;
const RESET_MS = 400; // further off, the clock is set anew
const KEEP = 32; // states
const AHEAD_MAX_MS = 120; // how far oneself is carried on
const PACE = 150; // px/s: 5 px a tick, 30 ticks a second
const SMOOTH_MS = 55; // oneself glides to where the server has it
const SNAP_PX = 40; // further is a new place: spawned

export class World {
    map = null; // {width, height, side, range, tick_hz, cooldown_ms, obstacles}
    roster = new Map(); // seat → {seat, name, bot}
    own = null; // the seat of who looks
    onHit = () => {}; // (player, by how much)
    onSwing = () => {};
    onDeath = () => {};
    #states = []; // {tick, players: Map seat → player}
    #offset = null; // ms of the page's clock at tick 0
    #jitter = 0;
    #shown = -1; // tick of the last state whose happenings were told
    #self = null; // {x, y} as drawn
    #drawnAt = 0;

    enter(map) {
        this.map = map;
        this.#states = [];
        this.#offset = null;
        this.#shown = -1;
    }

    setRoster(list) {
        this.roster = new Map(list.map((entry) => [entry.seat, entry]));
    }

    receive({ tick, players }, now) {
        const newest = this.#states.at(-1);
        if (!this.map || (newest && tick <= newest.tick)) return;
        this.#synchronise(now - tick * this.#tickMs);
        const at = players.map(([seat, x, y, hp, swings, score, deaths]) => [
            seat,
            { seat, x: x / 10, y: y / 10, hp, swings, score, deaths },
        ]);
        this.#states.push({ tick, players: new Map(at) });
        if (this.#states.length > KEEP) this.#states.shift();
    }

    get #tickMs() {
        return 1000 / this.map.tick_hz;
    }

    get delay() {
        return Math.min(DELAY_MAX_MS, Math.max(DELAY_MIN_MS, 50 + 3 * this.#jitter));
    }

    #synchronise(sample) {
        if (this.#offset === null || Math.abs(sample - this.#offset) > RESET_MS) {
            this.#offset = sample;
            this.#jitter = 0;
            return;
        }
        const error = sample - this.#offset;
        this.#jitter += (Math.abs(error) - this.#jitter) * 0.06;
        this.#offset += error * 0.06;
    }

    /** The newest state of a seat, for scores and one's own health. */
    latest(seat) {
        return this.#states.at(-1)?.players.get(seat);
    }

    get everybody() {
        return [...(this.#states.at(-1)?.players.values() ?? [])];
    }

    /** The tick, with fraction, that is on the screen: what an attack is aimed at. */
    tickShown(now) {
        return this.#offset === null ? 0 : (now - this.delay - this.#offset) / this.#tickMs;
    }

    /** Players where they are to be drawn, and tells what happened since the last call. */
    sample(now, steering) {
        const newest = this.#states.at(-1);
        if (!newest) return [];
        const at = Math.min(this.tickShown(now), newest.tick);
        this.#tell(at);
        const older = this.#states.findLast((state) => state.tick <= at) ?? this.#states[0];
        const newer = this.#states.find((state) => state.tick > at) ?? older;
        const part = newer === older ? 0 : (at - older.tick) / (newer.tick - older.tick);
        const players = [];
        for (const [seat, from] of older.players) {
            const to = newer.players.get(seat) ?? from;
            const jumped = Math.hypot(to.x - from.x, to.y - from.y) > SNAP_PX;
            const share = jumped ? 0 : part;
            players.push({
                ...from,
                x: from.x + (to.x - from.x) * share,
                y: from.y + (to.y - from.y) * share,
            });
        }
        this.#place(players, newest, now, steering);
        return players;
    }

    #place(players, newest, now, steering) {
        const me = newest.players.get(this.own);
        const elapsed = now - this.#drawnAt;
        this.#drawnAt = now;
        if (!me) {
            this.#self = null;
            return;
        }
        const age = Math.min(
            AHEAD_MAX_MS,
            Math.max(0, now - this.#offset - newest.tick * this.#tickMs),
        );
        const goal = me.hp
            ? this.#carry(me, (steering.dx * PACE * age) / 1000, (steering.dy * PACE * age) / 1000)
            : me;
        const gap = this.#self
            ? Math.hypot(goal.x - this.#self.x, goal.y - this.#self.y)
            : Infinity;
        const share = gap > SNAP_PX ? 1 : 1 - Math.exp(-elapsed / SMOOTH_MS);
        this.#self ??= { x: goal.x, y: goal.y };
        this.#self.x += (goal.x - this.#self.x) * share;
        this.#self.y += (goal.y - this.#self.y) * share;
        const index = players.findIndex(({ seat }) => seat === this.own);
        const shown = { ...me, ...this.#self };
        if (index < 0) players.push(shown);
        else players[index] = shown;
    }

    /** For the eye only: the server knows the walls. */
    #carry({ x, y }, dx, dy) {
        const { width, height, side, obstacles } = this.map;
        const free = (px, py) =>
            !obstacles.some(
                ([ox, oy, w, h]) => px < ox + w && px + side > ox && py < oy + h && py + side > oy,
            );
        const nx = Math.min(width - side, Math.max(0, x + dx));
        if (free(nx, y)) x = nx;
        const ny = Math.min(height - side, Math.max(0, y + dy));
        if (free(x, ny)) y = ny;
        return { x, y };
    }

    #tell(at) {
        for (let i = 0; i < this.#states.length; i++) {
            const state = this.#states[i];
            if (state.tick <= this.#shown || state.tick > at) continue;
            const before = this.#states[i - 1];
            this.#shown = state.tick;
            for (const [seat, player] of before ? state.players : []) {
                const was = before.players.get(seat);
                if (!was) continue;
                if (player.swings !== was.swings) this.onSwing(player);
                if (player.hp < was.hp) this.onHit(player, was.hp - player.hp);
                if (player.hp === 0 && was.hp > 0) this.onDeath(was);
            }
        }
    }
}
