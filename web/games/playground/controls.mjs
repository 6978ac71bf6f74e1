// Keys, buttons and the pointer for the fields of any input:
//
//     signed, such as dx and dy, or walk   arrows and W A S D, thumbs' buttons, a gamepad's stick
//     of 0 and 1, such as fire             keys and buttons that bear the field's name
//     aim_x and aim_y                      the pointer's place on the map
//     anything else                        a field beside the buttons; impulses with a button
import { element } from "../../shared/dom.mjs";
import { readGamepad } from "../../shared/gamepad.mjs";
import { HeldKeys, isTyping } from "../../shared/held_keys.mjs";

const DIRECTION_MAX = 127; // a signed pair that goes further is a place
const KEYS = ["Space", "KeyJ", "KeyK", "KeyL", "KeyU", "KeyI", "KeyO", "KeyH", "KeyG"];
const WAYS = {
    up: ["▲", "ArrowUp"],
    left: ["◀", "ArrowLeft"],
    down: ["▼", "ArrowDown"],
    right: ["▶", "ArrowRight"],
};
const words = (name) => name.replaceAll("_", " ");
const keyName = (code) => code.replace("Key", "");

/** Which field is what: {x, y, pointers: [{x, y}], buttons, others}; x and y are directions. */
export function sortFields(game) {
    const taken = game.actions.find(({ name }) => name === "rematch")?.sets; // the table's
    const fields = game.input.fields.filter(
        (field) =>
            !field.hidden &&
            !field.count &&
            field.name !== taken &&
            (field.max ?? 0) > (field.min ?? 0),
    );
    const sorted = { x: null, y: null, pointers: [], buttons: [], others: [] };
    const unit = ({ max, fraction }) => max / 2 ** (fraction ?? 0);
    const left = new Set(fields);
    for (const x of fields.filter(({ name }) => name.endsWith("x"))) {
        const y = fields.find(({ name }) => name === `${x.name.slice(0, -1)}y`);
        if (!y) continue;
        const isDirection = x.min < 0 && unit(x) <= DIRECTION_MAX;
        if (isDirection && sorted.x) continue;
        if (isDirection) Object.assign(sorted, { x, y });
        else sorted.pointers.push({ x, y });
        left.delete(x);
        left.delete(y);
    }
    for (const field of left) {
        const isHeld = !field.once && !field.labels;
        const isSigned = (field.min ?? 0) < 0 && isHeld && unit(field) <= DIRECTION_MAX;
        if (isSigned && !sorted.x) sorted.x = field;
        else if (isSigned && !sorted.y) sorted.y = field;
        else if (field.max === 1 && !field.min && !field.labels) sorted.buttons.push(field);
        else sorted.others.push(field);
    }
    return sorted;
}

export class Controls {
    #sorted;
    #keys = new HeldKeys();
    #codes = new Map(); // of keys → field
    #held = new Set(); // names of fields whose key or button is down
    #pressed = new Set(); // names of impulses that are to be given yet
    #chosen = {}; // of the fields beside the buttons
    #given = {}; // of those that are impulses, once
    #pointer = null;
    #toMap;

