// The keyboard is the game's: whoever points at something on the page plays on by keys at once. Who
// comes to a control by keys stays there.

const GUARD_MS = 800; // after the end: who still fires presses no button

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

/** After the end the focus is on what can be done next, in the curtain. Returns what is called for
 * each frame: is it the end? */
export function startEnd(curtain, canvas) {
    let endedAt = null; // of the frame; null: it goes on

    curtain.addEventListener("keydown", (event) => {
        const isPress = event.code === "Space" || event.code === "Enter";
        const isLate = event.repeat || performance.now() - endedAt < GUARD_MS;
        if (isPress && endedAt !== null && isLate) event.preventDefault();
    });
    const isPlaying = () => [canvas, document.body].includes(document.activeElement);
    const findNext = () => curtain.querySelector(".actions button:not(:disabled)");
    addEventListener("pointerup", () => {
        if (endedAt !== null && isPlaying()) findNext()?.focus(); // one more shot, after the end
    });
    return (isEnd, now) => {
        if (!isEnd) endedAt = null;
        if (!isEnd || endedAt !== null) return;
        const next = findNext();
        if (!next) return; // who may do what is told a moment later
        endedAt = now;
        if (isPlaying()) next.focus();
    };
}
