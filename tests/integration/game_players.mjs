// Players of /games over every kind of client, for the tests of games.
import assert from "node:assert/strict";
import { MqttSocket, OPEN } from "./envelope.mjs";
import { connect } from "./harness.mjs";

/** A player over Socket.IO or the envelope: both answer requests, and keep what they hear. */
class Player {
    heard = []; // {type, content}
    isSilent = false; // else it shows itself for the start of quick play
    #taken = new Set();
    #waiting = new Set();
    #ids = 0;

    hear(type, content) {
        this.heard.push({ type, content });
        if (type === "matchmaking" && content.phase === "agreed" && !this.isSilent)
            void this.request("ready", {}, ++this.#ids);
        for (const check of this.#waiting) check();
    }

    /** The first message of that type, and for which `is` holds, not taken yet. */
    take(type, is = () => true) {
        return this.#wait(type, is).found;
    }

    #wait(type, is) {
        let check;
        const found = new Promise((resolve) => {
            check = () => {
                const found = this.heard.find(
                    (m) => m.type === type && !this.#taken.has(m) && is(m.content),
                );
                if (!found) return;
                this.#taken.add(found);
                this.#waiting.delete(check);
                resolve(found.content);
            };
            this.#waiting.add(check);
            check();
        });
        return { found, cancel: () => this.#waiting.delete(check) };
    }

    last(type) {
        return this.heard.findLast((m) => m.type === type)?.content;
    }

    /** The answer, or what becomes an Error whose message is the code. */
    async ask(type, content) {
        const id = ++this.#ids;
        const answer = this.request(type, content, id);
        const refusal = this.#wait("error", (e) => (e.type ?? e.event) === type);
        const [kind, value] = await Promise.race([
            answer.then((value) => ["answer", value]),
            refusal.found.then((value) => ["error", value]),
        ]);
        refusal.cancel();
        if (kind === "answer") return value;
        assert.ok(value.message.length > 10, "a refusal says why");
        throw new Error(value.code);
    }
}

class SocketIoPlayer extends Player {
    async open(t, url, auth, extraHeaders) {
        const transports = ["websocket"];
        this.socket = await connect(t, `${url}/games`, { transports, auth, extraHeaders });
        this.socket.onAny((type, content) => this.hear(type, content));
        return this;
    }

    request(type, content, _id) {
        return new Promise((resolve) => this.socket.emit(type, content, resolve));
    }

    close() {
        this.socket.disconnect();
    }
}

class EnvelopePlayer extends Player {
    constructor(kind) {
        super();
        this.kind = kind;
    }

    async open(t, url, auth) {
        this.client = await OPEN[this.kind](t, url, { namespace: "/games", ...auth });
        const push = this.client.push.bind(this.client);
        this.client.push = (message) => {
            push(message);
            this.hear(message.type, message.content);
        };
        for (const { type, content } of [...this.client.all]) this.hear(type, content);
        await this.take("welcome");
        return this;
    }

    async request(type, content, id) {
        await this.client.send(type, content, id);
        return (await this.client.takeMessage("ack", (_, m) => m.id === id)).content;
    }

    close() {
        this.client.socket.terminate();
    }
}

/** Answers come to a response topic of MQTT 5, or as <event>/ack, in order of the events. */
class MqttPlayer extends Player {
    constructor(protocolVersion, path) {
        super();
        this.options = { protocolVersion };
        this.path = path;
    }

    async open(t, url, { name }) {
        const auth = { namespace: "/games", name, ...this.options };
        this.client = await new MqttSocket().open(t, url, auth, this.path);
        this.client.push = ({ type, content }) => this.hear(type, content);
        return this;
    }

    async request(type, content, id) {
        if (this.options.protocolVersion < 5) {
            await this.client.send(type, content);
            return this.take(`${type}/ack`);
        }
        const { client } = this.client;
        await client.subscribeAsync("replies/#");
        const answer = new Promise((resolve) =>
            client.on("message", (topic, payload, { properties }) => {
                if (topic !== `replies/${id}`) return;
                const content = JSON.parse(`${payload}`);
                if (properties?.userProperties?.type === "error") this.hear("error", content);
                else resolve(content);
            }),
        );
        await this.client.send(type, content, { properties: { responseTopic: `replies/${id}` } });
        return answer;
    }

    close() {
        this.client.client.stream.destroy();
    }
}

/** By what they connect with: functions that make one, to be opened. */
export const KINDS = {
    "Socket.IO": () => new SocketIoPlayer(),
    envelope: () => new EnvelopePlayer("envelope websocket"),
    polling: () => new EnvelopePlayer("envelope long polling"),
    "Server-Sent Events": () => new EnvelopePlayer("Server-Sent Events"),
    MQTT: () => new MqttPlayer(5, ""),
    "MQTT over websocket": () => new MqttPlayer(4, "/mqtt"),
};
