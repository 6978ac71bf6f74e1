import type { Message, Transport, TransportEvents } from "./transport.js";

const WAIT_MS = 20_000;
const PAUSE_MS = 500; // after a request that failed
const FAILURES_MAX = 4; // in a row

/** /poll: for where WebSocket is blocked. A request waits for what comes, another takes what goes;
 * while it is under way, more is gathered. */
export function openPolling(url: URL, events: TransportEvents): Transport {
    const opening = new URL(url);
    opening.pathname += "poll";
    const ending = new AbortController();
    let session = "";
    let cursor = 0;
    let isClosed = false;
    let isSending = false;
    let waiting: Message[] = [];
    let size = 0;
    let number = 0; // of the newest POST

    const close = (code: number, reason: string) => {
        if (isClosed) return;
        isClosed = true;
        ending.abort();
        events.closed(code, reason);
    };
    const request = async (method: string, address: URL | string, body?: string) => {
        const reply = await fetch(address, { method, body: body ?? null, signal: ending.signal });
        const answer = await reply.json().catch(() => null);
        return { status: reply.status, ok: reply.ok, answer };
    };
    /** Again after failures of the network, among them answers without `member`: of a page that
     * wants a login first, or cut off. Nothing when it is over. */
    const persist = async (method: string, address: string, member: string, body?: string) => {
        for (let failures = 1; ; failures++) {
            const reply = await request(method, address, body).catch(() => null);
            if (isClosed) return undefined;
            const answer = reply?.answer;
            if (reply && !reply.ok)
                return void close(0, answer?.content?.message ?? `HTTP ${reply.status}`);
            if (answer?.[member] !== undefined) return answer;
            if (failures === FAILURES_MAX) return void close(0, "no answer");
            await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * failures));
        }
    };

    async function open() {
        try {
            const { ok, status, answer } = await request("POST", opening, "{}");
            const why = answer?.content?.message;
            if (status === 401 || status === 403) return close(1008, why ?? `HTTP ${status}`);
            if (!ok && why) return close(1013, why);
            if (!ok || typeof answer?.poll !== "string")
                return close(0, `what answers is another program (HTTP ${status})`);
            session = new URL(answer.poll.slice(1), url).href;
        } catch {
            return close(0, "nobody answers");
        }
        void flush();
        while (!isClosed) {
            const news = `${session}?after=${cursor}&wait=${WAIT_MS}`;
            const answer = await persist("GET", news, "messages");
            if (!answer || isClosed) return;
            cursor = answer.cursor;
            for (const message of answer.messages) {
                try {
                    if (!isClosed) hear(message);
                } catch (error) {
                    console.error(error); // a listener's: what follows is heard all the same
                }
            }
            if (answer.closed) close(0, answer.closed);
        }
    }

    function hear(message: Message) {
        const packet = (message.content as { _base64?: string } | undefined)?._base64;
        if (message.type === "message" && typeof packet === "string")
            events.packet(Uint8Array.from(atob(packet), (c) => c.charCodeAt(0)));
        else events.message(message);
    }

    async function flush() {
        if (isSending || !session) return;
        isSending = true;
        while (waiting.length && !isClosed) {
            const body = JSON.stringify(waiting);
            waiting = [];
            size = 0;
            /* By the number the server knows what comes again, because its answer was lost. */
            const address = `${session}?number=${++number}`;
            await persist("POST", address, "accepted", body);
        }
        isSending = false;
    }

    function push(message: Message, bytes: number) {
        waiting.push(message);
        size += bytes;
        void flush();
    }

    void open();
    return {
        kind: "polling",
        get buffered() {
            return size;
        },
        send: (message) => push(message, 0),
        sendPacket(packet) {
            const _base64 = btoa(String.fromCharCode(...packet));
            push({ type: "message", content: { _base64 } }, packet.length);
        },
        close() {
            if (session && !isClosed)
                fetch(session, { method: "DELETE", keepalive: true }).catch(() => {});
            close(1000, "");
        },
    };
}
