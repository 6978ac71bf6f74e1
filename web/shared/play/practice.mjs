// Practice without a server: the rules run in the page, bots sit at the table. What it offers is
// what the SDK's match offers: seat, setInput, frame, on, stats.
import { Inputs, loadRules, View } from "@fray/client";

const CATCH_UP_TICKS = 5; // more are dropped: a page that was hidden does not race
const TELEPORT = 24; // px per tick: who goes further did not walk
const EVENT_SIZE = 24; // struct fray_game_event
const ARGS_AT = 4;

export class Practice extends EventTarget {
    seat = 0;
    stats;
    #rules;
    #inputs;
    #bots; // {seat, memory}
    #at = {}; // addresses
    #frame;
    #tick = 0;
    #due = null; // ms: when the next tick is

    static async start(url, { bots, level, options = {}, seed = Date.now() }) {
        return new Practice(await loadRules(url), { bots, level, options, seed });
    }

    constructor(rules, { bots, level, options, seed }) {
        super();
        const { wasm, game } = rules;
        this.#rules = rules;
        this.#inputs = new Inputs(rules);
        const at = this.#at;
        for (const name of ["state", "older", "newer", "botView"])
            at[name] = rules.alloc(game.state_size);
        at.inputs = rules.alloc(game.input_size * game.seats_max);
        at.given = rules.alloc(game.seats_max);
        const chosen = rules.alloc(4 * Math.max(1, game.options.length));
        game.options.forEach(({ name, standard }, index) =>
            rules.data.setInt32(chosen + 4 * index, options[name] ?? standard, true),
        );
        wasm.init(at.state, BigInt(seed), chosen);
        const seats = Math.min(game.seats_max, bots + 1);
        for (let seat = 0; seat < seats; seat++) wasm.join(at.state, seat);
        this.#bots = Array.from({ length: seats - 1 }, (_, index) => {
            const bot = { seat: index + 1, memory: rules.alloc(game.bot_size) };
            wasm.bot_init(bot.memory, level, BigInt(seed + bot.seat));
            return bot;
        });
        wasm.view(at.state, this.seat, at.newer);
        rules.copyState(at.older, at.newer);
        const view = new View(rules, true, {
            fields: ["players.aim_x", "players.aim_y"],
            teleport: TELEPORT,
        });
        this.#frame = { ready: true, predicted: view, interpolated: view, tick: 0, lagging: false };
        const { tick_hz: hz } = game;
        this.stats = { tickRate: hz, snapshotRate: hz, transport: "none: practice" };
    }

    get game() {
        return this.#rules.game;
    }

    get roster() {
        return [{ seat: 0, bot: null }, ...this.#bots.map(({ seat }) => ({ seat, bot: true }))];
    }

    on(type, handler) {
        this.addEventListener(type, ({ detail }) => handler(detail));
    }

    setInput(values) {
        this.#inputs.set(values);
    }

    /** What is to be shown at a time of requestAnimationFrame. */
    frame(now) {
        const tickMs = 1000 / this.game.tick_hz;
        this.#due ??= now;
        if (now - this.#due > CATCH_UP_TICKS * tickMs) this.#due = now - tickMs;
        for (; this.#due <= now; this.#due += tickMs) this.#step();
        const { older, newer } = this.#at;
        this.#frame.predicted.show(older, newer, 1 - (this.#due - now) / tickMs, 1);
        this.#frame.tick = this.#tick;
        return this.#frame;
    }

    #step() {
        const { wasm, game, bytes } = this.#rules;
        const { state, older, newer, botView, inputs, given } = this.#at;
        const size = game.input_size;
        this.#tick++;
        this.#inputs.take(inputs + this.seat * size);
        bytes[given + this.seat] = 1;
        for (const { seat, memory } of this.#bots) {
            wasm.view(state, seat, botView);
            bytes[given + seat] = wasm.bot(botView, seat, memory, inputs + seat * size);
        }
        this.#rules.copyState(older, newer);
        const events = wasm.step(state, inputs, given, 0);
        wasm.view(state, this.seat, newer);
        for (let index = 0; index < events; index++) this.#tell(index);
    }

    #tell(index) {
        const { data, wasm, game } = this.#rules;
        const at = wasm.events() + index * EVENT_SIZE;
        const kind = game.events[data.getUint8(at)];
        if (kind.delivery === "newest") return; // the state says it, too
        const args = {};
        kind.args.forEach(({ name }, number) => {
            args[name] = data.getInt32(at + ARGS_AT + 4 * number, true);
        });
        const detail = { name: kind.name, tick: this.#tick, args };
        this.dispatchEvent(new CustomEvent("event", { detail }));
    }
}
