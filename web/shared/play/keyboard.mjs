// The keyboard is the game's: whoever points at something on the page plays on by keys at once. Who
// comes to a control by keys stays there.

/** Within `root`; the focus goes to `canvas`. */
export function giveKeyboardBack(root, canvas) {
    const giveBack = () => canvas.focus({ preventScroll: true });
    let pointedAt = null; // until a key is pressed there

    root.addEventListener("pointerdown", ({ target }) => (pointedAt = target));
    root.addEventListener("keydown", () => (pointedAt = null));
    root.addEventListener("click", ({ detail, target }) => {
        if (detail > 0 && target.closest("button:not([aria-expanded])")) giveBack(); // 0: by a key
    });
    root.addEventListener("change", ({ target }) => {
        if (target.matches("select") && target === pointedAt) giveBack();
    });
}
