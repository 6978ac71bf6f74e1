// The pages of examples/, two windows each (C10).
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serveExample } from "../integration/harness.mjs";
import { useBrowser } from "./browser.mjs";

const DESKTOP = { viewport: { width: 1000, height: 700 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

describe("chat", () => {
    const server = serveExample("chat");
    const open = useBrowser();

    async function enter(name, room, options = DESKTOP) {
        const page = await open(server.url, options);
        await page.fill('[name="name"]', name);
        await page.fill('[name="room"]', room);
        await page.click("#enter button");
        await page.waitForSelector("#talk:not([hidden])");
        return page;
    }
    const say = async (page, text) => {
        await page.fill('[name="text"]', text);
        await page.press('[name="text"]', "Enter");
    };

    test("C10_two_talk_and_a_third_elsewhere_hears_nothing", async () => {
        const ann = await enter("Ann", "tea");
        const bob = await enter("Bob", "tea", { ...PHONE, colorScheme: "dark" });
        const eve = await enter("Eve", "cellar");
        await say(ann, "<i>hello</i> 🍵");
        await bob.waitForSelector('#messages li:has(b:text-is("Ann")):has-text("<i>hello</i> 🍵")');
        await say(bob, "hi Ann");
        await ann.waitForSelector('#messages li:not(.mine):has-text("hi Ann")');
        assert.equal(await ann.locator("#messages li.mine").count(), 1);
        await say(eve, "anybody?"); // what came before it would have come by now
        await eve.waitForSelector("#messages li.mine");
        assert.equal(await eve.locator('#messages li:has-text("Ann")').count(), 0);
        assert.equal(await bob.evaluate(() => document.documentElement.scrollWidth), 360);
    });

    test("C10_newcomers_read_the_history_and_typing_is_shown", async () => {
        const ann = await enter("Ann", "attic");
        await say(ann, "first!");
        await ann.waitForSelector("#messages li.mine");
        const bob = await enter("Bob", "attic");
        await bob.waitForSelector('#messages li:has-text("first!")');
        await bob.waitForSelector('#present:has-text("Ann"):has-text("Bob")');
        await ann.type('[name="text"]', "w");
        await bob.waitForSelector('#typing:has-text("Ann is typing")');
        await ann.context().close();
        await bob.waitForSelector('#messages li.notice:has-text("Ann left.")');
    });

    test("C10_a_taken_name_is_refused_with_a_reason", async () => {
        await enter("Ann", "loft");
        /* The refused client closes its session by POST; that may overtake its own GET, which then
         * asks for a session that is gone. */
        const page = await open(server.url, { ...DESKTOP, allows: /status of 400/ });
        await page.fill('[name="name"]', "Ann");
        await page.fill('[name="room"]', "loft");
        await page.click("#enter button");
        await page.waitForSelector("#refusal:not([hidden]):not(:empty)");
    });
});

describe("shared text", () => {
    const server = serveExample("collab");
    const open = useBrowser();

    const enter = async () => {
        const page = await open(server.url, DESKTOP);
        await page.waitForSelector("#editor:not([readonly])");
        return page;
    };
    const reads = (page, text) => page.waitForFunction((wanted) => editor.value === wanted, text);

    test("C10_two_write_at_once_and_hold_one_text", async () => {
        const [ann, bob] = [await enter(), await enter()];
        await ann.fill("#name", "Ann");
        await ann.press("#name", "Tab");
        await ann.waitForSelector("#editor:not([readonly])");
        await ann.locator("#editor").pressSequentially("brave world");
        await reads(bob, "brave world");
        await bob.evaluate(() => editor.setSelectionRange(0, 0));
        await ann.evaluate(() => editor.setSelectionRange(11, 11));
        await Promise.all([
            bob.locator("#editor").pressSequentially("hello "),
            ann.locator("#editor").pressSequentially("!!!"),
        ]);
        await Promise.all([reads(ann, "hello brave world!!!"), reads(bob, "hello brave world!!!")]);
        await bob.waitForSelector('.cursor[data-name="Ann"]', { state: "attached" });
        await reads(await enter(), "hello brave world!!!"); // also for who comes later
    });
});

describe("notifications", () => {
    const server = serveExample("notify");
    const open = useBrowser();
    const post = (query, body) => fetch(`${server.url}/notify${query}`, { method: "POST", body });

    test("C10_a_post_appears_on_every_page_or_on_a_users", async () => {
        const everybody = await open(server.url, { ...PHONE, colorScheme: "dark" });
        const ann = await open(server.url, DESKTOP);
        await everybody.waitForSelector("#status.on");
        await ann.waitForSelector("#status.on");
        await ann.fill('[name="user"]', "ann");
        await ann.click("#login button");
        await ann.waitForSelector('#status.on:has-text("ann")');
        await post("?user=ann", "Your turn");
        await ann.waitForSelector('#notifications li.personal:has-text("Your turn")');
        await post("", "Dinner <b>now</b>");
        for (const page of [everybody, ann])
            await page.waitForSelector('#notifications li:has-text("Dinner <b>now</b>")');
        assert.equal(await everybody.locator("#notifications li").count(), 1);
        assert.equal(await everybody.evaluate(() => document.documentElement.scrollWidth), 360);
    });
});
