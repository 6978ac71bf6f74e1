// The arena's own picture, of a recording: the camera follows who leads, or who was chosen.
import { View } from "../../sdk/src/view.ts";
import { Painter } from "../../shared/arena_painter.mjs";
import { byId, setText } from "../../shared/dom.mjs";
import { Following } from "../arena/following.mjs";
import { Happenings } from "../arena/happenings.mjs";
import { paintMinimap } from "../arena/minimap.mjs";
import { World } from "../arena/world.mjs";

const TELEPORT = 24; // px a tick: who goes further did not walk
const NAMED = 3; // of the best

export class ArenaStage {
    world = new World();
    following = new Following();
    #view;
    #painter = new Painter(byId("field"));
    #happenings = new Happenings(this.#painter);

    constructor({ rules }) {
        this.#view = new View(rules, false, { fields: [], teleport: TELEPORT });
        byId("caption").hidden = byId("minimap").hidden = false;
    }

    forget() {
        this.#happenings.forget();
        this.following.forget();
    }

    show(recording, { alpha, now }) {
        const { world } = this;
        this.#view.show(...recording.scene, alpha, 1);
        world.fill({ interpolated: this.#view }, null, recording.seats());
        this.#happenings.compare(world, now);
        const focus = this.following.of(world);
        this.#painter.paint(world, world.players, { focus, now, stick: null });
        paintMinimap(byId("minimap"), world, this.#painter, focus);
        const best = [...world.players].sort((a, b) => b.score - a.score || a.seat - b.seat);
        const named = best.slice(0, NAMED);
        const scores = named.map(({ seat, score }) => `${world.nameOf(seat)} ${score}`);
        const followed = focus && `following ${world.nameOf(focus.seat)}`;
        setText(byId("caption"), [...scores, followed].filter(Boolean).join(" · "));
    }
}
