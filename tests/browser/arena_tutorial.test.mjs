// The tutorial's arena in two browsers, its page as it is: colours, keys, and one kills the other.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serveExample } from "../integration/harness.mjs";
import { useBrowser } from "./browser.mjs";

describe("the tutorial's arena in Chromium", () => {
    const arena = serveExample("arena_tutorial");
    // The page says http://localhost:5000: Chromium is led to where the server listens.
    const open = useBrowser(() => [
        `--host-resolver-rules=MAP localhost:5000 127.0.0.1:${arena.port}`,
    ]);

    // `players` and `myId` are the page's own variables.
    const players = (page) => page.evaluate("structuredClone(players)");
    const ownId = (page) => page.evaluate("myId");
    const knows = (page, count) =>
        page.waitForFunction(`Object.keys(players).length === ${count} && players[myId]`);

    async function enter() {
        const page = await open("http://localhost:5000/");
        await page.evaluate(
            `socket.onAny((name, data) => (window.seen ??= []).push([name, data]))`,
        );
        return page;
    }

    /** Presses a key and waits for the server to have moved the player. */
    async function step(page, key) {
        const before = await page.evaluate("({ ...players[myId] })");
        await page.keyboard.press(key);
        await page.waitForFunction(
            ([x, y]) => players[myId].x !== x || players[myId].y !== y,
            [before.x, before.y],
        );
        return before;
    }

    /** Walks to within 10 units of the other. */
    async function approach(page, id) {
        for (;;) {
            const all = await players(page);
            const me = all[await ownId(page)];
            const dx = all[id].x - me.x;
            const dy = all[id].y - me.y;
            if (Math.hypot(dx, dy) <= 10) return;
            const key =
                Math.abs(dx) > Math.abs(dy)
                    ? dx > 0
                        ? "ArrowRight"
                        : "ArrowLeft"
                    : dy > 0
                      ? "ArrowDown"
                      : "ArrowUp";
            await step(page, key);
        }
    }

    test("C11_C12_C13_late_joiner_and_present_see_each_other", async () => {
        const first = await enter();
        await knows(first, 1);
        const second = await enter();
        await knows(first, 2);
        await knows(second, 2);
        assert.deepEqual(await players(first), await players(second));
        for (const { x, y, hp } of Object.values(await players(first))) {
            assert.ok(x >= 0 && x <= 100 && y >= 0 && y <= 100, "C19_spawn_in_0_to_100");
            assert.equal(hp, 100, "C20_hp_100");
        }
    });

    test("C15_C17_C24_arrow_keys_step_5_on_both_pages", async () => {
        const [first, second] = [await enter(), await enter()];
        await Promise.all([knows(first, 2), knows(second, 2)]);
        const id = await ownId(first);
        for (const [key, dx, dy] of [
            ["ArrowRight", 5, 0],
            ["ArrowDown", 0, 5],
            ["ArrowLeft", -5, 0],
            ["ArrowUp", 0, -5],
        ]) {
            const before = await step(first, key);
            const place = { x: before.x + dx, y: before.y + dy, hp: 100 };
            await second.waitForFunction(
                ([who, { x, y }]) => players[who].x === x && players[who].y === y,
                [id, place],
            );
            assert.deepEqual((await players(second))[id], place);
        }
    });

    test("C14_player_left", async () => {
        const [first, second] = [await enter(), await enter()];
        await knows(first, 2);
        await second.evaluate("socket.disconnect()");
        await knows(first, 1);
    });

    test("C16_C18_C21_C22_C23_one_kills_the_other", async () => {
        const [first, second] = [await enter(), await enter()];
        await Promise.all([knows(first, 2), knows(second, 2)]);
        const victim = await ownId(second);
        await approach(first, victim);
        for (let blow = 1; blow <= 10; blow++) {
            await first.keyboard.press(" ");
            await second.waitForFunction(
                ([who, hp]) =>
                    window.seen.some(
                        ([name, data]) =>
                            name === "player_attacked" && data.id === who && data.hp === hp,
                    ),
                [victim, 100 - 10 * blow],
            );
            const killed = await second.evaluate(
                "window.seen.filter(([name]) => name === 'player_killed').map(([, data]) => data)",
            );
            assert.deepEqual(killed, blow < 10 ? [] : [{ id: victim }], `after ${blow} blows`);
        }
    });

    test("C25_C26_canvas_500_by_500_players_10_by_10", async () => {
        const page = await enter();
        await knows(page, 1);
        const drawn = await page.evaluate(() => {
            drawGame();
            const { x, y } = players[myId];
            const { data } = ctx.getImageData(0, 0, canvas.width, canvas.height);
            let count = 0;
            for (let i = 3; i < data.length; i += 4) count += data[i] === 255;
            return {
                size: [canvas.width, canvas.height],
                count,
                corner: data[((y + 9) * canvas.width + x + 9) * 4 + 3],
            };
        });
        assert.deepEqual(drawn, { size: [500, 500], count: 100, corner: 255 });
    });
});
