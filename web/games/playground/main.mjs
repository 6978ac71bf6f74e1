// The page of a game that has none of its own, made of its description (/games/GAME.json): what has
// a place is drawn, what may be done is keys, buttons and forms, all else is tables.
import { byId, setText } from "../../shared/dom.mjs";
import { element } from "../../shared/dom.mjs";
import { origin, pageLink } from "../../shared/server.mjs";
import { startTicked } from "./ticked.mjs";
import { startTurns } from "./turns.mjs";

const BOTS_MAX = 7; // that are offered

const name = location.pathname.split("/").at(-2);

/** "2 to 16 players, 30 steps a second." */
function describe({ seats_min: least, seats_max: most, tick_hz: hz }) {
    const many = most === 1 ? "1 player" : `${most} players`;
    const seats = least < most ? `${least} to ${many}` : many;
    return `${seats}, ${hz ? `${hz} steps a second` : "one move after the other"}.`;
}

function fill(select, values, chosen, words) {
    select.append(
        ...values.map((value) =>
            element("option", { value, selected: value === chosen }, words(value)),
        ),
    );
}

function showStart(game) {
    document.title = `${game.title} · fray`;
    setText(byId("start-title"), game.title);
    setText(byId("poster"), [...game.title][0] ?? "");
    setText(byId("seats"), describe(game));
    const most = Math.min(BOTS_MAX, game.seats_max - 1);
    const counts = Array.from({ length: most }, (_, at) => at + 1);
    const few = Math.max(1, game.seats_min - 1, Math.min(3, most));
    fill(byId("bots"), counts, few, (count) => (count === 1 ? "1 bot" : `${count} bots`));
    byId("bots-pair").hidden = most === 0;
    const levels = Array.from({ length: game.bot_levels }, (_, level) => level);
    const best = game.bot_levels - 1;
    fill(byId("level"), levels, best, (level) =>
        level === best ? `${level}, the best` : level === 0 ? "0, the easiest" : `${level}`,
    );
    byId("level-choice").hidden = game.bot_levels < 2 || most === 0;
}

async function start() {
    const reply = await fetch(`${origin}/games/${encodeURIComponent(name)}.json`);
    if (!reply.ok) {
        location.replace(pageLink("../../lobby/")); // the playground of no game
        return;
    }
    const game = await reply.json();
    showStart(game);
    await (game.tick_hz ? startTicked(game) : startTurns(game));
}

/** Also where one was to come in at once, and the start was hidden for it (parts/coming.html). */
function fail(why) {
    delete document.documentElement.dataset.coming;
    byId("start-form").hidden = true; // none of its ways leads anywhere
    setText(byId("start-message"), why);
    document.body.dataset.ready = "failed";
    byId("start-message").focus();
}

try {
    await start();
} catch (error) {
    fail(error.message);
}
