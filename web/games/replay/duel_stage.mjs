// The duel's own picture, of a recording: nobody looks, so one is blue and the other amber.
import { View } from "../../sdk/src/view.ts";
import { byId, setText } from "../../shared/dom.mjs";
import { Surface } from "../../shared/play/surface.mjs";
import { Effects } from "../duel/effects.mjs";
import { COLOURS, Scene } from "../duel/scene.mjs";
import { World } from "../duel/world.mjs";

const SMOOTHING = { fields: ["players.aim_x", "players.aim_y"], teleport: 24 }; // px a tick
const SILENT = { play() {} };

export class DuelStage {
    world = new World();
    #view;
    #effects;
    #scene;

    constructor({ rules }) {
        this.#view = new View(rules, false, SMOOTHING);
        const surface = new Surface(byId("field"), COLOURS);
        this.#effects = new Effects(surface, SILENT);
        this.#scene = new Scene(surface, this.#effects);
        byId("caption").hidden = false;
    }

    forget() {
        this.#effects.forget();
    }

    show(recording, { alpha, elapsed }) {
        const { world } = this;
        this.#view.show(...recording.scene, alpha, 1);
        world.fill({ interpolated: this.#view }, null, recording.seats());
        this.#effects.compare(world, elapsed, (seat) => this.#scene.colourOf(seat, null));
        this.#scene.paint(world, elapsed, null);
        setText(byId("caption"), captionOf(recording));
    }
}

function captionOf(recording) {
    const { match, players } = recording.describe();
    const isEnd = match.phase === "over" || recording.isDeserted;
    const known = recording.seats().map(({ seat, name }) => {
        const isSeat = (row) => row.seat === seat;
        // Who has left had so many: the row of a free seat is empty.
        const row = players.find(isSeat) ?? recording.lastWith(seat)?.players.find(isSeat);
        return { name, wins: row?.wins ?? 0 };
    });
    return `${isEnd ? "The end" : `Round ${match.round}`} · ${scoreOf(known)}`;
}

function scoreOf([left, right]) {
    if (!right) return left?.name ?? "";
    return `${left.name} ${left.wins} : ${right.wins} ${right.name}`;
}
