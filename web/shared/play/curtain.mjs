// What is said over the picture. Written only where it differs, so that nothing flickers.
import { announce } from "../announce.mjs";
import { byId, element, setText } from "../dom.mjs";

const STEPS_KINDS = ["done", "now", ""];

export class Curtain {
    #curtain = byId("curtain");
    #title = byId("status");
    #detail = byId("detail");
    #steps = byId("steps");
    #actions = byId("actions");
    #told = null;

    constructor(steps) {
        this.#steps.append(...steps.map((name) => element("li", {}, name)));
    }

    /**
     * `kind`: black, veil (both over everything), banner, none. `title`, `detail`; `mood`: good,
     * bad; `number`: the title is one; `step`: how far one is on the way into the game; `tell`: for
     * screen readers, if not the title.
     */
    show({ kind, title, detail = "", mood = "", number = false, step = null, tell = title }) {
        if (this.#curtain.dataset.kind !== kind) this.#hang(kind);
        setText(this.#title, title);
        setText(this.#detail, detail);
        const looks = `status ${mood}${number ? " number" : ""}`.trim();
        if (this.#title.className !== looks) this.#title.className = looks;
        this.#showSteps(step);
        if (tell === this.#told || tell === "") return;
        this.#told = tell;
        announce(`${tell.replace(/[.!…]$/, "")}.`);
    }

    /** Where nothing is over the picture, what one may do is below it. */
    #hang(kind) {
        this.#curtain.dataset.kind = kind;
        const isBelow = kind === "none";
        if (isBelow !== this.#curtain.contains(this.#actions)) return;
        const focused = this.#actions.querySelector(":focus");
        if (isBelow) byId("below-actions").before(this.#actions);
        else byId("more-actions").before(this.#actions);
        focused?.focus({ preventScroll: true });
    }

    #showSteps(step) {
        const at = String(step ?? "");
        if (this.#steps.dataset.at === at) return;
        this.#steps.dataset.at = at;
        this.#steps.hidden = step === null;
        [...this.#steps.children].forEach((line, index) => {
            line.className = STEPS_KINDS[1 + Math.sign(index - (step ?? 0))];
            line.ariaCurrent = index === step ? "step" : null;
        });
    }
}
