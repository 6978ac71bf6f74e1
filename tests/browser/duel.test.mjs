// The duel's page, played whole: against a bot, page against page, by keys and mouse. What is seen
// is read from the canvas.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS } from "../integration/game_players.mjs";
import { DESKTOP, leave, spots, status } from "./browser.mjs";
import { duel, isRound, useTables } from "./realtime.mjs";

/** Notes for every frame before the first round whether the canvas is black. */
async function watchBlackness(page) {
    await page.addInitScript(() => {
        const small = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
        const scratch = small.getContext("2d", { willReadFrequently: true });
        window.frames_ = { black: 0, other: 0, phases: new Set() };
        const look = () => {
            requestAnimationFrame(look);
            const canvas = document.getElementById("canvas");
            const phase = document.body?.dataset.round;
            const { round } = canvas?.duel?.world ?? {};
            if (!["waiting", "countdown"].includes(phase) || round > 1) return;
            scratch.drawImage(canvas, 0, 0, 160, 90);
            const { data } = scratch.getImageData(0, 0, 160, 90);
            const isBlack = data.every((value, at) => at % 4 === 3 || value === 0);
            window.frames_[isBlack ? "black" : "other"]++;
            window.frames_.phases.add(phase);
        };
        requestAnimationFrame(look);
    });
}

/** Notes when the first round's picture came, in ticks of the server's as the page has them. The
 * canvas may be of the frame before. */
