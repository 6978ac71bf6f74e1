// The choices on a ring, where each beats those before it. Looking at one lights up what it beats.
import { element } from "../../shared/dom.mjs";
import { beatsText, compare, kindGlyph, kindName } from "./kinds.mjs";

export class Ring {
    #root;
    #buttons = [];
    #kinds = 0;
    #focus = 0;
    #choose;

    constructor(root, choose) {
        this.#root = root;
        this.#choose = choose;
        root.addEventListener("keydown", (event) => this.#onKey(event));
        document.addEventListener("keydown", (event) => this.#onDigit(event));
    }

    #build(kinds) {
        this.#kinds = kinds;
        this.#root.dataset.kinds = kinds;
        this.#root.style.setProperty("--kinds", kinds);
        for (const button of this.#buttons) button.remove();
        this.#buttons = Array.from({ length: kinds }, (_, choice) => this.#makeButton(choice));
        this.#root.append(...this.#buttons);
        this.#focus = 0;
    }

    #makeButton(choice) {
        const look = () => this.#look(choice);
        const name = kindName(choice, this.#kinds);
        const button = element(
            "button",
            {
                type: "button",
                class: "kind",
                "data-choice": choice,
                tabindex: choice ? -1 : 0,
                "aria-label": `${choice + 1}: ${name}, ${beatsText(choice, this.#kinds)}`,
                click: () => this.#take(choice),
                pointerenter: look,
                pointerleave: () => this.#look(null),
                focus: () => this.#rove(choice),
                blur: () => this.#look(null),
            },
            kindGlyph(choice, this.#kinds),
            element("span", {}, name),
        );
        button.style.setProperty("--at", choice);
        return button;
    }

    #take(choice) {
        if (this.#root.dataset.open === "yes") this.#choose(choice);
    }

    #rove(choice) {
        this.#buttons[this.#focus].tabIndex = -1;
        this.#focus = choice;
        this.#buttons[choice].tabIndex = 0;
        if (this.#buttons[choice].matches(":focus-visible")) this.#look(choice);
    }

    #look(choice) {
        this.#buttons.forEach((button, other) => {
            const result = choice === null ? 0 : compare(choice, other, this.#kinds);
            button.classList.toggle("beaten", result === 1);
            button.classList.toggle("beating", result === -1);
        });
    }

    #onKey(event) {
        const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
        const step = steps[event.key];
        if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        this.#buttons[(this.#focus + step + this.#kinds) % this.#kinds].focus();
    }

    #onDigit(event) {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (!/^[1-9]$/.test(event.key) || event.target.matches("input, select")) return;
        const button = this.#buttons[event.key - 1];
        if (!button?.offsetParent) return;
        const isOpen = this.#root.dataset.open === "yes";
        if (!isOpen && !this.#root.contains(event.target)) return; // it is for another button
        button.focus();
        this.#take(event.key - 1);
    }

    focus() {
        this.#buttons[this.#focus]?.focus();
    }

    /** `isOpen`: one may choose; `choice`: what one has chosen, or null. */
    show({ kinds, isOpen, choice }) {
        if (kinds !== this.#kinds) this.#build(kinds);
        this.#root.dataset.open = isOpen ? "yes" : "no";
        this.#buttons.forEach((button, other) => {
            button.setAttribute("aria-disabled", String(!isOpen));
            button.setAttribute("aria-pressed", String(choice === other));
        });
    }
}
