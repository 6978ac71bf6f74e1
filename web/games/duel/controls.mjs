// What a duellist presses: arrows or W A S D and the mouse; two thumbs; a gamepad. Read once a
// frame.
import { readGamepad } from "../../shared/gamepad.mjs";
import { HeldKeys, isForPage } from "../../shared/held_keys.mjs";

const STICK_PX = 44;
const WALK_PX = 12; // a thumb's way before it walks
const JUMP_PX = 26;
const AIM_PX = 16; // a thumb's way before it aims and fires
const FAR = 400; // px of the map: how far away a direction aims
const GUN = 20; // above the feet
const TAP_MS = 60; // 3 ticks, less than between two shots
const FIRE_KEYS = new Set(["Space", "KeyJ"]);
/* By keys alone: these turn the aim up and down, and it stays; the one that would walk down lowers
 * it for as long as it is held. Angles are radians above the horizon. */
const TURNS = { KeyI: 1, KeyE: 1, KeyK: -1, KeyQ: -1 };
const TURN_PACE = 2; // a second
const STEEPEST = 1.4;
const GLANCE = 0.54;
const READ_MS = 100; // at most between two pictures
const AIM_MAX = 2047;

export class DuelControls {
    sticks = { walk: null, aim: null }; // {id, x, y, dx, dy}: in px of the canvas
    aim = null; // the place aimed at, on the map; null: not yet
    #keys = new HeldKeys();
    #fireKeys = new Set();
    #turnKeys = new Set();
    #elevation = 0; // of the aim by keys
    #readAt = 0;
    #mouse = null; // in px of the canvas
    #mouseFire = false;
    #tapUntil = 0; // ms: a click or tap fires so long that a tick sees it; Infinity: not read yet
    #facing = 0;
    #by = "keys"; // what was aimed with last: keys, mouse, touch, pad
    #surface;
    #toMap;

