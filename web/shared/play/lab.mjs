// The server's network lab for one's own session, below the net graph: hidden where there is none.
// What is asked for does not outlive the connection, so it is asked again after each.
import { element, setText } from "../dom.mjs";
import { toast } from "../toast.mjs";

const ROUND_TRIPS = [0, 50, 100, 150, 250]; // ms, beside the real one
const JITTERS = [0, 10, 30, 60]; // ms, up to which a segment is later
const LOSSES = [0, 2, 5]; // percent
const LOST = "TCP sends again what is lost: that shows as age and jitter, not as loss.";

export class Lab {
    #ask;
    #delay = choice("Added latency", ROUND_TRIPS, (ms) => (ms ? `+${ms} ms` : "no delay"));
    #jitter = choice("Added jitter", JITTERS, (ms) => (ms ? `${ms} ms jitter` : "no jitter"));
    #loss = choice("Added loss", LOSSES, (percent) => (percent ? `${percent} % lost` : "no loss"));
    #note = element("p", { role: "status" });
    #box = element(
        "div",
        { class: "lab", hidden: true },
        ...[this.#delay, this.#jitter, this.#loss, this.#note],
    );

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
        const [delay, jitter, loss] = [this.#delay, this.#jitter, this.#loss].map(({ value }) =>
            Number(value),
        );
        if (!delay && !jitter && !loss) return null;
        // Half of the round trip each way.
        return { delay_ms: delay / 2, jitter_ms: jitter, loss_percent: loss };
    }

    async #set() {
        const settings = this.#settings;
        setText(this.#note, settings?.loss_percent ? LOST : "");
        try {
            await this.#ask("lab", settings);
        } catch (error) {
            toast(error.message);
        }
    }
}

function choice(label, values, write) {
    const options = values.map((value) => element("option", { value }, write(value)));
    return element("select", { "aria-label": label }, options);
}
