// Where the page is: watching the busiest arena, or in a seat of it. Comes back after whatever may
// happen to the match and the connection.
import { connect } from "@fray/client";
import { origin } from "../shared/server.mjs";

const AGAIN_MS = 2000;
/* Where nobody plays: all of it fits into the picture, and one appears anywhere. */
const SHOW = { width: 480, height: 288, spawn: 0, obstacles: 9, respawn_ticks: 60 };

export class Seat extends EventTarget {
    match = null; // the SDK's
    client = null;
    #wish = null; // the name to play under, or null: to watch
    #way = Promise.resolve(); // one way in at a time

    /** `phase`: watching, playing, unreached, lost, full; `roster`, `event`: of the match. */
    on(type, handler) {
        this.addEventListener(type, ({ detail }) => handler(detail));
    }

    #tell(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }

    async open() {
        try {
            this.client = await connect({ url: origin });
        } catch {
            this.#tell("phase", "unreached");
            setTimeout(() => this.open(), AGAIN_MS);
            return;
        }
        this.client.on("lost", () => this.#tell("phase", "lost"));
        this.client.on("back", () => {
            if (this.match) this.#told();
            this.#go();
        });
        this.client.on("closed", () => this.#tell("phase", "lost"));
        this.#go();
    }

    get wantsSeat() {
        return this.#wish !== null;
    }

    play(name) {
        this.#wish = name;
        this.#go();
    }

    /** Resolves with the server's answer; at once while there is no connection. */
    async rename(name) {
        const answer = await this.client?.rename(name);
        if (this.wantsSeat) this.#wish = name;
        return answer;
    }

    watch() {
        this.#wish = null;
        this.#go();
    }

    /** To where one wants to be, after what is under way. */
    #go() {
        this.#way = this.#way.then(() => this.#arrive()).catch((error) => this.#fail(error));
    }

    async #arrive() {
        if (!this.client || this.client.transport === "none") return;
        const isThere = this.match && !this.match.isOver;
        if (isThere && (this.match.seat !== null) === this.wantsSeat) return;
        if (!isThere) this.#enter(await this.client.watch("arena", { options: SHOW }));
        if (this.wantsSeat) {
            const name = this.#wish ? { name: this.#wish } : {};
            this.#enter(await this.client.join(this.match.id, name));
        } else if (this.match.seat !== null)
            this.#enter(await this.client.join(this.match.id, { as: "spectator" }));
        this.#told();
    }

    #enter(match) {
        this.match = match;
        match.on("roster", (roster) => this.#tell("roster", roster));
        match.on("event", (event) => this.#tell("event", event));
        match.on("closed", ({ code }) => {
            if (this.match !== match || code === "left" || code === "moved") return;
            this.match = null;
            if (code === "kicked") this.#wish = null;
            setTimeout(() => this.#go(), code === "kicked" ? AGAIN_MS : 0);
        });
        if (match.roster) this.#tell("roster", match.roster);
    }

    #told() {
        this.#tell("phase", this.match.seat === null ? "watching" : "playing");
    }

    /** Another match may have a place; what it was may have ended meanwhile. */
    #fail({ code }) {
        if (code === "lost") return; // the client comes back by itself
        if (code === "kicked") this.#wish = null;
        if (code === "match_full" && this.wantsSeat) {
            this.#wish = null;
            this.#tell("phase", "full");
            return;
        }
        if (this.match?.isOver) this.match = null;
        setTimeout(() => this.#go(), AGAIN_MS);
    }
}
