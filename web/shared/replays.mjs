// Replays that the server keeps (docs/replays.md).
import { startBanner } from "./banner.mjs";
import { origin, pageLink } from "./server.mjs";

const TRIES = 4;
const AGAIN_MS = 700;
const UNREACHED_MS = 2000;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let say = null; // the banner, once there is something to say

/** fetch(), again until the server is there, with a word about it. */
export async function fetchInTheEnd(url) {
    for (;;) {
        try {
            const reply = await fetch(url);
            say?.("");
            return reply;
        } catch {
            say ??= startBanner();
            say("No connection to the server. Trying again …");
            await pause(UNREACHED_MS);
        }
    }
}

/** {isThere, open}: whether it can be watched; {game, match} as long as that match is open. What
 * has just been left is written for a moment more. */
export async function findReplay(id, get = fetch) {
    for (let tries = 1; ; tries++) {
        const reply = await get(`${origin}/replays?id=${encodeURIComponent(id)}`);
        const { replays = [], being_played: played } = reply.ok ? await reply.json() : {};
        if (!played || played.game || tries === TRIES)
            return { isThere: replays.some((one) => one.id === id), open: played };
        await pause(AGAIN_MS);
    }
}

export const fetchReplay = (id) => fetchInTheEnd(`${origin}/replays/${encodeURIComponent(id)}`);

/** Of a page beside the games' pages. */
export const replayLink = (id) => pageLink("../replay/", { id });
