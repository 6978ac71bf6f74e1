// Live figures: /stats.json every two seconds while somebody looks, and the connection's own.

import { origin } from "../shared/server.mjs";

const EVERY_MS = 2000;
const TRANSPORTS = { websocket: "WebSocket", polling: "long polling" };

export function startFigures(seat) {
    const show = (id, text) => (document.getElementById(id).textContent = text);
    let last = null; // {at, messages}

    async function refresh() {
        if (document.hidden) return;
        try {
            const stats = await (await fetch(`${origin}/stats.json`, { cache: "no-store" })).json();
            const now = { at: performance.now(), messages: stats.messages_in + stats.messages_out };
            if (last)
                show(
                    "rate",
                    Math.round(
                        ((now.messages - last.messages) * 1000) / (now.at - last.at),
                    ).toLocaleString("en"),
                );
            last = now;
            show("sessions", stats.sessions.toLocaleString("en"));
            show("version", stats.version);
            show("uptime", `· up ${duration(stats.uptime_s)} · workers: ${stats.workers}`);
        } catch {
            last = null; // the server is away: the arena says so
        }
        showConnection();
    }

    function showConnection() {
        const { match, client } = seat;
        const rtt = match?.stats.rtt;
        show("latency", rtt ? `${rtt.toFixed(1)} ms` : "–");
        show("transport", TRANSPORTS[client?.transport] ?? "–");
    }

    setInterval(refresh, EVERY_MS);
    refresh();
    seat.on("phase", showConnection);
}

function duration(seconds) {
    if (seconds < 120) return `${seconds} s`;
    if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
    return seconds < 172800
        ? `${Math.floor(seconds / 3600)} h`
        : `${Math.floor(seconds / 86400)} days`;
}
