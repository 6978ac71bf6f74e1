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
const STATUS = { tick: 0, nowMs: 1, fault: 2, faultTick: 3, hashedTick: 4, hashes: 5, ticks: 6 };
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
    #seats = null; // {tick, list}

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

    /** Plays it once to the end and comes back to the start. */
    async verify(onProgress = () => {}) {
        const { wasm } = this.rules;
        for (let steps = 1; wasm.replay_step() >= 0; steps++) {
            if (steps % VERIFY_AT_ONCE) continue;
            onProgress(this.tick);
            await new Promise((resolve) => setTimeout(resolve));
        }
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

    seek(tick) {
        const { wasm } = this.rules;
        wasm.replay_seek(Math.max(0, tick - 1));
        this.rules.copyState(this.before, this.state);
        wasm.replay_seek(Math.max(0, tick));
        this.rules.refresh();
    }

    #events(count) {
        const { data, wasm } = this.rules;
        return Array.from({ length: count }, (_, i) => {
            const at = wasm.events() + i * EVENT.size;
            const kind = this.game.events[data.getUint8(at + EVENT.kind)];
            const args = kind.args.map(({ name, fraction, seat }, n) => {
                const value = data.getInt32(at + EVENT.args + 4 * n, true);
                return [name, seat ? idOf(value) : value / 2 ** (fraction ?? 0)];
            });
            return { name: kind.name, args: Object.fromEntries(args) };
        });
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

    /** The state as the message `state` has it (docs/games.md), with nothing left out. */
    describe() {
        const entries = this.game.tables.map((table) => {
            const rows = [];
            for (let row = 0; row < table.rows; row++) {
                const at = this.state + table.offset + row * table.stride;
                const isThere =
                    table.present === undefined ||
                    this.rules.data.getUint8(at + table.present) !== 0;
                if (isThere) rows.push(this.#row(table, at, row));
            }
            return [table.name, table.rows === 1 ? rows[0] : rows];
        });
        return Object.fromEntries(entries);
    }

    #row(table, at, number) {
        const row = table.owner === "row" ? { seat: number, id: idOf(number) } : {};
        for (const field of table.fields) {
            const values = Array.from({ length: field.count ?? 1 }, (_, i) =>
                meaning(
                    field,
                    readField(this.rules.data, at + field.offset + i * field.bytes, field),
                ),
            );
            row[field.name] = field.count ? values : values[0];
        }
        return row;
    }
}

function idOf(seat) {
    return seat === NOBODY ? null : `seat-${seat}`;
}

function meaning(field, value) {
    if (field.seat) return idOf(value);
    if (field.labels) return field.labels[value] ?? value;
    return value / 2 ** (field.fraction ?? 0);
}
