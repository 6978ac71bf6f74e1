import { Emitter } from "./emitter.js";
import { eventOf, type GameEvent } from "./game_events.js";
import { Inputs, type InputValues } from "./inputs.js";
import { Log } from "./log.js";
import type { Rules } from "./rules.js";
import { Rate } from "./stats.js";
import { View, type Tables } from "./view.js";

export const SPECTATOR = 255;
const BUFFERED_MAX = 4096; // bytes on the way out: more are old before they arrive
const PACKET_MAX = 65536;
const INPUT_BATCH = 1; // pages look in once a picture, and that late

/* What the module says: struct said_head and enum said of web/sdk/wasm/netcode.c. */
const HEAD = { size: 8, kind: 0, len: 2, tick: 4 };
const PACKET = 1;
const EVENT = 2;
const EVENTS_LOST = 3;
const WELCOME = 4;
const HASH = 5;
const REFUSED = 6;
const INPUT = 7;

/* struct status, likewise. */
const STATUS = [
    "predicted", // addresses of views, and the ticks that they show
    "predictedTick",
    "interpolated",
    "tick",
    "newest",
    "newestTick",
    "sampledTick", // of the newest own input
    "serverTick",
    "alpha",
    "canPredict",
    "isLagging",
    "rtt", // ms, as the next three
    "jitter",
    "arrivedAt",
    "delay",
    "margin",
    "rate",
    "received",
    "missed",
    "corrections",
    "correctionPx",
    "extrapolated",
    "desyncs",
    "refused",
] as const;

export interface NetcodeOptions {
    /** Snapshots per second, 10 … 60; 0: what the match has. */
    snapshotHz?: number;
    /** Fields beside places to interpolate, as "players.aim_x". */
    interpolate?: readonly string[];
    /** px per tick beyond which nobody is shown on the way. */
    teleport?: number;
    /** A correction of more px than that is not smoothed: a tenth of the screen. */
    snapPx?: number;
}

/** How packets travel: whoever has the connection says so. */
export interface PacketLink {
    readonly isStream: boolean; // reliable, in order
    readonly buffered: number; // bytes that wait to be sent
    send(packet: Uint8Array): void;
}

export interface Frame<T = Tables> {
    /** There is something to draw. */
    ready: boolean;
    /** The own state now. Without a seat or with other rules than the server's: as interpolated. */
    predicted: View<T>;
    /** The others, a moment ago. */
    interpolated: View<T>;
    isPredicted: boolean;
    /** What `interpolated` shows, with its fraction. */
    tick: number;
    /** Of the way to the next tick of `predicted`. */
    alpha: number;
    /** Where the match is now, by the clock: the same for everybody. NaN: not known yet. */
    serverTick: number;
    /** Nothing came for so long that everything stands still. */
    lagging: boolean;
}

interface NetcodeEvents {
    event: GameEvent;
    events_lost: void;
    /** The server's view and this one differ. */
    desync: { tick: number };
    /** WELCOME came. `canPredict`: the server has the same rules. */
    welcome: { canPredict: boolean; seat: number };
    /** The server could not take a packet: code of docs/protocols.md. */
    packet_refused: number;
}

/** Plays one match by packets: what web/sdk/wasm/netcode.c needs of a page. It has no clock and no
 * connection: both are handed in. Times are ms of one clock, the one of requestAnimationFrame. The
 * rules are its own: another netcode on the same begins anew. */
export class Netcode<T = Tables> extends Emitter<NetcodeEvents> {
    readonly log: Log;
    readonly bytesIn = new Rate();
    readonly bytesOut = new Rate();
    readonly snapshotRate = new Rate();
    readonly tickRate = new Rate();
    /** How it goes; of the last call. */
    readonly status = {} as { readonly [name in (typeof STATUS)[number]]: number };
    readonly #inputs: Inputs;
    readonly #frame: Frame<T>;
    readonly #predicted: View<T>;
    readonly #interpolated: View<T>;

