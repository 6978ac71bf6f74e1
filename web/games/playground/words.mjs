// What is said over any game, whatever its rules: who is missing, who has won.
import { beforePicture, isBeforePicture } from "../../shared/words.mjs";

/** `model` of table.mjs; `results` of the last game, docs/games.md: end_game; or null. */
export function titleOf(model, results, game) {
    if (isBeforePicture(model)) return { title: beforePicture(model).title, mood: "" };
    if (model.phase === "waiting") return { title: waitingFor(model, game), mood: "" };
    if (model.phase !== "over") return playing(model);
    const own = results?.find(({ seat }) => seat === model.own?.seat);
    const winners = results?.filter(({ outcome }) => outcome === "won") ?? [];
    if (own?.outcome === "won") return { title: "You win!", mood: "good" };
    if (winners.length) {
        const names = winners.map(({ name }) => name).join(", ");
        const title = `${names} ${winners.length > 1 ? "win" : "wins"}`;
        return { title, mood: own ? "bad" : "" };
    }
    const isDrawn = results?.length && results.every(({ outcome }) => outcome === "drawn");
    return { title: isDrawn ? "A draw" : "The game is over", mood: "" };
}

/** Many games say whose `turn` it is. */
function playing({ own, state, find }) {
    const turn = state?.match?.turn;
    if (typeof turn === "string" && turn === own?.id) return { title: "Your move", mood: "good" };
    if (typeof turn === "string") return { title: `${find(turn).name} is to move`, mood: "" };
    return { title: own ? "The game is on" : "You are watching", mood: "" };
}

function waitingFor({ seats, seats_min: least, start, isHost, own }, game) {
    const missing = Math.max(0, (least ?? game.seats_min) - seats.length);
    if (missing)
        return missing === 1 ? "Waiting for another player" : `Waiting for ${missing} more`;
    if (start === "host") return isHost && own ? "Start when you like" : "Waiting for the host";
    return "About to begin";
}
