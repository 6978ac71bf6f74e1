// A game without a picture of its own here: whatever has a place is a dot, whatever has a width and
// a height a box.
import { View } from "../../sdk/src/view.ts";
import { byId } from "../../shared/dom.mjs";

const MARGIN = 12;
const RADIUS = 6;
const TELEPORT = 40; // px a tick: nobody walks that

export class DotsStage {
    #canvas = byId("field");
    #view;
    #tables;

    constructor(recording) {
        const { game, rules } = recording;
        this.#view = new View(rules, false, { fields: [], teleport: TELEPORT });
        this.#tables = game.tables.filter(({ fields }) =>
            ["x", "y"].every((axis) => fields.some(({ name }) => name === axis)),
        );
    }

    show(recording, { alpha }) {
        this.#view.show(recording.before, recording.state, alpha, 1);
        const rows = this.#tables.flatMap(({ name }) => {
            const table = this.#view.tables[name];
            return (Array.isArray(table) ? table : [table]).filter(({ present }) => present);
        });
        const { width, height } = this.#bounds(rows);
        const c = this.#canvas.getContext("2d");
        const ratio = devicePixelRatio;
        const across = this.#canvas.clientWidth;
        const scale = (across - 2 * MARGIN) / width;
        this.#canvas.width = across * ratio;
        this.#canvas.height = (height * scale + 2 * MARGIN) * ratio;
        const colours = getComputedStyle(this.#canvas);
        const colour = (name) => colours.getPropertyValue(`--${name}`);
        c.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * MARGIN, ratio * MARGIN);
        for (const row of rows) {
            if (row.width) {
                c.fillStyle = colour("line");
                c.fillRect(row.x, row.y, row.width, row.height);
                continue;
            }
            c.fillStyle =
                row.hp === 0 ? colour("quiet") : [colour("you"), colour("foe")][row.row % 2];
            c.beginPath();
            c.arc(row.x, row.y, row.hp === undefined ? RADIUS / 2 : RADIUS, 0, 7);
            c.fill();
        }
    }

    /** The options' width and height, or what the boxes take up. */
    #bounds(rows) {
        const { options } = this.#view.tables;
        const boxes = rows.filter(({ width }) => width);
        return {
            width: options?.width || Math.max(960, ...boxes.map((row) => row.x + row.width)),
            height: options?.height || Math.max(540, ...boxes.map((row) => row.y + row.height)),
        };
    }
}
