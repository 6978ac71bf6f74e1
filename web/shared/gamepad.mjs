// The first gamepad with the standard layout: left stick or cross, right stick, A, right trigger.

const DEAD = 0.25;
const alive = (value) => (Math.abs(value) > DEAD ? value : 0);

/** {dx, dy, aimX, aimY, jump, fire}, or null without one. Sticks are −1 … 1. */
export function readGamepad() {
    const pad = navigator.getGamepads?.().find((each) => each?.mapping === "standard");
    if (!pad) return null;
    const [dx, dy, aimX, aimY] = pad.axes.map(alive);
    const held = (...buttons) => buttons.some((at) => pad.buttons[at]?.pressed);
    const cross = (less, more) => Number(held(more)) - Number(held(less));
    return {
        dx: dx || cross(14, 15),
        dy: dy || cross(12, 13),
        aimX,
        aimY,
        jump: held(0, 12),
        fire: held(2, 5, 7),
    };
}
