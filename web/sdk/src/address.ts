import type { ConnectOptions } from "./connection.js";
import { Refusal } from "./refusal.js";

const TRANSPORTS = ["auto", "websocket", "polling"];

/** Where the server is, whatever path is named. */
export function serverOf(url: string | URL | undefined): URL {
    const named = url ?? globalThis.location?.href;
    try {
        const server = new URL("/", named);
        server.protocol = server.protocol.replace(/^ws/, "http");
        if (/^https?:$/.test(server.protocol)) return server;
    } catch {
        // said below
    }
    const what = named === undefined ? "Here is no page of a server" : `"${named}" is no server`;
    throw new Refusal("bad_url", `${what}: give connect() a url such as http://localhost:8080.`);
}

export function checkTransport({ transport = "auto", WebSocket: Socket }: ConnectOptions): void {
    if (!TRANSPORTS.includes(transport))
        throw new Refusal(
            "unknown_transport",
            `There is no transport "${transport}": there are ${TRANSPORTS.join(", ")}.`,
        );
    if (transport === "websocket" && !(Socket ?? globalThis.WebSocket))
        throw new Refusal(
            "no_websocket",
            "There is no WebSocket here, as in Node 20: give connect() that of the package ws " +
                "as WebSocket, or leave out transport to poll.",
        );
}

/** Why there is no connection. */
export function unconnected(
    server: URL,
    { transport }: ConnectOptions,
    code: number,
    reason: string,
): Refusal {
    if (code === 1008) return new Refusal("refused", reason || "The server refused.");
    if (code === 1013) return new Refusal("unreachable", `${server.origin}: ${reason}`);
    const why = reason || (transport === "websocket" ? "no WebSocket opens" : "nobody answers");
    const hint = originHint(server) || " Does it run, and is that its address?";
    return new Refusal("unreachable", `There is no fray at ${server.origin}: ${why}.${hint}`);
}

/** Browsers do not say that they keep what is answered from a page of another origin. */
export function originHint({ origin }: URL): string {
    const page = globalThis.location?.origin;
    if (page === undefined || page === origin) return "";
    const named = page.startsWith("http") ? page : "'*'"; // from the disk
    return ` If it runs, it has to let pages of this origin in: --cors-origin ${named}.`;
}
