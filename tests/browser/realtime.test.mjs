// The duel's and the arena's pages, played whole: against bots, page against page, by keys, mouse
// and thumbs. What is seen is read from the canvas.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS } from "../integration/game_players.mjs";
import { replayVerifies, serveFray } from "../integration/harness.mjs";
import { contrast, leave, spots, useBrowser } from "./browser.mjs";

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 375, height: 667 }, isMobile: true, hasTouch: true };
const LYING = { viewport: { width: 667, height: 375 }, isMobile: true, hasTouch: true };

/** What the duel shows: reads the page's own world. */
const duel = (page, read, argument) =>
    page.waitForFunction(
        ([source, value]) => {
            const { world } = document.getElementById("canvas").duel;
            return new Function("world", "value", `return ${source}`)(world, value);
        },
        [read, argument],
    );
const arena = (page, read) =>
    page.waitForFunction((source) => {
        const { world } = document.getElementById("canvas").arena;
        return new Function("world", `return ${source}`)(world);
    }, read);
const isRound = (page, phase) => page.waitForSelector(`body[data-round="${phase}"]`);
const status = (page, wanted) =>
    page.waitForFunction(
        (pattern) => new RegExp(pattern).test(document.getElementById("status").textContent),
        wanted.source,
    );

async function fits(page) {
    const [wide, room] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
    ]);
    assert.ok(wide <= room, `the page is ${wide} px wide, the screen ${room}`);
}

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

async function setOptions(page, options) {
    await page.click("#options-box summary");
    for (const [name, value] of Object.entries(options))
        await page.fill(`#options [name="${name}"]`, String(value));
}

describe("the pages of games in real time", () => {
    const fray = serveFray(["--lab-self-service", "--replay-min-ms", "0"]);
    const open = useBrowser();
    const visit = (path, options = DESKTOP) => open(fray.url + path, options);
    const isReady = (page) => page.waitForSelector('body[data-ready="yes"]');

    /** Two pages in a room with these rules: the second comes by the first's link. */
    async function meet(game, rules = {}, options = DESKTOP) {
        const first = await visit(`/games/${game}/`, options);
        await isReady(first);
        await first.waitForSelector("#options-box:not([hidden])");
        await setOptions(first, rules);
        await first.click('#start-form [value="friend"]');
        await first.waitForSelector("#invitation:not([hidden])");
        const link = await first.inputValue("#link");
        const second = await open(link, options);
        await second.waitForSelector("#table:not([hidden])");
        return [first, second];
    }

    async function meetBot(rules, level) {
        const page = await visit("/games/duel/");
        await isReady(page);
        await page.waitForSelector("#options-box:not([hidden])");
        await setOptions(page, rules);
        await page.selectOption("#level", level);
        await page.click('#start-form [value="bot"]');
        return page;
    }

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

    test("keys are released when the page loses the focus", async () => {
        const [page] = await meet("duel");
        await isRound(page, "playing");
        await page.keyboard.down("KeyD");
        await duel(page, "world.players[0].velocityX > 0");
        await page.focus("#chat-field");
        await duel(page, "world.players[0].velocityX === 0");
        await page.keyboard.up("KeyD");
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
        assert.ok((await spots(first, "foe")).count > 100); // no longer behind oneself
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
