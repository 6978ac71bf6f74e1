// Says to screen readers what happens on the page: one polite live region. What is said in one
// go is joined, since readers drop what is replaced before they come to it.

let region;
let pending = [];

/** With a full stop, unless it ends in a mark of its own. */
export const sentence = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);

export function announce(text) {
    if (!region) {
        region = document.createElement("p");
        region.className = "sr";
        region.id = "live";
        region.setAttribute("aria-live", "polite");
        document.body.append(region);
    }
    if (!pending.length) requestAnimationFrame(flush);
    pending.push(text);
}

function flush() {
    region.textContent = pending.join(" ");
    pending = [];
}
