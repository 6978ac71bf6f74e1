// Rock-paper-scissors' page: the ring to choose from, everybody's hand, the round's clock.
import { announce, sentence } from "../../shared/announce.mjs";
import { startBotClock } from "../../shared/bot_clock.mjs";
import { celebrate } from "../../shared/confetti.mjs";
import { Connection } from "../../shared/connection.mjs";
import { byId, setText } from "../../shared/dom.mjs";
import { ownName } from "../../shared/name.mjs";
import { unready } from "../../shared/people.mjs";
import { parameters } from "../../shared/server.mjs";
import { Table } from "../../shared/table.mjs";
import { beforePicture, isBeforePicture } from "../../shared/words.mjs";
import { startClock } from "./clock.mjs";
import { showHands } from "./hands.mjs";
import { kindGlyph, kindName } from "./kinds.mjs";
import { Ring } from "./ring.mjs";

const REVEAL_MS = 2600; // for which the choices of a round lie open while the next has begun

const clock = startClock();
const ring = new Ring(byId("ring"), (choice) => choose(choice));
const connection = new Connection(ownName);
const botText = startBotClock(connection, () => model?.state && paint());
let model = null;
let reveal = null; // {round, until} while choices lie open
let timer;

const wished = document.querySelector(`[name="kinds"][value="${Number(parameters.get("kinds"))}"]`);
if (wished) wished.checked = true;
byId("more").open = Boolean(wished?.closest("#more"));
byId("poster").append(...[0, 1, 2].map((choice) => kindGlyph(choice, 3)));

const table = new Table(
    "rps",
    {
        show,
        focus: () => ring.focus(),
        field: byId("ring"),
        options: () => ({
            bots: Number(byId("bots").value),
            level: 2,
            options: {
                kinds: Number(new FormData(byId("start-form")).get("kinds")),
                round_ms: Number(byId("round-time").value),
            },
        }),
    },
    connection,
);

function choose(choice) {
    reveal = null;
    table.tell("choose", { choice });
}

function show(next) {
    const old = model?.match === next.match ? model : null;
    model = next;
    if (old) compareRounds(old, next);
    paint();
}

const isOver = ({ state }) => state.match.phase === "over";

/** Has a round ended between the two? Then its choices lie open for a while. */
function compareRounds(old, next) {
    const [was, is] = [old.state.match, next.state.match];
    if (was.phase === "choosing" && (was.round !== is.round || is.phase !== "choosing")) {
        const isIn = ({ id }) => next.state.players.some((row) => row.id === id && row.playing);
        const out = old.state.players.filter((row) => row.playing && !isIn(row));
        reveal = { round: was.round, out };
        clearTimeout(timer);
        timer = setTimeout(() => {
            reveal = null;
            paint();
        }, REVEAL_MS);
        announceRound(old, next);
    } else if (is.phase === "choosing" && was.games !== is.games) {
        reveal = null;
        announce(`The game begins. ${sentence(verdict().text)}`);
    }
}

const ownRow = () => model.own && model.state.players.find(({ seat }) => seat === model.own.seat);

function paint() {
    const { match, players, options } = model.state;
    const own = ownRow();
    const isChoosing = match.phase === "choosing";
    const may = Boolean(isChoosing && own?.playing && !own.chosen);
    showHands(byId("hands"), model, { isRevealing: reveal !== null || isOver(model) });
    ring.show({
        kinds: options.kinds,
        isOpen: may,
        choice: isChoosing && own?.chosen ? own.choice : null,
    });
    const left = players.filter(({ playing }) => playing).length;
    clock.show({
        endsAt: isChoosing ? model.endsAt : null,
        wholeMs: options.round_ms,
        label: isChoosing ? `round ${match.round}` : "",
    });
    const said = verdict();
    setText(byId("status"), said.text);
    document.title = `${said.text} · Rock-paper-scissors`;
    byId("status").className = `status ${said.mood ?? ""}`;
    setText(byId("detail"), said.detail ?? (isChoosing ? `${left} still in` : ""));
    byId("ring").dataset.revealing = reveal ? "yes" : "no";
}

const nameOf = (row) => (row.id === model.own?.id ? "you" : model.find(row.id).name);

/** What the headline says, what is below it, and whether it is good or bad for who reads it. */
function verdict() {
    const { match, players } = model.state;
    const own = ownRow();
    if (isBeforePicture(model)) {
        const { title, detail } = beforePicture(model);
        return { text: title, detail };
    }
    if (match.phase === "waiting") return waiting();
    if (match.phase === "over") {
        const detail = `After ${match.round === 1 ? "one round" : `${match.round} rounds`}`;
        if (match.winner === null)
            return { text: match.drawn ? "Nobody wins" : "The winner has left", detail };
        if (match.winner === model.own?.id) return { text: "You win!", mood: "good", detail };
        return { text: `${model.find(match.winner).name} wins!`, mood: own ? "bad" : "", detail };
    }
    if (reveal) return result();
    if (!own) return { text: `Round ${match.round}` };
    if (!own.playing)
        return { text: own.shown || match.round > 1 ? "You are out" : "You play the next game" };
    if (!own.chosen) return { text: "Your choice?", mood: "good" };
    const missing = players.filter(({ playing, chosen }) => playing && !chosen);
    return {
        text: missing.length === 1 ? `Waiting for ${nameOf(missing[0])}` : "Waiting for the others",
    };
}

function waiting() {
    const toDo = botText(model.match) || "Send the link, or add a bot.";
    if (model.seats.length < model.seats_min)
        return { text: "Waiting for players", detail: model.own ? toDo : "" };
    if (model.start === "auto") return { text: "About to begin" };
    const missing = unready(model);
    if (model.isHost && missing.length)
        return { text: "Everybody here?", detail: `Not ready yet: ${missing.join(", ")}` };
    if (model.isHost) return { text: "Everybody is ready", detail: "You are the host: you start." };
    const detail = model.own?.ready ? "You are ready: the host starts." : "Say when you are ready.";
    return { text: "Waiting for the host", detail: model.own ? detail : "" };
}

function result() {
    const { match } = model.state;
    const own = ownRow();
    const { out } = reveal;
    if (match.replayed) return { text: "A tie: again!", detail: "Nobody is out." };
    const detail = out.length ? `Out: ${out.map(nameOf).join(", ")}` : "";
    if (out.some(({ id }) => id === own?.id)) return { text: "You are out", mood: "bad", detail };
    if (own?.playing) return { text: "You are through!", mood: "good", detail };
    return { text: `Round ${reveal.round} is over`, detail };
}

function announceRound(old, next) {
    const { players, options } = next.state;
    const shown = players.filter((row) => row.shown);
    const hands = shown.map((row) => `${nameOf(row)}: ${kindName(row.shown - 1, options.kinds)}`);
    const said = verdict();
    announce(
        [`Round ${old.state.match.round}.`, hands.join(", "), said.text, said.detail]
            .filter(Boolean)
            .map(sentence)
            .join(" "),
    );
    if (!isOver(next)) return;
    if (next.own && next.state.match.winner === next.own.id) celebrate();
}
