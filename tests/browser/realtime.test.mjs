// What the pages of games in real time have in common: lost networks, practice, phones, colours,
// the net graph.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESKTOP, LYING, PHONE, contrast, fits, isReady, leave, spots } from "./browser.mjs";
import { duel, isRound, useTables } from "./realtime.mjs";

describe("the pages of games in real time", () => {
    const { fray, open, visit, meet } = useTables();

    test("after seconds without a network one walks on in the same seat", async () => {
        const page = await visit("/games/duel/?play=bot");
        await isRound(page, "playing");
        const tick = await page.evaluate(() => canvas.play.frame(performance.now()).tick);
        await page.context().setOffline(true);
        await page.waitForSelector("#lagging:not([hidden])");
        await page.waitForFunction(() => canvas.play.stats.snapshotAge > 5000);
        await page.context().setOffline(false);
        await page.waitForFunction(
            (before) => canvas.play?.frame(performance.now()).tick > before + 300,
            tick,
        );
        await page.waitForSelector("#lagging", { state: "hidden" });
        await page.keyboard.down("KeyD");
        await duel(page, "world.players[0].velocityX > 0");
        await page.keyboard.up("KeyD");
        page.complaints = []; // of the connection, if it was made anew
    });

    test("practice needs no server once the page is there", async () => {
        const rules = [];
        const page = await open(`${fray.url}/games/duel/`, {
            ...DESKTOP,
            allows: /ERR_INTERNET_DISCONNECTED|WebSocket/,
            prepare: (fresh) => rules.push(fresh.waitForResponse(/duel\.wasm$/)),
        });
        await (await rules[0]).finished();
        await page.context().setOffline(true);
        await page.click("#practice");
        await isRound(page, "playing");
        assert.ok((await spots(page, "foe")).count > 100);
        await page.keyboard.press("n");
        assert.equal(await page.isVisible("#net-graph"), true);
        assert.equal(await page.isVisible(".lab"), false);
        await leave(page);
        await page.waitForSelector("#practice:focus");
    });

    test("a match that is joined ends a practice that was begun meanwhile", async () => {
        for (const isPracticeFirst of [false, true]) {
            const page = await visit("/games/arena/");
            await isReady(page);
            await page.evaluate((isFirst) => {
                const buttons = [
                    document.querySelector('#start-form [value="quick"]'),
                    document.querySelector("#practice"),
                ];
                for (const button of isFirst ? buttons.reverse() : buttons) button.click();
            }, isPracticeFirst);
            await page.waitForFunction(() => canvas.play?.id && document.body.dataset.life);
            await page.waitForFunction(() => !document.body.dataset.mode);
            await page.waitForSelector("#invitation:visible");
            await leave(page);
            await page.waitForSelector("#start-message:has-text('You have left')");
        }
    });

    test("on an upright phone the picture goes as near as both are in it", async () => {
        for (const reducedMotion of ["no-preference", "reduce"]) {
            const page = await visit("/games/duel/?play=bot", { ...PHONE, reducedMotion });
            await isRound(page, "playing");
            await page.waitForFunction((isNear) => {
                const { world, toMap } = canvas.duel;
                const [from, to] = [0, canvas.clientWidth].map((x) => toMap({ x, y: 0 }).x);
                const areIn = world.players.every(({ x }) => x > from && x < to);
                return areIn && to - from < 900 === isNear;
            }, reducedMotion === "no-preference");
        }
    });

    test("thumbs walk, jump and shoot; phones need no sideways scrolling", async () => {
        const pages = await meet("duel", {}, PHONE);
        const [page] = pages;
        await isRound(page, "playing");
        await fits(page);
        assert.equal(await page.locator(".thumbs p:not(.known)").count(), 2);
        const touch = await page.context().newCDPSession(page);
        const box = await page.locator("#canvas").boundingBox();
        const points = (...list) =>
            list.map(([x, y], id) => ({ x: box.x + box.width * x, y: box.y + box.height * y, id }));
        const send = (type, ...list) =>
            touch.send("Input.dispatchTouchEvent", { type, touchPoints: points(...list) });
        await send("touchStart", [0.2, 0.8], [0.8, 0.8]);
        await page.waitForFunction(() => !document.querySelector(".thumbs p:not(.known)"));
        await send("touchMove", [0.35, 0.8], [0.95, 0.75]);
        await duel(page, "world.players[0].velocityX > 0 && world.bullets.length > 0");
        await send("touchMove", [0.2, 0.65], [0.95, 0.75]);
        await duel(page, "!world.players[0].grounded");
        await send("touchEnd");
        await page.setViewportSize(LYING.viewport);
        await fits(page);
        await page.waitForFunction(() => document.getElementById("canvas").clientHeight === 375);
    });

    test("guns and feet are seen by day and by night", async () => {
        for (const colorScheme of ["light", "dark"]) {
            const page = await visit("/games/duel/", { ...DESKTOP, colorScheme });
            await isReady(page);
            await page.click("#practice");
            await isRound(page, "playing");
            assert.ok((await spots(page, "limb")).count > 60);
            assert.ok((await contrast(page, "focus", "ground")) >= 3, "the focus is seen");
            assert.notEqual(await contrast(page, "focus", "foe"), 1);
            for (const behind of ["sky-high", "sky-low", "hill-far", "hill-near"])
                assert.ok((await contrast(page, "limb", behind)) >= 3, `${colorScheme}: ${behind}`);
        }
    });

    test("nothing shakes where the system asks for less motion", async () => {
        for (const reducedMotion of ["reduce", "no-preference"]) {
            const page = await visit("/games/duel/", { ...DESKTOP, reducedMotion });
            await isReady(page);
            await page.click("#practice");
            await isRound(page, "playing");
            await page.evaluate(() => {
                const { effects } = document.getElementById("canvas").duel;
                const jolt = effects.jolt.bind(effects);
                window.most = 0;
                effects.jolt = (elapsed) => {
                    const way = jolt(elapsed);
                    window.most = Math.max(window.most, Math.hypot(way.x, way.y));
                    return way;
                };
            });
            await page.keyboard.down("KeyJ");
            await duel(page, "world.bullets.some(({ seat }) => seat === 0)");
            await duel(page, "!world.bullets.some(({ seat, x }) => seat === 0 && x < 200)");
            assert.equal((await page.evaluate(() => window.most)) > 0, reducedMotion !== "reduce");
        }
    });

    test("the net graph opens by key and button, tells figures, and is remembered", async () => {
        const page = await visit("/games/duel/?play=bot");
        await isRound(page, "playing");
        assert.equal(await page.isVisible("#net-graph"), false);
        await page.keyboard.press("n");
        await page.waitForFunction(() =>
            /0 to \d+ ms[^]*Round trip\s+[\d.]+ ms[^]*Transport\s+websocket/.test(
                document.getElementById("net-graph").innerText,
            ),
        );
        await page.waitForSelector(".lab:not([hidden])");
        await page.selectOption('[aria-label="Added latency"]', "100");
        await page.waitForFunction(() =>
            /Round trip\s+1\d\d ms/.test(document.getElementById("net-graph").innerText),
        );
        await page.selectOption('[aria-label="Added jitter"]', "30");
        await page.selectOption('[aria-label="Added loss"]', "2");
        await page.waitForSelector('.lab :text("TCP sends again")');
        await page.reload();
        await isRound(page, "playing");
        assert.equal(await page.isVisible("#net-graph"), true);
        await page.click("#tool-net");
        assert.equal(await page.isVisible("#net-graph"), false);
    });

    test("keys are released when the page loses the focus", async () => {
        const [page] = await meet("duel");
        await isRound(page, "playing");
        await page.keyboard.down("KeyD");
        await duel(page, "world.players[0].velocityX > 0");
        await page.focus("#chat-field");
        await duel(page, "world.players[0].velocityX === 0");
        await page.keyboard.up("KeyD");
    });
});
