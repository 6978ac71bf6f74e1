// The arena on a canvas: squares with eyes. Green is who looks, red are people, grey are bots.

const SCALE_MIN = 2.3; // CSS px per px of the map: smaller, phones show ants
const SEEN_MAX = 440; // px of the map across a wide screen
const MARGIN = 6; // px of beyond that may be seen, unless told otherwise
const MARGIN_NARROW = 30; // on a phone, so that who stands at the edge is not under a button
const NARROW = 250; // px of the map
const FLASH_MS = 140;
const SWING_MS = 220;
const FOLLOW_MS = 140;
const TILE = 24; // px of the map
const NEAR = 30; // px of the map: what is so far outside of the picture may still reach into it
const COLOURS = [
    "field",
    "grid",
    "wall",
    "wall-edge",
    "beyond",
    "ink",
    "quiet",
    "you",
    "foe",
    "bot",
    "hurt",
    "card",
];

export class Painter {
    margin = MARGIN;
    #canvas;
    #context;
    #colours = {};
    #camera = null; // the middle of what is shown, on the map
    #seen = { left: 0, top: 0, right: 0, bottom: 0 }; // of the map
    #effects = []; // {kind, at, …}
    #flashes = new Map(); // seat → when
    #looks = new Map(); // seat → {x, y, dx, dy}: where it looks, how far it went
    #shake = 0;
    #calm = matchMedia("(prefers-reduced-motion: reduce)");
    #paintedAt = 0;

    constructor(canvas) {
        this.#canvas = canvas;
        this.#context = canvas.getContext("2d");
        const dark = matchMedia("(prefers-color-scheme: dark)");
        dark.addEventListener("change", () => this.#readColours());
        this.#readColours();
        new ResizeObserver(() => this.#resize()).observe(canvas);
        this.#resize();
    }

    #readColours() {
        const style = getComputedStyle(document.documentElement);
        for (const name of COLOURS)
            this.#colours[name] = style.getPropertyValue(`--${name}`).trim();
    }

    #resize() {
        const ratio = Math.min(devicePixelRatio || 1, 2.5);
        this.#canvas.width = Math.max(1, Math.round(this.#canvas.clientWidth * ratio));
        this.#canvas.height = Math.max(1, Math.round(this.#canvas.clientHeight * ratio));
    }

    /** By the names of their custom properties. */
    get colours() {
        return this.#colours;
    }

    colourOf(player, world) {
        if (player.seat === world.own) return this.#colours.you;
        return world.roster.get(player.seat)?.bot ? this.#colours.bot : this.#colours.foe;
    }

