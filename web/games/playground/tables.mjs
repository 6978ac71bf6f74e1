// A game's state as tables that people can read: of one row, names and values; of several, columns.
import { element } from "../../shared/dom.mjs";

const NEVER = 0x7fffffff; // a time that does not come
const words = (name) => name.replaceAll("_", " ");

function isShown(field) {
    return !field.hidden && !field.clock;
}

/** A list as long as a square is a board, if its values have names. */
function listOf(field, values) {
    const side = Math.sqrt(values.length);
    if (!field.labels || side < 2 || !Number.isInteger(side)) return values.join(" ");
    const cells = values.map((value) => element("span", {}, `${value || "·"}`));
    const style = `grid-template-columns: repeat(${side}, auto)`;
    return element("span", { class: "grid", style }, cells);
}

function valueOf(field, value, nameOf) {
    if (Array.isArray(value))
        return listOf(
            field,
            value.map((each) => (field.seat ? nameOf(each) : each)),
        );
    if (field.seat) return nameOf(value);
    return value === NEVER ? "never" : `${value}`;
}

function oneRow(table, row, nameOf) {
    return element(
        "dl",
        {},
        table.fields
            .filter((field) => isShown(field) && row[field.name] !== undefined)
            .flatMap((field) => [
                element("dt", {}, words(field.name)),
                element("dd", {}, valueOf(field, row[field.name], nameOf)),
            ]),
    );
}

function manyRows(table, rows, { nameOf, own }) {
    const fields = table.fields.filter(
        (field) =>
            isShown(field) &&
            field.offset !== table.present &&
            rows.some((row) => row[field.name] !== undefined),
    );
    const hasOwner = rows.some(({ id }) => id !== undefined);
    const head = [hasOwner && element("th", { scope: "col" }, "who")].concat(
        fields.map(({ name }) => element("th", { scope: "col" }, words(name))),
    );
    const lines = rows.map((row) =>
        element(
            "tr",
            { class: row.id !== undefined && row.id === own ? "own" : null },
            hasOwner && element("td", {}, nameOf(row.id)),
            fields.map((field) =>
                element(
                    "td",
                    {},
                    row[field.name] === undefined ? "" : valueOf(field, row[field.name], nameOf),
                ),
            ),
        ),
    );
    return element(
        "table",
        {},
        element("thead", {}, element("tr", {}, head)),
        element("tbody", {}, lines),
    );
}

/** `state` as in docs/games.md; `nameOf(id)`; `own`: one's id, or null. */
export function showTables(root, game, state, { nameOf, own }) {
    const tables = game.tables.filter(({ name }) => name !== "options" && state[name]);
    root.replaceChildren(
        ...tables.map((table) => {
            const rows = state[table.name];
            const isEmpty = Array.isArray(rows) && rows.length === 0;
            return element(
                "section",
                {},
                element("h3", {}, words(table.name)),
                isEmpty
                    ? element("p", { class: "quiet" }, "none")
                    : Array.isArray(rows)
                      ? manyRows(table, rows, { nameOf, own })
                      : oneRow(table, rows, nameOf),
            );
        }),
    );
}

/** A view of the SDK as such a state; seats and ids are numbers. `seat`: of who looks. */
export function stateOf(game, view, seat) {
    const entries = game.tables.map((table) => {
        const found = view.tables[table.name];
        const rows = (Array.isArray(found) ? found : [found]).filter(({ present }) => present);
        const owner = table.fields.find(({ offset }) => offset === table.owner)?.name;
        const described = rows.map((row) => {
            const id = table.owner === "row" ? row.row : owner ? row[owner] : undefined;
            const fields = table.fields.filter(
                (field) => !field.hidden && (!field.owner || id === seat),
            );
            const values = fields.map((field) => [field.name, labelled(field, row[field.name])]);
            return { ...(id === undefined ? {} : { id }), ...Object.fromEntries(values) };
        });
        return [table.name, table.rows === 1 ? described[0] : described];
    });
    return Object.fromEntries(entries);
}

function labelled({ labels, fraction }, value) {
    if (Array.isArray(value)) return value.map((each) => labelled({ labels, fraction }, each));
    if (labels) return labels[value] ?? value;
    return fraction ? Math.round(value * 10) / 10 : value;
}
