// The server's network lab for one's own session, below the net graph: hidden where there is none.
// What is asked for does not outlive the connection, so it is asked again after each.
import { element } from "../dom.mjs";
import { toast } from "../toast.mjs";

const ROUND_TRIPS = [0, 50, 100, 150, 250]; // ms, beside the real one
const LOSSES = [0, 2, 5]; // percent

export class Lab {
    #ask;
    #delay = choice("Added latency", ROUND_TRIPS, (ms) => (ms ? `+${ms} ms` : "no delay"));
    #loss = choice("Added loss", LOSSES, (percent) => (percent ? `${percent} % lost` : "no loss"));
    #box = element("div", { class: "lab", hidden: true }, this.#delay, this.#loss);

    /** `panel`: where the choices go. `ask`: of the connection. */
    constructor(panel, ask) {
        this.#ask = ask;
        panel.append(this.#box);
        this.#box.addEventListener("change", () => this.#set());
    }

    /** On each new connection. */
    async connected() {
        if (this.#settings) return this.#set();
        try {
            await this.#ask("lab", null);
            this.#box.hidden = false;
        } catch {
            this.#box.hidden = true; // not offered
        }
        return undefined;
    }

    get #settings() {
        const [delay, loss] = [Number(this.#delay.value), Number(this.#loss.value)];
        // Half of the round trip each way.
        return delay || loss ? { delay_ms: delay / 2, loss_percent: loss } : null;
    }

    async #set() {
        try {
            await this.#ask("lab", this.#settings);
        } catch (error) {
            toast(error.message);
        }
    }
}

function choice(label, values, write) {
    const options = values.map((value) => element("option", { value }, write(value)));
    return element("select", { "aria-label": label }, options);
}
