import { Clock } from "./clock";
import { Emitter } from "./emitter";
import { GameEvents, type GameEvent } from "./game_events";
import { Inputs, type InputValues } from "./inputs";
import { Interpolation } from "./interpolation";
import { Log } from "./log";
import { Pace } from "./pace";
import * as packets from "./packets";
import { Playback } from "./playback";
import { Prediction } from "./prediction";
import type { Rules, SnapshotHeader } from "./rules";
import { Snapshots } from "./snapshots";
import { Rate } from "./stats";
import type { Smoothing, Tables, View } from "./view";

const CATCH_UP = 10; // ticks in one frame; what is beyond is skipped
const ACK_MS = 200;
const HELLO_MS = 1000; // until it is said again
const REPEATED = 3; // inputs in every datagram
const SILENT_MS = 1000; // then the network has stalled: inputs would be late, and come in a flood
const BUFFERED_MAX = 4096; // bytes on the way out: more are old before they arrive

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

/** Plays one match by packets. It has no clock and no connection: both are handed in. Times are ms
 * of one clock, the one of requestAnimationFrame. */
export class Netcode<T = Tables> extends Emitter<NetcodeEvents> {
    readonly clock: Clock;
    readonly pace: Pace;
    readonly playback: Playback;
    readonly snapshots: Snapshots;
    readonly prediction: Prediction<T>;
    readonly interpolation: Interpolation<T>;
    readonly log: Log;
    readonly bytesIn = new Rate();
    readonly bytesOut = new Rate();
    readonly snapshotRate = new Rate();
    readonly tickRate = new Rate();
    welcome: packets.Welcome | null = null;
    canPredict = true;
    desyncs = 0;
    refused = 0;
    lastSnapshotAt = NaN;
    readonly #inputs: Inputs;
    readonly #inputAt = (tick: number) => this.#inputs.at(tick);
    readonly #events: GameEvents;
    readonly #give = (event: GameEvent) => this.emit("event", event);
    readonly #frame: Frame<T>;
    #tick = -1; // the client's
    #consumed = 0; // tick of the newest input that the server is through with
    #sentTick = 0;
    #sentAt = -Infinity;
    #helloAt = -Infinity;
    #heardAt = -Infinity;
    #pings = new Float64Array(16);
    #pingStamp = 0;
    #lastFrame = NaN;

