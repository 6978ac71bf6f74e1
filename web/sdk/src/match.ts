import type { Connection } from "./connection.js";
import type { Game } from "./describe.js";
import { Emitter } from "./emitter.js";
import type { GameEvent } from "./game_events.js";
import type { InputValues } from "./inputs.js";
import { otherRules, type KnownGame } from "./known_game.js";
import { Netcode, SPECTATOR, type Frame, type NetcodeOptions } from "./netcode.js";
import { Refusal } from "./refusal.js";
import type { Rules } from "./rules.js";
import type { Stats } from "./stats.js";
import type { Message } from "./transport.js";
import type { Tables } from "./view.js";

const IDLE_MS = 200; // without a frame: a page in the background still acknowledges
const SILENT_MS = 15_000; // then the connection is dead

/** The content of `joined`, docs/games.md. */
export interface Joined {
    match: string;
    game: string;
    role: "player" | "spectator";
    seat: number | null;
    id: string;
    token: string | null;
    room: string;
    link: string;
}

export interface Seat {
    seat: number;
    id: string;
    name: string;
    bot: number | null;
    connected: boolean;
    stand_in: boolean;
    ready: boolean;
    rematch: boolean;
}

/** The content of `match`. */
export interface Roster {
    match: string;
    game: string;
    title: string;
    phase: "waiting" | "playing" | "over";
    start: "auto" | "host";
    private: boolean;
    host: number;
    seats_min: number;
    seats_max: number;
    bot_levels: number;
    host_may_kick: boolean;
    options: { [name: string]: number };
    spectators: number;
    /** How far in the past they are. */
    spectator_delay_ms: number;
    seats: Seat[];
}

export interface ChatLine {
    number: number;
    room?: string;
    from: { id: string; name: string };
    text: string;
    at: number;
}

export interface Result {
    seat: number;
    id: string;
    name: string;
    outcome: "won" | "lost" | "drawn";
}

export interface MatchEvents {
    /** Something happened in the game, in step with what `interpolated` shows. */
    event: GameEvent;
    roster: Roster;
    chat: ChatLine;
    /** The content of `state`: of games without ticks, or without their module. */
    state: any;
    /** A game is over; the match goes on, a rematch may follow. */
    results: Result[];
    /** The connection was lost; it is being made again, and the seat kept meanwhile. */
    lost: { reason: string };
    back: void;
    kicked: { message: string };
    /** The match is over for this client, whatever the cause. */
    closed: { code: string; message: string };
    /** The server's view differed from this one. It has been told, and gets the log. */
    desync: { tick: number };
    /** Once: the server has other rules than the game's module here, so nothing is predicted. Their
     * versions, null where the server's could not be asked. */
    other_rules: { message: string; own: number; server: number | null };
    /** Events were lost: the connection was too slow for them. */
    events_lost: void;
    /** Any other message to this match: `start_game`, and the events of games without ticks, or
     * without their module. */
    message: { type: string; content: any };
}

/** One match that this client plays in or watches. */
export class Match<T = Tables> extends Emitter<MatchEvents> {
    readonly id: string;
    readonly link: string;
    /** A spectator's is null. */
    seat: number | null;
    playerId: string;
    roster: Roster | null;
    results: Result[] | null = null;
    state: any = null;
    isOver = false; // for this client
    /** null: a game without ticks, or without its module. */
    readonly netcode: Netcode<T> | null = null;
    #connection: Connection;
    #joined: Joined;
    #known: KnownGame;
    #timer: ReturnType<typeof setInterval> | undefined;
    #lastFrame = 0;
    #lastPacket = 0;

    /** Made by a Client. */
    constructor(
        connection: Connection,
        joined: Joined,
        roster: Roster | null,
        known: KnownGame,
        options: NetcodeOptions,
    ) {
        super();
        this.#connection = connection;
        this.#joined = joined;
        this.#known = known;
        this.id = joined.match;
        this.link = joined.link;
        this.seat = joined.seat;
        this.playerId = joined.id;
        this.roster = roster;
        if (known.rules?.game.tick_hz) {
            this.netcode = this.#startNetcode(known.rules, options);
            this.#timer = setInterval(() => this.#idle(), IDLE_MS);
        }
    }

