// What one may do in a game without ticks: every action as a form with the fields that it takes.
import { byId, element } from "../../shared/dom.mjs";

const BUTTONS_MAX = 16; // values of a single field that are buttons instead of a field
const words = (name) => name.replaceAll("_", " ");

/** In the units that JSON has them in. */
function rangeOf({ min = 0, max = 0, fraction = 0 }) {
    const unit = 2 ** fraction;
    return { min: min / unit, max: max / unit, step: 1 / unit };
}

function valuesOf(field) {
    const { min, max, step } = rangeOf(field);
    const count = (max - min) / step + 1;
    if (count > BUTTONS_MAX) return null;
    return Array.from({ length: count }, (_, at) => min + at * step);
}

const nameOfValue = ({ labels }, value) => labels?.[value] || `${value}`;

function inputOf(field) {
    const { min, max, step } = rangeOf(field);
    const { name, labels } = field;
    if (labels) {
        const options = valuesOf(field) ?? labels.keys();
        return element(
            "select",
            { name },
            [...options].map((value) => element("option", { value }, nameOfValue(field, value))),
        );
    }
    if (min === 0 && max === 1 && step === 1) return element("input", { type: "checkbox", name });
    const value = Math.max(min, Math.min(max, 0));
    return element("input", { type: "number", name, min, max, step, value, required: true });
}

function read(form) {
    return Object.fromEntries(
        [...form.elements]
            .filter(({ name }) => name)
            .map((field) => [
                field.name,
                field.type === "checkbox" ? Number(field.checked) : Number(field.value),
            ]),
    );
}

/** One field with few values: a button each. */
function valueButtons(action, field, act) {
    return element(
        "div",
        { class: "move", role: "group", "aria-label": words(action.name) },
        element("b", {}, words(action.name)),
        element(
            "div",
            { class: "values" },
            valuesOf(field).map((value) =>
                element(
                    "button",
                    { type: "button", click: () => act(action.name, { [field.name]: value }) },
                    nameOfValue(field, value),
                ),
            ),
        ),
    );
}

function form(action, fields, act) {
    const submit = (event) => {
        event.preventDefault();
        act(action.name, read(event.target));
    };
    return element(
        "form",
        { class: "move", submit },
        fields.length > 0 && element("b", {}, words(action.name)),
        fields.map((field) =>
            element("label", {}, element("span", {}, words(field.name)), inputOf(field)),
        ),
        element("button", {}, fields.length ? "Do it" : words(action.name)),
    );
}

/** `act(name, content)`. Starting and rematches are the table's. */
export function makeMoves(game, act) {
    const fieldOf = (name) => game.input.fields.find((field) => field.name === name);
    const own = game.actions.filter(({ name }) => name !== "rematch" && name !== "start_game");
    byId("moves").replaceChildren(
        ...own.map((action) => {
            const fields = action.takes.map(fieldOf);
            const made =
                fields.length === 1 && valuesOf(fields[0])
                    ? valueButtons(action, fields[0], act)
                    : form(action, fields, act);
            if (action.host_only) made.dataset.host = "only";
            return made;
        }),
    );
}

/** Who watches may not move; what only the host may do, only the host sees. */
export function showMoves({ own, isHost }) {
    byId("moves-box").hidden = !own || byId("moves").children.length === 0;
    for (const move of byId("moves").children)
        move.hidden = move.dataset.host === "only" && !isHost;
}
