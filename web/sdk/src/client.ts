import { checkTransport, serverOf, unconnected } from "./address.js";
import { Connection, type ConnectOptions } from "./connection.js";
import { Emitter } from "./emitter.js";
import { describedBy, learn, type KnownGame } from "./known_game.js";
import { Match, type ChatLine, type Joined, type Roster } from "./match.js";
import type { NetcodeOptions } from "./netcode.js";
import { Refusal } from "./refusal.js";
import type { Message } from "./transport.js";
import type { Tables } from "./view.js";

const LOG_MAX = 256 * 1024; // bytes, all of them ASCII
const OTHER_PACKETS = 6; // why a packet is refused: HELLO of a module of another fray
const OTHER_PLACE = "In another place of this match.";

/** The members of `create`, docs/games.md; `leave` is always said. */
export interface CreateOptions {
    options?: { [name: string]: number };
    private?: boolean;
    start?: "auto" | "host";
    /** So many sit down with you. */
    bots?: number;
    /** Spectators see the match so many seconds later; the server may have a least of its own. */
    spectator_delay_s?: number;
    leave?: boolean;
}

const CREATE = ["options", "private", "start", "bots", "spectator_delay_s", "leave"];
const JOIN = ["as", "name", "leave"];
const WATCH = ["options", "leave"];

interface ClientEvents {
    /** The content of `lobby`, after lobby({watch: true}). */
    lobby: any;
    /** Said to the whole namespace. */
    chat: ChatLine;
    lost: { reason: string };
    back: void;
    /** In another match, unasked, or in another seat, `match` now: quick play has found somebody
     * there, or left one alone. Or asked for, but the answer came after it was `lost`. */
    moved: Match<any>;
    /** For good: close() was called, or the server does not want this client. */
    closed: { code: number; reason: string };
    /** The server could not take a message that wanted no answer. */
    error: { code: string; message: string };
}

/** Connects; rejects with a Refusal when the server is not there or wants another token. */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
    const server = serverOf(options.url);
    checkTransport(options);
    const connection = new Connection(options, server);
    const client = new Client(connection, server);
    return new Promise((resolve, reject) => {
        const unopen = connection.on("open", () => settle(() => resolve(client)));
        const unclosed = connection.on("closed", ({ code, reason }) =>
            settle(() => reject(unconnected(server, options, code, reason))),
        );
        const settle = (end: () => void) => {
            unopen();
            unclosed();
            end();
        };
        connection.open();
    });
}

/** The server would pass over a member that it does not know, a misspelt one among them. */
function members<Members extends object>(given: Members, known: string[]): Members {
    const unknown = Object.keys(given).find((name) => !known.includes(name));
    if (unknown === undefined) return given;
    const message = `There is no "${unknown}" here: there are ${known.join(", ")}.`;
    throw new Refusal("unknown_member", message);
}

/** One connection to a server's games, and the match that it is in. */
export class Client extends Emitter<ClientEvents> {
    match: Match<any> | null = null;
    #connection: Connection;
    #url: URL;
    #roster: Roster | null = null;
    #netcode: NetcodeOptions = {};
    #entering = 0; // ways into a match that wait for their answer
    /* What came since `joined` for a match that is not there yet, or has no listeners yet. */
    #early: Message[] | null = null;
    #latest: Joined | null = null; // what the server said last of where this client is
    #latestBy = ""; // the id of the connection that it came by