async function watchStart(page) {
    await page.evaluate(() => {
        const small = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
        const scratch = small.getContext("2d", { willReadFrequently: true });
        const start = (window.start_ = { tick: null, black: null, shown: null });
        let before = null;
        const look = (now) => {
            const { ready, predicted, serverTick } = canvas.play.frame(now);
            const { phase, until_tick } = ready ? predicted.tables.match : {};
            if (phase === 1) start.tick = until_tick;
            start.epochTick = serverTick - ((performance.timeOrigin + now) / 1000) * 60;
            scratch.drawImage(canvas, 0, 0, 160, 90);
            const { data } = scratch.getImageData(0, 0, 160, 90);
            if (!data.every((value, at) => at % 4 === 3 || value === 0)) start.shown ??= serverTick;
            if (start.shown === null) start.black = before;
            before = serverTick;
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    });
}

/** The mouse onto the other duellist, from where it is seen. */
async function aimAtFoe(page) {
    const [box, foe] = [await page.locator("#canvas").boundingBox(), await spots(page, "foe")];
    if (foe.count) await page.mouse.move(box.x + foe.x, box.y + foe.y);
}

/** Aims anew all the time: what flies about after a hit has the other's colour, too. */
async function shootUntil(page, happened) {
    let isDone = false;
    const done = happened.finally(() => (isDone = true));
    await page.mouse.down();
    while (!isDone) await aimAtFoe(page);
    await page.mouse.up();
    await done;
}

describe("the duel's page", () => {
    const { fray, open, visit, meet, meetBot } = useTables();

    test("A05_A06_green_is_who_looks_and_red_the_enemy", async () => {
        const pages = await meet("duel");
        for (const page of pages) await isRound(page, "playing");
        const [first, second] = pages;
        for (const page of pages)
            for (const name of ["you", "foe"])
                assert.ok((await spots(page, name)).count > 100, `${name} is seen`);
        const listed = (page) =>
            page.$$eval("#people .avatar", (all) => all.map(({ style }) => style.color).join());
        assert.equal(await listed(first), "var(--you),var(--foe)");
        assert.equal(await listed(second), "var(--foe),var(--you)");
        const third = await open(first.url(), DESKTOP);
        await third.waitForSelector("#people li");
        assert.equal(await listed(third), "var(--left),var(--right)");
        // The creator is on the left, on both screens.
        assert.ok((await spots(first, "you")).x < (await spots(first, "foe")).x);
        assert.ok((await spots(second, "you")).x > (await spots(second, "foe")).x);
    });

    test("A15_A16_black_until_the_agreed_time", async () => {
        const first = await open(`${fray.url}/games/duel/?play=friend`, {
            ...DESKTOP,
            prepare: watchBlackness,
        });
        await first.waitForSelector("#invitation:not([hidden])");
        await status(first, /Send this link to your friend/);
        const link = await first.inputValue("#link");
        const second = await open(link, { ...DESKTOP, prepare: watchBlackness });
        for (const page of [first, second]) {
            await isRound(page, "playing");
            const { black, other, phases } = await page.evaluate(() => ({
                ...window.frames_,
                phases: [...window.frames_.phases],
            }));
            assert.ok(black > 0 && phases.includes("countdown"), "the countdown was seen");
            assert.equal(other, 0, "no frame before the agreed time shows anything");
        }
    });

    test("A15_A16_both_see_it_begin_at_one_tick_though_one_is_far_away", async () => {
        const far = await visit("/games/duel/?play=friend");
        await far.waitForSelector("#invitation:not([hidden])");
        await far.keyboard.press("n");
        await far.selectOption('[aria-label="Added latency"]', "150");
        await far.waitForFunction(() => canvas.play.stats.rtt >= 150);
        const near = await open(await far.inputValue("#link"), DESKTOP);
        await near.waitForSelector("#table:not([hidden])");
        const pages = [far, near];
        await Promise.all(pages.map(watchStart));
        for (const page of pages) {
            await isRound(page, "playing");
            await page.waitForFunction(() => window.start_.shown !== null);
            const { tick, black, shown } = await page.evaluate(() => window.start_);
            assert.ok(black < tick, `black at ${black}, though it begins at ${tick}`);
            assert.ok(shown >= tick, `seen at ${shown}, though it begins at ${tick}`);
        }
        const apart = async () => {
            const ticks = pages.map((page) => page.evaluate(() => window.start_.epochTick));
            const [one, other] = await Promise.all(ticks);
            return Math.abs(one - other);
        };
        while ((await apart()) > 1); // a busy machine answers pings late
    });

    test("A03_A04_arrows_and_letters_walk_alike", async () => {
        const [page] = await meet("duel");
        await isRound(page, "playing");
        for (const [right, left] of [
            ["KeyD", "KeyA"],
            ["ArrowRight", "ArrowLeft"],
        ]) {
            const start = await page.evaluate(() => canvas.duel.world.players[0].x);
            await page.keyboard.down(right);
            await duel(page, "world.players[0].x > value + 60", start);
            assert.equal(await page.evaluate(() => canvas.duel.world.players[0].velocityX), 3);
            await page.keyboard.up(right);
            await page.keyboard.down(left);
            await duel(page, "world.players[0].x < value + 10", start);
            await page.keyboard.up(left);
        }
        for (const jump of ["KeyW", "ArrowUp"]) {
            await duel(page, "world.players[0].grounded");
            await page.keyboard.down(jump);
            await duel(page, "!world.players[0].grounded");
            await page.keyboard.up(jump);
        }
    });

    test("by keys alone one aims up and down, also in the air, and it stays", async () => {
        const [page] = await meet("duel");
        await isRound(page, "playing");
        const rise = "(world.players[0].y - 20 - world.players[0].aim.y)"; // of the aim, px in 400
        for (const [up, down] of [
            ["KeyI", "KeyK"],
            ["KeyE", "KeyQ"],
        ]) {
            await page.keyboard.down(up);
            await duel(page, `${rise} > 250`);
            await page.keyboard.up(up);
            await page.keyboard.down("KeyW");
            await duel(page, `!world.players[0].grounded && ${rise} > 200`);
            await page.keyboard.up("KeyW");
            await page.keyboard.down("Space");
            await duel(page, "world.bullets.some(({ velocityY }) => velocityY < -3)");
            await page.keyboard.up("Space");
            await page.keyboard.down(down);
            await duel(page, `${rise} < -250`);
            await page.keyboard.up(down);
            await duel(page, "world.players[0].grounded");
        }
    });

    test("A07_A08_a_whole_duel_page_against_page_and_a_rematch", async () => {
        const [first, second] = await meet("duel", { hits: 2, rounds: 1 });
        for (const page of [first, second]) await isRound(page, "playing");
        await second.evaluate(() => {
            window.said = [];
            const live = document.getElementById("live");
            const take = () => window.said.push(live.textContent);
            new MutationObserver(take).observe(live, { childList: true });
        });
        await aimAtFoe(first);
        await first.mouse.down();
        await first.mouse.up();
        for (const page of [first, second]) await duel(page, "world.players[1].hp === 1");
        // One hit does not kill.
        for (const page of [first, second]) await duel(page, 'world.phase === "playing"');
        await shootUntil(first, isRound(second, "over"));
        await isRound(first, "over");
        await status(first, /^You win!/);
        await status(second, /wins$/);
        await first.waitForSelector(".confetti i");
        await first.mouse.down(); // who still fires
        await first.waitForSelector("#canvas:focus");
        await first.mouse.up();
        await first.waitForSelector("#action-rematch:focus");
        await first.click("#action-rematch");
        const name = await first.inputValue("#name");
        await second.waitForSelector(`#detail:text("0 : 1 · ${name} wants a rematch")`);
        await first.waitForSelector('#action-rematch:text("Waiting for the other …")');
        assert.equal(await first.textContent("#detail"), "1 : 0");
        const said = await second.evaluate(() => window.said.join(" "));
        assert.equal(said.match(/wants a rematch/g).length, 1, said);
        await second.click("#action-rematch");
        for (const page of [first, second]) await isRound(page, "playing");
        await duel(first, "world.matches === 2 && world.players[1].hp === 2");
    });

    test("the score stays when the other has left", async () => {
        const [first, second] = await meet("duel", { hits: 1 });
        for (const page of [first, second]) await isRound(page, "playing");
        await aimAtFoe(first);
        await first.mouse.down();
        for (const page of [first, second]) await isRound(page, "round_over");
        await first.mouse.up();
        await leave(first);
        await status(second, /^You win!/);
        await second.waitForSelector('#detail:text("0 : 1 · the other has left")');
        const name = await first.inputValue("#name");
        await second.waitForSelector(`.plate.left:has-text("${name}"):has-text("has left")`);
        await second.waitForSelector("#action-other:focus");
        await second.click("#action-other");
        await status(second, /Listening for an opponent/);
        assert.doesNotMatch(await second.textContent("#chat-log"), /has left/); // elsewhere
        await leave(second);
    });

    test("A21_A35_who_is_alone_plays_a_bot_soon", async () => {
        const page = await visit("/games/duel/?play=quick");
        await status(page, /Listening for an opponent/);
        await page.waitForFunction(() =>
            /0:0\d · \d+ players? online · a bot comes in \d s/.test(
                document.getElementById("detail").textContent,
            ),
        );
        await page.waitForFunction(() =>
            /Against a bot/.test(document.getElementById("detail").textContent),
        );
        await isRound(page, "playing");
        await page.waitForSelector(".plate.right:has(small:text('bot')) b:text-is('Bot')");
        await leave(page);
    });

    test("the wait for a bot begins anew where the server says so", async () => {
        const page = await visit("/games/duel/?play=quick");
        await status(page, /Listening for an opponent/);
        await page.evaluate(() =>
            canvas.play.hear({
                type: "matchmaking",
                content: {
                    ...{ match: canvas.play.id, phase: "listening", reason: "no_show" },
                    ...{ elapsed_ms: 60_000, wait_ms: 8000, bot_in_ms: 7500, players_waiting: 1 },
                },
            }),
        );
        await page.waitForFunction(() =>
            /did not come, so once more · 1:0\d · .* a bot comes in [5-8] s/.test(
                document.getElementById("detail").textContent,
            ),
        );
        await leave(page);
    });

    test("who is left before the start waits on, in the first seat", async (t) => {
        const first = await KINDS.envelope().open(t, fray.url, { name: "Ann" });
        await first.ask("quick_play", { game: "duel" });
        const page = await visit("/games/duel/?play=quick");
        await first.take("matchmaking", ({ phase }) => phase === "found");
        await first.ask("leave");
        await page.waitForFunction(() => canvas.play?.seat === 0);
        await page.waitForFunction(() =>
            /has left, so once more · .* a bot comes in \d s/.test(
                document.getElementById("detail").textContent,
            ),
        );
        const saved = await page.evaluate(
            (origin) => JSON.parse(sessionStorage.getItem(`fray.seat ${origin}`)).token,
            fray.url,
        );
        assert.equal(saved, await page.evaluate(() => canvas.play.saved.token));
        await leave(page);
    });

    test("who waits in an own room may have a bot", async () => {
        const page = await visit("/games/duel/?play=public");
        await page.click("#bot-now");
        await isRound(page, "playing");
    });

    test("A34_a_third_is_told_that_it_is_full_and_may_watch", async () => {
        const [first] = await meet("duel");
        await isRound(first, "playing");
        const third = await open(first.url(), DESKTOP);
        await third.waitForSelector('.toast:has-text("All seats are taken")');
        await isRound(third, "playing");
        for (const name of ["left", "right"])
            assert.ok((await spots(third, name)).count > 100, "both are seen");
        assert.equal((await spots(third, "you")).count, 0, "nobody is the one who looks");
        await third.click("#other-match");
        await status(third, /Listening for an opponent/);
        await leave(third);
    });

    test("who watches the past is told to wait for it, and offered no seat", async (t) => {
        const [ann, bob] = await Promise.all(
            ["Ann", "Bob"].map((name) => KINDS.envelope().open(t, fray.url, { name })),
        );
        const { match } = await ann.ask("create", { game: "duel", spectator_delay_s: 2 });
        await bob.ask("join", { match });
        const page = await visit(`/games/duel/?match=${match}&as=spectator`);
        await status(page, /^You watch 2 s behind$/);
        await page.waitForSelector('#detail:text("The picture begins in a moment")');
        assert.equal(await page.locator("#steps:not([hidden]), #action-sit").count(), 0);
        await isRound(page, "playing");
    });

    test("a duel against the bot, to the end", async () => {
        const page = await meetBot({ hits: 1, rounds: 1, round_ticks: 600 }, "2");
        await isRound(page, "playing");
        await page.keyboard.down("Space");
        await isRound(page, "over");
        await page.waitForSelector("#action-rematch:focus:enabled");
        await page.keyboard.down("Space"); // it is held, and repeats
        await page.keyboard.up("Space");
        assert.equal(await page.isEnabled("#action-rematch"), true); // who fires asks for nothing
        await status(page, /You win!|wins$|It is over/);
        await page.evaluate(() => {
            const { now } = performance;
            performance.now = () => now.call(performance) + 1000;
        });
        await page.keyboard.press("Enter");
        await isRound(page, "playing");
        await page.waitForSelector("#canvas:focus");
    });
});
