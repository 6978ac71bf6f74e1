// Clients of {type, content}, as small as a page or a shell script has them: one over each
// transport, and Socket.IO's and MQTT's beside them in the same clothes.
//
//     const client = await OPEN["long polling"](t, server.url, { name: "Ann" });
//     await client.send("say", { x: 1 });
//     const content = await client.take("say", (c) => c.x === 1);
import assert from "node:assert/strict";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import mqtt from "mqtt";
import WebSocket from "ws";
import { connect } from "./harness.mjs";

/** Messages that came, in order; take() waits for the first of a type not taken yet. */
class Messages {
    all = [];
    #taken = new Set();
    #waiting = new Set();

    push(message) {
        this.all.push(message);
        for (const check of this.#waiting) check();
    }

    takeMessage(type, is = () => true) {
        return new Promise((resolve) => {
            const check = () => {
                const found = this.all.find(
                    (m) => m.type === type && !this.#taken.has(m) && is(m.content, m),
                );
                if (!found) return;
                this.#taken.add(found);
                this.#waiting.delete(check);
                resolve(found);
            };
            this.#waiting.add(check);
            check();
        });
    }

    async take(type, is) {
        return (await this.takeMessage(type, is)).content;
    }
}

/** {_base64} as Buffers, so that clients of all kinds can be compared. */
export function withBuffers(value) {
    if (Array.isArray(value)) return value.map(withBuffers);
    if (value === null || typeof value !== "object" || Buffer.isBuffer(value)) return value;
    if (typeof value._base64 === "string") return Buffer.from(value._base64, "base64");
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, withBuffers(v)]));
}

export class EnvelopeSocket extends Messages {
    async open(t, url, query = {}) {
        this.socket = new WebSocket(
            `${url.replace("http", "ws")}/ws?${new URLSearchParams(query)}`,
        );
        this.closed = new Promise((resolve) =>
            this.socket.on("close", (code, reason) => resolve({ code, reason: `${reason}` })),
        );
        this.socket.on("error", () => {});
        t.after(() => this.socket.terminate());
        this.socket.on("message", (data, isBinary) =>
            this.push(isBinary ? { type: "message", content: data } : JSON.parse(`${data}`)),
        );
        await once(this.socket, "open");
        return this;
    }

    raw(text) {
        this.socket.send(text);
    }

    async send(type, content, id) {
        this.raw(JSON.stringify({ type, content, id }));
    }
}

export class Session extends Messages {
    cursor = 0;

    async open(t, url, auth = {}) {
        this.url = url;
        this.ending = new AbortController();
        const { namespace = "/", ...body } = auth;
        const reply = await fetch(`${url}/poll?${new URLSearchParams({ namespace })}`, {
            method: "POST",
            body: JSON.stringify(body),
        });
        assert.equal(reply.status, 201);
        this.id = (await reply.json()).session;
        t.after(() => this.ending.abort());
        return this;
    }

    /** One GET; returns its body. */
    async get(query = {}, headers = {}) {
        const search = new URLSearchParams({ after: this.cursor, ...query });
        const reply = await fetch(`${this.url}/poll/${this.id}?${search}`, {
            headers,
            signal: this.ending.signal,
        });
        return { status: reply.status, headers: reply.headers, body: await reply.json() };
    }

    async post(body, query = {}) {
        const search = new URLSearchParams(query);
        const reply = await fetch(`${this.url}/poll/${this.id}?${search}`, {
            method: "POST",
            body,
        });
        return { status: reply.status, body: await reply.json() };
    }

    async send(type, content, id) {
        const reply = await this.post(JSON.stringify({ type, content, id }));
        assert.deepEqual(reply, { status: 200, body: { accepted: 1 } });
    }

    /** Polls until the test ends. */
    async keepPolling(wait) {
        try {
            for (;;) {
                const { status, body } = await this.get({ wait });
                if (status !== 200) break;
                this.cursor = body.cursor;
                for (const message of body.messages) this.push(message);
                if (body.closed) break;
                if (!wait) await setImmediate();
            }
        } catch (error) {
            if (!this.ending.signal.aborted) throw error;
        }
    }

