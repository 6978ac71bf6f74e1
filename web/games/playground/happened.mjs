// A running list of the game's events, the newest first.
import { byId, element } from "../../shared/dom.mjs";

const KEEP = 100;

export function clearHappened() {
    byId("happened").replaceChildren();
}

function wordsOf(kind, args, nameOf) {
    return kind.args.map(({ name, seat }) => {
        const value = name.split(".").reduce((inner, key) => inner?.[key], args);
        const label = name.replaceAll("_", " ");
        return `${label} ${seat ? nameOf(value) : value}`;
    });
}

/** `kind` of the description; `nameOf(value)` of a seat or an id; `when` in front. */
export function addHappened(kind, args, nameOf, when = null) {
    if (kind.delivery === "newest") return; // the state says it, too
    const list = byId("happened");
    const words = wordsOf(kind, args, nameOf).join(", ");
    list.prepend(
        element(
            "li",
            {},
            when !== null && element("span", {}, `${when}`),
            element("b", {}, kind.name.replaceAll("_", " ")),
            words ? ` ${words}` : "",
        ),
    );
    while (list.children.length > KEEP) list.lastChild.remove();
}
