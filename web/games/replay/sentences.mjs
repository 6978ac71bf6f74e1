// What happened in a recording, in words for people: one sentence for each event of the games that
// we have, their names and numbers for others. And who played, in the list.
import { count, nameBots } from "../../shared/words.mjs";
import { kindName } from "../rps/kinds.mjs";
import { cellName } from "../tictactoe/board.mjs";

const wins = ({ winner }) => (winner === null ? "Nobody wins" : `${winner} wins`);

/* Arguments that are seats have become names by then. 0: another event says it, too. */
const SENTENCES = {
    arena: {
        new_player: ({ id }) => `${id} comes in`,
        player_left: ({ id }) => `${id} leaves`,
        player_attacked: ({ id, hp }) => hp && `${id} is hit: ${hp} hp left`,
        player_killed: ({ id, by }) => `${by} strikes down ${id}`,
        end_game: ({ winner, score }) => `${wins({ winner })} with ${count(score, "kill")}`,
    },
    duel: {
        start_round: ({ round }) => `Round ${round} begins`,
        player_hit: ({ id, hp }) => hp && `${id} is hit: ${hp} left`,
        player_fell: ({ id, hp }) => hp && `${id} falls: ${hp} left`,
        player_killed: ({ id, by }) => (id === by ? `${id} is out` : `${by} shoots ${id} down`),
        end_round: ({ winner, round }) =>
            winner === null ? `Nobody takes round ${round}` : `${winner} takes round ${round}`,
        end_game: wins,
    },
    tictactoe: {
        start_game: ({ first }) => `${first} begins`,
        placed: ({ id, cell }) => `${id} takes ${cellName(cell)}`,
        end_game: ({ winner, ending }) =>
            (winner === null ? "A draw" : wins({ winner })) + why(ending),
    },
    rps: {
        start_game: ({ players, kinds }) => `${players} play, with ${kinds} choices`,
        round: ({ round }) => `Round ${round}`,
        shown: ({ id, choice }, { kinds }) => `${id}: ${kindName(choice, kinds)}`,
        eliminated: ({ id }) => `${id} is out`,
        end_game: ({ winner, rounds }) => `${wins({ winner })} after ${count(rounds, "round")}`,
    },
};

/* By the number of an event, by the word of a state. */
const WHY = {
    ...{ 3: ": the other has left", 4: ": time is up" },
    ...{ left: ": the other has left", time: ": time is up" },
};
const why = (ending) => WHY[ending] ?? "";

/* How a game turn by turn stands; seats have become names. */
const STANDINGS = {
    tictactoe: {
        waiting: () => "Waiting for another",
        playing: ({ turn }) => `${turn} is to move`,
        over: ({ winner, ending }) => SENTENCES.tictactoe.end_game({ winner, ending }),
    },
    rps: {
        waiting: () => "Waiting for players",
        choosing: ({ round }) => `Round ${round}`,
        over: ({ winner, round }) => SENTENCES.rps.end_game({ winner, rounds: round }),
    },
};

/** `match` of recording.describe(), `nameOf(id)`. */
export function standing(game, match, nameOf) {
    const named = { ...match };
    for (const key of ["turn", "winner"]) if (match[key]) named[key] = nameOf(match[key]);
    return STANDINGS[game][match.phase](named);
}

/** `event` of recording.step(), `nameOf(id)`, `options`: the game's. Falsy: nothing to say. */
export function sentence({ name: game, events }, { name, args }, { nameOf, options }) {
    const named = { ...args };
    for (const { name: key, seat } of events.find((kind) => kind.name === name).args)
        if (seat && args[key] !== null) named[key] = nameOf(args[key]);
    const write = SENTENCES[game]?.[name];
    if (write) return write(named, options);
    const words = Object.entries(named).map(([key, value]) => `${key} ${value ?? "nobody"}`);
    return [name.replaceAll("_", " "), words.join(", ")].join(": ");
}

const TITLES = {
    arena: "Arena",
    duel: "Duel",
    rps: "Rock-paper-scissors",
    tictactoe: "Tic-tac-toe",
};
const OUTCOMES = { won: "won", lost: "lost", drawn: "drew", left: "left" };
const BOTS_NAMED = 2; // more are counted

const isDecided = (players) => players.some(({ outcome }) => outcome && outcome !== "left");
export const titleOf = (game) => TITLES[game] ?? game;

/** "Ann won, Bob lost"; "Ann and 8 bots" where nobody won anything. */
export function whoPlayed(players) {
    const isWon = isDecided(players);
    const bots = players.filter(({ bot }) => bot !== null);
    const listed = bots.length > BOTS_NAMED ? players.filter(({ bot }) => bot === null) : players;
    const names = nameBots(listed, players.length).map(({ name, outcome }) =>
        isWon && outcome ? `${name} ${OUTCOMES[outcome]}` : name,
    );
    if (listed.length < players.length) names.push(count(bots.length, "bot"));
    const last = names.pop();
    return names.length ? `${names.join(", ")}${isWon ? "," : " and"} ${last}` : last;
}