    constructor(connection: Connection, url: URL) {
        super();
        this.#connection = connection;
        this.#url = url;
        connection.on("message", (message) => this.#route(message));
        connection.on("packet", (packet) => this.match?.packet(packet));
        connection.on("open", ({ again }) => {
            if (!again) return;
            if (this.match) void this.#resume(this.match); // listeners may leave it then
            this.emit("back", undefined);
        });
        connection.on("lost", ({ reason }) => {
            this.match?.lose(reason);
            this.emit("lost", { reason });
        });
        connection.on("closed", ({ code, reason }) => {
            this.#end(code === 4001 ? "kicked" : "lost", reason || "The connection was closed.");
            this.emit("closed", { code, reason });
        });
    }

    /** The server's id of this connection: whom its lines of chat are from. */
    get id(): string {
        return this.#connection.id;
    }

    get transport(): "websocket" | "polling" | "none" {
        return this.#connection.transport;
    }

    /** A seat in a match that waits for players, or else in a new one. */
    quickPlay<T = Tables>(game: string, netcode: NetcodeOptions = {}): Promise<Match<T>> {
        return this.#enter("quick_play", { game }, netcode);
    }

    async create<T = Tables>(
        game: string,
        options: CreateOptions = {},
        netcode: NetcodeOptions = {},
    ): Promise<Match<T>> {
        return this.#enter("create", { ...members(options, CREATE), game }, netcode);
    }

    async join<T = Tables>(
        match: string,
        options: { as?: "player" | "spectator"; name?: string; leave?: boolean } = {},
        netcode: NetcodeOptions = {},
    ): Promise<Match<T>> {
        return this.#enter("join", { ...members(options, JOIN), match }, netcode);
    }

    /** The public match of this game that most people are in, as a spectator; of games that one may
     * drop into also one of bots alone. join() with its id leads to a seat in it. `options`
     * are for a match that is new. */
    async watch<T = Tables>(
        game: string,
        options: Pick<CreateOptions, "options" | "leave"> = {},
        netcode: NetcodeOptions = {},
    ): Promise<Match<T>> {
        return this.#enter("watch", { ...members(options, WATCH), game }, netcode);
    }

    /** The own seat again, with what Match.saved said. */
    reconnect<T = Tables>(
        saved: { match: string; token: string },
        netcode: NetcodeOptions = {},
    ): Promise<Match<T>> {
        return this.#enter("reconnect", saved, netcode);
    }

    /** Who is there and what may be joined; with watch: true, `lobby` tells every change. */
    lobby(options: { watch?: boolean } = {}): Promise<any> {
        return this.ask("lobby", options);
    }

    async rename(name: string): Promise<{ name: string }> {
        const answer = await this.ask("name", { name });
        this.#connection.rename(answer.name);
        return answer;
    }

    /** To everybody who is connected. */
    chat(text: string): Promise<{ number: number; at: number }> {
        return this.ask("chat_message", text);
    }

    /** Any message of docs/games.md; resolves with its answer, rejects with a Refusal. */
    ask(type: string, content: any = {}): Promise<any> {
        return this.#connection.ask(type, content);
    }

    close(): void {
        this.#connection.close();
    }

    async #enter<T>(type: string, content: object, netcode: NetcodeOptions): Promise<Match<T>> {
        let joined: Joined;
        this.#entering++;
        try {
            joined = await this.ask(type, { ...content, leave: true });
        } catch (error) {
            this.#entering--;
            if ((error as Refusal).code === "lost") this.#netcode = netcode; // it may come late
            this.#catchUp();
            throw error;
        }
        this.#entering--;
        const before = this.match;
        this.match = null;
        if (before?.id === joined.match) before.end("moved", OTHER_PLACE);
        else before?.end("left", "You left.");
        return this.#sit<T>(joined, await learn(joined.game, this.#url), netcode);
    }

