// The chat panel: a log that screen readers follow, and a line to write. `send(text)` resolves when
// the server has taken it, and rejects with what it found wrong.
import { byId, element } from "./dom.mjs";
import { remember, remembered } from "./remembered.mjs";
import { origin } from "./server.mjs";

const KEEP = 200; // lines
const MAX = 500;
const OWN = `own lines ${origin}`;
const OWN_KEEP = 20; // ids of connections

/** Whether a line is by who has the connection `id`, or had another before a reload. */
export function isOwnLine({ from }, id) {
    const ids = remembered(OWN, [], "sessionStorage");
    if (id && !ids.includes(id)) remember(OWN, [id, ...ids].slice(0, OWN_KEEP), "sessionStorage");
    return from.id === id || ids.includes(from.id);
}

export class Chat {
    #log = byId("chat-log");
    #field = byId("chat-field");
    #seen = new Set(); // history comes again after a reconnection

    constructor({ send }) {
        this.#field.maxLength = MAX;
        byId("chat-form").addEventListener("submit", async (event) => {
            event.preventDefault();
            const text = this.#field.value.trim();
            if (!text) return;
            this.#field.value = "";
            try {
                await send(text);
            } catch (error) {
                this.#field.value ||= text;
                this.note(error.message, true);
            }
        });
    }

    /** Another room. */
    clear() {
        this.#seen.clear();
        this.#log.replaceChildren();
    }

    /** False: that line is there already. */
    add({ number, from, text, at }, isOwn) {
        const line = `${number} ${at}`; // numbers begin anew with the room, or the server
        if (this.#seen.has(line)) return false;
        this.#seen.add(line);
        const time = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
        const name = element("b", {}, from.name, element("span", { class: "sr" }, ":"));
        const attributes = { class: isOwn ? "own" : null, title: time };
        this.#append(element("li", attributes, name, " ", text), isOwn);
        return true;
    }

    /** `isAnswer`: to what was just written. */
    note(text, isAnswer = false) {
        this.#append(element("li", { class: "note" }, text), isAnswer);
    }

    /** Who reads what was said before goes on reading, unless it is about the own line. */
    #append(line, isOwn) {
        const log = this.#log;
        const isAtEnd = isOwn || log.scrollHeight - log.scrollTop - log.clientHeight < 40;
        log.append(line);
        while (log.children.length > KEEP) log.firstElementChild.remove();
        if (isAtEnd) log.scrollTop = log.scrollHeight;
    }
}
