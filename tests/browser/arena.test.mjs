// The arena's page, played whole: page against page, and who watches.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS } from "../integration/game_players.mjs";
import { DESKTOP, LYING, PHONE, fits, isReady, leave, spots, status } from "./browser.mjs";
import { isRound, useTables } from "./realtime.mjs";

const arena = (page, read) =>
    page.waitForFunction((source) => {
        const { world } = document.getElementById("canvas").arena;
        return new Function("world", `return ${source}`)(world);
    }, read);

describe("the arena's page", () => {
    const { fray, open, visit, meet } = useTables();

    test("the arena: walk with either keys, strike, die, return", async () => {
        // So small a place to appear in that each is always within the other's reach.
        const [first, second] = await meet("arena", { spawn: 6, obstacles: 0, respawn_ticks: 60 });
        for (const page of [first, second]) await page.waitForSelector('body[data-life="alive"]');
        await arena(first, "world.players.length === 2");
        assert.ok((await spots(first, "you")).count > 100);
        await first.keyboard.down("Space");
        await second.waitForSelector('body[data-life="dead"]');
        await first.keyboard.up("Space");
        await status(second, /struck you down/);
        await second.waitForFunction(() =>
            /Back in \d s/.test(document.getElementById("detail").textContent),
        );
        await first.waitForSelector('.feed li:has-text("struck down")');
        await first.waitForSelector('.board tr.own-row td:has-text("1")');
        await second.waitForSelector('body[data-life="alive"]');
        for (const keys of [
            ["KeyD", "KeyS", "KeyA"],
            ["ArrowRight", "ArrowDown", "ArrowLeft"],
        ]) {
            for (const [key, axis, sign] of [
                [keys[0], "x", 1],
                [keys[1], "y", 1],
                [keys[2], "x", -1],
            ]) {
                const from = await first.evaluate((name) => canvas.arena.world.self[name], axis);
                await first.keyboard.down(key);
                await arena(first, `(world.self.${axis} - ${from}) * ${sign} > 20`);
                await first.keyboard.up(key);
            }
        }
        while ((await spots(first, "foe")).count <= 100); // until it is no longer behind oneself
        await first.waitForSelector("canvas.minimap:visible");
    });

    test("an arena that has been won says so, also to who takes the winner's seat", async () => {
        const rules = { spawn: 6, obstacles: 0, goal: 1 };
        const [first, second] = await meet("arena", rules);
        for (const page of [first, second]) await page.waitForSelector('body[data-life="alive"]');
        await arena(first, "world.players.length === 2");
        await first.keyboard.down("Space");
        await status(first, /^You win!$/);
        await first.keyboard.up("Space");
        await status(second, / wins$/);
        await leave(first);
        const third = await open(second.url(), DESKTOP);
        await status(third, /^It is over$/);
        await status(second, /^It is over$/);
    });

    test("who watches an arena takes a seat, though nobody else is there", async (t) => {
        for (const [isAlone, options] of [
            [false, DESKTOP],
            [true, LYING],
        ]) {
            const ann = await KINDS.envelope().open(t, fray.url, { name: "Ann" });
            const { match } = await ann.ask("create", { game: "arena", bots: 8 });
            const page = await visit(`/games/arena/?match=${match}&as=spectator`, options);
            await status(page, /You are watching/);
            if (isAlone) await ann.ask("leave");
            if (options.hasTouch) await page.tap("#menu");
            await page.click("#action-sit");
            await page.waitForSelector('body[data-life="alive"]');
            await page.waitForSelector("#canvas:focus");
            await page.waitForSelector("#action-sit", { state: "detached" });
        }
    });

    test("in practice nothing is offered of a match that one has left", async () => {
        const player = await visit("/games/arena/?play=bot");
        await player.waitForSelector('body[data-life="alive"]');
        const page = await open(`${player.url()}&as=spectator`, DESKTOP);
        await page.waitForSelector("#action-sit:visible");
        await leave(page);
        await page.click("#practice");
        await page.waitForSelector('body[data-life="alive"]');
        assert.equal(await page.locator("#action-sit").count(), 0);
    });

    test("the arena on a phone: a thumb walks, a button strikes", async () => {
        const page = await visit("/games/arena/?play=bot", PHONE);
        await page.waitForSelector('body[data-life="alive"]');
        await fits(page);
        const box = await page.locator("#canvas").boundingBox();
        await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
        await arena(page, "world.self.swings > 0");
        await page.waitForSelector("#strike:visible");
        await fits(page);
    });

    test("the lobby leads into both games, and others join from it", async () => {
        const lobby = await visit("/lobby/");
        await isReady(lobby);
        await fits(lobby);
        const host = await visit("/games/duel/?play=public");
        await host.waitForSelector("#invitation:not([hidden])");
        const name = await host.inputValue("#name");
        await lobby.click(`#rooms li:has-text("${name}") a:has-text("Join")`);
        await lobby.waitForSelector("#table:not([hidden])");
        for (const page of [host, lobby]) await isRound(page, "playing");
        const other = await visit("/lobby/", PHONE);
        await isReady(other);
        await fits(other);
        await other.click('[data-game="arena"] [data-play="quick"]');
        await other.waitForSelector('body[data-life="alive"]');
    });
});
