// In quick play, who waits alone is told when the server brings a bot: for pages without frames.

const EVERY_MS = 250;

/** Seconds until then by `step`, the newest `matchmaking` of docs/games.md and when it came, `at`;
 * null: none is to come. */
export function secondsToBot(step, now) {
    const left = (step?.bot_in_ms ?? step?.wait_ms - step?.elapsed_ms) - (now - step?.at);
    return Number.isFinite(left) ? Math.max(0, Math.ceil(left / 1000)) : null;
}

/** `tick()` is called as time goes by while somebody waits. Returns what says it for a match. */
export function startBotClock(connection, tick) {
    let step = null;
    connection.on("matchmaking", (newest) => {
        step = { ...newest, at: performance.now() };
        tick();
    });
    setInterval(() => step?.phase === "listening" && tick(), EVERY_MS);
    return (match) => {
        const isListening = step?.phase === "listening" && step.match === match;
        const seconds = isListening ? secondsToBot(step, performance.now()) : null;
        return seconds === null ? "" : `A bot comes in ${seconds} s`;
    };
}
