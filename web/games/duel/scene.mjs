// The duel on a canvas. What does not move is painted ahead; who looks is green, whoever it is.
import { paintDuellist } from "./duellist.mjs";
import { STICK_RADIUS } from "./controls.mjs";

export const COLOURS = [
    ...["you", "foe", "bot", "left", "right", "ink", "card", "sky-high", "sky-low", "glow"],
    ...["hill-far", "hill-near", "stone", "stone-edge", "moss", "quiet", "limb"],
];
const MAP = { width: 960, height: 540 };
/* There the picture goes as near as both are in it: px of the map around them. */
const AROUND = { side: 80, above: 90, below: 60 };
const NEAREST = 0.64; // CSS px per px of the map
const FOLLOW_MS = 260;
const LABEL_MIN = 0.85; // CSS px per px of names and hits
/* CSS px of upright phones: the plates are above the map, the thumbs below it. */
const PLATES = 82;
const THUMBS = 150;
const PLATES_MIN = 60;
const TRAIL_MS = 42; // of a bullet's way that is seen behind it
const TICK_MS = 1000 / 60;

/** Who looks is green, the other red; for who watches, `ownSeat` null, left and right differ. */
export function colourName(seat, ownSeat) {
    if (ownSeat === null) return seat === 0 ? "left" : "right";
    return seat === ownSeat ? "you" : "foe";
}

export class Scene {
    #surface;
    #effects;
    #still = document.createElement("canvas"); // sky, hills, platforms
    #isStale = true;
    #platforms = "";
    #place = { scale: 1, x: 0, y: 0 };
    #whole = this.#place; // where all of the map is seen
    #isPlaced = false; // #place follows already
    #area = null; // {top, height} of the canvas where the picture follows the two, or null

    constructor(surface, effects) {
        this.#surface = surface;
        this.#effects = effects;
        surface.onChange = () => {
            this.#isStale = true;
        };
    }

