// What the page says over the picture: phases while one waits, rounds, how it ended.

import { unready, waitsForFriend } from "../../shared/people.mjs";
import { beforePicture, count, isBeforePicture } from "../../shared/words.mjs";

export const STEPS = ["Listening", "Found", "Agreed"];

/* Why one listens again: the `reason` of docs/games.md. */
const AGAIN = {
    no_show: "The other did not come",
    lost: "The other lost the connection",
    left: "The other has left",
    error: "The other’s game failed",
    cheating: "The other was caught cheating",
    kicked: "The other was removed",
};

/** `world` null: nothing came yet. `waiting`: {elapsed, online, botIn} of the waiting so far. */
export function say(world, model, waiting) {
    const said = sayToAll(world, model, waiting);
    return model?.own === null ? { ...said, step: null } : said; // who watches is on no way
}

function sayToAll(world, model, waiting) {
    if (!model) return { kind: "black", title: "Connecting …" };
    if (isBeforePicture(model)) return { kind: "black", ...beforePicture(model) };
    if (model.phase === "waiting") return waits(model, waiting);
    if (!world || world.phase === "waiting") return { kind: "black", title: "Agreeing …", step: 1 };
    if (world.phase === "countdown") return begins(world, model);
    if (world.phase === "playing") return { kind: "none", title: `Round ${world.round}` };
    if (world.phase === "round_over") return roundOver(world, model);
    return { ...over(world, model), kind: "veil", isEnd: true };
}

const nameOf = (world, model, seat) =>
    model.seats.find((other) => other.seat === seat)?.name ??
    (world.players[seat].name || (model.own ? "The other" : "Somebody"));
/** "2 : 1", who looks first; null where one has left before anything was seen. */
function scoreOf({ players, seat }) {
    const [first, second] = seat === 1 ? [players[1], players[0]] : players;
    const isKnown = first.wins !== null && second.wins !== null;
    return isKnown ? `${first.wins} : ${second.wins}` : null;
}
const opponent = (world, model) => model.seats.find(({ seat }) => seat !== world.seat);

function waits(model, { elapsed, online, botIn, step }) {
    if (waitsForFriend(model))
        return { kind: "black", title: "Send this link to your friend", detail: elapsed };
    if (model.seats.length < 2) {
        const detail = [
            step?.reason ? `${AGAIN[step.reason] ?? AGAIN.left}, so once more` : null,
            elapsed,
            online === null ? null : count(online, "player online", "players online"),
            botIn === null ? null : `a bot comes in ${botIn} s`,
        ];
        const title = model.own === null ? "Waiting for players" : "Listening for an opponent";
        return { kind: "black", title, detail: detail.filter(Boolean).join(" · "), step: 0 };
    }
    const who = model.seats.find((other) => other !== model.own);
    if (step?.phase === "agreed") {
        const left = step.start_in_ms - (performance.now() - step.at);
        const title = String(Math.max(1, Math.ceil(left / 1000)));
        const detail = `Agreed with ${who?.name}`;
        return { kind: "black", title, number: true, step: 2, detail, tell: `${detail}.` };
    }
    const detail =
        model.start === "host" && !model.isHost
            ? "Waiting for the host to start"
            : model.start === "host"
              ? unready(model).length
                  ? `Waiting until ${who?.name} is ready`
                  : "Both are ready: you start"
              : "Agreeing on a time …";
    return { kind: "black", title: `Found: ${who?.name}`, detail, step: 1 };
}

/** Until the agreed time of the first round the screen is black. */
function begins(world, model) {
    const seconds = Math.ceil(world.secondsLeft ?? 0);
    const who = opponent(world, model);
    const hits = count(world.hits, "hit kills", "hits kill");
    const rules = `${hits}, ${count(world.rounds, "round wins", "rounds win")}`;
    const title = String(Math.max(1, seconds));
    if (world.round > 1)
        return { kind: "banner", title, number: true, detail: `Round ${world.round}`, tell: "" };
    const names = model.seats.map(({ name }) => name);
    let against = who?.bot != null ? "Against a bot" : `Against ${who?.name}`;
    if (model.own === null) against = names.join(" against ");
    return {
        kind: "black",
        title,
        number: true,
        step: 2,
        detail: `${against} · ${rules}`,
        tell: `${against}. ${rules}.`,
    };
}

function roundOver(world, model) {
    const { winner } = world;
    const score = scoreOf(world) ?? "";
    if (winner === null) return { kind: "banner", title: "Nobody’s round", detail: score };
    if (world.seat === null)
        return {
            kind: "banner",
            title: `${nameOf(world, model, winner)} takes the round`,
            detail: score,
        };
    const isOwn = winner === world.seat;
    return {
        kind: "banner",
        title: isOwn ? "Your round!" : `${nameOf(world, model, winner)} takes the round`,
        mood: isOwn ? "good" : "bad",
        detail: score,
    };
}

function over(world, model) {
    const { winner } = world;
    const gone = world.players.find(({ present }) => !present);
    const who = (world.seat === null && gone?.name) || "the other";
    const asks = model.seats.find(
        ({ rematch, bot, id }) => rematch && bot === null && id !== model.own?.id,
    );
    const next = gone ? `${who} has left` : asks && `${asks.name} wants a rematch`;
    const score = scoreOf(world);
    const detail = [score, next].filter(Boolean).join(" · ");
    if (winner === null) return { title: "It is over", detail };
    if (world.seat === null) return { title: `${nameOf(world, model, winner)} wins!`, detail };
    const isOwn = winner === world.seat;
    const title = isOwn ? "You win" : `${nameOf(world, model, winner)} wins`;
    return {
        title: isOwn ? `${title}!` : title,
        mood: isOwn ? "good" : "bad",
        detail,
        tell: [title, score].filter(Boolean).join(", "), // the rest is told with the chat
    };
}
