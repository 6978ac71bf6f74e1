// How long is left for the move, where the match has a limit.
import { announce } from "../../shared/announce.mjs";
import { byId, setText } from "../../shared/dom.mjs";

const LATE_MS = 5000;

/** Returns show(endsAt, isOwnTurn): when time is up, by performance.now(); null: no limit. */
export function startClock() {
    let ends = null;
    let isOwn = false;
    let told = null; // the end that was announced

    function tick() {
        byId("clock").hidden = ends === null;
        if (ends === null) return;
        const left = Math.max(0, ends - performance.now());
        setText(byId("clock"), `${Math.ceil(left / 1000)} s left`);
        byId("clock").classList.toggle("late", left < LATE_MS);
        if (!isOwn || left >= LATE_MS || told === ends) return;
        told = ends;
        announce(`${Math.ceil(left / 1000)} seconds left.`);
    }
    setInterval(tick, 200);

    return (endsAt, isOwnTurn) => {
        ends = endsAt;
        isOwn = isOwnTurn;
        tick();
    };
}
