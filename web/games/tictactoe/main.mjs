// Tic-tac-toe's page: the board, whose turn it is, how it ended.
import { announce, sentence } from "../../shared/announce.mjs";
import { avatar } from "../../shared/avatar.mjs";
import { startBotClock } from "../../shared/bot_clock.mjs";
import { celebrate } from "../../shared/confetti.mjs";
import { Connection } from "../../shared/connection.mjs";
import { byId, element, reconcile, setText } from "../../shared/dom.mjs";
import { ownName } from "../../shared/name.mjs";
import { botTitle } from "../../shared/people.mjs";
import { Table } from "../../shared/table.mjs";
import { beforePicture, isBeforePicture } from "../../shared/words.mjs";
import { Board, LETTERS, cellName } from "./board.mjs";
import { startClock } from "./clock.mjs";

const status = byId("status");
const showClock = startClock();
const board = new Board(byId("board"), byId("strike"), (cell) => table.tell("place", { cell }));
let before = null; // the model shown before
const connection = new Connection(ownName);
const botText = startBotClock(connection, () => before && showDetail(before));

const table = new Table(
    "tictactoe",
    {
        show,
        focus: () => board.focus(),
        field: byId("board"),
        colourOf,
        options: () => ({
            bots: 1,
            level: Number(byId("level").value),
            options: { turn_ms: Number(byId("turn").value) },
        }),
    },
    connection,
);

function show(model) {
    const { match } = model.state;
    const isPlaying = match.phase === "playing";
    board.show({
        board: match.board.map((mark) => ["", "x", "o"].indexOf(mark)),
        own: model.own?.seat,
        isOwnTurn: isPlaying && model.own !== null && match.turn === model.own.id,
        line: match.ending === "line" ? match.line : null,
        last: match.moves[match.moves_count - 1],
    });
    showVersus(model);
    showMoves(match);
    showClock(isPlaying ? model.endsAt : null, match.turn === model.own?.id);
    const said = verdict(model);
    setText(status, said.text);
    document.title = `${said.text} · Tic-tac-toe`;
    status.className = `status ${said.mood}`;
    showDetail(model);
    tell(model, said);
    before = model;
}

function showDetail(model) {
    const past = isBeforePicture(model) ? beforePicture(model).detail : "";
    setText(byId("detail"), past || (model.phase === "waiting" ? botText(model.match) : ""));
}

/** What the headline says, and whether that is good or bad for who reads it. */
function verdict(model) {
    const { match } = model.state;
    const name = (id) => model.find(id).name;
    if (isBeforePicture(model)) return { text: beforePicture(model).title, mood: "" };
    if (match.phase === "waiting") {
        return {
            text: model.seats.length < 2 ? "Waiting for an opponent" : "About to begin",
            mood: "",
        };
    }
    if (match.phase === "playing") {
        if (match.turn === model.own?.id) return { text: "Your move", mood: "good" };
        const other = model.seats.find(({ id }) => id === match.turn);
        const isAway = other && !other.connected && !other.stand_in;
        return { text: `${name(match.turn)} is ${isAway ? "away" : "thinking"}`, mood: "" };
    }
    if (match.winner === null)
        return { text: match.ending === "draw" ? "A draw" : "Game over", mood: "" };
    const why = { left: ": the other has left", time: ": time is up" }[match.ending] ?? "!";
    if (!model.own) return { text: `${name(match.winner)} wins${why}`, mood: "" };
    if (match.winner === model.own.id) return { text: `You win${why}`, mood: "good" };
    return { text: `${name(match.winner)} wins${why}`, mood: "bad" };
}