    /** What the rules say of themselves; null: it could not be fetched. */
    get game(): Game | null {
        return this.#known.game;
    }

    /** null: without the game's module. */
    get rules(): Rules | null {
        return this.#known.rules;
    }

    /** A secret that Client.reconnect takes, also after a reload of the page. null: a spectator. */
    get saved(): { match: string; token: string } | null {
        const { match, token } = this.#joined;
        return token === null ? null : { match, token };
    }

    get isHost(): boolean {
        return this.seat !== null && this.roster?.host === this.seat;
    }

    /** What the player does from now on, see Inputs. Throws where there are no ticks, or no module
     * to play them with. */
    setInput(values: InputValues): void {
        this.#needNetcode("setInput()").setInput(values);
    }

    /** Call it for every picture, with the time of requestAnimationFrame. */
    frame(now: number): Frame<T> {
        const netcode = this.#needNetcode("frame()");
        this.#lastFrame = now;
        return netcode.frame(now);
    }

    /** Any message of docs/games.md, and moves of games without ticks. */
    ask(type: string, content: unknown = {}): Promise<any> {
        return this.#connection.ask(type, content);
    }

    chat(text: string): Promise<{ number: number; at: number }> {
        return this.ask("chat_message", { room: this.#joined.room, text });
    }

    ready(ready = true): Promise<void> {
        return this.ask("ready", { ready });
    }

    start(): Promise<void> {
        return this.ask("start_game");
    }

    addBot(level?: number): Promise<{ seat: number }> {
        return this.ask("add_bot", level === undefined ? {} : { level });
    }

    kick(seat: number): Promise<{ seat: number }> {
        return this.ask("kick", { seat });
    }

    /** Gives up the seat, or stops watching; without a connection as soon as there is one again. */
    async leave(): Promise<void> {
        if (this.isOver) return;
        const { saved } = this;
        try {
            await this.ask("leave");
        } catch (error) {
            if (!(error instanceof Refusal) || error.code !== "lost") throw error;
            if (saved) this.#connection.askLater("leave", saved);
        } finally {
            this.end("left", "You left.");
        }
    }

    /** Own inputs and hashes as JSON, what the server is sent of the first desync of a game. `max`:
     * characters; the oldest inputs are left out for it. */
    log(max = Infinity): string {
        return this.netcode?.log.text(max) ?? "null";
    }

    get stats(): Stats {
        const { netcode } = this;
        const transport = this.#connection.transport;
        const common = { transport, rtt: 0, jitter: 0, loss: 0, snapshotAge: 0, snapshotRate: 0 };
        if (!netcode) return { ...common, ...NO_STATS };
        const { status } = netcode;
        /* Who polls is given the newest only: what it replaced is not lost. */
        const lost = transport === "polling" ? 0 : status.missed;
        return {
            ...common,
            rtt: status.rtt,
            jitter: status.jitter,
            loss: lost / (status.received + lost || 1),
            snapshotAge: performance.now() - (status.arrivedAt || NaN),
            snapshotRate: netcode.snapshotRate.perSecond,
            tickRate: netcode.tickRate.perSecond,
            bytesIn: netcode.bytesIn.perSecond,
            bytesOut: netcode.bytesOut.perSecond,
            inputMargin: status.margin,
            timeDilation: status.rate,
            interpolationDelay: status.delay,
            corrections: status.corrections,
            correctionPx: status.correctionPx,
            extrapolated: status.extrapolated,
            desyncs: status.desyncs,
            refused: status.refused,
        };
    }

    #needNetcode(what: string): Netcode<T> {
        if (this.netcode) return this.netcode;
        const { game, why } = this.#known;
        const [action] = game?.actions ?? [];
        const content = action?.takes.map((field) => `${field}: …`).join(", ");
        const example = action ? `, as ask("${action.name}", {${content}})` : "";
        const instead = `The state comes by "state", what one does is ask()${example}.`;
        if (game?.tick_hz === 0)
            throw new Refusal("no_ticks", `${game.name} has no ticks, so no ${what}. ${instead}`);
        const lack = `Without its module ${this.#joined.game} has no ${what}. ${why}`;
        throw new Refusal("no_rules", `${lack} ${instead}`);
    }

    /* ---------------------------------------------------------------- for the Client */

    /** The server's rules are not those of the module. */
    differ(server: Game | null): void {
        const own = this.#known.game!;
        const message = otherRules(own, server);
        console.warn(message);
        const versions = { own: own.version, server: server?.version ?? null };
        this.emit("other_rules", { message, ...versions });
    }

    /** The seat again, on a new connection. */
    resume(joined: Joined): void {
        this.#joined = joined;
        this.seat = joined.seat;
        this.playerId = joined.id;
        this.#lastPacket = performance.now();
        this.netcode?.hello(performance.now());
        this.emit("back", undefined);
    }

    lose(reason: string): void {
        this.emit("lost", { reason });
    }

    packet(packet: Uint8Array): void {
        this.#lastPacket = performance.now();
        this.netcode?.receive(packet, this.#lastPacket);
    }

    hear({ type, content }: Message): void {
        const value = content as any;
        if (type === "match") this.emit("roster", (this.roster = value));
        else if (type === "state") this.emit("state", (this.state = value));
        else if (type === "chat_message") this.emit("chat", value);
        else if (type === "kicked") {
            this.emit("kicked", value);
            this.end("kicked", value.message);
        } else if (type === "match_closed") this.end("match_closed", value.message);
        else {
            /* Until now the server's tick stood still, and told nothing about its clock. */
            if (type === "matchmaking" && value.phase === "agreed") this.netcode?.resetClock();
            if (type === "end_game" && value?.results)
                this.emit("results", (this.results = value.results));
            this.emit("message", { type, content: value });
        }
    }

    end(code: string, message: string): void {
        if (this.isOver) return;
        this.isOver = true;
        clearInterval(this.#timer);
        this.emit("closed", { code, message });
    }

    isAt({ match, token }: Joined): boolean {
        return match === this.id && token === this.#joined.token;
    }

    isOf(room: string | undefined): boolean {
        return room === this.#joined.room;
    }

    #startNetcode(rules: Rules, options: NetcodeOptions): Netcode<T> {
        const connection = this.#connection;
        const link = {
            /* Who polls has the newest snapshot kept only: it may miss some, as with datagrams. */
            get isStream() {
                return connection.transport === "websocket";
            },
            get buffered() {
                return connection.buffered;
            },
            send: (packet: Uint8Array) => connection.sendPacket(packet),
        };
        const netcode = new Netcode<T>(rules, this.seat ?? SPECTATOR, link, options);
        netcode.on("event", (event) => this.emit("event", event));
        netcode.on("desync", (desync) => this.emit("desync", desync));
        netcode.on("events_lost", () => this.emit("events_lost", undefined));
        this.#lastPacket = performance.now();
        netcode.hello(this.#lastPacket);
        return netcode;
    }

    #idle(): void {
        const now = performance.now();
        if (this.#connection.transport === "none") return;
        if (now - this.#lastPacket > SILENT_MS) {
            this.#lastPacket = now;
            this.#connection.restart();
        } else if (now - this.#lastFrame > IDLE_MS) this.netcode?.frame(now);
    }
}

const NO_STATS = {
    tickRate: 0,
    bytesIn: 0,
    bytesOut: 0,
    inputMargin: NaN,
    timeDilation: 1,
    interpolationDelay: 0,
    corrections: 0,
    correctionPx: 0,
    extrapolated: 0,
    desyncs: 0,
    refused: 0,
};
