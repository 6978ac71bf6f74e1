// The keys of a direction that are down: arrows and W A S D alike.

const DIRECTIONS = {
    ArrowUp: [0, -1],
    KeyW: [0, -1],
    ArrowDown: [0, 1],
    KeyS: [0, 1],
    ArrowLeft: [-1, 0],
    KeyA: [-1, 0],
    ArrowRight: [1, 0],
    KeyD: [1, 0],
};

/** Somebody writes or chooses there: keys are not the game's. */
export const isTyping = (target) =>
    target instanceof Element && target.closest("input, textarea, select, [contenteditable]");

/** A key that goes down is the page's: somebody writes, or presses a button with it. Where it comes
 * up again says nothing: the focus may have moved meanwhile. */
export const isForPage = ({ code, target }) =>
    isTyping(target) ||
    ((code === "Space" || code === "Enter") &&
        target instanceof Element &&
        target.closest("button, a, summary"));

export class HeldKeys {
    #held = new Set();

    /** True when the key is one of ours. */
    press(code, down) {
        if (!(code in DIRECTIONS)) return false;
        if (down) this.#held.add(code);
        else this.#held.delete(code);
        return true;
    }

    release() {
        this.#held.clear();
    }

    /** Each −1, 0 or 1; opposite keys cancel out. */
    get direction() {
        let dx = 0;
        let dy = 0;
        for (const code of this.#held) {
            dx += DIRECTIONS[code][0];
            dy += DIRECTIONS[code][1];
        }
        return { dx: Math.sign(dx), dy: Math.sign(dy) };
    }
}
