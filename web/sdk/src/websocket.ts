import type { Message, Transport, TransportEvents } from "./transport.js";

/** /ws: JSON in text frames, packets in binary ones. */
export function openWebSocket(
    url: URL,
    events: TransportEvents,
    Socket: typeof WebSocket,
): Transport {
    const address = new URL(url);
    address.protocol = address.protocol.replace("http", "ws");
    address.pathname += "ws";
    const socket = new Socket(address.href);
    let isClosed = false;
    const close = (code: number, reason: string) => {
        if (isClosed) return;
        isClosed = true;
        events.closed(code, reason);
    };
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
        if (isClosed) return;
        if (typeof data !== "string") return events.packet(new Uint8Array(data as ArrayBuffer));
        events.message(JSON.parse(data) as Message);
    };
    socket.onerror = () => {}; // close follows
    socket.onclose = ({ code, reason }) => close(code, reason);
    return {
        kind: "websocket",
        get buffered() {
            return socket.bufferedAmount;
        },
        send: (message) => socket.readyState === 1 && socket.send(JSON.stringify(message)),
        sendPacket: (packet) => socket.readyState === 1 && socket.send(packet as BufferSource),
        close() {
            socket.close();
            close(1000, "");
        },
    };
}