    swing({ seat, x, y }, now) {
        this.#effects.push({
            kind: "swing",
            at: now,
            seat,
            x,
            y,
            turn: Math.random() * Math.PI * 2,
        });
    }

    hit({ seat, x, y }, amount, now, isOwn) {
        this.#flashes.set(seat, now);
        this.#effects.push({
            kind: "number",
            at: now,
            x: x + (Math.random() - 0.5) * 8,
            y,
            text: `−${amount}`,
        });
        if (isOwn && !this.#calm.matches) this.#shake = 5;
    }

    burst({ x, y }, colour, now) {
        const count = this.#calm.matches ? 0 : 18;
        const bits = Array.from({ length: count }, () => ({
            angle: Math.random() * Math.PI * 2,
            pace: 15 + Math.random() * 55,
            size: 1 + Math.random() * 2.6,
        }));
        this.#effects.push({ kind: "burst", at: now, x, y, colour, bits });
        this.#effects.push({ kind: "ring", at: now, x, y, colour });
    }

    /** Paints `players` of the world; the camera follows `focus`, a place on the map. */
    paint(world, players, { focus, now, stick }) {
        const { width, height, side } = world.map;
        const c = this.#context;
        const ratio = this.#canvas.width / Math.max(1, this.#canvas.clientWidth);
        const view = { width: this.#canvas.width / ratio, height: this.#canvas.height / ratio };
        const scale = Math.max(SCALE_MIN, view.width / SEEN_MAX, view.height / height);
        const seen = { width: view.width / scale, height: view.height / scale };
        this.#follow(focus ?? { x: width / 2, y: height / 2 }, seen, world.map, now);
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.fillStyle = this.#colours.beyond;
        c.fillRect(0, 0, view.width, view.height);
        const jolt = this.#shake > 0.2 ? this.#shake : 0;
        this.#shake *= 0.82;
        c.translate(
            view.width / 2 + (Math.random() - 0.5) * jolt,
            view.height / 2 + (Math.random() - 0.5) * jolt,
        );
        c.scale(scale, scale);
        c.translate(-this.#camera.x, -this.#camera.y);
        this.#paintGround(world.map);
        this.#effects = this.#effects.filter((effect) =>
            this.#paintEffect(effect, players, world.map, now),
        );
        const standing = players
            .filter(({ hp, x, y }) => hp > 0 && this.#isSeen(x, y, side, side))
            .sort((a, b) => (a.seat === world.own) - (b.seat === world.own) || a.y - b.y);
        for (const player of standing) this.#paintPlayer(player, world, side, now);
        for (const player of standing) this.#paintLabel(player, world, side, scale);
        if (stick) this.#paintStick(stick, ratio);
    }

    #follow(focus, seen, { width, height }, now) {
        const margin = seen.width < NARROW ? Math.max(this.margin, MARGIN_NARROW) : this.margin;
        const within = (value, half, size) =>
            half * 2 >= size
                ? size / 2
                : Math.min(size + margin - half, Math.max(half - margin, value));
        const x = within(focus.x, seen.width / 2, width);
        const y = within(focus.y, seen.height / 2, height);
        const share = this.#camera ? 1 - Math.exp(-(now - this.#paintedAt) / FOLLOW_MS) : 1;
        this.#paintedAt = now;
        this.#camera ??= { x, y };
        this.#camera.x += (x - this.#camera.x) * share;
        this.#camera.y += (y - this.#camera.y) * share;
        this.#seen.left = this.#camera.x - seen.width / 2;
        this.#seen.top = this.#camera.y - seen.height / 2;
        this.#seen.right = this.#seen.left + seen.width;
        this.#seen.bottom = this.#seen.top + seen.height;
    }

    /** What of the map the last picture showed: {left, top, right, bottom}. */
    get seen() {
        return this.#seen;
    }

    #isSeen(x, y, width, height) {
        const { left, top, right, bottom } = this.#seen;
        return (
            x + width > left - NEAR &&
            x < right + NEAR &&
            y + height > top - NEAR &&
            y < bottom + NEAR
        );
    }

    #paintGround({ width, height, obstacles }) {
        const c = this.#context;
        c.fillStyle = this.#colours.field;
        c.fillRect(0, 0, width, height);
        c.fillStyle = this.#colours.grid;
        const { left, top, right, bottom } = this.#seen;
        const firstX = Math.max(0, Math.floor(left / TILE));
        const firstY = Math.max(0, Math.floor(top / TILE));
        for (let y = firstY; y * TILE < Math.min(height, bottom); y++)
            for (let x = firstX + ((firstX + y) % 2); x * TILE < Math.min(width, right); x += 2)
                c.fillRect(
                    x * TILE,
                    y * TILE,
                    Math.min(TILE, width - x * TILE),
                    Math.min(TILE, height - y * TILE),
                );
        for (const [x, y, w, h] of obstacles) {
            if (!this.#isSeen(x, y, w, h)) continue;
            c.fillStyle = this.#colours["wall-edge"];
            this.#box(x, y, w, h, 3);
            c.fillStyle = this.#colours.wall;
            this.#box(x, y, w, h - 3, 3);
        }
    }

    #box(x, y, w, h, radius) {
        this.#context.beginPath();
        this.#context.roundRect(x, y, w, h, radius);
        this.#context.fill();
    }

    /** Where a player looks: where it last went. */
    #look({ seat, x, y }) {
        const look = this.#looks.get(seat) ?? { x, y, dx: 0, dy: 0.4, way: 0 };
        const dx = x - look.x;
        const dy = y - look.y;
        const way = Math.hypot(dx, dy);
        if (way > 0.15) {
            look.dx += (dx / way - look.dx) * 0.25;
            look.dy += (dy / way - look.dy) * 0.25;
            look.way += way;
        }
        look.x = x;
        look.y = y;
        this.#looks.set(seat, look);
        return look;
    }

    #paintPlayer(player, world, side, now) {
        const c = this.#context;
        const { x, seat } = player;
        const look = this.#look(player);
        const hop = this.#calm.matches ? 0 : Math.abs(Math.sin(look.way * 0.22)) * 1.7;
        const y = player.y - hop;
        const flash = now - (this.#flashes.get(seat) ?? -Infinity) < FLASH_MS;
        const isBot = world.roster.get(seat)?.bot;
        c.fillStyle = "#0002";
        this.#box(x + 0.6, player.y + side - 1.6, side - 1.2, 2.6, 1.3);
        if (isBot) {
            c.fillStyle = this.#colours.bot;
            c.fillRect(x + side / 2 - 0.4, y - 2.4, 0.8, 2.8);
            this.#box(x + side / 2 - 1, y - 3.4, 2, 2, 1);
        }
        c.fillStyle = flash ? "#fff" : this.colourOf(player, world);
        this.#box(x, y, side, side, 2.6);
        if (seat === world.own) {
            c.strokeStyle = this.#colours.ink;
            c.lineWidth = 0.7;
            c.stroke();
        }
        c.fillStyle = flash ? this.#colours.hurt : "#fff";
        const eye = { x: x + side / 2 + look.dx * 1.7, y: y + side / 2 - 0.6 + look.dy * 1.4 };
        for (const sign of [-1, 1])
            this.#box(eye.x + sign * 1.9 - 0.85, eye.y - 1.6, 1.7, 3.2, 0.7);
        c.fillStyle = "#15131c";
        for (const sign of [-1, 1])
            this.#box(
                eye.x + sign * 1.9 - 0.5 + look.dx * 0.35,
                eye.y - 0.5 + look.dy * 0.7,
                1,
                1.4,
                0.5,
            );
    }

    #paintLabel({ seat, x, y, hp }, world, side, scale) {
        const c = this.#context;
        const size = 11.5 / scale;
        const isOwn = seat === world.own;
        c.font = `${isOwn ? 700 : 550} ${size}px system-ui, sans-serif`;
        c.textAlign = "center";
        c.lineJoin = "round";
        c.lineWidth = 3 / scale;
        c.strokeStyle = this.#colours.field;
        c.fillStyle = this.#colours.ink;
        const text = world.roster.get(seat)?.name ?? "";
        c.strokeText(text, x + side / 2, y - 6.2);
        c.fillText(text, x + side / 2, y - 6.2);
        if (hp === 100 && !isOwn) return;
        c.fillStyle = this.#colours["wall-edge"];
        this.#box(x - 2, y - 4.8, side + 4, 1.9, 0.95);
        c.fillStyle = hp <= 30 ? this.#colours.hurt : this.#colours.you;
        this.#box(x - 2, y - 4.8, Math.max(1.9, ((side + 4) * hp) / 100), 1.9, 0.95);
    }

    /** False when it is over. */
    #paintEffect(effect, players, { side, range }, now) {
        const c = this.#context;
        const age = Math.max(0, now - effect.at); // a frame has the time at which it began
        const mx = effect.x + side / 2;
        const my = effect.y + side / 2;
        if (effect.kind === "swing") {
            const part = age / SWING_MS;
            if (part > 1) return false;
            const by = players.find(({ seat }) => seat === effect.seat) ?? effect;
            const reach = range + side / 2;
            c.globalAlpha = 1 - part;
            c.strokeStyle = this.#colours.ink;
            c.lineWidth = 2.4 * (1 - part) + 0.5;
            c.beginPath();
            c.arc(
                by.x + side / 2,
                by.y + side / 2,
                reach * (0.55 + 0.45 * part),
                effect.turn + part * 4,
                effect.turn + part * 4 + 4.4,
            );
            c.stroke();
        } else if (effect.kind === "number") {
            const part = age / 650;
            if (part > 1) return false;
            c.globalAlpha = 1 - part * part;
            c.fillStyle = this.#colours.hurt;
            c.font = "800 6.5px system-ui, sans-serif";
            c.textAlign = "center";
            c.fillText(effect.text, mx + 8, effect.y - part * 9);
        } else if (effect.kind === "ring") {
            const part = age / 380;
            if (part > 1) return false;
            c.globalAlpha = 1 - part;
            c.strokeStyle = effect.colour;
            c.lineWidth = 3 * (1 - part);
            c.beginPath();
            c.arc(mx, my, 5 + 24 * part, 0, 7);
            c.stroke();
        } else {
            const part = age / 600;
            if (part > 1) return false;
            c.globalAlpha = 1 - part;
            c.fillStyle = effect.colour;
            for (const { angle, pace, size } of effect.bits) {
                const way = pace * part * (2 - part) * 0.6;
                c.fillRect(
                    mx + Math.cos(angle) * way - size / 2,
                    my + Math.sin(angle) * way - size / 2,
                    size,
                    size,
                );
            }
        }
        c.globalAlpha = 1;
        return true;
    }

    #paintStick({ x, y, dx, dy }, ratio) {
        const c = this.#context;
        const pull = Math.max(1, Math.hypot(dx, dy) / 46);
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.globalAlpha = 0.35;
        c.strokeStyle = this.#colours.ink;
        c.lineWidth = 2;
        c.beginPath();
        c.arc(x, y, 46, 0, 7);
        c.stroke();
        c.fillStyle = this.#colours.ink;
        c.beginPath();
        c.arc(x + dx / pull, y + dy / pull, 20, 0, 7);
        c.fill();
        c.globalAlpha = 1;
    }
}
