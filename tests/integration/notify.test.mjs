// examples/notify.c: what an HTTP POST pushes, and to whom.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { connect, Inbox, serveExample, TRANSPORTS } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const server = serveExample("notify");

const post = (query, body) => fetch(`${server.url}/notify${query}`, { method: "POST", body });

async function page(t, options) {
    const socket = await connect(t, server.url, options);
    return { socket, inbox: new Inbox(socket) };
}

describe("notify", LIMIT, () => {
    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        test(`C10_post_reaches_every_page_over_${way}`, async (t) => {
            const pages = [
                await page(t, { transports }),
                await page(t, { transports, auth: { user: "ann" } }),
            ];
            const reply = await post("", "Dinner is ready 🍲");
            assert.equal(reply.status, 202);
            assert.equal(await reply.text(), "Pushed to 2 pages.\n");
            for (const { inbox } of pages) {
                const [{ text, personal, at }] = await inbox.take("notification");
                assert.deepEqual(
                    { text, personal },
                    { text: "Dinner is ready 🍲", personal: false },
                );
                assert.ok(Math.abs(at - Date.now()) < 60_000);
            }
        });
    }

    test("C10_post_to_a_user_reaches_only_their_pages", async (t) => {
        const [ann, again, bob] = [
            await page(t, { auth: { user: "ann" } }),
            await page(t, { auth: { user: "ann" } }),
            await page(t, { auth: { user: "bob" } }),
        ];
        assert.equal(await (await post("?user=ann", "Your turn")).text(), "Pushed to 2 pages.\n");
        for (const { inbox } of [ann, again]) {
            const [{ text, personal }] = await inbox.take("notification");
            assert.deepEqual({ text, personal }, { text: "Your turn", personal: true });
        }
        await post("?user=bob", "Yours");
        assert.equal((await bob.inbox.take("notification"))[0].text, "Yours");
        assert.equal(bob.inbox.count("notification"), 1);
        assert.equal(await (await post("?user=nobody", "x")).text(), "Pushed to 0 pages.\n");
    });

    test("bad_posts_are_refused", async () => {
        assert.equal((await post("", "")).status, 400);
        assert.equal((await post("", "x".repeat(1001))).status, 400);
        assert.equal((await post("", Buffer.from([0xff, 0xfe]))).status, 400);
        assert.equal((await post(`?user=${"x".repeat(100)}`, "x")).status, 400);
        assert.equal((await fetch(`${server.url}/notify`)).status, 404);
    });

    test("page_says_how_to_push", async () => {
        assert.match(await (await fetch(server.url)).text(), /curl -d/);
    });
});
