// Keys, mouse and fingers, made into two intents: a direction to steer, and to strike.

const KEYS = {
    ArrowUp: [0, -1],
    KeyW: [0, -1],
    ArrowDown: [0, 1],
    KeyS: [0, 1],
    ArrowLeft: [-1, 0],
    KeyA: [-1, 0],
    ArrowRight: [1, 0],
    KeyD: [1, 0],
};
const STICK_PX = 46; // from where a finger went down to full pace
const STICK_DEAD_PX = 7;
const TAP_MS = 220;
const STEPS = 32; // of each direction, so that a trembling finger sends little

export class Controls {
    onSteer = () => {};
    onStrike = () => {};
    onLeave = () => {};
    steering = { dx: 0, dy: 0 }; // each -1 … 1
    stick = null; // {x, y, dx, dy}: where a finger went down, and how far it went, in px
    striking = false; // held
    #held = new Set();
    #finger = null;

    constructor(arena, canvas, button) {
        canvas.addEventListener("keydown", (event) => this.#key(event, true));
        canvas.addEventListener("keyup", (event) => this.#key(event, false));
        canvas.addEventListener("blur", () => this.release());
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
        this.#held.clear();
        this.#finger = this.stick = null;
        this.#strike(false);
        this.#update();
    }

    #key(event, down) {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.code in KEYS) {
            event.preventDefault();
            if (down) this.#held.add(event.code);
            else this.#held.delete(event.code);
            this.#update();
        } else if (event.code === "Space") {
            event.preventDefault();
            if (!event.repeat) this.#strike(down);
        } else if (event.code === "Enter" && down) {
            this.onStrike();
        } else if (event.code === "Escape" && down) {
            this.onLeave();
        }
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
        let dx = 0;
        let dy = 0;
        for (const code of this.#held) {
            dx += KEYS[code][0];
            dy += KEYS[code][1];
        }
        dx = Math.sign(dx);
        dy = Math.sign(dy);
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
