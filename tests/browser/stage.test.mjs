// The stage of a game in real time as a thing to hold: keys, focus, tools, what covers what.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serveFray } from "../integration/harness.mjs";
import { DESKTOP, LYING, PHONE, useBrowser } from "./browser.mjs";

const LYING_LARGE = { ...LYING, viewport: { width: 844, height: 390 } };

/** Selectors of what is seen and shares a place with `one`. */
const covered = (page, one, others) =>
    page.evaluate(
        ([selector, all]) => {
            const { left, right, top, bottom } = document
                .querySelector(selector)
                .getBoundingClientRect();
            return all.filter((other) =>
                [...document.querySelectorAll(other)]
                    .map((node) => node.getBoundingClientRect())
                    .filter((box) => box.width)
                    .filter((box) => box.left < right && box.right > left)
                    .some((box) => box.top < bottom && box.bottom > top),
            );
        },
        [one, others],
    );

describe("the stage of games in real time", () => {
    const fray = serveFray(["--lab-self-service"]);
    const open = useBrowser();
    const visit = (path, options = DESKTOP) => open(fray.url + path, options);

    async function enterArena(options) {
        const page = await visit("/games/arena/?play=bot", options);
        await page.waitForSelector('body[data-life="alive"]');
        return page;
    }

    /** Strikes with Space, once one is alive. */
    async function strike(page) {
        const before = await page.evaluate(() => canvas.arena.world.self.swings);
        await page.keyboard.down("Space");
        await page.waitForFunction((was) => canvas.arena.world.self?.swings !== was, before);
        await page.keyboard.up("Space");
    }
    const isPressed = (page, tool) => page.getAttribute(`#tool-${tool}`, "aria-pressed");

    test("who clicks a tool plays on by keys", async () => {
        const page = await enterArena();
        await page.click("#tool-sound");
        await strike(page);
        assert.equal(await isPressed(page, "sound"), "true");
        await page.click("#more-bots");
        await page.waitForFunction(() => canvas.play.roster.seats.length === 15);
        await strike(page);
        assert.equal(await page.evaluate(() => canvas.play.roster.seats.length), 15);
    });

    test("who chooses with the mouse plays on by keys, else goes on choosing", async () => {
        const page = await enterArena();
        await page.keyboard.press("n");
        const choice = page.locator('[aria-label="Added latency"]');
        await choice.waitFor();
        await choice.focus();
        await page.keyboard.press("ArrowDown");
        assert.equal(await choice.inputValue(), "50");
        await page.waitForSelector('[aria-label="Added latency"]:focus');
        await choice.dispatchEvent("pointerdown");
        await choice.selectOption("0");
        await page.waitForSelector("#canvas:focus");
    });

    test("a key that comes up over a tool is let go", async () => {
        const page = await enterArena();
        await page.keyboard.down("Space");
        await page.waitForFunction(() => canvas.arena.controls.striking);
        await page.focus("#tool-sound");
        await page.keyboard.up("Space");
        await page.waitForFunction(() => !canvas.arena.controls.striking);
        assert.equal(await isPressed(page, "sound"), "false");
    });

    test("who goes to another tab stands still, though no picture comes any more", async () => {
        const first = await visit("/games/duel/?play=friend");
        await first.waitForSelector("#invitation:not([hidden])");
        const second = await open(await first.inputValue("#link"), DESKTOP);
        await second.waitForSelector('body[data-round="playing"]');
        await first.waitForSelector('body[data-round="playing"]');
        await first.keyboard.down("KeyD");
        await second.waitForFunction(() => canvas.duel.world.players[0].velocityX === 3);
        await first.evaluate(() => {
            window.requestAnimationFrame = () => 0;
            Object.defineProperty(document, "hidden", { get: () => true });
            document.dispatchEvent(new Event("visibilitychange"));
        });
        const placeOf = () => second.evaluate(() => canvas.duel.world.players[0].x);
        const from = await placeOf();
        await second.waitForFunction(() => {
            const { tick, players } = canvas.duel.world;
            const { x } = players[0];
            const still = (window.still_ ??= { x, tick });
            if (x !== still.x) Object.assign(still, { x, tick });
            return tick > still.tick + 120;
        });
        const way = (await placeOf()) - from;
        assert.ok(way < 200, `${way} px: the wall is further away`);
    });

    test("who comes to a tool by keys uses it by keys", async () => {
        for (const game of ["arena", "duel"]) {
            const page = await visit(`/games/${game}/?play=bot`);
            await page.waitForSelector("#canvas:focus"); // once in the match
            await page.focus("#tool-sound");
            await page.keyboard.press("Space");
            assert.equal(await isPressed(page, "sound"), "true");
            await page.keyboard.press("Enter");
            assert.equal(await isPressed(page, "sound"), "false");
            await page.waitForSelector("#tool-sound:focus");
        }
    });

    test("on a phone that lies a menu has all that is beside the stage elsewhere", async () => {
        const page = await enterArena(LYING);
        const isSeen = (one) => page.locator(one).isVisible();
        assert.equal(await isSeen("#leave"), false);
        await page.tap("#menu");
        await page.waitForSelector("#back:focus");
        for (const one of ["#tool-sound", "#link", "#chat-field", '.sheet a:text("Lobby")'])
            assert.equal(await isSeen(one), true, one);
        await page.locator("#leave").scrollIntoViewIfNeeded();
        const { swings } = await page.evaluate(() => canvas.arena.world.self);
        await page.touchscreen.tap(60, 200); // beside it
        await page.waitForSelector('body[data-sheet="closed"] #canvas:focus');
        assert.equal(await page.evaluate(() => canvas.arena.world.self.swings), swings);
        await page.tap("#menu");
        await page.tap("#leave");
        await page.waitForSelector("#start:not([hidden])");
        assert.equal(await isSeen('#start [value="quick"]'), true);
    });

    test("nothing lies on the picture but what belongs to the game", async () => {
        for (const options of [DESKTOP, PHONE]) {
            const page = await enterArena(options);
            await (options.hasTouch ? page.tap("#tool-net") : page.keyboard.press("n"));
            const picture = await page.locator("#canvas").boundingBox();
            for (const one of ["#net-graph", ".tools"]) {
                const box = await page.locator(one).boundingBox();
                assert.ok(box.y >= picture.y + picture.height, `${one} is below the picture`);
                assert.ok(box.y < options.viewport.height, `${one} is in view`);
            }
        }
    });

    test("that the game lags is said beside what is said of the game", async () => {
        for (const [game, options] of [
            ["duel", DESKTOP],
            ["duel", PHONE],
            ["arena", PHONE],
            ["arena", LYING],
            ["arena", LYING_LARGE],
        ]) {
            const page = await visit(`/games/${game}/?play=bot`, {
                ...options,
                allows: /ERR_INTERNET_DISCONNECTED|WebSocket/,
            });
            await page.waitForSelector('[data-life="alive"], [data-round="playing"]');
            await page.keyboard.press("n");
            await page.context().setOffline(true);
            await page.waitForSelector('.connection:text("You are offline.")');
            assert.deepEqual(await covered(page, ".connection", ["#net-graph"]), []);
            await page.waitForSelector("#lagging:not([hidden])");
            assert.deepEqual(
                await covered(page, "#lagging", [".plate", ".middle", "#menu"]),
                [],
                `${game}, ${options.viewport.width} px`,
            );
            await page.context().setOffline(false);
            await page.waitForSelector(".connection", { state: "hidden" });
        }
    });

    test("on a phone that lies nothing is over the score", async () => {
        for (const options of [LYING, LYING_LARGE]) {
            const page = await enterArena(options);
            const others = [".minimap", "#strike", "#menu", ".own"];
            assert.deepEqual(await covered(page, ".board", others), []);
            assert.deepEqual(await covered(page, "#strike", [".minimap"]), []);
        }
    });

    test("the small map gives way to oneself in its corner", async () => {
        const page = await enterArena();
        await page.evaluate(() => {
            const { world } = canvas.arena;
            const { fill } = world;
            world.fill = (...frame) => {
                fill.apply(world, frame);
                Object.assign(world.self, { x: world.map.width - 10, y: world.map.height - 10 });
            };
        });
        await page.waitForSelector(".minimap.over");
        await page.evaluate(() => delete canvas.arena.world.fill);
        await page.waitForSelector(".minimap:not(.over)");
    });

    test("on a phone that lies all ways in are in view", async () => {
        for (const options of [LYING, LYING_LARGE]) {
            for (const game of ["duel", "arena", "rps", "tictactoe"]) {
                const page = await visit(`/games/${game}/`, options);
                await page.waitForSelector('body[data-ready="yes"]');
                for (const button of await page.locator("#start-form button").all()) {
                    const { y, height } = await button.boundingBox();
                    assert.ok(y + height <= options.viewport.height, game);
                }
            }
        }
    });

    test("on a phone that lies the menu button tells of what is said in the chat", async () => {
        const first = await visit("/games/duel/?play=friend", LYING_LARGE);
        await first.waitForSelector("#invitation:not([hidden])", { state: "attached" });
        const second = await open(first.url(), LYING_LARGE);
        await second.waitForSelector('body[data-round="playing"]');
        await first.tap("#menu");
        await first.fill("#chat-field", "hello");
        await first.tap('#chat-form button:text("Send")');
        await second.waitForSelector('#menu[data-news="yes"]:has-text("a new message")');
        await second.tap("#menu");
        await second.waitForSelector('#menu[data-news="no"]');
        assert.ok(await second.locator('#chat-log li:has-text("hello")').isVisible());
        assert.notEqual(await first.getAttribute("#menu", "data-news"), "yes", "its own");
    });

    test("on a phone that lies the hints stay until the thumbs have been there", async () => {
        const page = await visit("/games/duel/?play=bot", LYING_LARGE);
        await page.waitForSelector('body[data-round="playing"]');
        const hints = page.locator(".thumbs p");
        assert.equal(await hints.first().isVisible(), true);
        assert.match(await hints.last().innerText(), /Aim and fire here/);
        const { width, height } = LYING_LARGE.viewport;
        await page.touchscreen.tap(width * 0.2, height * 0.7);
        await page.waitForSelector(".thumbs p.known");
        assert.equal(await page.locator(".thumbs p:not(.known)").count(), 1);
    });

    test("who waits for a friend has the link on the stage, and hears of nobody else", async () => {
        for (const options of [LYING_LARGE, PHONE, DESKTOP]) {
            const page = await visit("/games/duel/?play=friend", options);
            await page.waitForSelector('#status:text-is("Send this link to your friend")');
            const share = page.locator("#stage-share");
            await share.waitFor();
            const { y, height } = await share.boundingBox();
            assert.ok(y > 0 && y + height < options.viewport.height);
            assert.match(await share.locator("input").inputValue(), /\/games\/duel\/\?match=/);
            assert.doesNotMatch(await page.innerText("#curtain"), /[Ll]istening|online/);
            await page.context().grantPermissions(["clipboard-write", "clipboard-read"]);
            await page.evaluate(() => Object.assign(navigator, { share: undefined }));
            await page.click("#stage-share button");
            await page.waitForSelector('.toast:has-text("Link copied.")');
        }
        const first = await visit("/games/duel/?play=public");
        await first.waitForSelector('#status:has-text("Listening for an opponent")');
        assert.equal(await first.locator("#stage-share").isVisible(), false);
    });

    test("what is said for a moment covers neither names nor the round", async () => {
        const first = await visit("/games/duel/?play=friend");
        await first.waitForSelector("#invitation:not([hidden])");
        const second = await open(first.url(), DESKTOP);
        await second.waitForSelector('body[data-round="playing"]');
        for (const options of [LYING, LYING_LARGE, PHONE, DESKTOP]) {
            const third = await open(first.url(), options);
            await third.waitForSelector('.toast:has-text("All seats are taken")');
            await third.waitForSelector(".plate.right");
            const { width } = options.viewport;
            const others = [".plate", ".middle", "#menu"];
            assert.deepEqual(await covered(third, ".toast", others), [], `${width} px`);
            await third.context().close();
        }
    });

    test("in full screen, too, a lost connection is told and the menu opens", async () => {
        const page = await enterArena();
        await page.click("#tool-full");
        await page.waitForSelector('body[data-stage="whole"]');
        await page.click("#menu");
        await page.waitForSelector("#leave:visible");
        await page.keyboard.press("Escape");
        await page.waitForSelector('body[data-sheet="closed"] #canvas:focus');
        const isOver = await page.evaluate(() =>
            document.fullscreenElement.contains(document.querySelector(".connection")),
        );
        assert.ok(isOver, "the banner is in what is full screen");
        await page.keyboard.press("f");
        await page.waitForSelector('body[data-stage="framed"]');
    });
});
