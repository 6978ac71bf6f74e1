// A game in real time in the playground: by packets, predicted by its own module.
import { loadRules } from "@fray/client";
import { byId, element } from "../../shared/dom.mjs";
import { Bounds, marksIn, marksOf, paintDots, placesOf, rowsOf } from "../../shared/dots.mjs";
import { Play } from "../../shared/play/play.mjs";
import { Surface } from "../../shared/play/surface.mjs";
import { origin } from "../../shared/server.mjs";
import { Sound } from "../../shared/play/sound.mjs";
import { beforePicture, isBeforePicture } from "../../shared/words.mjs";
import { Controls } from "./controls.mjs";
import { addHappened, clearHappened } from "./happened.mjs";
import { showTables, stateOf } from "./tables.mjs";
import { titleOf } from "./words.mjs";

const MARGIN = 14; // CSS px around the map
const STATE_MS = 250;
const NOBODY = 255;
const COLOURS = ["ground", "card", "line", "quiet", "ink", "you", "foe", "bot", "player-l"];

/** Rejects, with what to do, where there is no module: nothing can be predicted or shown then. */
export async function startTicked(game) {
    await loadRules(`${origin}/games/${encodeURIComponent(game.name)}.wasm`);
    byId("ticked").append(byId("ticked-stage").content);
    for (const part of ["ticked", "bar", "practice"]) byId(part).hidden = false;
    byId("tool-sound").hidden = true; // there is nothing to hear

    const surface = new Surface(byId("canvas"), COLOURS);
    const places = placesOf(game);
    const marks = marksOf(game);
    let bounds = new Bounds();
    let fit = { scale: 1, left: 0, top: 0 }; // from the map to the canvas, CSS px
    let stateAt = 0;
    let people = new Map(); // seat → of model.seats
    let isShown = false;
    const nameOf = (seat) => (seat === NOBODY ? "nobody" : (people.get(seat)?.name ?? `${seat}`));

    const controls = new Controls(game, {
        canvas: byId("canvas"),
        pad: byId("pad"),
        legend: byId("keys"),
        toMap: (event) => {
            const { x, y } = surface.place(event);
            return { x: (x - fit.left) / fit.scale, y: (y - fit.top) / fit.scale };
        },
    });

    function paintMap(rows, view, seat) {
        const { context: c, colours, width, height, ratio } = surface;
        const map = bounds.see(rows, view.tables.options);
        byId("screen").style.setProperty("--map", `${map.width} / ${map.height}`);
        const room = (length, of) => Math.max(1, length - 2 * MARGIN) / of;
        const scale = Math.min(room(width, map.width), room(height, map.height));
        fit = {
            scale,
            left: (width - map.width * scale) / 2,
            top: (height - map.height * scale) / 2,
        };
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.fillStyle = colours.ground;
        c.fillRect(0, 0, width, height);
        c.translate(fit.left, fit.top);
        c.scale(scale, scale);
        c.fillStyle = colours.card;
        c.fillRect(0, 0, map.width, map.height);
        const colour = (name) => colours[name];
        paintDots(c, rows, { colour, people, marks: marksIn(marks, view), own: seat, scale });
    }

    function paint(frame, { now, seat, model }) {
        isShown = Boolean(frame && model);
        if (!isShown) return;
        people = new Map(model.seats.map((each) => [each.seat, each]));
        const { interpolated, predicted } = frame;
        paintMap(rowsOf(places, interpolated, seat, predicted), interpolated, seat);
        if (now - stateAt < STATE_MS) return;
        stateAt = now;
        showTables(byId("state"), game, stateOf(game, interpolated, seat), { nameOf, own: seat });
    }

    function say(model, waiting) {
        const isWaiting = model?.phase === "waiting";
        if (model && isBeforePicture(model))
            return { kind: isShown ? "veil" : "black", ...beforePicture(model) };
        if (!model || !(isShown || isWaiting)) return { kind: "black", title: "Connecting …" };
        const { title, mood } = titleOf(model, byId("canvas").play?.results ?? null, game);
        if (model.phase === "playing") return { kind: "none", title };
        if (!isWaiting) return { kind: "veil", title, mood };
        const { elapsed, online, botIn, step } = waiting;
        const detail = [
            elapsed,
            !model.private && online > 1 && `${online} online`,
            botIn !== null && `a bot comes in ${botIn} s`,
        ];
        const isFound = ["found", "agreed"].includes(step?.phase);
        return {
            kind: isShown ? "veil" : "black",
            title: isFound ? "Here we go" : title,
            detail: detail.filter(Boolean).join(" · "),
        };
    }

    const play = new Play(
        {
            name: game.name,
            steps: [],
            thumbs: [],
            optionWords: Object.fromEntries(
                game.options.map(({ name, summary }) => [
                    name,
                    `${name.replaceAll("_", " ")}: ${summary}`,
                ]),
            ),
            table: () => ({ bots: Number(byId("bots").value), level: Number(byId("level").value) }),
            isAlone: ({ phase, seats }) =>
                phase === "waiting" && seats.length === 1 && game.seats_min > 1,
            begin: () => {
                clearHappened();
                bounds = new Bounds();
            },
            paint,
            input: () => controls.values(),
            idle: controls.idle,
            release: () => controls.release(),
            say,
            onEvent: ({ name, args, tick }) => {
                const kind = game.events.find((other) => other.name === name);
                if (kind) addHappened(kind, args, nameOf, Math.floor(tick));
            },
        },
        new Sound(),
    );
    byId("canvas").playground = { play, controls }; // for tests and the curious
}
