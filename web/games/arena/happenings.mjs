// What two frames tell by their difference: swings, hits, deaths. The painter shows them.

const SILENT = { play() {} };

export class Happenings {
    #painter;
    #sound;
    #before = new Map(); // seat → {hp, swings}

    constructor(painter, sound = SILENT) {
        this.#painter = painter;
        this.#sound = sound;
    }

    forget() {
        this.#before.clear();
    }

    compare(world, now) {
        for (const player of world.players) {
            const was = this.#before.get(player.seat);
            const isOwn = player.seat === world.own;
            if (was) this.#tell(player, was, { world, now, isOwn });
            const kept = was ?? {};
            kept.hp = player.hp;
            kept.swings = player.swings;
            this.#before.set(player.seat, kept);
        }
        if (this.#before.size <= world.players.length) return;
        const there = new Set(world.players.map(({ seat }) => seat));
        for (const seat of this.#before.keys()) if (!there.has(seat)) this.#before.delete(seat);
    }

    #tell(player, was, { world, now, isOwn }) {
        const pan = world.self ? (player.x - world.self.x) / 200 : 0;
        if (player.swings !== was.swings) {
            this.#painter.swing(player, now);
            if (this.#isNear(player, world)) this.#sound.play("swing", pan);
        }
        if (player.hp < was.hp) {
            this.#painter.hit(player, was.hp - player.hp, now, isOwn);
            if (this.#isNear(player, world)) this.#sound.play(isOwn ? "hurt" : "hit", pan);
        }
        if (player.hp === 0 && was.hp > 0) {
            this.#painter.burst(player, this.#painter.colourOf(player, world), now);
            if (this.#isNear(player, world)) this.#sound.play("kill", pan);
        }
    }

    #isNear({ x, y }, { self }) {
        return !self || Math.hypot(x - self.x, y - self.y) < 160;
    }
}
