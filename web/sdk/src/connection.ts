import { Emitter } from "./emitter.js";
import { openPolling } from "./polling.js";
import { Refusal } from "./refusal.js";
import type { Message, Transport, TransportEvents } from "./transport.js";
import { openWebSocket } from "./websocket.js";

const OPEN_MS = 5000; // until `welcome`
const ANSWER_MS = 10_000;
const DOUBT_MS = 3000; // after no answer
const BACKOFF_MS = 300;
const BACKOFF_MAX_MS = 5000;
const POLLING_EVERY = 5; // of the attempts, where a WebSocket has opened before
const PROBE_MS = 10_000; // while polling, where a WebSocket has opened before
/* Close codes after which coming back is no use: who one is was refused; kicked. */
const FINAL = [1008, 4001];

export interface ConnectOptions {
    /** The server, of which only the origin counts; the page's own by default. */
    url?: string | URL;
    name?: string;
    /** Proves who one is, where the server asks for it. */
    token?: string;
    /** auto: WebSocket, and polling where that does not open. */
    transport?: "auto" | "websocket" | "polling";
    /** For where there is none globally, as Node 20. */
    WebSocket?: typeof WebSocket;
}

interface ConnectionEvents {
    /** Connected, again after `lost`. */
    open: { again: boolean };
    lost: { reason: string };
    /** For good. */
    closed: { code: number; reason: string };
    message: Message;
    packet: Uint8Array;
}

/** The way to the server's namespace /games: opens, falls back, comes back, asks. */
export class Connection extends Emitter<ConnectionEvents> {
    id = ""; // the server's for this connection
    #options: ConnectOptions;
    #server: URL;
    #transport: Transport | null = null;
    #isOpen = false;
    #wasOpen = false;
    #isClosed = false;
    #first: "websocket" | "polling"; // what is tried first
    #hadWebSocket = false;
    #attempts = 0; // since it was open
    #timer: ReturnType<typeof setTimeout> | undefined;
    #asked = new Map<number, { resolve(value: any): void; reject(error: Refusal): void }>();
    #lastId = 0;
    #heard = 0; // messages and packets
    #later: { type: string; content: unknown }[] = []; // once it is open

    constructor(options: ConnectOptions, server: URL) {
        super();
        this.#options = { ...options };
        this.#server = server;
        this.#first = options.transport === "polling" ? "polling" : "websocket";
    }

    get transport(): "websocket" | "polling" | "none" {
        return this.#isOpen ? this.#transport!.kind : "none";
    }

    get buffered(): number {
        return this.#transport?.buffered ?? 0;
    }

