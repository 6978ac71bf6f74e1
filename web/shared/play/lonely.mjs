// Somebody who waits alone: for how long, with how many online, and when the server brings a bot.
import { secondsToBot } from "../bot_clock.mjs";
import { byId, element } from "../dom.mjs";

export class Lonely {
    online = null; // players on the server, null: not known
    #step = null; // the newest `matchmaking` of docs/games.md and when it came, `at`; null: none
    #since = null;
    #button;

    /** `bring()`: asks the server for a bot at once. */
    constructor(bring) {
        const attributes = { type: "button", id: "bot-now", click: bring };
        this.#button = element("button", attributes, "Play a bot now");
    }

    /** Another match. */
    begin() {
        this.#since = performance.now();
        this.#step = null;
    }

    /** How far the server is with finding somebody, in quick play. */
    hear(step) {
        this.#step = { ...step, at: performance.now() };
        if (step.phase === "listening") this.#since = performance.now() - step.elapsed_ms;
    }

    /** Once a frame: {elapsed, online, botIn, step}. `isAlone`: may invite bots; null: maybe. */
    update(isAlone, now) {
        const step = this.#step;
        if (!isAlone || this.#since === null) {
            this.#button.remove();
            return { elapsed: "", online: this.online, botIn: null, step };
        }
        const box = byId("more-actions");
        if (!box.contains(this.#button)) box.append(this.#button);
        const seconds = Math.floor((now - this.#since) / 1000);
        return {
            elapsed: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`,
            online: this.online,
            botIn: secondsToBot(step, now),
            step,
        };
    }
}