    /** `toMap`: from px of the canvas to the map's. */
    constructor(canvas, surface, toMap) {
        this.#surface = surface;
        this.#toMap = toMap;
        addEventListener("keydown", (event) => this.#key(event, true));
        addEventListener("keyup", (event) => this.#key(event, false));
        canvas.addEventListener("contextmenu", (event) => event.preventDefault());
        canvas.addEventListener("pointerdown", (event) => this.#down(canvas, event));
        canvas.addEventListener("pointermove", (event) => this.#move(event));
        for (const end of ["pointerup", "pointercancel"])
            canvas.addEventListener(end, (event) => this.#up(event));
    }

    release() {
        this.#keys.release();
        this.#fireKeys.clear();
        this.#turnKeys.clear();
        this.#mouseFire = false;
        this.#tapUntil = 0;
        this.sticks.walk = this.sticks.aim = null;
    }

    get touches() {
        return this.#by === "touch";
    }

    /** The input for now. `own`: one's duellist as it is seen, or null. */
    read(own, seat) {
        const pad = readGamepad();
        const { dx, dy } = this.#keys.take();
        const { walk: stick, aim: aimStick } = this.sticks;
        let walk = dx || Math.sign(pad?.dx ?? 0);
        let jump = dy < 0 || Boolean(pad?.jump);
        if (stick) {
            if (Math.abs(stick.dx) > WALK_PX) walk = Math.sign(stick.dx);
            jump ||= stick.dy < -JUMP_PX;
        }
        if (this.#tapUntil === Infinity) this.#tapUntil = performance.now() + TAP_MS;
        const isAiming = aimStick !== null && Math.hypot(aimStick.dx, aimStick.dy) > AIM_PX;
        const fire =
            this.#fireKeys.size > 0 ||
            this.#mouseFire ||
            isAiming ||
            this.#isTapping ||
            Boolean(pad?.fire);
        if (walk) this.#facing = walk;
        this.#turn(performance.now());
        if (pad && (pad.aimX || pad.aimY)) this.#by = "pad";
        this.#aimFrom(own, seat, { dy, pad, aimStick: isAiming ? aimStick : null });
        const inRange = (value) => Math.max(-AIM_MAX, Math.min(AIM_MAX, Math.round(value)));
        return {
            walk,
            jump: Number(jump),
            fire: Number(fire),
            aim_x: inRange(this.aim?.x ?? 0),
            aim_y: inRange(this.aim?.y ?? 0),
        };
    }

    #turn(now) {
        const elapsed = Math.min(READ_MS, now - this.#readAt) / 1000;
        this.#readAt = now;
        const way = [...this.#turnKeys].reduce((sum, code) => sum + TURNS[code], 0);
        if (!way) return;
        this.#by = "keys";
        const turned = this.#elevation + Math.sign(way) * TURN_PACE * elapsed;
        this.#elevation = Math.max(-STEEPEST, Math.min(STEEPEST, turned));
    }

    #tap() {
        this.#tapUntil = Infinity;
    }

    get #isTapping() {
        return performance.now() < this.#tapUntil;
    }

    #aimFrom(own, seat, { dy, pad, aimStick }) {
        if (this.#by === "mouse" && this.#mouse) {
            this.aim = this.#toMap(this.#mouse);
            return;
        }
        if (!own) return;
        const at = { x: own.x, y: own.y - GUN };
        const ahead = this.#facing || (seat === 1 ? -1 : 1);
        const point = (x, y) => {
            const far = FAR / Math.max(1e-6, Math.hypot(x, y));
            this.aim = { x: at.x + x * far, y: at.y + y * far };
        };
        if (aimStick) point(aimStick.dx, aimStick.dy);
        else if (this.#by === "pad" && pad && (pad.aimX || pad.aimY)) point(pad.aimX, pad.aimY);
        else if (this.#by === "keys") {
            const up = Math.max(-STEEPEST, this.#elevation - (dy > 0 ? GLANCE : 0));
            point(ahead * Math.cos(up), -Math.sin(up));
        } else if (this.#by === "touch" && !this.#isTapping) point(ahead, 0);
    }

    #key(event, down) {
        const { code } = event;
        if (down && (event.ctrlKey || event.metaKey || event.altKey || isForPage(event))) return;
        if (this.#keys.press(code, down)) {
            event.preventDefault();
        } else if (FIRE_KEYS.has(code)) {
            if (down) this.#fireKeys.add(code);
            else if (!this.#fireKeys.delete(code)) return; // it presses a button
            event.preventDefault();
            if (down && !event.repeat) this.#tap();
        } else if (code in TURNS) {
            if (down) this.#turnKeys.add(code);
            else this.#turnKeys.delete(code);
        }
    }

    #down(canvas, event) {
        canvas.setPointerCapture(event.pointerId);
        const place = this.#surface.place(event);
        if (event.pointerType === "mouse") {
            this.#by = "mouse";
            this.#mouse = place;
            if (event.button === 0) {
                this.#mouseFire = true;
                this.#tap();
            }
            return;
        }
        this.#by = "touch";
        const side = place.x < this.#surface.width / 2 ? "walk" : "aim";
        this.sticks[side] ??= { id: event.pointerId, ...place, dx: 0, dy: 0, at: event.timeStamp };
    }

    #move(event) {
        const place = this.#surface.place(event);
        if (event.pointerType === "mouse") {
            this.#by = "mouse";
            this.#mouse = place;
            return;
        }
        const stick = this.#stickOf(event);
        if (!stick) return;
        stick.dx = place.x - stick.x;
        stick.dy = place.y - stick.y;
    }

    #up(event) {
        if (event.pointerType === "mouse") {
            this.#mouseFire = false;
            return;
        }
        for (const side of ["walk", "aim"]) {
            const stick = this.sticks[side];
            if (stick?.id !== event.pointerId) continue;
            this.sticks[side] = null;
            const isTap = Math.hypot(stick.dx, stick.dy) < AIM_PX;
            if (side === "aim" && isTap && event.type === "pointerup") {
                this.aim = this.#toMap(stick); // a tap shoots there
                this.#tap();
            }
        }
    }

    #stickOf({ pointerId }) {
        return Object.values(this.sticks).find((stick) => stick?.id === pointerId);
    }
}

export const STICK_RADIUS = STICK_PX;
