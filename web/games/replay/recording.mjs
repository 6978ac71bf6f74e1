// A replay file (docs/replays.md) in the game's own WebAssembly module: that plays and verifies it.
import { readField } from "../../sdk/src/describe.ts";
import { nameBots } from "../../shared/words.mjs";
import { loadRules } from "../../sdk/src/rules.ts";

const FAULTS = [
    ...["good", "truncated", "foreign", "other game", "other rules"],
    ...["malformed", "damaged", "differs"],
];
const GAME_AT = 32; // in the header: the name's length, then the name
const VERIFY_AT_ONCE = 5000; // steps between two looks at the page
const STATUS = {
    ...{ tick: 0, nowMs: 1, fault: 2, faultTick: 3, hashedTick: 4, hashes: 5, ticks: 6 },
    comings: 8,
};
const FAREWELLS_MAX = 4096; // the newest
const SEAT = { size: 12, present: 0, level: 1, nameLen: 2, nameAt: 4 };
const PERSON = 255;
const EVENT = { size: 24, kind: 0, args: 4 };
const NOBODY = 255;
const OUTCOMES = [null, "won", "lost", "drawn"]; // as the rules say; null: it goes on

/** What the file is good for, in words for people. */
export const REFUSALS = {
    foreign: "That is no replay.",
    "other game": "That is a replay of another game.",
    "other rules": "This match was played with other rules than the game has now.",
};

const text = new TextDecoder();

export class Recording {
    duration = 0; // ms of all, once verified
    #seats = null; // {tick, list}
    #told = []; // ticks at which something happened that is told, once verified
    #farewells = []; // {tick, there: seats, state}: with whom it was last enough for a game
    #farewellAt; // of the one that is shown

    /** `bytes` of the file; `moduleUrl(game)` tells where a game's module is. */
    static async open(bytes, moduleUrl) {
        const len = bytes[GAME_AT] ?? 0;
        const game = text.decode(bytes.subarray(GAME_AT + 1, GAME_AT + 1 + len));
        if (!/^FRPL/.test(text.decode(bytes.subarray(0, 4))) || !/^[a-z0-9_]+$/.test(game))
            throw new Error(REFUSALS.foreign);
        return new Recording(await loadRules(moduleUrl(game)), bytes);
    }

    constructor(rules, bytes) {
        this.rules = rules;
        this.game = rules.game;
        const { wasm } = rules;
        this.file = rules.alloc(bytes.length + 1);
        rules.bytes.set(bytes, this.file);
        this.bytes = bytes;
        const fault = FAULTS[wasm.replay_open(this.file, bytes.length)];
        rules.refresh();
        if (fault !== "good") throw new Error(REFUSALS[fault] ?? `This replay is ${fault}.`);
        this.before = rules.alloc(this.game.state_size); // the state one step earlier
        rules.copyState(this.before, this.state);
        this.#farewellAt = rules.alloc(this.game.state_size);
    }

    get state() {
        return this.rules.wasm.replay_state();
    }