    open(): void {
        let transport: Transport | null = null;
        const events: TransportEvents = {
            message: (message) => this.#hear(message),
            packet: (packet) => {
                this.#heard++;
                this.emit("packet", packet);
            },
            closed: (code, reason) => this.#lost(transport, code, reason),
        };
        this.#timer = setTimeout(() => this.#transport?.close(), OPEN_MS);
        transport =
            this.#kind() === "polling"
                ? openPolling(this.#url(), events)
                : openWebSocket(this.#url(), events, this.#Socket!);
        this.#transport = transport;
    }

    get #Socket(): typeof WebSocket | undefined {
        return this.#options.WebSocket ?? globalThis.WebSocket;
    }

    #url(): URL {
        const url = new URL(this.#server);
        url.searchParams.set("namespace", "/games");
        if (this.#options.name) url.searchParams.set("name", this.#options.name);
        if (this.#options.token) url.searchParams.set("token", this.#options.token);
        return url;
    }

    /** Both take turns. But a server that is away lets neither through: a WebSocket that has opened
     * once is what is tried again, and polling now and then, for networks change. */
    #kind(): "websocket" | "polling" {
        const { transport = "auto" } = this.#options;
        if (!this.#Socket) return "polling";
        if (transport !== "auto") return transport;
        if (this.#hadWebSocket)
            return this.#attempts % POLLING_EVERY === POLLING_EVERY - 1 ? "polling" : "websocket";
        const isFirst = this.#attempts % 2 === 0;
        return isFirst === (this.#first === "websocket") ? "websocket" : "polling";
    }

    /** While polling, though WebSockets came through before: back as soon as one does again. */
    #probeLater(): void {
        const polling = this.#transport;
        this.#timer = setTimeout(() => {
            const events: TransportEvents = {
                message: ({ type }) => {
                    if (type !== "welcome") return;
                    probe.close();
                    if (this.#transport === polling) this.restart();
                },
                packet: () => {},
                closed: () => {
                    if (this.#transport === polling && this.#isOpen) this.#probeLater();
                },
            };
            const probe = openWebSocket(this.#url(), events, this.#Socket!);
        }, PROBE_MS);
    }

    /** Sends and resolves with the answer; rejects with a Refusal. */
    ask(type: string, content: unknown = {}): Promise<any> {
        if (!this.#isOpen) return Promise.reject(new Refusal("lost", "There is no connection."));
        const id = ++this.#lastId;
        return new Promise((resolve, reject) => {
            const late = () => {
                this.#answer(id, new Refusal("lost", "The server has not answered in time."));
                this.#doubt();
            };
            const timer = setTimeout(late, ANSWER_MS);
            const settle = (end: (value: any) => void) => (value: unknown) => {
                clearTimeout(timer);
                end(value);
            };
            this.#asked.set(id, { resolve: settle(resolve), reject: settle(reject) });
            this.#transport!.send({ type, content, id });
        });
    }

    /** Asks once there is a connection, until it is answered, no matter how. */
    askLater(type: string, content: unknown): void {
        if (!this.#isOpen) return void this.#later.push({ type, content });
        this.ask(type, content).catch(({ code }) => {
            if (code === "lost" && !this.#isClosed) this.askLater(type, content);
        });
    }

    /** For the connections after this one. */
    rename(name: string): void {
        this.#options.name = name;
    }

    sendPacket(packet: Uint8Array): void {
        if (this.#isOpen) this.#transport!.sendPacket(packet);
    }

    /** Dead, though nothing says so? The answer to anything proves that it is not. */
    #doubt(): void {
        const [transport, heard] = [this.#transport, this.#heard];
        if (this.#isOpen) transport!.send({ type: "clock", content: {}, id: ++this.#lastId });
        setTimeout(() => {
            if (this.#transport === transport && this.#heard === heard) this.restart();
        }, DOUBT_MS);
    }

    /** Gives this connection up and makes another: nothing was heard for too long. */
    restart(): void {
        if (this.#isOpen) this.#transport!.close();
    }

    close(code = 1000, reason = ""): void {
        if (this.#isClosed) return;
        this.#isClosed = true;
        this.#isOpen = false;
        clearTimeout(this.#timer);
        this.#transport?.close();
        this.#transport = null;
        this.#forget();
        this.emit("closed", { code, reason });
    }

    #hear(message: Message): void {
        const { type, content, id } = message;
        this.#heard++;
        if (type === "welcome") {
            clearTimeout(this.#timer);
            this.id = (content as { id: string }).id;
            this.#isOpen = true;
            this.#attempts = 0;
            if (this.#transport!.kind === "websocket") this.#hadWebSocket = true;
            else if (this.#hadWebSocket) this.#probeLater();
            else this.#first = "polling";
            const later = this.#later;
            this.#later = [];
            for (const { type, content } of later) this.askLater(type, content);
            this.emit("open", { again: this.#wasOpen });
            this.#wasOpen = true;
        } else if (type === "ack" && id !== undefined) this.#answer(id, content);
        else if (type === "error" && id !== undefined) {
            const { code, message } = content as { code: string; message: string };
            this.#answer(id, new Refusal(code, message));
        } else {
            /* A sign of life, by which the server measures, too. */
            if (type === "matchmaking" && id !== undefined)
                this.#transport!.send({ type: "ack", content: {}, id });
            this.emit("message", message);
        }
    }

    #answer(id: number, value: unknown): void {
        const asked = this.#asked.get(id);
        this.#asked.delete(id);
        if (value instanceof Refusal) asked?.reject(value);
        else asked?.resolve(value);
    }

    #forget(): void {
        for (const id of [...this.#asked.keys()])
            this.#answer(id, new Refusal("lost", "The connection was lost."));
    }

    #lost(transport: Transport | null, code: number, reason: string): void {
        if (this.#isClosed || transport !== this.#transport) return;
        clearTimeout(this.#timer);
        const wasOpen = this.#isOpen;
        this.#isOpen = false;
        this.#transport = null;
        this.#forget();
        if (FINAL.includes(code)) return this.close(code, reason);
        if (wasOpen) this.emit("lost", { reason });
        if (this.#isClosed) return; // by who heard that
        if (!this.#wasOpen && this.#attempts >= 1) return this.close(code, reason);
        const pause = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.#attempts);
        if (!wasOpen) this.#attempts++;
        const wait = this.#wasOpen ? pause * (0.5 + Math.random()) : 0;
        this.#timer = setTimeout(() => this.open(), wait);
    }
}
