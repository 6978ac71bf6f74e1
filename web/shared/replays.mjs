// Replays that the server keeps (docs/replays.md).
import { origin, pageLink } from "./server.mjs";

const TRIES = 4;
const AGAIN_MS = 700;

/** What has just ended is told to be on for a moment more: the file is written once a second. */
export async function fetchReplay(id) {
    for (let tries = 1; ; tries++) {
        const reply = await fetch(`${origin}/replays/${encodeURIComponent(id)}`);
        if (reply.status !== 409 || tries === TRIES) return reply;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
}

/** Of a page beside the games' pages. */
export const replayLink = (id) => pageLink("../replay/", { id });
