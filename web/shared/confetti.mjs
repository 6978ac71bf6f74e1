// A handful of squares for who wins.
import { element } from "./dom.mjs";

const COLOURS = ["var(--you)", "var(--foe)", "#f2b63d", "#5b8def", "#b06ee0"];
const PIECES = 60;

export function celebrate() {
    const pieces = Array.from({ length: PIECES }, (_, at) => {
        const piece = element("i");
        piece.style.left = `${Math.random() * 100}%`;
        piece.style.background = COLOURS[at % COLOURS.length];
        piece.style.animationDelay = `${Math.random() * 0.7}s`;
        piece.style.setProperty("--drift", `${Math.random() * 16 - 8}rem`);
        piece.style.setProperty("--spin", `${Math.random() * 1440 - 720}deg`);
        return piece;
    });
    const layer = element("div", { class: "confetti", "aria-hidden": "true" }, pieces);
    document.body.append(layer);
    let left = PIECES;
    layer.addEventListener("animationend", () => --left || layer.remove());
}
