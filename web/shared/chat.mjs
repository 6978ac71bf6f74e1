// The chat panel: a log that screen readers follow, and a line to write. `send(text)` resolves when
// the server has taken it, and rejects with what it found wrong.
import { byId, element } from "./dom.mjs";

const KEEP = 200; // lines
const MAX = 500;

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
                this.note(error.message);
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
        this.#append(element("li", { class: isOwn ? "own" : null, title: time }, name, " ", text));
        return true;
    }

    note(text) {
        this.#append(element("li", { class: "note" }, text));
    }

    #append(line) {
        const log = this.#log;
        const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
        log.append(line);
        while (log.children.length > KEEP) log.firstElementChild.remove();
        if (isAtEnd) log.scrollTop = log.scrollHeight;
    }
}