    #sit<T>(joined: Joined, known: KnownGame, netcode: NetcodeOptions): Match<T> {
        const roster = this.#roster?.match === joined.match ? this.#roster : null;
        const match = new Match<T>(this.#connection, joined, roster, known, netcode);
        match.on("closed", () => {
            if (this.match !== match) return;
            this.match = this.#latest = this.#roster = this.#early = null;
        });
        const before = this.match;
        this.match = match;
        this.#netcode = netcode;
        const isSame = before?.id === joined.match;
        before?.end("moved", isSame ? OTHER_PLACE : "Somebody waits in another match.");
        this.#sendLogs(match);
        this.#compareRules(match, joined.game);
        /* Lost and back while the rules were loaded? Lost and not back: `open` will come. */
        if (this.id !== this.#latestBy && this.transport !== "none") void this.#resume(match);
        setTimeout(() => this.match === match && this.#catchUp()); // when there are listeners
        return match;
    }

    /** The server keeps the log of a desync beside the replay (docs/replays.md): of the first in
     * each game, for the others follow from it. Whoever only watches has none. */
    #sendLogs(match: Match<any>): void {
        let isSent = false;
        match.netcode?.on("welcome", () => (isSent = false));
        match.on("desync", () => {
            if (isSent || !match.saved) return;
            isSent = true;
            const url = new URL(`replays/${match.id}/desync`, this.#url);
            const headers = { authorization: `Bearer ${match.saved.token}` };
            const sent = fetch(url, { method: "POST", headers, body: match.log(LOG_MAX) });
            sent.catch(() => {}); // a server that keeps no replays, or none that can be reached
        });
    }

    /** Told once in a match, however often its server says what rules it has. */
    #compareRules(match: Match<any>, game: string): void {
        let isTold = false;
        const tell = async () => {
            if (isTold) return;
            isTold = true;
            match.differ(await describedBy(this.#url, game));
        };
        match.netcode?.on("welcome", ({ canPredict }) => void (canPredict || tell()));
        match.netcode?.on("packet_refused", (code) => void (code === OTHER_PACKETS && tell()));
    }

    /** To where the server says that this client is; `early`: what came from there already. */
    async #move(joined: Joined, early: Message[]): Promise<void> {
        this.#early = early;
        const known = await learn(joined.game, this.#url);
        if (this.#latest !== joined) return this.#catchUp(); // not any more
        this.emit("moved", this.#sit(joined, known, this.#netcode));
    }

    #catchUp(): void {
        if (this.#entering) return; // what the answer brings comes first
        const early = this.#early ?? [];
        this.#early = null;
        /* Moved on while the rules were loaded, or before the caller had its listeners? Or in, when
         * nothing was expected any more? */
        if (this.#latest && !this.match?.isAt(this.#latest))
            return void this.#move(this.#latest, early);
        for (const message of early) this.#route(message);
    }

    #route(message: Message): void {
        const content = message.content as any;
        if (message.type === "lobby") return this.emit("lobby", content);
        if (message.type === "error") return this.emit("error", content);
        if (message.type === "joined") return this.#placed(content);
        if (message.type === "chat_message" && content.room === undefined)
            return this.emit("chat", content);
        if (message.type === "match") this.#roster = content;
        if (this.#early) this.#early.push(message);
        else if (this.match && this.#isForMatch(message)) this.match.hear(message);
    }

    /** What follows `joined` is of its match, and complete; of a match that one was in already some
     * may come before it. */
    #placed(joined: Joined): void {
        const isOther = this.#latest?.match !== joined.match;
        this.#latest = joined;
        this.#latestBy = this.id;
        if (this.#entering || this.#early) this.#early = (!isOther && this.#early) || [];
        else if (!this.match?.isAt(joined)) void this.#move(joined, []);
    }

    #isForMatch({ type, content }: Message): boolean {
        if (type === "chat_message") return this.match!.isOf((content as ChatLine).room);
        const match = (content as { match?: unknown } | undefined)?.match;
        return typeof match !== "string" || match === this.match!.id;
    }

    async #resume(match: Match<any>): Promise<void> {
        try {
            const joined: Joined = match.saved
                ? await this.ask("reconnect", match.saved)
                : await this.ask("join", { match: match.id, as: "spectator" });
            match.resume(joined);
        } catch (error) {
            if (error instanceof Refusal && error.code === "lost") return; // and again
            match.end((error as Refusal).code, (error as Refusal).message);
        }
    }

    #end(code: string, message: string): void {
        this.match?.end(code, message);
    }
}