    constructor(
        readonly rules: Rules,
        readonly seat: number, // packets.SPECTATOR: none
        readonly link: PacketLink,
        readonly options: NetcodeOptions = {},
    ) {
        super();
        const hz = rules.game.tick_hz;
        const smoothing: Smoothing = {
            fields: options.interpolate ?? [],
            teleport: options.teleport ?? 24,
        };
        this.clock = new Clock(hz);
        this.pace = new Pace(hz);
        this.playback = new Playback(hz, 50);
        this.snapshots = new Snapshots(rules);
        this.#inputs = new Inputs(rules);
        this.#events = new GameEvents(rules.game);
        this.prediction = new Prediction(
            rules,
            seat,
            this.#inputs,
            smoothing,
            options.snapPx ?? 96,
        );
        this.interpolation = new Interpolation(rules, this.snapshots, this.playback, smoothing);
        this.log = new Log(rules, seat);
        this.#frame = {
            ready: false,
            predicted: this.prediction.view,
            interpolated: this.interpolation.view,
            isPredicted: false,
            tick: NaN,
            alpha: 0,
            lagging: false,
        };
    }

    /** Begins, and begins again on a new connection. */
    hello(now: number): void {
        this.welcome = null;
        this.#helloAt = now;
        this.clock.restart();
        this.pace.restart();
        this.#restartTimeline();
        this.#send(packets.encodeHello(this.link.isStream, this.options.snapshotHz ?? 0));
    }

    setInput(values: InputValues): void {
        this.#inputs.set(values);
    }

    /** A packet from the server; whatever it is, this does not throw. */
    receive(packet: Uint8Array, now: number): void {
        this.bytesIn.add(packet.length);
        this.#heardAt = now;
        switch (packet[0]) {
            case packets.SNAPSHOT:
                return this.#onSnapshot(packet, now);
            case packets.WELCOME:
                return this.#onWelcome(packets.decodeWelcome(packet), now);
            case packets.PONG:
                return this.#onPong(packets.decodePong(packet), now);
            case packets.REFUSED:
                return this.#onRefused(packet[1] ?? 0);
            default:
                this.refused++;
        }
    }

    /** What to draw now. It also plays: call it for every picture, or at least some times a second.
     * The frame is the same object each time. */
    frame(now: number): Frame<T> {
        const elapsed = Number.isNaN(this.#lastFrame) ? 0 : Math.max(0, now - this.#lastFrame);
        this.#lastFrame = now;
        const frame = this.#frame;
        if (this.welcome) this.#play(now);
        else if (now - this.#helloAt > HELLO_MS) this.hello(now);

        const shown = this.interpolation.frame(now);
        frame.tick = shown;
        frame.lagging = this.interpolation.isLagging;
        frame.ready = this.interpolation.view.ready;
        frame.isPredicted = this.#isPredicting() && this.prediction.view.ready;
        frame.predicted = frame.isPredicted ? this.prediction.view : this.interpolation.view;
        if (frame.isPredicted) this.prediction.frame(frame.alpha, elapsed);
        if (!Number.isNaN(shown)) this.#events.release(shown, this.#give);
        this.#updateRates(now);
        return frame;
    }

    #updateRates(now: number): void {
        this.bytesIn.update(now);
        this.bytesOut.update(now);
        this.snapshotRate.update(now);
        this.tickRate.update(now);
    }

    #isPredicting(): boolean {
        return this.canPredict && this.seat !== packets.SPECTATOR;
    }

    /** Client ticks up to now, and what has to be sent. */
    #play(now: number): void {
        if (this.clock.shouldPing(now)) {
            this.#pings[++this.#pingStamp % this.#pings.length] = now;
            this.#send(packets.encodePing(this.#pingStamp));
        }
        if (this.seat !== packets.SPECTATOR) this.#tickTo(now);
        const isDue = now - this.#sentAt >= ACK_MS;
        if ((this.#tick > this.#sentTick && this.seat !== packets.SPECTATOR) || isDue)
            this.#sendInputs(now);
    }

    #tickTo(now: number): void {
        const way = (this.clock.rtt / 2) * (this.rules.game.tick_hz / 1000);
        const exact = this.pace.advance(now, this.clock.tick(now), way);
        const until = Math.floor(exact);
        if (until < 1) return; // agreed on, not begun
        this.#frame.alpha = exact - until;
        if (until - this.#tick > CATCH_UP || until < this.#tick - CATCH_UP) this.#tick = until - 1;
        while (this.#tick < until) {
            this.#tick++;
            this.#inputs.sample(this.#tick);
            this.log.input(this.#tick, this.#inputs.at(this.#tick));
            this.tickRate.add(1);
        }
        if (this.#isPredicting()) this.prediction.advance(this.#tick);
    }

    #sendInputs(now: number): void {
        if (this.link.buffered > BUFFERED_MAX) return;
        if (this.link.isStream && now - this.#heardAt > SILENT_MS) return;
        let first = Math.max(this.#sentTick, this.#consumed) + 1;
        if (!this.link.isStream) first = Math.min(first, this.#tick - REPEATED + 1);
        first = Math.max(first, this.#tick - packets.INPUTS_MAX + 1, 1);
        let count = 0;
        if (this.seat !== packets.SPECTATOR && this.#inputs.at(this.#tick)) {
            first = this.#inputs.runFrom(first, this.#tick);
            count = Math.max(0, this.#tick - first + 1);
        }
        const shown = this.#frame.tick;
        const packet = this.rules.encodeInput(this.#inputAt, first, count, {
            ack: this.snapshots.ack,
            ackBits: this.snapshots.ackBits,
            needsFull: this.snapshots.needsFull,
            view: Number.isNaN(shown) ? -1 : Math.max(0, Math.round(shown * 256)),
        });
        this.#sentTick = this.#tick;
        this.#sentAt = now;
        this.#send(packet);
    }

    #send(packet: Uint8Array): void {
        this.bytesOut.add(packet.length);
        this.link.send(packet);
    }

    #onWelcome(welcome: packets.Welcome | null, now: number): void {
        if (!welcome || welcome.version !== packets.VERSION || !welcome.snapshotHz)
            return void this.refused++;
        let askedAt = this.#helloAt;
        if (this.welcome) {
            /* A new game: ticks and all begin anew. */
            askedAt = now - this.clock.rtt;
            this.clock.reset();
            this.#restartTimeline();
        }
        this.welcome = welcome;
        this.playback.intervalMs = 1000 / welcome.snapshotHz;
        this.canPredict = welcome.rules === this.rules.hash;
        this.interpolation.mayStep = this.canPredict;
        this.clock.pong(askedAt, now, welcome.tick + 0.5);
        this.emit("welcome", { canPredict: this.canPredict, seat: welcome.seat });
    }

    #onPong(pong: packets.Pong | null, now: number): void {
        if (
            !pong ||
            this.#pingStamp - pong.stamp >= this.#pings.length ||
            pong.stamp < 1 ||
            pong.stamp > this.#pingStamp
        )
            return void this.refused++;
        this.clock.pong(this.#pings[pong.stamp % this.#pings.length]!, now, pong.tick);
    }

    #onRefused(code: number): void {
        if (code === packets.SAY_HELLO)
            this.#helloAt = Math.min(this.#helloAt, this.#lastFrame - HELLO_MS + 100);
        this.emit("packet_refused", code);
    }

    #onSnapshot(packet: Uint8Array, now: number): void {
        const header = this.snapshots.receive(packet, this.seat);
        if (!header) return void this.refused++;
        this.lastSnapshotAt = now;
        this.snapshotRate.add(1);
        this.playback.arrived(header.tick, now);
        this.rules.eachEvent((seq, kind, tick, arg) => this.#events.add(seq, kind, tick, arg));
        if (header.eventsLost) this.emit("events_lost", undefined);
        if (this.seat !== packets.SPECTATOR) this.#onAnswered(header);
        if (header.hash !== null) this.#compare(header, header.hash);
    }

    #onAnswered(header: SnapshotHeader): void {
        if (header.tick !== this.snapshots.tick) return; // an older one: nothing new
        this.#consumed = header.inputTick;
        this.pace.report(header.margin);
        if (this.#isPredicting()) this.prediction.reconcile(this.snapshots.state, header.tick);
    }

    #compare(header: SnapshotHeader, server: bigint): void {
        const { tick } = header;
        const own = this.rules.stateHash(this.snapshots.stateOf(header.seq));
        this.log.hash(tick, own, server);
        if (own === server) return;
        this.desyncs++;
        this.#send(packets.encodeReport(tick, own));
        this.snapshots.needsFull = true;
        this.emit("desync", { tick });
    }

    #restartTimeline(): void {
        this.snapshots.restart();
        this.#events.restart();
        this.prediction.restart();
        this.interpolation.restart();
        this.playback.restart();
        this.#consumed = 0;
        this.#sentTick = 0;
        this.#tick = -1;
    }
}
