// The connection to the server's namespace /games (docs/games.md): a WebSocket, or polling where
// that fails; again and again when it is lost.
import { io } from "socket.io-client";
import { UNREACHABLE, startBanner } from "./banner.mjs";
import { linkPages, origin } from "./server.mjs";

const LATE_MS = 10_000;
const DOUBT_MS = 3000; // after no answer: then the connection is dead, though nothing says so
const LATE = { code: "lost", message: "The server has not answered in time." };

/** What the server refused. `code` is one of docs/games.md. */
export class Refusal extends Error {
    constructor({ code, message }) {
        super(message);
        this.code = code;
    }
}

export class Connection {
    #socket;
    #pending = []; // {event, resolve, reject}: a refusal names the event, and answers come in order
    #say = startBanner();

    constructor(name) {
        this.#socket = io(`${origin}/games`, {
            auth: (give) => give({ name: name() }),
            transports: ["websocket", "polling"],
            tryAllTransports: true,
            reconnectionDelay: 300,
            reconnectionDelayMax: 3000,
        });
        linkPages();
        this.#socket.on("error", (error) => this.#refused(error));
        this.#socket.on("matchmaking", (_step, acknowledge) => {
            /* Without an acknowledgement the last argument may be an offset, for recovery. */
            if (typeof acknowledge === "function") acknowledge();
        });
        this.#socket.on("connect", () => this.#say(""));
        this.#socket.on("connect_error", () =>
            this.#say("No connection to the server. Trying again …"),
        );
        this.#socket.on("disconnect", (reason) => this.#lost(reason));
    }

    /** The server's id of this connection: whom its chat lines are from. */
    get id() {
        return this.#socket.id;
    }

    on(event, handler) {
        this.#socket.on(event, handler);
    }

    /** Sends; resolves with the answer, rejects with a Refusal. */
    ask(event, content = {}) {
        if (!this.#socket.connected) return Promise.reject(new Refusal(UNREACHABLE));
        return new Promise((resolve, reject) => {
            const entry = { event, resolve, reject };
            entry.late = setTimeout(() => {
                this.#forget(entry);
                reject(new Refusal(LATE));
                this.#doubt();
            }, LATE_MS);
            this.#pending.push(entry);
            this.#socket.emit(event, content, (answer) => {
                this.#forget(entry);
                resolve(answer);
            });
        });
    }

    #doubt() {
        this.#socket.timeout(DOUBT_MS).emit("clock", {}, (error) => {
            if (error) this.#socket.disconnect().connect();
        });
    }

    #forget(entry) {
        clearTimeout(entry.late);
        this.#pending = this.#pending.filter((other) => other !== entry);
    }

    #refused(error) {
        const entry = this.#pending.find(({ event }) => event === error.event);
        if (!entry) return;
        this.#forget(entry);
        entry.reject(new Refusal(error));
    }

    #lost(reason) {
        this.#say("Connection lost. Coming back …");
        const lost = this.#pending;
        this.#pending = [];
        for (const { late, reject } of lost) {
            clearTimeout(late);
            reject(new Refusal({ code: "lost", message: "Connection lost." }));
        }
        if (reason === "io server disconnect") this.#socket.connect();
    }
}