    constructor(
        readonly rules: Rules,
        readonly seat: number, // SPECTATOR: none
        readonly link: PacketLink,
        readonly options: NetcodeOptions = {},
    ) {
        super();
        const { interpolate = [], teleport = 24, snapPx = 96, snapshotHz = 0 } = options;
        const smoothing = rules.smoothing({ fields: interpolate, teleport });
        if (!rules.wasm.netcode_init(seat, snapshotHz, INPUT_BATCH, smoothing, snapPx))
            throw new Error(`No memory for ${rules.game.name}.`);
        rules.refresh();
        this.#inputs = new Inputs(rules, rules.wasm.netcode_held());
        this.log = new Log(rules, seat);
        this.#predicted = new View<T>(rules);
        this.#interpolated = new View<T>(rules);
        this.#frame = {
            ready: false,
            predicted: this.#predicted,
            interpolated: this.#interpolated,
            isPredicted: false,
            tick: NaN,
            alpha: 0,
            serverTick: NaN,
            lagging: false,
        };
        this.#readStatus();
    }

    /** Begins, and begins again on a new connection. */
    hello(now: number): void {
        this.rules.wasm.netcode_restart(this.link.isStream, now * 1000);
        this.#tell();
        this.#advance(now);
        this.#tell();
    }

    /** A start has been agreed on: until now the server's tick stood still. */
    resetClock(): void {
        this.rules.wasm.netcode_clock_reset();
    }

    setInput(values: InputValues): void {
        this.#inputs.set(values);
    }

    /** A packet from the server; whatever it is, this does not throw. */
    receive(packet: Uint8Array, now: number): void {
        const { wasm, bytes } = this.rules;
        const { received } = this.status;
        this.bytesIn.add(packet.length);
        if (packet.length <= PACKET_MAX) bytes.set(packet, wasm.netcode_packet());
        wasm.netcode_receive(packet.length, now * 1000);
        this.#readStatus();
        this.snapshotRate.add(this.status.received - received);
        this.#tell();
    }

    /** What to draw now. It also plays: call it for every picture, or at least some times a second.
     * The frame is the same object each time. */
    frame(now: number): Frame<T> {
        this.#advance(now);
        this.rules.wasm.netcode_look(now * 1000);
        this.#readStatus();
        const frame = this.#frame;
        const { predicted, predictedTick, interpolated, tick, alpha, isLagging, serverTick } =
            this.status;
        this.#predicted.at = predicted;
        this.#predicted.tick = predictedTick;
        this.#interpolated.at = interpolated;
        this.#interpolated.tick = tick;
        frame.ready = interpolated !== 0;
        frame.tick = frame.ready ? tick : NaN;
        frame.lagging = isLagging !== 0;
        frame.isPredicted = predicted !== 0;
        frame.predicted = frame.isPredicted ? this.#predicted : this.#interpolated;
        frame.alpha = alpha;
        frame.serverTick = serverTick || NaN;
        this.#tell();
        for (const rate of [this.bytesIn, this.bytesOut, this.snapshotRate, this.tickRate])
            rate.update(now);
        return frame;
    }

    get canPredict(): boolean {
        return this.status.canPredict !== 0;
    }

    #advance(now: number): void {
        this.rules.wasm.netcode_advance(this.link.buffered > BUFFERED_MAX, now * 1000);
    }

    #readStatus(): void {
        const { wasm, data } = this.rules;
        const at = wasm.status();
        const status = this.status as { [name: string]: number };
        STATUS.forEach((name, i) => (status[name] = data.getFloat64(at + 8 * i, true)));
    }

    /** Passes on what the module has said; read first, for listeners may call it again. */
    #tell(): void {
        const { wasm, data } = this.rules;
        const said: (() => void)[] = [];
        let at = wasm.said();
        const end = at + wasm.said_len();
        while (at < end) {
            const kind = data.getUint16(at + HEAD.kind, true);
            const len = data.getUint16(at + HEAD.len, true);
            const tick = data.getUint32(at + HEAD.tick, true);
            at += HEAD.size;
            const tell = this.#hear(kind, tick, at, len);
            if (tell) said.push(tell);
            at += (len + 7) & ~7;
        }
        for (const tell of said) tell();
    }

    #hear(kind: number, tick: number, at: number, len: number): (() => void) | null {
        const { rules } = this;
        const { data } = rules;
        if (kind === INPUT) {
            this.tickRate.add(1);
            this.log.input(tick, at);
            return null;
        }
        if (kind === PACKET) {
            const packet = rules.bytes.slice(at, at + len);
            this.bytesOut.add(len);
            return () => this.link.send(packet);
        }
        if (kind === EVENT) {
            const event = eventOf(rules, at, tick);
            return event && (() => this.emit("event", event));
        }
        if (kind === HASH) {
            const own = data.getBigUint64(at, true);
            const server = data.getBigUint64(at + 8, true);
            this.log.hash(tick, own, server);
            return own === server ? null : () => this.emit("desync", { tick });
        }
        if (kind === EVENTS_LOST) return () => this.emit("events_lost", undefined);
        if (kind === WELCOME) {
            const { canPredict, seat } = this;
            return () => this.emit("welcome", { canPredict, seat });
        }
        const code = kind === REFUSED ? data.getUint8(at) : 0;
        return () => this.emit("packet_refused", code);
    }
}
