// The arena's page: a direction and a strike in, everybody on one map out.
import { announce } from "../../shared/announce.mjs";
import { Painter } from "../../shared/arena_painter.mjs";
import { celebrate } from "../../shared/confetti.mjs";
import { Controls } from "../../shared/controls.mjs";
import { byId } from "../../shared/dom.mjs";
import { Play } from "../../shared/play/play.mjs";
import { Sound } from "../../shared/play/sound.mjs";
import { beforePicture, count, isBeforePicture } from "../../shared/words.mjs";
import { Following } from "./following.mjs";
import { Happenings } from "./happenings.mjs";
import { clearFeed, feedKill, showHud } from "./hud.mjs";
import { World } from "./world.mjs";

const FULL = 127; // of a direction, at full pace
const MORE_BOTS = 5;
const OPTION_WORDS = {
    width: "Width of the map, px",
    height: "Height of the map, px",
    spawn: "Corner where players appear, px (0: anywhere)",
    obstacles: "Obstacles",
    sight: "How far one sees, px",
    cooldown_ticks: "Ticks between strikes",
    respawn_ticks: "Ticks until one is back",
    goal: "Kills that win (0: endless)",
};

const sound = new Sound();
const painter = new Painter(byId("canvas"));
painter.margin = 60; // so that nobody in a corner is under the score
const happenings = new Happenings(painter, sound);
const controls = new Controls(byId("screen"), byId("canvas"), byId("strike"), { keys: window });
const world = new World();
const following = new Following();
let shown = null; // the world, while there is something to see
let strikes = 0; // asked for and not given yet
let killer = null;
let hasWon = false;

controls.onStrike = () => strikes++;

function paint(frame, { now, seat, model }) {
    shown = frame && model ? world : null;
    if (shown) world.fill(frame, seat, model.seats);
    byId("more-bots").hidden = !(
        model?.own &&
        model.isHost &&
        model.host_may_kick !== false && // not in quick play
        model.seats.length < model.seats_max
    );
    document.body.dataset.life = shown?.self ? (shown.self.hp > 0 ? "alive" : "dead") : "none";
    showHud(shown, painter, now);
    if (!shown) return;
    happenings.compare(world, now);
    controls.poll();
    painter.paint(world, world.players, {
        focus: world.self ?? following.of(world),
        now,
        stick: seat === null ? null : controls.stick,
    });
}

function input() {
    const { dx, dy } = controls.steering;
    const values = { dx: dx * FULL, dy: dy * FULL, mode: 0 };
    if (!strikes && !controls.striking) return values;
    strikes = 0;
    return { ...values, attack: 1 };
}

function say(model) {
    if (!model) return { kind: "black", title: "Connecting …" };
    if (isBeforePicture(model)) return { kind: "veil", ...beforePicture(model) };
    if (!shown) return { kind: "black", title: "Connecting …" };
    if (world.isOver) {
        const end = { kind: "veil", isEnd: true, detail: count(world.goal, "kill") };
        if (world.winner === null) return { ...end, title: "It is over" };
        if (world.winner === world.own) return { ...end, title: "You win!", mood: "good" };
        return { ...end, title: `${world.nameOf(world.winner)} wins` };
    }
    if (model.phase === "waiting" && !world.players.length)
        return { kind: "veil", title: "Waiting for the host to start", detail: "" };
    if (world.self?.hp === 0) {
        const title = killer === null ? "You are down" : `${world.nameOf(killer)} struck you down`;
        const detail = `Back in ${Math.ceil(world.respawnIn)} s`;
        return { kind: "banner", title, mood: "bad", detail };
    }
    return { kind: "none", title: world.self ? "You are in the arena" : "You are watching" };
}

/** Both are seats. */
function onEvent({ name, args: { id, by, winner } }) {
    if (name === "end_game" && winner === world.own && !hasWon) {
        hasWon = true;
        celebrate();
        sound.play("win");
    }
    if (name !== "player_killed") return;
    feedKill(world.nameOf(by), world.nameOf(id));
    if (id === world.own) killer = by;
    if (by === world.own) announce(`You struck down ${world.nameOf(id)}.`);
}

const play = new Play(
    {
        name: "arena",
        steps: [],
        thumbs: ["Drag to walk, tap to strike"],
        optionWords: OPTION_WORDS,
        colourOf: ({ id, bot }, own) => (bot === null && id !== own?.id ? "var(--foe)" : null),
        table: () => ({ bots: Number(byId("bots").value), level: 1, start: "auto" }),
        isAlone: () => false, // bots are there at once
        begin: () => {
            happenings.forget();
            clearFeed();
            strikes = 0;
            killer = null;
            hasWon = false;
        },
        paint,
        input,
        idle: { dx: 0, dy: 0, mode: 0 },
        release: () => {
            controls.release();
            strikes = 0;
        },
        say,
        onEvent,
    },
    sound,
);

byId("more-bots").addEventListener("click", () => play.addBots(MORE_BOTS));
byId("canvas").arena = { world, controls }; // for tests and the curious
