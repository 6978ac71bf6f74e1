/** One connection by one means, until it is closed. */
export interface Transport {
    readonly kind: "websocket" | "polling";
    /** Bytes that wait to be sent. */
    readonly buffered: number;
    send(message: Message): void;
    sendPacket(packet: Uint8Array): void;
    close(): void;
}

/** A message of the envelope (docs/protocols.md). */
export interface Message {
    type: string;
    content?: unknown;
    id?: number;
    spread?: boolean;
}

export interface TransportEvents {
    message(message: Message): void;
    packet(packet: Uint8Array): void;
    /** Once, whatever the cause; nothing comes after it. `code` as of RFC 6455, or 0. */
    closed(code: number, reason: string): void;
}

export type OpenTransport = (url: URL, events: TransportEvents) => Transport;
