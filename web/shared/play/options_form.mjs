// The rules of a new room as a form, made of the game's own table of options.
import { byId, element } from "../dom.mjs";

/** Fills #options; `list` as `lobby` has it (docs/games.md): games[].options. `words`: titles. */
export function showOptions(list, words = {}) {
    const box = byId("options");
    box.replaceChildren(
        ...list.map((option) => {
            const { name, summary, min, max, step, standard } = option;
            const isSwitch = min === 0 && max === 1;
            const field = isSwitch
                ? element("input", { type: "checkbox", name, checked: standard === 1 })
                : element("input", {
                      type: "number",
                      inputmode: "numeric",
                      name,
                      min,
                      max,
                      step,
                      value: standard,
                  });
            field.dataset.standard = standard;
            return element("label", {}, element("span", {}, words[name] ?? summary), field);
        }),
    );
    byId("options-box").hidden = list.length === 0;
}

/** What differs from the standard: {name: number}. */
export function readOptions() {
    const chosen = {};
    for (const field of byId("options").querySelectorAll("input")) {
        const value = field.type === "checkbox" ? Number(field.checked) : field.valueAsNumber;
        if (Number.isFinite(value) && value !== Number(field.dataset.standard))
            chosen[field.name] = value;
    }
    return chosen;
}
