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
    #new = new Set(); // went down since the last take()

    /** True when the key is one of ours. */
    press(code, down) {
        if (!(code in DIRECTIONS)) return false;
        if (down) {
            if (!this.#held.has(code)) this.#new.add(code);
            this.#held.add(code);
        } else this.#held.delete(code);
        return true;
    }

    release() {
        this.#held.clear();
        this.#new.clear();
    }

    /** Each −1, 0 or 1; opposite keys cancel out. */
    get direction() {
        return sum(this.#held);
    }

    /** For who looks once a frame: with keys that came and went since, missed by a slow picture. */
    take() {
        const direction = sum(new Set([...this.#held, ...this.#new]));
        this.#new.clear();
        return direction;
    }
}

function sum(codes) {
    let dx = 0;
    let dy = 0;
    for (const code of codes) {
        dx += DIRECTIONS[code][0];
        dy += DIRECTIONS[code][1];
    }
    return { dx: Math.sign(dx), dy: Math.sign(dy) };
}
