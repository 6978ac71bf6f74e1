// The SDK's client in the words of connection.mjs, so that the table, its people and its chat are
// the same for games that are played by packets. The SDK comes back by itself, into the seat.
import { connect, Refusal } from "@fray/client";
import { UNREACHABLE, startBanner } from "../banner.mjs";
import { linkPages, origin } from "../server.mjs";

const AGAIN_MS = 3000;
/* Which calls of the client lead into a match, and how they are told what docs/games.md says. */
const WAYS = {
    quick_play: (client, { game }, netcode) => client.quickPlay(game, netcode),
    create: (client, { game, ...options }, netcode) => client.create(game, options, netcode),
    join: (client, { match, ...options }, netcode) => client.join(match, options, netcode),
    reconnect: (client, saved, netcode) => client.reconnect(saved, netcode),
};

const SILENT = ["left", "kicked", "moved"]; // ends of a match that the page learns otherwise

export class GamesConnection extends EventTarget {
    current = null; // the SDK's match, while in one
    #client = null;
    #name;
    #netcode;
    #say = startBanner();

    /** `name()`: of the player. `netcode`: options of the SDK for all matches. */
    constructor(name, netcode) {
        super();
        this.#name = name;
        this.#netcode = netcode;
        linkPages();
        this.#open();
    }

    /** Whom one's chat lines are from. */
    get id() {
        return this.#client?.id;
    }

    on(event, handler) {
        this.addEventListener(event, ({ detail }) => handler(detail));
    }

    /** Sends; resolves with the answer, rejects with the SDK's Refusal. */
    async ask(event, content = {}) {
        if (event === "leave") return this.#leave(); // also without a connection
        if (!this.#client || this.#client.transport === "none")
            throw new Refusal(UNREACHABLE.code, UNREACHABLE.message);
        if (event in WAYS) return this.#enter(WAYS[event], content);
        if (event === "name") return this.#client.rename(content.name);
        return this.#client.ask(event, content);
    }

    async #open() {
        try {
            this.#client = await connect({ url: origin, name: this.#name() });
        } catch {
            this.#say("No connection to the server. Trying again …");
            this.#tell("connect_error");
            setTimeout(() => this.#open(), AGAIN_MS);
            return;
        }
        this.#say("");
        this.#client.on("lobby", (lobby) => this.#tell("lobby", lobby));
        this.#client.on("moved", (match) => this.#follow(match)); // to who waits in another
        this.#client.on("lost", () => this.#say("Connection lost. Coming back …"));
        this.#client.on("back", () => {
            this.#say("");
            this.#tell("back");
        });
        this.#client.on("closed", ({ reason }) =>
            this.#say(reason || "The connection was closed."),
        );
        this.#tell("connect");
    }

    async #enter(way, content) {
        return this.#follow(await way(this.#client, content, this.#netcode));
    }

    #follow(match) {
        this.current = match;
        match.on("roster", (roster) => this.#tell("match", roster));
        match.on("message", ({ type, content }) => this.#tell(type, content));
        match.on("chat", (line) => this.#tell("chat_message", line));
        match.on("kicked", (kicked) => this.#tell("kicked", kicked));
        match.on("closed", ({ code, message }) => {
            if (this.current === match) this.current = null;
            if (!SILENT.includes(code)) this.#tell("match_closed", { match: match.id, message });
        });
        const joined = {
            match: match.id,
            role: match.seat === null ? "spectator" : "player",
            seat: match.seat,
            id: match.playerId,
            token: match.saved?.token ?? null,
            room: `match:${match.id}`,
        };
        this.#tell("joined", joined);
        if (match.roster) this.#tell("match", match.roster);
        return joined;
    }

    /** Whatever comes of it: out of the match at once. */
    #leave() {
        const left = this.current;
        this.current = null;
        return left?.leave();
    }

    #tell(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }
}
