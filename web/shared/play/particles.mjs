// Sparks, dust and debris in a pool: nothing is made while a fight goes on.

const MAX = 400;

export class Particles {
    #pool = Array.from({ length: MAX }, () => ({ life: 0 }));
    #next = 0;

    /** A burst from a place; `spread` around `angle` in radians, speeds in px/s. */
    burst({ x, y, count, colour, angle = 0, spread = Math.PI * 2, speed = 120, size = 3 }) {
        for (let made = 0; made < count; made++) {
            const way = angle + (Math.random() - 0.5) * spread;
            const pace = speed * (0.3 + Math.random() * 0.7);
            const one = this.#pool[this.#next];
            this.#next = (this.#next + 1) % MAX;
            one.x = x;
            one.y = y;
            one.vx = Math.cos(way) * pace;
            one.vy = Math.sin(way) * pace;
            one.size = size * (0.5 + Math.random() * 0.8);
            one.turn = Math.random() * 7;
            one.colour = colour;
            one.life = one.whole = 0.25 + Math.random() * 0.45;
        }
    }

    paint(context, elapsedMs, gravity) {
        const dt = elapsedMs / 1000;
        for (const one of this.#pool) {
            if (one.life <= 0) continue;
            one.life -= dt;
            if (one.life <= 0) continue;
            one.vy += gravity * dt;
            one.vx *= 1 - 1.6 * dt;
            one.x += one.vx * dt;
            one.y += one.vy * dt;
            const part = one.life / one.whole;
            const size = one.size * (0.35 + 0.65 * part);
            context.globalAlpha = Math.min(1, part * 1.6);
            context.fillStyle = one.colour;
            context.fillRect(one.x - size / 2, one.y - size / 2, size, size);
        }
        context.globalAlpha = 1;
    }

    clear() {
        for (const one of this.#pool) one.life = 0;
    }
}
