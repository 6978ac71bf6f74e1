// What two frames tell by their difference: shots, hits, landings, deaths. They flash, spark, shake
// and sound.
import { Particles } from "../../shared/play/particles.mjs";

const GRAVITY = 900; // px/s², of what flies apart
const HIT_MS = 110;
const SHOT_MS = 110;
const LAND_MS = 160;
const JOLT_HALF_MS = 70;

const marks = () => ({ hit: 0, shot: 0, land: 0, way: 0 });

export class Effects {
    marks = [marks(), marks()];
    #surface;
    #sound;
    #particles = new Particles();
    #shake = 0; // CSS px
    #before = [{}, {}]; // of each player
    #flying = new Map(); // row → {x, y, seat} of the last frame
    #seen = new Set();

    constructor(surface, sound) {
        this.#surface = surface;
        this.#sound = sound;
    }

    /** Another match, or a picture after a pause: nothing happened in between. */
    forget() {
        this.#particles.clear();
        this.#flying.clear();
        this.#before = [{}, {}];
        this.#shake = 0;
    }

    compare(world, elapsed, colourOf) {
        for (const player of world.players) this.#player(player, world, elapsed, colourOf);
        this.#bullets(world, colourOf);
    }

    #player(player, world, elapsed, colourOf) {
        const was = this.#before[player.seat];
        const mark = this.marks[player.seat];
        for (const name of ["hit", "shot", "land"]) mark[name] = Math.max(0, mark[name] - elapsed);
        mark.way += Math.abs(player.velocityX) * (elapsed / 16.7);
        const isSame = was.round === world.round && was.matches === world.matches;
        const pan = player.x / 480 - 1;
        if (isSame && was.present && player.present) {
            if (player.hp < was.hp) this.#hurt(player, world, colourOf(player.seat), pan);
            if (player.grounded && !was.grounded && was.velocityY > 2) {
                mark.land = LAND_MS;
                this.#dust(player.x, player.y, 6);
                if (player.seat === world.seat) this.#sound.play("land", pan);
            }
            if (!player.grounded && was.grounded && player.velocityY < 0) {
                this.#dust(player.x, player.y, 4);
                if (player.seat === world.seat) this.#sound.play("jump", pan);
            }
        }
        Object.assign(was, {
            round: world.round,
            matches: world.matches,
            present: player.present,
            hp: player.hp,
            grounded: player.grounded,
            velocityY: player.velocityY,
        });
    }

    #hurt({ seat, x, y, hp }, world, colour, pan) {
        const isOwn = seat === world.seat;
        this.marks[seat].hit = HIT_MS;
        this.#shake = Math.max(this.#shake, isOwn ? 9 : 4);
        this.#burst({ x, y: y - 16, count: 14, colour, speed: 230 });
        this.#sound.play(hp === 0 ? "kill" : isOwn ? "hurt" : "hit", pan);
        if (hp > 0) return;
        this.#shake = 15;
        this.#burst({ x, y: y - 16, count: 60, colour, speed: 380, size: 6 });
        this.#burst({ x, y: y - 16, count: 20, colour: "#fff", speed: 300 });
    }

    #bullets(world, colourOf) {
        this.#seen.clear();
        for (const { row, x, y, velocityX, velocityY, seat } of world.bullets) {
            this.#seen.add(row);
            if (!this.#flying.has(row)) this.#shot(world, { x, y, velocityX, velocityY, seat });
            const kept = this.#flying.get(row) ?? {};
            Object.assign(kept, { x, y, velocityX, velocityY, seat });
            this.#flying.set(row, kept);
        }
        for (const [row, { x, y, velocityX, velocityY, seat }] of this.#flying) {
            if (this.#seen.has(row)) continue;
            this.#flying.delete(row);
            if (x < -10 || x > 970 || y < -20 || y > 550) continue; // left the map
            const angle = Math.atan2(-velocityY, -velocityX);
            this.#burst({ x, y, count: 8, colour: colourOf(seat), angle, spread: 1.8, speed: 190 });
            this.#burst({
                x,
                y,
                count: 4,
                colour: "#fff",
                angle,
                spread: 1.4,
                speed: 150,
                size: 2,
            });
        }
    }

    #shot(world, { x, velocityX, velocityY, seat }) {
        const player = world.players[seat];
        this.marks[seat].shot = SHOT_MS;
        const angle = Math.atan2(velocityY, velocityX);
        const from = {
            x: player.x + Math.cos(angle) * 24,
            y: player.y - 20 + Math.sin(angle) * 24,
        };
        this.#burst({
            ...from,
            count: 4,
            colour: "#ffd98a",
            angle,
            spread: 0.7,
            speed: 200,
            size: 2,
        });
        if (seat === world.seat) this.#shake = Math.max(this.#shake, 1.6);
        this.#sound.play(seat === world.seat ? "shot" : "foeShot", x / 480 - 1);
    }

    #dust(x, y, count) {
        const colour = this.#surface.colours.quiet;
        for (const angle of [-0.35, Math.PI + 0.35])
            this.#burst({ x, y: y - 1, count, colour, angle, spread: 0.7, speed: 80, size: 2.5 });
    }

    #burst(burst) {
        if (!this.#surface.calm.matches) this.#particles.burst(burst);
    }

    paint(context, elapsed) {
        this.#particles.paint(context, elapsed, GRAVITY);
    }

    /** How far the picture is off its place now, in CSS px. */
    jolt(elapsed) {
        this.#shake *= 0.5 ** (elapsed / JOLT_HALF_MS);
        if (this.#surface.calm.matches || this.#shake < 0.2) return { x: 0, y: 0 };
        const way = Math.random() * Math.PI * 2;
        return { x: Math.cos(way) * this.#shake, y: Math.sin(way) * this.#shake };
    }
}
