// Replays that the server keeps (docs/replays.md).
import { origin, pageLink } from "./server.mjs";

const TRIES = 4;
const AGAIN_MS = 700;

/** What has just been left is told to be open for a moment more: a thread writes it. */
export async function fetchReplay(id) {
    for (let tries = 1; ; tries++) {
        const reply = await fetch(`${origin}/replays/${encodeURIComponent(id)}`);
        if (reply.status !== 409 || tries === TRIES) return reply;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
}

/** Of a page beside the games' pages. */
export const replayLink = (id) => pageLink("../replay/", { id });
