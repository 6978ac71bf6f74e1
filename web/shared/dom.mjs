// Makes and finds elements; nothing that the platform has already.

export const byId = (id) => document.getElementById(id);

/** An element: attributes that are functions listen, `false` and `null` leave out, `true` is "". */
export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") made.addEventListener(name, value);
        else if (value !== false && value != null)
            made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.flat().filter((child) => child != null && child !== false));
    return made;
}

/** SVG from our own constants; never from what came over the network. */
export function drawing(markup) {
    const template = document.createElement("template");
    template.innerHTML = markup;
    return template.content.firstElementChild;
}

/** Changes the list only where it differs, so that focus and animations stay. */
export function reconcile(list, items, { key, make, update }) {
    const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
    const wanted = items.map((item) => {
        const id = String(key(item));
        const child = old.get(id) ?? make(item);
        child.dataset.key = id;
        update?.(child, item);
        return child;
    });
    for (const child of old.values()) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, at) => {
        if (list.children[at] !== child) list.insertBefore(child, list.children[at] ?? null);
    });
}

export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}
