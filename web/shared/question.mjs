// Asks before what cannot be taken back, in the place of the button that was pressed.
import { element } from "./dom.mjs";

export class Question {
    box;
    #button;
    #no;

    /** `words`; `yes`, `no`: the answers for screen readers. `act()` when it is yes. */
    constructor(button, { words, yes, no }, act) {
        this.#button = button;
        const confirm = () => {
            this.close();
            this.#button.focus(); // from where the page goes on
            act();
        };
        this.#no = answer("No", no, () => this.#turnDown());
        this.box = element(
            "div",
            {
                class: "ask",
                role: "group",
                "aria-label": words,
                hidden: true,
                keydown: ({ key }) => key === "Escape" && this.#turnDown(),
            },
            element("span", {}, words),
            answer("Yes", yes, confirm),
            this.#no,
        );
    }

    ask() {
        this.#show(true);
        this.#no.focus();
    }

    close() {
        this.#show(false);
    }

    #turnDown() {
        this.close();
        this.#button.focus();
    }

    #show(isAsked) {
        this.box.hidden = !isAsked;
        this.#button.hidden = isAsked;
    }
}

function answer(text, label, click) {
    return element("button", { type: "button", class: "plain", "aria-label": label, click }, text);
}
