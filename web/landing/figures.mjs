// Live figures: /stats.json every two seconds while somebody looks, and pings of one's own.

const EVERY_MS = 2000;

export function startFigures(socket) {
    const show = (id, text) => (document.getElementById(id).textContent = text);
    let last = null; // {at, messages}

    async function refresh() {
        if (document.hidden) return;
        try {
            const stats = await (await fetch("/stats.json", { cache: "no-store" })).json();
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
        const sent = performance.now();
        socket
            .timeout(EVERY_MS)
            .emit("ping_me", (error) =>
                show("latency", error ? "–" : `${(performance.now() - sent).toFixed(1)} ms`),
            );
    }

    setInterval(refresh, EVERY_MS);
    refresh();
    socket.on("connect", () => {
        const { engine } = socket.io;
        const name = () =>
            show(
                "transport",
                { websocket: "WebSocket", polling: "long polling" }[engine.transport.name] ??
                    engine.transport.name,
            );
        name();
        engine.on("upgrade", name);
        refresh();
    });
    socket.on("disconnect", () => show("transport", "–"));
}

function duration(seconds) {
    if (seconds < 120) return `${seconds} s`;
    if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
    return seconds < 172800
        ? `${Math.floor(seconds / 3600)} h`
        : `${Math.floor(seconds / 86400)} days`;
}
