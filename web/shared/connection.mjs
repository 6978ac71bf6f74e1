// The connection to the server's namespace /games (docs/games.md): a WebSocket, or polling
// where that fails; again and again when it is lost. `?server=https://…` names another server
// than the page's.
import { io } from "socket.io-client";
import { element } from "./dom.mjs";

export const parameters = new URLSearchParams(location.search);
const server = parameters.get("server");
export const origin = server ? new URL(server, location.href).origin : location.origin;

/** A link to a page of ours that goes on with the same server. */
export function pageLink(path, more = {}) {
    const link = new URL(path, location.href);
    for (const [name, value] of Object.entries(more)) link.searchParams.set(name, value);
    if (server) link.searchParams.set("server", server);
    return link.href;
}

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
    #banner = element("p", { class: "connection", role: "status", hidden: true });

    constructor(name) {
        this.#socket = io(`${origin}/games`, {
            auth: (give) => give({ name: name() }),
            transports: ["websocket", "polling"],
            tryAllTransports: true,
            reconnectionDelay: 300,
            reconnectionDelayMax: 3000,
        });
        document.body.append(this.#banner);
        for (const link of document.querySelectorAll(".top nav a")) {
            if (link.href === location.origin + location.pathname) link.ariaCurrent = "page";
            link.href = pageLink(link.href);
        }
        this.#socket.on("error", (error) => this.#refused(error));
        this.#socket.on("matchmaking", (_step, acknowledge) => acknowledge?.());
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
        return new Promise((resolve, reject) => {
            const entry = { event, resolve, reject };
            this.#pending.push(entry);
            this.#socket.emit(event, content, (answer) => {
                this.#forget(entry);
                resolve(answer);
            });
        });
    }

    #forget(entry) {
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
        for (const { reject } of lost)
            reject(new Refusal({ code: "lost", message: "Connection lost." }));
        if (reason === "io server disconnect") this.#socket.connect();
    }

    #say(text) {
        this.#banner.textContent = text;
        this.#banner.hidden = !text;
    }
}
