// What thumbs do, said where they go, until they have been there. Seen where pointers are coarse
// (play.css) and somebody plays.
import { element } from "../dom.mjs";

/** `words`: of the left and the right thumb, or of one that goes anywhere. */
export function startThumbs(screen, canvas, words) {
    const hints = words.map((text) => element("p", {}, text));
    const box = element("div", { class: "thumbs", "aria-hidden": "true", hidden: true }, hints);
    screen.append(box);
    canvas.addEventListener("pointerdown", ({ pointerType, offsetX }) => {
        if (pointerType === "mouse") return;
        const at = Math.floor((offsetX / Math.max(1, canvas.clientWidth)) * hints.length);
        hints[Math.max(0, Math.min(hints.length - 1, at))]?.classList.add("known");
    });
    return (plays) => {
        if (box.hidden === plays) box.hidden = !plays;
    };
}