    /** `pad` and `legend` are filled; `toMap(event)` → the place on the map that it is over. */
    constructor(game, { canvas, pad, legend, toMap }) {
        this.#sorted = sortFields(game);
        this.#toMap = toMap;
        this.#sorted.buttons.slice(0, KEYS.length).forEach((field, at) => {
            this.#codes.set(KEYS[at], field);
        });
        this.#fillPad(pad);
        legend.append(element("span", { class: "by-keys" }, this.#legend()));
        addEventListener("keydown", (event) => this.#key(event, true));
        addEventListener("keyup", (event) => this.#key(event, false));
        canvas.addEventListener("contextmenu", (event) => event.preventDefault());
        for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel"])
            canvas.addEventListener(type, (event) => this.#point(event));
    }

    /** The input of who does nothing. */
    get idle() {
        const { x, y, buttons } = this.#sorted;
        const fields = [x, y, ...buttons].filter(Boolean);
        return Object.fromEntries(fields.map(({ name }) => [name, 0]));
    }

    release() {
        this.#keys.release();
        for (const name of this.#held) this.#hold({ name }, false);
    }

    /** All that is held now; impulses once. */
    values() {
        const { x, y, pointers, buttons } = this.#sorted;
        const values = { ...this.#chosen, ...this.#given, ...this.#direction(x, y) };
        this.#given = {};
        for (const { name, once } of buttons) {
            if (!once) values[name] = this.#held.has(name) ? 1 : 0;
            else if (this.#pressed.delete(name)) values[name] = 1;
        }
        for (const pair of this.#pointer ? pointers : []) {
            values[pair.x.name] = this.#pointer.x;
            values[pair.y.name] = this.#pointer.y;
        }
        return values;
    }

    #direction(x, y) {
        let { dx, dy } = this.#keys.take();
        const stick = dx || dy ? null : readGamepad();
        if (stick) ({ dx, dy } = stick);
        const length = x && y ? Math.max(1, Math.hypot(dx, dy)) : 1;
        const scaled = (field, part) => {
            const full = field.max / 2 ** (field.fraction ?? 0);
            return full > 1 ? (part / length) * full : Math.round(part) * full;
        };
        return {
            ...(x && { [x.name]: scaled(x, dx) }),
            ...(y && { [y.name]: scaled(y, dy) }),
        };
    }

    #hold(field, down) {
        const button = document.querySelector(`[data-field="${field.name}"]`);
        button?.classList.toggle("held", down);
        if (!down) this.#held.delete(field.name);
        else if (!this.#held.has(field.name)) {
            this.#held.add(field.name);
            this.#pressed.add(field.name);
        }
    }

    #key(event, down) {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (down && isTyping(event.target)) return;
        const field = this.#codes.get(event.code);
        const isButton = event.code === "Space" && event.target instanceof HTMLButtonElement;
        if (isButton || !(field || this.#keys.press(event.code, down))) return;
        if (down && document.body.dataset.view !== "table") return;
        event.preventDefault();
        if (field && !event.repeat) this.#hold(field, down);
    }

    #point(event) {
        const { pointers, buttons } = this.#sorted;
        if (!pointers.length) return;
        this.#pointer = this.#toMap(event);
        if (buttons.length && event.type === "pointerdown" && event.button === 0) {
            event.target.setPointerCapture(event.pointerId);
            this.#hold(buttons[0], true);
        } else if (buttons.length && event.type !== "pointermove") {
            this.#hold(buttons[0], false);
        }
    }

    #fillPad(pad) {
        const { x, y, buttons, others } = this.#sorted;
        const ways = [...(y ? ["up"] : []), ...(x ? ["left"] : [])];
        ways.push(...(y ? ["down"] : []), ...(x ? ["right"] : []));
        pad.classList.toggle("touch", navigator.maxTouchPoints > 0);
        if (ways.length)
            pad.append(
                element(
                    "div",
                    { class: "arrows" },
                    ways.map((way) => this.#arrow(way)),
                ),
            );
        pad.append(...buttons.map((field) => this.#button(field)));
        pad.append(...others.map((field) => this.#other(field)));
    }

    #arrow(way) {
        const [sign, code] = WAYS[way];
        const press = (down) => this.#keys.press(code, down);
        return hold(
            element("button", { type: "button", "data-way": way, "aria-label": way }, sign),
            press,
        );
    }

    #button(field) {
        const code = [...this.#codes].find(([, other]) => other === field)?.[0];
        const made = element(
            "button",
            { type: "button", "data-field": field.name },
            words(field.name),
            code && element("small", {}, keyName(code)),
        );
        return hold(made, (down) => this.#hold(field, down));
    }

    /** What is held is so once chosen; an impulse is given by its button, as often as that. */
    #other(field) {
        const { name, once } = field;
        const entry = entryOf(field);
        const label = element("label", {}, words(name), entry);
        if (!once) {
            entry.addEventListener("change", () => (this.#chosen[name] = Number(entry.value)));
            return label;
        }
        const give = () => {
            if (entry.reportValidity()) this.#given[name] = Number(entry.value);
        };
        entry.addEventListener("keydown", ({ key }) => key === "Enter" && give());
        const attributes = { type: "button", "aria-label": `Give ${words(name)}`, click: give };
        return element("div", { class: "impulse" }, label, element("button", attributes, "Give"));
    }

    #legend() {
        const { x, y, pointers } = this.#sorted;
        const parts = [];
        if (x && y) parts.push(`W A S D or arrows: ${words(x.name)}, ${words(y.name)}`);
        else if (x) parts.push(`A, D or arrows: ${words(x.name)}`);
        for (const [code, { name }] of this.#codes) parts.push(`${keyName(code)}: ${words(name)}`);
        if (pointers.length) parts.push("the pointer aims");
        parts.push("N: net graph", "F: full screen");
        return `${parts.join(" · ")}.`;
    }
}

/** The form's field for a field of the input. */
function entryOf({ name, labels, min = 0, max, fraction = 0, once }) {
    if (labels) {
        const options = labels.slice(0, max + 1);
        return element(
            "select",
            { name },
            options.map((label, value) => element("option", { value }, label)),
        );
    }
    const unit = 2 ** fraction;
    const range = { min: min / unit, max: max / unit, step: 1 / unit };
    const value = once ? Math.max(range.min, range.step) : 0; // 0 is no impulse
    return element("input", { type: "number", required: true, name, ...range, value });
}

/** A button that tells when it is pressed and let go, by any pointer and by the keyboard. */
function hold(button, press) {
    button.addEventListener("pointerdown", (event) => {
        event.preventDefault(); // the picture keeps the focus
        button.setPointerCapture(event.pointerId);
        press(true);
    });
    for (const end of ["pointerup", "pointercancel"])
        button.addEventListener(end, () => press(false));
    button.addEventListener("keydown", (event) => {
        if ((event.key === " " || event.key === "Enter") && !event.repeat) press(true);
    });
    button.addEventListener("keyup", () => press(false));
    return button;
}
