// The way by polling, where the network is at fault: answers that are lost, or are somebody else's.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { sdk } from "./sources.mjs";

const HERE = new URL("http://fray.test/?namespace=/games");
const LOGIN = () => new Response("<html>Please log in.</html>");
const json = (value) => Response.json(value);

describe("polling", { timeout: 30_000 }, () => {
    /** `answer(method, address, body)`: of a request to the session; what it throws is a failure of
     * the network, and without an answer it waits. Returns what was heard, and run() for time. */
    function open(t, answer) {
        t.mock.timers.enable({ apis: ["setTimeout"] });
        t.mock.method(globalThis, "fetch", async (url, { method, body, signal }) => {
            const address = new URL(url);
            if (address.pathname === "/poll") return json({ poll: "/poll/x" });
            const given = answer(method, address.searchParams, body);
            if (given) return given;
            await once(signal, "abort");
            throw signal.reason;
        });
        const heard = { messages: [], closed: null };
        const transport = sdk.openPolling(HERE, {
            message({ type }) {
                heard.messages.push(type);
                if (type === "bad") throw new Error("a listener's");
            },
            packet: () => {},
            closed: (code, reason) => (heard.closed = { code, reason }),
        });
        t.after(() => transport.close());
        const until = async (is) => {
            while (!is()) {
                t.mock.timers.tick(100);
                await setImmediate();
            }
        };
        return { heard, transport, until };
    }

    test("what is sent again bears the number that it had", async (t) => {
        const posts = [];
        const { transport, until } = open(t, (method, query, body) => {
            if (method !== "POST") return null;
            posts.push([query.get("number"), JSON.parse(body)[0].type]);
            if (posts.length === 1) throw new TypeError("the answer was lost");
            return posts.length === 2 ? LOGIN() : json({ accepted: 1 });
        });
        transport.send({ type: "once" });
        await until(() => posts.length === 3);
        transport.send({ type: "then" });
        await until(() => posts.length === 4);
        assert.deepEqual(posts, [
            ["1", "once"],
            ["1", "once"],
            ["1", "once"],
            ["2", "then"],
        ]);
    });

    for (const [what, make] of Object.entries({
        "no JSON": LOGIN,
        "JSON of something else": () => json({ login: "/" }),
        "the half of one": () => new Response('{"cursor":1,"mess'),
    }))
        test(`an answer that is ${what} is asked for again, and at last given up`, async (t) => {
            let asked = 0;
            const news = { cursor: 1, messages: [{ type: "welcome" }] };
            const { heard, until } = open(t, () => (++asked === 2 ? json(news) : make()));
            await until(() => heard.closed);
            assert.deepEqual(heard.messages, ["welcome"]);
            assert.deepEqual(heard.closed, { code: 0, reason: "no answer" });
        });

    test("a listener that throws does not keep what follows from others", async (t) => {
        const error = t.mock.method(console, "error", () => {});
        const news = { cursor: 2, messages: [{ type: "bad" }, { type: "good" }], closed: "bye" };
        const { heard, until } = open(t, () => json(news));
        await until(() => heard.closed);
        assert.deepEqual(heard.messages, ["bad", "good"]);
        assert.equal(error.mock.callCount(), 1);
    });
});
