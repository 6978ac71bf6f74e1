// A game without a picture of its own here: shared/dots.mjs.
import { View } from "../../sdk/src/view.ts";
import { byId } from "../../shared/dom.mjs";
import { Bounds, marksIn, marksOf, paintDots, placesOf, rowsOf } from "../../shared/dots.mjs";

const MARGIN = 12;
const TELEPORT = 40; // px a tick: nobody walks that

export class DotsStage {
    #canvas = byId("field");
    #bounds = new Bounds();
    #view;
    #places;
    #marks;

    constructor({ game, rules }) {
        this.#view = new View(rules, false, { fields: [], teleport: TELEPORT });
        this.#places = placesOf(game);
        this.#marks = marksOf(game);
    }

    show(recording, { alpha }) {
        const view = this.#view;
        view.show(...recording.scene, alpha, 1);
        const rows = rowsOf(this.#places, view);
        const { width, height } = this.#bounds.see(rows, view.tables.options);
        const c = this.#canvas.getContext("2d");
        const ratio = devicePixelRatio;
        const across = this.#canvas.clientWidth;
        const scale = (across - 2 * MARGIN) / width;
        this.#canvas.width = across * ratio;
        this.#canvas.height = (height * scale + 2 * MARGIN) * ratio;
        const colours = getComputedStyle(this.#canvas);
        c.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * MARGIN, ratio * MARGIN);
        paintDots(c, rows, {
            colour: (name) => colours.getPropertyValue(`--${name}`).trim(),
            people: new Map(recording.seats().map((seat) => [seat.seat, seat])),
            marks: marksIn(this.#marks, view),
            scale,
        });
    }
}