    #status(at) {
        const words = this.rules.wasm.replay_status();
        return this.rules.data.getUint32(words + 4 * at, true);
    }

    get tick() {
        return this.#status(STATUS.tick);
    }

    /** Of the match, at the state's tick. */
    get ms() {
        const hz = this.game.tick_hz;
        return hz ? (this.tick * 1000) / hz : this.#status(STATUS.nowMs);
    }

    /** All, once verified. */
    get ticks() {
        return this.#status(STATUS.ticks);
    }

    get verdict() {
        return {
            fault: FAULTS[this.#status(STATUS.fault)],
            tick: this.#status(STATUS.faultTick),
            agreed: this.#status(STATUS.hashedTick),
            hashes: this.#status(STATUS.hashes),
        };
    }

    /** Plays it once to the end, and back to the start. `isTold(event)`: for seek() to find. */
    async verify(isTold, onProgress = () => {}) {
        const { wasm } = this.rules;
        let there = this.#present();
        for (let steps = 1, count; (count = wasm.replay_step()) >= 0; steps++) {
            if (count && this.#events(count).some(isTold)) this.#told.push(this.tick);
            if (this.#status(STATUS.comings)) there = this.#keepFarewell(there);
            if (steps % VERIFY_AT_ONCE) continue;
            onProgress(this.tick);
            await new Promise((resolve) => setTimeout(resolve));
        }
        this.duration = this.ms;
        this.seek(0);
        return this.verdict;
    }

    /** One step; what happened, or null at the end. */
    step() {
        this.rules.copyState(this.before, this.state);
        const count = this.rules.wasm.replay_step();
        this.rules.refresh();
        return count < 0 ? null : this.#events(count);
    }

    /** `tell(events)` hears what happened at the newest `count` ticks up to there at which anything
     * did, one after the other, and finds the recording at that tick. */
    seek(tick, tell = () => {}, count = 0) {
        const { wasm } = this.rules;
        const last = this.#told.findLastIndex((at) => at <= tick) + 1;
        const told = this.#told.slice(Math.max(0, last - count), last);
        for (const at of told) {
            wasm.replay_seek(at - 1);
            tell(this.step());
        }
        if (told.at(-1) === tick) return;
        wasm.replay_seek(Math.max(0, tick - 1));
        this.rules.copyState(this.before, this.state);
        wasm.replay_seek(Math.max(0, tick));
        this.rules.refresh();
    }

    /* ---- who has left */

    #present() {
        const first = this.rules.wasm.replay_seats() + SEAT.present;
        const seats = Array.from({ length: this.game.seats_max }, (_, seat) => seat);
        return seats.filter((seat) => this.rules.bytes[first + seat * SEAT.size]);
    }

    /** Where too few are left for a game: the state as those saw it who have gone since, `there`
     * before. Returns who is there now. */
    #keepFarewell(there) {
        const now = this.#present();
        const { seats_min: enough, state_size: size } = this.game;
        if (now.length >= enough || there.every((seat) => now.includes(seat))) return now;
        const at = this.rules.wasm.replay_stepped();
        const state = this.rules.bytes.slice(at, at + size);
        this.#farewells.push({ tick: this.tick, there, state });
        if (this.#farewells.length > FAREWELLS_MAX) this.#farewells.shift();
        return now;
    }

    #farewell(suits) {
        return this.#farewells.findLast((one) => one.tick <= this.tick && suits(one));
    }

    /** Everybody has left; or all but a bot or so at the end, since that is no picture of it. */
    get isDeserted() {
        const there = this.seats().filter(({ connected }) => connected).length;
        return there === 0 || (this.tick === this.ticks && there < this.game.seats_min);
    }

    /** What there is to see: the state before and the one that is. Of a deserted match: twice the
     * last in which enough for a game were there, or anybody. */
    get scene() {
        const isEnough = ({ there }) => there.length >= this.game.seats_min;
        const farewell =
            this.isDeserted && (this.#farewell(isEnough) ?? this.#farewell(() => true));
        if (!farewell) return [this.before, this.state];
        this.rules.bytes.set(farewell.state, this.#farewellAt);
        return [this.#farewellAt, this.#farewellAt];
    }

    /** The tables (describe()) when `seat` was there last; undefined: nobody has left it who is
     * missed. */
    lastWith(seat) {
        const farewell = this.#farewell(({ there }) => there.includes(seat));
        if (!farewell) return undefined;
        return (farewell.tables ??= this.#describe(new DataView(farewell.state.buffer), 0));
    }

    /** Without those that the picture shows. */
    #events(count) {
        const { data, wasm } = this.rules;
        const first = wasm.events();
        const events = [];
        for (let at = first; at < first + count * EVENT.size; at += EVENT.size) {
            const kind = this.game.events[data.getUint8(at + EVENT.kind)];
            if (kind.delivery === "newest") continue;
            const args = kind.args.map(({ name, fraction, seat }, n) => {
                const value = data.getInt32(at + EVENT.args + 4 * n, true);
                return [name, seat ? idOf(value) : value / 2 ** (fraction ?? 0)];
            });
            events.push({ name: kind.name, args: Object.fromEntries(args) });
        }
        return events;
    }

    /**
     * Who sits there at the state's tick, or did last: {seat, id, name, bot, connected, stand_in,
     * outcome}; outcome is null as long as the game goes on. The same list until the tick is
     * another.
     */
    seats() {
        const { tick } = this;
        if (this.#seats?.tick === tick) return this.#seats.list;
        const first = this.rules.wasm.replay_seats();
        const list = [];
        for (let seat = 0; seat < this.game.seats_max; seat++) {
            const who = this.#seat(first + seat * SEAT.size, seat);
            if (who.connected || who.name) list.push(who);
        }
        this.#seats = { tick, list: nameBots(list, this.game.seats_max) };
        return this.#seats.list;
    }

    /** Of a seat's id, at the state's tick. */
    nameOf(id) {
        return this.seats().find((seat) => seat.id === id)?.name ?? id;
    }

    #seat(at, seat) {
        const { data, wasm } = this.rules;
        const nameAt = data.getUint32(at + SEAT.nameAt, true);
        const nameEnd = nameAt + data.getUint8(at + SEAT.nameLen);
        const name = text.decode(this.bytes.subarray(nameAt, nameEnd));
        const level = data.getUint8(at + SEAT.level);
        const isPerson = level === PERSON || name.toLowerCase() !== `bot ${seat + 1}`;
        return {
            seat,
            id: idOf(seat),
            name,
            bot: isPerson ? null : level,
            connected: data.getUint8(at + SEAT.present) !== 0,
            stand_in: isPerson && level !== PERSON, // a bot that bears a person's name
            outcome: OUTCOMES[wasm.outcome(this.state, seat)],
        };
    }

    /** The state as the message `state` has it (docs/games.md), with nothing left out. `at`: that
     * of another moment. */
    describe(at = this.state) {
        return this.#describe(this.rules.data, at);
    }

    #describe(data, at) {
        const entries = this.game.tables.map((table) => {
            const rows = [];
            for (let row = 0; row < table.rows; row++) {
                const from = at + table.offset + row * table.stride;
                const isThere =
                    table.present === undefined || data.getUint8(from + table.present) !== 0;
                if (isThere) rows.push(readRow(table, data, from, row));
            }
            return [table.name, table.rows === 1 ? rows[0] : rows];
        });
        return Object.fromEntries(entries);
    }
}

function readRow(table, data, at, number) {
    const row = table.owner === "row" ? { seat: number, id: idOf(number) } : {};
    for (const field of table.fields) {
        const values = Array.from({ length: field.count ?? 1 }, (_, i) =>
            meaning(field, readField(data, at + field.offset + i * field.bytes, field)),
        );
        row[field.name] = field.count ? values : values[0];
    }
    return row;
}

function idOf(seat) {
    return seat === NOBODY ? null : `seat-${seat}`;
}

function meaning(field, value) {
    if (field.seat) return idOf(value);
    if (field.labels) return field.labels[value] ?? value;
    return value / 2 ** (field.fraction ?? 0);
}
