// Keys, mouse, fingers and gamepad, made into two intents: a direction to steer, and to strike.
import { readGamepad } from "./gamepad.mjs";
import { HeldKeys, isForPage } from "./held_keys.mjs";

const STICK_PX = 46; // from where a finger went down to full pace
const STICK_DEAD_PX = 7;
const TAP_MS = 220;
const STEPS = 32; // of each direction, so that a trembling finger sends little
const STRIKE_KEYS = new Set(["Space", "KeyJ"]);

export class Controls {
    onSteer = () => {};
    onStrike = () => {};
    onLeave = () => {};
    steering = { dx: 0, dy: 0 }; // each -1 … 1
    stick = null; // {x, y, dx, dy}: where a finger went down, and how far it went, in px
    striking = false; // held
    #keys = new HeldKeys();
    #strikeKeys = new Set(); // that are down
    #finger = null;
    #pad = null;

    /** `arena` learns of touch (data-touch). `keys`: where keys are listened to. */
    constructor(arena, canvas, button, { keys = canvas } = {}) {
        if (matchMedia("(pointer: coarse)").matches) arena.dataset.touch = "yes";
        keys.addEventListener("keydown", (event) => this.#key(event, true));
        keys.addEventListener("keyup", (event) => this.#key(event, false));
        keys.addEventListener("blur", () => this.release());
        canvas.addEventListener("contextmenu", (event) => event.preventDefault());
        canvas.addEventListener("pointerdown", (event) => this.#down(arena, canvas, event));
        canvas.addEventListener("pointermove", (event) => this.#move(canvas, event));
        for (const end of ["pointerup", "pointercancel"])
            canvas.addEventListener(end, (event) => this.#up(event));
        button.addEventListener("pointerdown", (event) => {
            event.preventDefault(); // the field keeps the focus
            button.setPointerCapture(event.pointerId);
            this.#strike(true);
        });
        for (const end of ["pointerup", "pointercancel"])
            button.addEventListener(end, () => this.#strike(false));
    }

    release() {
        this.#keys.release();
        this.#strikeKeys.clear();
        this.#finger = this.stick = null;
        this.#strike(false);
        this.#update();
    }

    /** Asks the gamepad; call once a frame. */
    poll() {
        const pad = readGamepad();
        if (!pad && !this.#pad) return;
        const wasFire = this.#pad?.fire ?? false;
        this.#pad = pad;
        if (Boolean(pad?.fire) !== wasFire) this.#strike(Boolean(pad?.fire));
        this.#update();
    }

    #key(event, down) {
        if (down && (event.ctrlKey || event.metaKey || event.altKey || isForPage(event))) return;
        if (this.#keys.press(event.code, down)) {
            event.preventDefault();
            this.#update();
        } else if (STRIKE_KEYS.has(event.code)) {
            this.#strikeKey(event, down);
        } else if (event.code === "Enter" && down && event.target instanceof HTMLCanvasElement) {
            this.onStrike();
        } else if (event.code === "Escape" && down) {
            this.onLeave();
        }
    }

    #strikeKey(event, down) {
        if (down) this.#strikeKeys.add(event.code);
        else if (!this.#strikeKeys.delete(event.code)) return; // it presses a button
        event.preventDefault();
        if (!event.repeat) this.#strike(this.#strikeKeys.size > 0);
    }

    #down(arena, canvas, event) {
        if (event.pointerType === "mouse") {
            if (event.button === 0) this.#strike(true);
            canvas.setPointerCapture(event.pointerId);
            return;
        }
        arena.dataset.touch = "yes";
        if (this.#finger) return;
        canvas.setPointerCapture(event.pointerId);
        const box = canvas.getBoundingClientRect();
        this.#finger = { id: event.pointerId, at: event.timeStamp };
        this.stick = { x: event.clientX - box.left, y: event.clientY - box.top, dx: 0, dy: 0 };
    }

    #move(canvas, event) {
        if (event.pointerId !== this.#finger?.id) return;
        const box = canvas.getBoundingClientRect();
        this.stick.dx = event.clientX - box.left - this.stick.x;
        this.stick.dy = event.clientY - box.top - this.stick.y;
        this.#update();
    }

    #up(event) {
        if (event.pointerType === "mouse") this.#strike(false);
        if (event.pointerId !== this.#finger?.id) return;
        const wasTap =
            event.timeStamp - this.#finger.at < TAP_MS &&
            Math.hypot(this.stick.dx, this.stick.dy) < STICK_DEAD_PX;
        this.#finger = this.stick = null;
        this.#update();
        if (wasTap) this.onStrike();
    }

    #strike(held) {
        if (held && !this.striking) this.onStrike();
        this.striking = held;
    }

    #update() {
        let { dx, dy } = this.#keys.direction;
        if (!dx && !dy && this.#pad) ({ dx, dy } = this.#pad);
        const pull = this.stick ? Math.hypot(this.stick.dx, this.stick.dy) : 0;
        if (pull > STICK_DEAD_PX) {
            dx = this.stick.dx / Math.max(pull, STICK_PX);
            dy = this.stick.dy / Math.max(pull, STICK_PX);
        }
        const length = Math.hypot(dx, dy);
        if (length > 1) {
            dx /= length;
            dy /= length;
        }
        const step = (value) => Math.round(value * STEPS) / STEPS;
        dx = step(dx);
        dy = step(dy);
        if (dx === this.steering.dx && dy === this.steering.dy) return;
        this.steering = { dx, dy };
        this.onSteer(this.steering);
    }
}
