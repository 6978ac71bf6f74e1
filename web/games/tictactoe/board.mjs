// The board: a grid of nine buttons with one tab stop, arrow keys, digits, and marks that are
// drawn.
import { drawing, element } from "../../shared/dom.mjs";

const MARKS = [
    `<svg class="mark x" viewBox="0 0 100 100" aria-hidden="true">
    <path pathLength="1" d="M24 25Q48 47 77 76"/>
    <path pathLength="1" d="M76 23Q52 48 23 77"/></svg>`,
    `<svg class="mark o" viewBox="0 0 100 100" aria-hidden="true">
    <path pathLength="1" d="M52 21C33 19 20 34 21 52S36 80 52 79S80 66 79 49S67 22 50 21"/></svg>`,
];
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -3, ArrowDown: 3 };
export const LETTERS = ["X", "O"];

/** "b2": column and row, as the move list and screen readers have it. */
export const cellName = (cell) => "abc"[cell % 3] + (1 + Math.floor(cell / 3));

export class Board {
    #root;
    #strike;
    #cells;
    #shown = Array(9).fill(0);
    #focus = 4;
    #place;

    constructor(root, strike, place) {
        this.#root = root;
        this.#strike = strike;
        this.#place = place;
        this.#cells = Array.from({ length: 9 }, (_, cell) => this.#makeCell(cell));
        for (let row = 0; row < 3; row++) {
            const cells = this.#cells.slice(row * 3, row * 3 + 3);
            const wrapped = cells.map((cell) => element("div", { role: "gridcell" }, cell));
            root.append(element("div", { role: "row" }, wrapped));
        }
        root.addEventListener("keydown", (event) => this.#onKey(event));
        document.addEventListener("keydown", (event) => this.#onDigit(event));
    }

    #makeCell(cell) {
        return element("button", {
            type: "button",
            class: "cell",
            "data-cell": cell,
            tabindex: cell === this.#focus ? 0 : -1,
            click: () => this.#choose(cell),
            focus: () => this.#rove(cell),
        });
    }

    #choose(cell) {
        if (this.#cells[cell].getAttribute("aria-disabled") !== "true") this.#place(cell);
    }

    #rove(cell) {
        this.#cells[this.#focus].tabIndex = -1;
        this.#focus = cell;
        this.#cells[cell].tabIndex = 0;
    }

    #onKey(event) {
        const step = STEPS[event.key];
        if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        const column = this.#focus % 3;
        const isOut = (step === -1 && column === 0) || (step === 1 && column === 2);
        const to = this.#focus + step;
        if (!isOut && to >= 0 && to < 9) this.#cells[to].focus();
    }

    #onDigit(event) {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (!/^[1-9]$/.test(event.key) || event.target.matches("input, select")) return;
        if (!this.#root.offsetParent) return;
        const isOpen = this.#root.classList.contains("open");
        if (!isOpen && !this.#root.contains(event.target)) return; // it is for another button
        this.#cells[event.key - 1].focus();
        this.#choose(event.key - 1);
    }

    focus() {
        this.#cells[this.#focus].focus();
    }

    /** `own` is the seat of who looks, or undefined; `line` three cells or null. */
    show({ board, own, isOwnTurn, line, last }) {
        this.#root.classList.toggle("open", isOwnTurn);
        this.#root.dataset.ghost = isOwnTurn ? LETTERS[own] : "";
        board.forEach((value, cell) => {
            const button = this.#cells[cell];
            if (this.#shown[cell] !== value) {
                button.replaceChildren(...(value ? [drawing(MARKS[value - 1])] : []));
                if (!value && isOwnTurn) button.replaceChildren();
            }
            const whose =
                own === undefined ? LETTERS[value - 1] : value - 1 === own ? "own" : "other";
            button.dataset.mark = value ? LETTERS[value - 1] : "";
            button.dataset.whose = value ? whose : "";
            button.classList.toggle("won", Boolean(line?.includes(cell)));
            button.classList.toggle("dim", Boolean(line) && !line.includes(cell));
            button.classList.toggle("last", !line && cell === last);
            const what = value ? LETTERS[value - 1] : "free";
            button.setAttribute("aria-label", `${cellName(cell)}, ${what}`);
            button.setAttribute("aria-disabled", String(!isOwnTurn || value !== 0));
        });
        this.#shown = [...board];
        this.#showLine(line);
    }

    #showLine(line) {
        const key = line?.join() ?? "";
        if (this.#strike.dataset.line === key) return;
        this.#strike.dataset.line = key;
        this.#strike.replaceChildren();
        if (!line) return;
        const [a, b] = [line[0], line[2]].map((cell) => [
            50 + 100 * (cell % 3),
            50 + 100 * Math.floor(cell / 3),
        ]);
        const dx = Math.sign(b[0] - a[0]) * 34;
        const dy = Math.sign(b[1] - a[1]) * 34;
        const path = `M${a[0] - dx} ${a[1] - dy}L${b[0] + dx} ${b[1] + dy}`;
        const svg = drawing(`<svg><path pathLength="1" d="${path}"/></svg>`);
        this.#strike.append(svg.firstElementChild);
    }
}