    /** Reads Server-Sent Events until the stream or the test ends. */
    async keepReading(lastEventId) {
        const headers = lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId };
        const reply = await fetch(`${this.url}/sse/${this.id}`, {
            headers,
            signal: this.ending.signal,
        });
        assert.equal(reply.status, 200);
        assert.equal(reply.headers.get("content-type"), "text/event-stream");
        const reading = (async () => {
            let text = "";
            for await (const bytes of reply.body.pipeThrough(new TextDecoderStream())) {
                const events = (text + bytes).split("\n\n");
                text = events.pop();
                for (const event of events) {
                    const field = (name) =>
                        event
                            .split("\n")
                            .find((line) => line.startsWith(`${name}: `))
                            ?.slice(name.length + 2);
                    if (!field("data") || field("event")) continue;
                    this.cursor = Number(field("id"));
                    this.push(JSON.parse(field("data")));
                }
            }
        })();
        this.stream = reading.catch((error) => {
            if (!this.ending.signal.aborted) throw error;
        });
        return this;
    }
}

class SocketIo extends Messages {
    async open(t, url, { namespace = "", ...auth } = {}, transports) {
        this.socket = await connect(t, `${url}${namespace}`, { transports, auth });
        this.socket.onAny((type, content) => this.push({ type, content }));
        return this;
    }

    async send(type, content) {
        this.socket.emit(type, content);
    }
}

/** Nothing, JSON, or bytes. */
function contentOf(payload) {
    if (!payload.length) return undefined;
    try {
        return JSON.parse(`${payload}`);
    } catch {
        return payload;
    }
}

/** A socket of a namespace that has MQTT's clients among its own: an event is a topic. */
export class MqttSocket extends Messages {
    async open(t, url, { namespace, name, ...connect }, path = "") {
        this.topic = `fray${namespace}/me`;
        this.client = await mqtt.connectAsync(
            `${url.replace("http", path ? "ws" : "mqtt")}${path}`,
            { username: name, reconnectPeriod: 0, ...connect },
        );
        this.closed = once(this.client, "close");
        t.after(() => this.client.endAsync(true));
        this.client.on("message", (topic, payload, packet) => {
            const type = topic.slice(this.topic.length + 1);
            this.push({ type, content: contentOf(payload), packet });
        });
        await this.client.subscribeAsync(`${this.topic}/#`);
        this.welcome = await this.take("welcome");
        return this;
    }

    async send(type, content, options = {}) {
        await this.client.publishAsync(
            `${this.topic}/${type}`,
            content === undefined ? "" : JSON.stringify(content),
            { qos: 1, ...options },
        );
    }
}

/** How to open a client of each kind: (t, url, {name, namespace}). */
export const OPEN = {
    "Socket.IO websocket": (t, url, auth) => new SocketIo().open(t, url, auth, ["websocket"]),
    "Socket.IO polling": (t, url, auth) => new SocketIo().open(t, url, auth, ["polling"]),
    "envelope websocket": (t, url, auth) => new EnvelopeSocket().open(t, url, auth),
    "envelope polling": async (t, url, auth) => {
        const session = await new Session().open(t, url, auth);
        session.keepPolling(0);
        return session;
    },
    "envelope long polling": async (t, url, auth) => {
        const session = await new Session().open(t, url, auth);
        session.keepPolling(10_000);
        return session;
    },
    "Server-Sent Events": async (t, url, auth) => {
        const session = await new Session().open(t, url, auth);
        return session.keepReading();
    },
};

/** Those of namespaces where MQTT's clients are sockets. */
export const OPEN_ALL = {
    ...OPEN,
    "MQTT tcp": (t, url, auth) => new MqttSocket().open(t, url, { protocolVersion: 5, ...auth }),
    "MQTT websocket": (t, url, auth) =>
        new MqttSocket().open(t, url, { protocolVersion: 4, ...auth }, "/mqtt"),
};