    /** From px of the canvas to the map's. */
    toMap = ({ x, y }) => ({
        x: (x - this.#place.x) / this.#place.scale,
        y: (y - this.#place.y) / this.#place.scale,
    });

    colourOf(seat, ownSeat) {
        return this.#surface.colours[colourName(seat, ownSeat)];
    }

    paintBlack() {
        const { context: c, width, height, ratio } = this.#surface;
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.fillStyle = "#000";
        c.fillRect(0, 0, width, height);
    }

    /** `world` of world.mjs; `extra`: {aim, sticks} of who plays, or null. */
    paint(world, elapsed, extra) {
        const { context: c, ratio } = this.#surface;
        this.#arrange(world);
        if (this.#area) this.#follow(world.players, elapsed);
        c.setTransform(1, 0, 0, 1, 0, 0);
        c.drawImage(this.#still, 0, 0);
        const { scale, x, y } = this.#place;
        const jolt = this.#effects.jolt(elapsed);
        c.setTransform(
            ratio * scale,
            0,
            0,
            ratio * scale,
            ratio * (x + jolt.x),
            ratio * (y + jolt.y),
        );
        if (this.#area) this.#paintPlatforms(c, world.platforms);
        for (const bullet of world.bullets) this.#paintBullet(bullet, world.seat);
        for (const player of world.players)
            if (player.present && player.hp > 0) this.#paintPlayer(player, world);
        this.#effects.paint(c, elapsed);
        if (!extra) return;
        if (extra.aim && world.isLive) this.#paintAim(extra.aim);
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        for (const stick of Object.values(extra.sticks)) if (stick) this.#paintStick(stick);
    }

    #paintPlayer(player, world) {
        const other = world.players[1 - player.seat];
        const isStill = !world.isLive && other.present;
        paintDuellist(this.#surface.context, player, {
            colour: this.colourOf(player.seat, world.seat),
            limb: this.#surface.colours.limb,
            ink: this.#surface.colours.ink,
            paper: this.#surface.colours.card,
            // Before the first mouse position one looks at the other.
            aim: isStill ? { x: other.x, y: other.y - 20 } : player.aim,
            hits: world.hits,
            marks: this.#effects.marks[player.seat],
            isCalm: this.#surface.calm.matches,
            label: Math.max(1, LABEL_MIN / this.#place.scale),
        });
    }

    #paintBullet({ x, y, velocityX, velocityY, seat }, ownSeat) {
        const c = this.#surface.context;
        const back = TRAIL_MS / TICK_MS;
        const tail = { x: x - velocityX * back, y: y - velocityY * back };
        const colour = this.colourOf(seat, ownSeat);
        const fade = c.createLinearGradient(x, y, tail.x, tail.y);
        fade.addColorStop(0, colour);
        fade.addColorStop(1, "#0000");
        c.lineCap = "round";
        c.strokeStyle = fade;
        c.lineWidth = 6;
        c.beginPath();
        c.moveTo(x, y);
        c.lineTo(tail.x, tail.y);
        c.stroke();
        c.fillStyle = colour;
        c.beginPath();
        c.arc(x, y, 4.5, 0, 7);
        c.fill();
        c.fillStyle = "#fff";
        c.beginPath();
        c.arc(x, y, 2.2, 0, 7);
        c.fill();
    }

    #paintAim({ x, y }) {
        const c = this.#surface.context;
        for (const [colour, width] of [
            ["#0008", 4],
            ["#fff", 2],
        ]) {
            c.strokeStyle = colour;
            c.lineWidth = width;
            c.beginPath();
            c.arc(x, y, 8, 0, 7);
            for (const [dx, dy] of [
                [1, 0],
                [-1, 0],
                [0, 1],
                [0, -1],
            ]) {
                c.moveTo(x + dx * 5, y + dy * 5);
                c.lineTo(x + dx * 13, y + dy * 13);
            }
            c.stroke();
        }
    }

    #paintStick({ x, y, dx, dy }) {
        const c = this.#surface.context;
        const pull = Math.max(1, Math.hypot(dx, dy) / STICK_RADIUS);
        c.globalAlpha = 0.4;
        c.strokeStyle = this.#surface.colours.ink;
        c.lineWidth = 2;
        c.beginPath();
        c.arc(x, y, STICK_RADIUS, 0, 7);
        c.stroke();
        c.fillStyle = this.#surface.colours.ink;
        c.beginPath();
        c.arc(x + dx / pull, y + dy / pull, 20, 0, 7);
        c.fill();
        c.globalAlpha = 1;
    }

    /** Where the map is on the canvas, and the picture of what does not move. */
    #arrange({ platforms }) {
        const key = platforms.map(({ x, y, width, height }) => [x, y, width, height]).join();
        if (!this.#isStale && key === this.#platforms) return;
        this.#isStale = false;
        this.#platforms = key;
        const { width, height, ratio, calm } = this.#surface;
        const scale = Math.min(width / MAP.width, height / MAP.height);
        const spare = height - MAP.height * scale;
        const isUpright = spare > height / 4;
        const least = Math.max(MAP.height * scale, height - PLATES - THUMBS);
        const top = Math.max(PLATES + (least - MAP.height * scale) / 2, PLATES_MIN);
        this.#whole = {
            scale,
            x: (width - MAP.width * scale) / 2,
            y: isUpright ? Math.min(top, spare) : spare / 2,
        };
        this.#place = { ...this.#whole };
        this.#isPlaced = false;
        this.#area = isUpright && !calm.matches ? { top: PLATES, height: least } : null;
        this.#still.width = Math.round(width * ratio);
        this.#still.height = Math.round(height * ratio);
        const c = this.#still.getContext("2d", { alpha: false });
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        this.#paintSky(c, width, height);
        c.translate(this.#place.x, this.#place.y);
        c.scale(scale, scale);
        if (!this.#area) this.#paintPlatforms(c, platforms);
    }

    #paintPlatforms(c, platforms) {
        for (const platform of platforms) if (platform.width) this.#paintPlatform(c, platform);
    }

    /** As near as both are seen; the map's edges only where all of it is. */
    #follow(players, elapsed) {
        const there = players.filter(({ present }) => present);
        if (!there.length) return;
        const { width } = this.#surface;
        const { top, height } = this.#area;
        const reach = (axis, before, behind) => {
            const values = there.map((player) => player[axis]);
            const [from, to] = [Math.min(...values) - before, Math.max(...values) + behind];
            return { middle: (from + to) / 2, size: to - from };
        };
        const across = reach("x", AROUND.side, AROUND.side);
        const upright = reach("y", AROUND.above, AROUND.below);
        const wanted = Math.min(width / across.size, height / upright.size, NEAREST);
        const scale = Math.max(wanted, this.#whole.scale);
        const x = width / 2 - within(across.middle, width / scale, MAP.width) * scale;
        const y = top + height / 2 - within(upright.middle, height / scale, MAP.height) * scale;
        const share = this.#isPlaced ? 1 - Math.exp(-elapsed / FOLLOW_MS) : 1;
        this.#isPlaced = true;
        for (const [name, value] of Object.entries({ scale, x, y }))
            this.#place[name] += (value - this.#place[name]) * share;
    }

    #paintSky(c, width, height) {
        const { colours } = this.#surface;
        const { x, y, scale } = this.#whole;
        const sky = c.createLinearGradient(0, 0, 0, height);
        sky.addColorStop(0, colours["sky-high"]);
        sky.addColorStop(1, colours["sky-low"]);
        c.fillStyle = sky;
        c.fillRect(0, 0, width, height);
        const sun = { x: x + 720 * scale, y: y + 130 * scale, r: 58 * scale };
        const glow = c.createRadialGradient(sun.x, sun.y, 0, sun.x, sun.y, sun.r * 4);
        glow.addColorStop(0, colours.glow);
        glow.addColorStop(1, "#fff0");
        c.globalAlpha = 0.35;
        c.fillStyle = glow;
        c.fillRect(0, 0, width, height);
        c.globalAlpha = 0.9;
        c.fillStyle = colours.glow;
        c.beginPath();
        c.arc(sun.x, sun.y, sun.r, 0, 7);
        c.fill();
        c.globalAlpha = 1;
        const ground = y + MAP.height * scale;
        this.#paintHills(c, {
            colour: colours["hill-far"],
            base: ground - 190 * scale,
            wave: 46,
            length: 260,
        });
        this.#paintHills(c, {
            colour: colours["hill-near"],
            base: ground - 90 * scale,
            wave: 34,
            length: 170,
        });
    }

    #paintHills(c, { colour, base, wave, length }) {
        const { width, height } = this.#surface;
        const { scale } = this.#whole;
        c.fillStyle = colour;
        c.beginPath();
        c.moveTo(0, height);
        for (let x = 0; x <= width + 8; x += 8) {
            const at = (x - this.#whole.x) / scale / length;
            const up =
                Math.sin(at * 2.1 + length) * 0.6 + Math.sin(at * 0.83) + Math.sin(at * 5) * 0.1;
            c.lineTo(x, base - up * wave * scale);
        }
        c.lineTo(width, height);
        c.fill();
    }

    #paintPlatform(c, { x, y, width, height }) {
        const { colours } = this.#surface;
        c.fillStyle = "#0000001c";
        box(c, x + 3, y + 6, width, height, 7);
        c.fillStyle = colours["stone-edge"];
        box(c, x, y, width, height, 6);
        c.fillStyle = colours.stone;
        box(c, x, y, width, height - 4, 6);
        c.fillStyle = colours["stone-edge"];
        c.globalAlpha = 0.5;
        for (let at = x + 26; at < x + width - 12; at += 38) c.fillRect(at, y + 8, 2, height - 12);
        c.globalAlpha = 1;
        c.fillStyle = colours.moss;
        box(c, x, y, width, 6, 3);
    }
}

/** The middle of what is seen of a side of the map, so that nothing beyond is. */
function within(middle, seen, size) {
    return seen >= size ? size / 2 : Math.max(seen / 2, Math.min(size - seen / 2, middle));
}

function box(c, x, y, width, height, radius) {
    c.beginPath();
    c.roundRect(x, y, width, height, radius);
    c.fill();
}
