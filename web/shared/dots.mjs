// Any game as dots: whatever has a place is one, whatever has a width and a height is a box. What
// has what is read from the game's description (/games/GAME.json, or its module's describe()).
import { colourOf } from "./avatar.mjs";

const RADIUS = 10; // of a player, in px of the game
const RADIUS_LESS = 4; // of anything else
const WIDTH = 960; // of a map that says nothing of its size
const HEIGHT = 540;
const LABEL_PX = 12;
const NOBODY = 255;

const hasPlace = ({ fields }) =>
    ["x", "y"].every((axis) => fields.some(({ name }) => name === axis));

/** The tables whose rows have a place: {name, isPlayers, seatOf(row)}. */
export function placesOf(game) {
    return game.tables.filter(hasPlace).map(({ name, owner, fields }) => {
        const isPlayers = owner === "row";
        const field = fields.find(({ offset }) => offset === owner)?.name;
        const seatOf = (row) => (isPlayers ? row.row : field ? row[field] : null);
        return { name, isPlayers, seatOf };
    });
}

/** Fields that name a seat, in tables of one row: whoever it is bears their name ("it"). */
export function marksOf(game) {
    return game.tables
        .filter(({ rows }) => rows === 1)
        .flatMap(({ name, fields }) =>
            fields
                .filter(({ seat, count }) => seat && !count)
                .map((field) => ({ table: name, field: field.name })),
        );
}

/** What is there of a view: {row, place}. `own`: the seat whose player comes from `ownView`. */
export function rowsOf(places, view, own = null, ownView = view) {
    return places.flatMap((place) => {
        const table = view.tables[place.name];
        const rows = Array.isArray(table) ? table : [table];
        const from = place.isPlayers ? (ownView.tables[place.name][own] ?? null) : null;
        return rows
            .map((row) => ({ row: from && row.row === own ? from : row, place }))
            .filter(({ row }) => row.present);
    });
}

/** The map: what the options say, else as far as anything has been seen. */
export class Bounds {
    width = WIDTH;
    height = HEIGHT;
    #isKnown = false;

    see(rows, options) {
        const { width, height } = options ?? {};
        this.#isKnown ||= Boolean(width && height);
        if (this.#isKnown) {
            if (width && height) Object.assign(this, { width, height });
            return this;
        }
        for (const { row } of rows) {
            this.width = Math.max(this.width, row.x + (row.width || 0));
            this.height = Math.max(this.height, row.y + (row.height || 0));
        }
        return this;
    }
}

/** Who bears which names, by seat. */
export function marksIn(marks, view) {
    const found = new Map();
    for (const { table, field } of marks) {
        const seat = view.tables[table][field];
        if (seat === NOBODY) continue;
        found.set(seat, [...(found.get(seat) ?? []), field.replaceAll("_", " ")]);
    }
    return found;
}

/**
 * Paints rowsOf() on a context that is scaled to the map already, at `scale` CSS px for a px of it.
 * `colour(name)`: the page's custom property; `people`: seat → {name, bot}; `marks`: marksIn();
 * `own`: the seat of who looks, or null.
 */
export function paintDots(c, rows, { colour, people, marks, own = null, scale = 1 }) {
    for (const { row } of rows.filter(({ row: { width } }) => width)) {
        c.fillStyle = colour("line");
        c.fillRect(row.x, row.y, row.width, row.height);
    }
    const look = (seat) => {
        if (seat === own) return colour("you");
        const person = people?.get(seat);
        if (person && person.bot !== null) return colour("bot");
        return colourOf({ seat, bot: false }, false).replace("var(--player-l)", colour("player-l"));
    };
    for (const { row, place } of rows.filter(({ row: { width } }) => !width)) {
        const seat = place.seatOf(row);
        const radius = row.radius || (place.isPlayers ? RADIUS : RADIUS_LESS);
        c.fillStyle = row.hp === 0 || seat === null ? colour("quiet") : look(seat);
        c.beginPath();
        c.arc(row.x, row.y, radius, 0, 7);
        c.fill();
        if (place.isPlayers) label(c, row, radius, { people, marks, seat, scale, colour });
    }
}

/** The name beneath, what it bears above; as large on a small picture as on a large one. */
function label(c, row, radius, { people, marks, seat, scale, colour }) {
    const mark = marks?.get(seat)?.join(", ");
    const size = LABEL_PX / scale;
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.fillStyle = colour("ink");
    c.font = `${size}px system-ui, sans-serif`;
    const name = people?.get(seat)?.name;
    if (name) c.fillText(name, row.x, row.y + radius + 0.9 * size);
    if (!mark) return;
    c.font = `700 ${size}px system-ui, sans-serif`;
    c.fillText(mark, row.x, row.y - radius - 0.9 * size);
    c.strokeStyle = colour("ink");
    c.lineWidth = 2 / scale;
    c.beginPath();
    c.arc(row.x, row.y, radius + 2 / scale, 0, 7);
    c.stroke();
}
