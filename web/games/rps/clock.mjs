// The round's clock in the middle of the ring.
import { byId, setText } from "../../shared/dom.mjs";

const LATE_MS = 5000;

export function startClock() {
    let shown = { endsAt: null, wholeMs: 1, label: "" };

    function tick() {
        const left = shown.endsAt === null ? 0 : Math.max(0, shown.endsAt - performance.now());
        setText(byId("seconds"), shown.endsAt === null ? "" : String(Math.ceil(left / 1000)));
        setText(byId("round"), shown.label);
        byId("time").style.strokeDashoffset = String(1 - Math.min(1, left / shown.wholeMs));
        byId("hub").classList.toggle("late", shown.endsAt !== null && left < LATE_MS);
        byId("hub").classList.toggle("stopped", shown.endsAt === null);
    }
    setInterval(tick, 200);

    return {
        show(next) {
            shown = next;
            tick();
        },
    };
}
