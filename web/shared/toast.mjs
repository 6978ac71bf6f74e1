// A sentence that shows for a while and is read out at once.
import { element } from "./dom.mjs";

const SHOWN_MS = 5000;
let shown;

export function toast(text) {
    shown?.remove();
    const made = element("p", { class: "toast", role: "alert" }, text);
    shown = made;
    document.body.append(made);
    setTimeout(() => made.remove(), SHOWN_MS);
}