/** Announces what is new since the model shown before. */
function tell(model, said) {
    const { match } = model.state;
    const old = before?.match === model.match ? before.state.match : null;
    if (
        old &&
        old.games === match.games &&
        old.phase === match.phase &&
        old.moves_count === match.moves_count
    )
        return;
    const words = [];
    if (match.moves_count && match.moves_count !== old?.moves_count) {
        const at = match.moves_count - 1;
        const cell = match.moves[at];
        const letter = match.board[cell].toUpperCase();
        const seat = LETTERS.indexOf(letter);
        if (seat !== model.own?.seat) words.push(`${letter} at ${cellName(cell)}.`);
    }
    announce([...words, sentence(said.text)].join(" "));
    if (match.phase !== "over" || old?.phase !== "playing") return;
    if (model.own && match.winner === model.own.id) celebrate();
}

function showVersus(model) {
    const { match, players } = model.state;
    const cards = [0, 1].map((seat) => {
        const sitting = model.seats.find((other) => other.seat === seat);
        const player = players.find((other) => other.seat === seat);
        return {
            key: `card-${seat}`,
            seat,
            sitting,
            player,
            isTurn: match.phase === "playing" && match.turn === sitting?.id,
        };
    });
    reconcile(byId("versus"), [cards[0], { key: "score" }, cards[1]], {
        key: ({ key }) => key,
        make: ({ key }) => element("div", { class: key === "score" ? "score" : "side-card" }),
        update: (node, card) =>
            card.key === "score" ? showScore(node, model) : showCard(node, card, model),
    });
}

function showScore(node, { state }) {
    const wins = [0, 1].map(
        (seat) => state.players.find((player) => player.seat === seat)?.wins ?? 0,
    );
    const text = `${wins[0]} : ${wins[1]}`;
    const drawn = state.match.draws === 1 ? "1 draw" : `${state.match.draws} draws`;
    if (node.dataset.text === text + drawn) return;
    node.dataset.text = text + drawn;
    node.replaceChildren(text, element("small", {}, state.match.draws ? drawn : "games"));
}

/** As the marks of who sits there; null: a bot's own grey. */
function colourOf({ seat, id, bot }, own) {
    if (own) return id === own.id ? "var(--you)" : bot === null ? "var(--foe)" : null;
    return seat === 0 ? "var(--you)" : "var(--foe)";
}

function showCard(node, { seat, sitting, isTurn }, model) {
    const isOwn = sitting !== undefined && sitting.id === model.own?.id;
    node.classList.toggle("turn", isTurn);
    node.classList.toggle("away", !sitting || (!sitting.connected && !sitting.stand_in));
    let note = `plays ${LETTERS[seat]}`;
    if (isOwn) note = `you · ${LETTERS[seat]}`;
    else if (sitting?.bot != null)
        note = `${botTitle(sitting.bot, model.bot_levels)} · ${LETTERS[seat]}`;
    if (model.phase === "over" && !isOwn && sitting?.bot === null && sitting.rematch)
        note = `wants a rematch · ${LETTERS[seat]}`;
    if (sitting?.stand_in) note = `away, a bot plays · ${LETTERS[seat]}`;
    else if (sitting && !sitting.connected) note = "away";
    const name = sitting?.name ?? "Free seat";
    const key = `${sitting?.id} ${name} ${note}`;
    if (node.dataset.text === key) return;
    node.dataset.text = key;
    const isBot = sitting && (sitting.bot !== null || sitting.stand_in);
    const colour = sitting && (colourOf(sitting, model.own) ?? undefined);
    const figure = sitting && avatar({ ...sitting, bot: isBot }, isOwn, colour);
    const who = element("div", { class: "who" }, element("b", {}, name), element("span", {}, note));
    node.replaceChildren(...(figure ? [figure] : []), who);
}

function showMoves({ moves, moves_count: count, board: cells, games }) {
    const list = moves.slice(0, count).map((cell, at) => ({ at, cell, mark: cells[cell] }));
    reconcile(byId("moves"), list, {
        key: ({ at, cell }) => `${games} ${at} ${cell}`,
        make: ({ mark, cell }) =>
            element("li", {}, element("b", {}, mark.toUpperCase()), cellName(cell)),
    });
}
