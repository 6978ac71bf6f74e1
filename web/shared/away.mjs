/** Calls when whoever plays has gone to another tab or window. */
export function onAway(call) {
    addEventListener("blur", call);
    document.addEventListener("visibilitychange", () => document.hidden && call());
}
