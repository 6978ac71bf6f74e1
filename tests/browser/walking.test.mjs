// Whoever walks is where the page shows it, at any latency. It needs the machine to itself.
import { describe, test } from "node:test";
import { replayVerifies } from "../integration/harness.mjs";
import { leave } from "./browser.mjs";
import { isRound, useTables } from "./realtime.mjs";

/** To and fro for two seconds at a stretch, in which the server agrees with every step. A machine
 * that is busy may send a step late; what is predicted wrongly is so in every stretch. */
async function walksUncorrected(page) {
    await page.evaluate(() => {
        const stretch = { tick: 0, corrections: -1, way: 0 };
        const look = () => {
            const { play, duel } = canvas;
            const { corrections } = play.stats;
            const { tick, players } = duel.world;
            if (corrections !== stretch.corrections || duel.world.phase !== "playing")
                Object.assign(stretch, { tick, corrections, way: 0 });
            stretch.way += Math.abs(players[play.seat].velocityX) > 0 ? 1 : 0;
            window.uncorrected_ = tick - stretch.tick > 120 && stretch.way > 60;
            requestAnimationFrame(look);
        };
        look();
    });
    const key = async (name) => {
        await page.keyboard.down(name);
        const { x } = await page.evaluate(() => canvas.duel.world.players[canvas.play.seat]);
        await page.waitForFunction((from) => {
            const { world } = canvas.duel;
            return Math.abs(world.players[canvas.play.seat].x - from) > 60 || window.uncorrected_;
        }, x);
        await page.keyboard.up(name);
        return page.evaluate(() => window.uncorrected_);
    };
    while (!((await key("KeyD")) || (await key("KeyA"))));
}

describe("walking in the duel", () => {
    const { fray, meet, meetBot } = useTables();

    for (const delay of [0, 150])
        for (const against of ["page", "bot"])
            test(`A37_walks_uncorrected_at_${delay}_ms_against_a_${against}`, async () => {
                const pages =
                    against === "page"
                        ? await meet("duel", { hits: 20 })
                        : [await meetBot({ hits: 20 }, "0")];
                for (const page of pages) {
                    await isRound(page, "playing");
                    await page.keyboard.press("n");
                    await page.selectOption('[aria-label="Added latency"]', String(delay));
                    await page.focus("#canvas");
                    await page.waitForFunction((ms) => canvas.play.stats.rtt >= ms, delay);
                }
                await Promise.all(pages.map((page) => walksUncorrected(page)));
                const match = new URL(pages[0].url()).searchParams.get("match");
                for (const page of pages) await leave(page);
                await replayVerifies(fray, match);
            });
});
