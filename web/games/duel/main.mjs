// The duel's page: keys and thumbs in, two squares on platforms out.
import { celebrate } from "../../shared/confetti.mjs";
import { byId } from "../../shared/dom.mjs";
import { Play } from "../../shared/play/play.mjs";
import { Sound } from "../../shared/play/sound.mjs";
import { Surface } from "../../shared/play/surface.mjs";
import { DuelControls } from "./controls.mjs";
import { Effects } from "./effects.mjs";
import { showHud } from "./hud.mjs";
import { COLOURS, Scene, colourName } from "./scene.mjs";
import { STEPS, say } from "./words.mjs";
import { World } from "./world.mjs";

const OPTION_WORDS = {
    hits: "Hits that kill",
    rounds: "Rounds that win",
    cooldown_ticks: "Ticks between shots",
    countdown_ticks: "Countdown, ticks",
    pause_ticks: "Pause after a round, ticks",
    round_ticks: "Length of a round, ticks (0: no limit)",
    bot_error: "Bot: aims beside, px at 1000",
    bot_error_max: "Bot: the most that losing adds, px",
    bot_error_half: "Bot: losses to half of that",
    bot_sharpens: "Bot: a win sharpens its aim again",
};

const sound = new Sound();
const canvas = byId("canvas");
const surface = new Surface(canvas, COLOURS);
const effects = new Effects(surface, sound);
const scene = new Scene(surface, effects);
const controls = new DuelControls(canvas, surface, scene.toMap);
const world = new World();
let shown = null; // the world, while there is something to see
let before = { phase: null, second: null };

const colourOf = (seat) => scene.colourOf(seat, world.seat);

function paint(frame, { elapsed, seat, model }) {
    shown = frame && model ? world : null;
    if (shown) {
        world.fill(frame, seat, model.seats);
        hear();
    }
    showHud(shown, model, colourOf);
    const isBlack =
        !shown || world.phase === "waiting" || (world.phase === "countdown" && world.round <= 1);
    document.body.dataset.aiming = shown && world.isLive && seat !== null ? "yes" : "no";
    document.body.dataset.round = shown ? world.phase : "none";
    if (isBlack) {
        effects.forget();
        scene.paintBlack();
        return;
    }
    effects.compare(world, elapsed, colourOf);
    scene.paint(world, elapsed, seat === null ? null : controls);
}

/** The countdown's beeps, and how it ended. */
function hear() {
    const { phase, winner, seat } = world;
    const second = phase === "countdown" ? Math.ceil(world.secondsLeft) : null;
    if (second && second !== before.second) sound.play("tick");
    if (before.phase === "countdown" && phase === "playing") sound.play("go");
    if (before.phase && before.phase !== "over" && phase === "over" && winner !== null) {
        sound.play(winner === seat || seat === null ? "win" : "lose");
        if (winner === seat) celebrate();
    }
    before = { phase, second };
}

new Play(
    {
        name: "duel",
        netcode: { interpolate: ["players.aim_x", "players.aim_y"], snapshotHz: 60 },
        steps: STEPS,
        thumbs: ["Walk here, up jumps", "Aim and fire here, a tap shoots"],
        optionWords: OPTION_WORDS,
        colourOf: ({ seat }, own) => `var(--${colourName(seat, own?.seat ?? null)})`,
        rematchInput: { rematch: 1 },
        table: () => ({ bots: 1, level: Number(byId("level").value) }),
        isAlone: ({ seats }) => seats.length < 2,
        begin: () => {
            effects.forget();
            world.forget();
            before = { phase: null, second: null };
        },
        paint,
        input: () => controls.read(world.players[world.seat] ?? null, world.seat),
        idle: { walk: 0, jump: 0, fire: 0 },
        release: () => controls.release(),
        say: (model, waiting) => say(shown, model, waiting),
    },
    sound,
);

canvas.duel = { world, effects, controls, toMap: scene.toMap }; // for tests and the curious
