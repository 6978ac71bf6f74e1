// The plates over the duel: who plays, hits and rounds left, time. Changed only where it differs.
import { avatar } from "../../shared/avatar.mjs";
import { byId, element, setText } from "../../shared/dom.mjs";
import { botTitle } from "../../shared/people.mjs";

const DOTS_MAX = 12;
const hud = byId("hud");
const plates = ["left", "right"].map((side) => element("div", { class: `plate ${side}` }));
const round = element("b");
const time = element("small");
const middle = element("div", { class: "middle" }, round, time);
let shown = "";

hud.append(plates[0], middle, plates[1]);

const clock = (seconds) =>
    `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** `colourOf(seat)` as the picture has it. */
export function showHud(world, model, colourOf) {
    const isBegun = world !== null && world.phase !== "waiting";
    hud.hidden = !isBegun;
    if (!isBegun) return;
    setText(round, `Round ${world.round}`);
    const isTimed = world.phase === "playing" && world.secondsLeft !== null;
    setText(time, isTimed ? clock(world.secondsLeft) : `first to ${world.rounds}`);
    const rows = world.players.map((player) => plateOf(player, world, model));
    const key = JSON.stringify([rows, rows.map(({ seat }) => colourOf(seat))]);
    if (key === shown) return;
    shown = key;
    rows.forEach((row, seat) => fill(plates[seat], row, colourOf(seat)));
}

function plateOf(player, world, model) {
    const { seat, hp } = player;
    const sitting = model.seats.find((other) => other.seat === seat);
    let note = seat === world.seat ? "you" : "enemy";
    if (world.seat === null) note = seat === 0 ? "left" : "right";
    if (sitting?.bot != null) note = botTitle(sitting.bot, model.bot_levels);
    if (sitting?.stand_in) note = "away, a bot plays";
    else if (sitting && !sitting.connected) note = "connection lost";
    else if (!sitting) note = "has left";
    return {
        seat,
        hp,
        wins: player.wins ?? 0,
        note,
        hits: world.hits,
        rounds: world.rounds,
        name: sitting?.name ?? (player.name || "Free seat"),
        isBot: Boolean(sitting && (sitting.bot !== null || sitting.stand_in)),
        isAway: !sitting || (!sitting.connected && !sitting.stand_in),
    };
}

function fill(plate, row, colour) {
    const figure = avatar({ seat: row.seat, bot: row.isBot }, false);
    figure.style.color = colour;
    plate.style.setProperty("--of", colour);
    plate.classList.toggle("away", row.isAway);
    const dots = (count, most, name) =>
        most > DOTS_MAX
            ? [`${count} / ${most}`]
            : Array.from({ length: most }, (_, at) =>
                  element("i", { class: at < count ? name : "lost" }),
              );
    const pips = element(
        "div",
        { class: "pips", role: "img", "aria-label": `${row.hp} of ${row.hits} hits left` },
        dots(row.hp, row.hits, ""),
    );
    const wins = element(
        "div",
        { class: "wins", role: "img", "aria-label": `${row.wins} of ${row.rounds} rounds won` },
        dots(row.wins, row.rounds, "won"),
    );
    const words = element(
        "div",
        { class: "words" },
        element("b", {}, row.name),
        element("small", {}, row.note),
        pips,
        wins,
    );
    plate.replaceChildren(figure, words);
}
