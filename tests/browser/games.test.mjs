// The lobby and the two games' pages, played whole: by mouse, by touch, by keyboard alone; against
// another page and against bots.
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { KINDS } from "../integration/game_players.mjs";
import { serveFray, startProxy } from "../integration/harness.mjs";
import { DESKTOP, PHONE, fits, isReady, leave, status, useBrowser } from "./browser.mjs";

const isPhase = (page, phase) => page.waitForSelector(`body[data-phase="${phase}"]`);
const marks = (page) =>
    page.$$eval(".cell", (cells) => cells.map((cell) => cell.dataset.mark).join(","));

/** Collects what the live region says from now on. */
async function listen(page) {
    await page.evaluate(() => {
        window.said = [];
        const take = () => {
            const text = document.getElementById("live")?.textContent;
            if (text && window.said.at(-1) !== text) window.said.push(text);
        };
        new MutationObserver(take).observe(document.body, {
            subtree: true,
            childList: true,
            characterData: true,
        });
        take();
    });
    return (pattern) =>
        page.waitForFunction(
            (source) => window.said.some((text) => new RegExp(source).test(text)),
            pattern.source,
        );
}

/** As listen(), from before the page is loaded: for open()'s `prepare`. */
const listenFirst = (page) =>
    page.addInitScript(() => {
        window.said = [];
        const take = () => {
            const text = document.getElementById("live")?.textContent;
            if (text && window.said.at(-1) !== text) window.said.push(text);
        };
        const all = { subtree: true, childList: true, characterData: true };
        new MutationObserver(take).observe(document, all);
    });
const heard = (page, text) =>
    page.waitForFunction((wanted) => window.said.some((said) => said.includes(wanted)), text);

async function say(page, text) {
    await page.fill("#chat-field", text);
    await page.press("#chat-field", "Enter");
}

/** Presses Tab until the focus is there. */
async function tabTo(page, selector, key = "Tab") {
    for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press(key);
        if (await page.evaluate((at) => document.activeElement.matches(at), selector)) return;
    }
    assert.fail(`Tab does not lead to ${selector}`);
}

/** Places marks in turn, once it is each page's turn, with `put(page, cell)`. */
async function placeAll(first, second, cells, put) {
    for (const [at, cell] of cells.entries()) {
        const page = at % 2 ? second : first;
        await page.waitForSelector(`.board.open [data-cell="${cell}"]`);
        await put(page, cell);
        for (const either of [first, second])
            await either.waitForSelector(`[data-cell="${cell}"]:not([data-mark=""])`);
    }
}

const click = (page, cell) => page.click(`[data-cell="${cell}"]`);
const tap = (page, cell) => page.tap(`[data-cell="${cell}"]`);

/** The host removes the one other person. */
async function remove(host) {
    await host.click('#people button:has-text("Remove"):visible');
    await host.click('#people button:has-text("Yes"):visible');
}

describe("the games' pages", () => {
    const fray = serveFray(["--cors-origin", "*"]); // one test comes from another origin
    const successor = serveFray();
    const open = useBrowser();
    const visit = async (path, options = DESKTOP) => {
        const page = await open(fray.url + path, options);
        return page;
    };

    /** Two pages at one table: the second comes by the first's link. */
    async function meet(game, options = DESKTOP) {
        const first = await visit(`/games/${game}/?play=friend`, options);
        await first.waitForSelector("#invitation:not([hidden])");
        const link = await first.inputValue("#link");
        const second = await open(link, options);
        await second.waitForSelector("#table:not([hidden])");
        return [first, second];
    }

    test("B26_tictactoe_page_against_page", async () => {
        const [first, second] = await meet("tictactoe");
        const hears = await listen(second);
        await status(first, /Your move/);
        await status(second, /is thinking/);
        await placeAll(first, second, [0, 3, 1, 4, 2], click);
        await status(first, /^You win!/);
        await status(second, /wins!/);
        await second.waitForSelector('[data-cell="2"].won');
        assert.equal(await second.locator(".cell.won").count(), 3);
        assert.equal(await first.locator("#moves li").count(), 5);
        await hears(/X at a1\. Your move/);
        await hears(/X at c1\. .* wins!/);

        await first.click("#action-rematch");
        await second.waitForSelector('.side-card:has-text("wants a rematch · X")');
        await second.click("#action-rematch");
        await isPhase(first, "playing");
        await status(second, /Your move/); // the other begins
        await placeAll(second, first, [0, 1, 2, 4, 3, 5, 7, 6, 8], click);
        await status(first, /A draw/);
        await status(second, /A draw/);
    });

    test("who waits alone in quick play is told when a bot comes", async () => {
        const page = await visit("/games/tictactoe/?play=quick");
        await page.waitForFunction(() =>
            /^A bot comes in [1-8] s$/.test(document.getElementById("detail").textContent),
        );
        await isPhase(page, "playing"); // it has come
        assert.equal(await page.textContent("#detail"), "");
        await leave(page);
    });

    test("B26_tictactoe_with_the_keyboard_alone", async () => {
        const page = await visit("/games/tictactoe/");
        await isReady(page);
        await tabTo(page, '#start-form [value="bot"]');
        await page.keyboard.press("Enter");
        await isPhase(page, "playing");
        for (const digit of "5123467895") {
            if ((await page.getAttribute("body", "data-phase")) === "over") break;
            const before = await marks(page);
            const cells = before.split(",");
            if (cells[digit - 1]) continue;
            await page.waitForSelector(".board.open");
            await page.keyboard.press(digit);
            await page.waitForFunction(
                (was) =>
                    document.body.dataset.phase === "over" ||
                    (document.querySelector(".board.open") &&
                        [...document.querySelectorAll(".cell")]
                            .map((cell) => cell.dataset.mark)
                            .join(",") !== was),
                before,
            );
        }
        await isPhase(page, "over");
        assert.doesNotMatch(await page.textContent("#status"), /You win/); // it never loses
        await page.waitForSelector("#action-rematch:focus");
        await page.keyboard.press("5"); // too late: it moves nothing
        await page.keyboard.press("Enter");
        await isPhase(page, "playing");
        await page.waitForSelector(".board.open");
        const free = await page.evaluate(() => {
            const active = document.activeElement;
            return active.matches(".cell") ? Number(active.dataset.cell) : null;
        });
        assert.notEqual(free, null, "after a rematch the board has the focus");
        await page.keyboard.press(free % 3 === 2 ? "ArrowLeft" : "ArrowRight");
        const next = await page.evaluate(() => Number(document.activeElement.dataset.cell));
        assert.equal(Math.abs(next - free), 1);
    });

    test("B26_tictactoe_on_a_phone", async () => {
        const [first, second] = await meet("tictactoe", PHONE);
        await status(first, /Your move/);
        await fits(first);
        const cell = await first.locator('[data-cell="0"]').boundingBox();
        assert.ok(cell.width >= 44 && cell.height >= 44);
        const last = await first.locator('[data-cell="8"]').boundingBox();
        assert.ok(last.y + last.height <= PHONE.viewport.height, "the board is in view");
        await placeAll(first, second, [4, 0, 2, 6, 3, 5, 7, 1, 8], tap);
        await status(first, /A draw/);
    });

    test("a table in the lobby is offered by every game's own page", async () => {
        for (const game of ["rps", "tictactoe"]) {
            const page = await visit(`/games/${game}/`);
            await page.click('#start-form [value="public"]');
            await page.waitForSelector("#invitation:not([hidden])");
            const match = new URL(await page.inputValue("#link")).searchParams.get("match");
            const lobby = await visit("/lobby/");
            await lobby.waitForSelector(`#rooms a[href*="${match}"]`);
        }
    });

    test("on the smallest phones the board stays, and the round is in its ring", async () => {
        const small = { ...PHONE, viewport: { width: 320, height: 568 } };
        const pages = await meet("tictactoe", small);
        await status(pages[0], /Your move/);
        await placeAll(...pages, [0, 3, 1, 4, 2], click);
        const top = () => pages[0].$eval("#board", (board) => board.getBoundingClientRect().top);
        const before = await top();
        await pages[1].click("#action-rematch");
        await pages[1].waitForSelector('#action-rematch:text-is("Waiting for the other …")');
        await pages[0].waitForSelector('#versus:has-text("wants a rematch")');
        assert.equal(await top(), before);
        const page = await visit("/games/rps/?play=bot", small);
        await page.waitForSelector('#round:has-text("round 1")');
        const isInside = await page.evaluate(() => {
            const words = document.createRange();
            words.selectNodeContents(document.getElementById("round"));
            const { left, right, bottom } = words.getBoundingClientRect();
            const ring = document.querySelector("#hub svg").getBoundingClientRect();
            const [x, y] = [ring.left + ring.width / 2, ring.top + ring.height / 2];
            const radius = ring.width * 0.41; // within the line
            return [left, right].every((side) => Math.hypot(side - x, bottom - y) < radius);
        });
        assert.ok(isInside);
    });

    test("on a phone that lies what is played is in view, beside what is said", async () => {
        const lying = { ...PHONE, viewport: { width: 667, height: 375 } };
        for (const [game, field] of [
            ["tictactoe", "#board"],
            ["rps", "#ring"],
        ]) {
            const page = await visit(`/games/${game}/?play=bot`, lying);
            await status(page, /Your (move|choice)/);
            const { top, bottom, left } = await page.$eval(field, (node) => {
                const { top, bottom, left } = node.getBoundingClientRect();
                return { top, bottom, left };
            });
            assert.ok(top >= 0 && bottom <= 375, `${field} is from ${top} to ${bottom}`);
            const words = await page.locator("#status").boundingBox();
            assert.ok(words.x + words.width <= left, "beside it");
            await fits(page);
        }
    });

    test("a third comes to watch, and chat reaches all", async () => {
        const [first, second] = await meet("tictactoe");
        await status(first, /Your move/);
        const third = await open(first.url(), DESKTOP);
        await third.waitForSelector("#table:not([hidden])");
        await status(third, /is thinking/);
        await first.waitForFunction(
            () => document.getElementById("spectators").textContent === "1 is watching",
        );
        assert.equal(await third.locator("#actions button").count(), 0);
        await say(second, "good <b>luck</b>");
        for (const page of [first, second, third])
            await page.waitForSelector('#chat-log li:has-text("good <b>luck</b>")');
        assert.equal(await second.locator("#chat-log li.own").count(), 1);
    });

    test("who watches is told that it is the past", async (t) => {
        const create = { game: "tictactoe", spectator_delay_s: 2.5 };
        const [ann, bob] = await Promise.all(
            ["Ann", "Bob"].map((name) => KINDS.envelope().open(t, fray.url, { name })),
        );
        const { match } = await ann.ask("create", create);
        const page = await visit(`/games/tictactoe/?match=${match}&as=spectator`);
        await page.waitForSelector("#table:not([hidden])");
        await bob.ask("join", { match });
        await ann.ask("place", { cell: 4 });
        await ann.take("placed");
        await status(page, /You watch 2\.5 s behind/);
        assert.equal(await page.locator("#action-sit").count(), 0);
        assert.equal(await marks(page), ",,,,,,,,");
        await page.waitForSelector('.cell[data-mark="X"]');
        await page.waitForSelector(
            '#spectators:has-text("You are watching. You see what was 2.5 s ago.")',
        );
    });

    test("reads out what is said, but not what was said before", async () => {
        const lobby = await visit("/lobby/");
        await isReady(lobby);
        await say(lobby, "said to the lobby");
        await lobby.waitForSelector('#chat-log li:has-text("said to the lobby")');
        const [first, second] = await meet("tictactoe");
        await say(first, "an old line");
        await second.waitForSelector('#chat-log li:has-text("an old line")');
        const options = { ...DESKTOP, prepare: listenFirst };
        const third = await open(first.url(), options);
        await third.waitForSelector('#chat-log li:has-text("an old line")');
        await status(third, /is thinking/);
        await say(second, "a new line");
        await heard(third, "a new line");
        const alone = await visit("/games/tictactoe/", options);
        await isReady(alone);
        await alone.click('[value="bot"]');
        await heard(alone, "You have a seat.");
        for (const page of [third, alone]) {
            const all = (await page.evaluate(() => window.said)).join();
            assert.doesNotMatch(all, /old line|to the lobby/);
        }
    });

    test("says who is away, and what belongs together keeps its place and colour", async () => {
        const [first, second] = await meet("tictactoe");
        const third = await open(first.url(), DESKTOP);
        await status(third, /is thinking/);
        const colours = await third.$$eval("#versus .avatar", (all) =>
            all.map((avatar) => avatar.style.color),
        );
        assert.deepEqual(colours, ["var(--you)", "var(--foe)"]); // as the marks of who watches
        const listed = await third.$$eval("#people .avatar", (all) =>
            all.map((avatar) => avatar.style.color),
        );
        assert.deepEqual(listed, colours);
        await click(first, 4);
        await status(first, /is thinking/);
        await second.goto("about:blank");
        await status(first, /is away/);
        const [side, frame] = await first.evaluate(() =>
            [".side", "main"].map((at) => document.querySelector(at).getBoundingClientRect().right),
        );
        assert.ok(side <= frame, `the column ends at ${side}, the frame at ${frame}`);
    });

    test("a reload comes back to the same seat", async () => {
        const [first, second] = await meet("tictactoe");
        await placeAll(first, second, [0, 4], click);
        await first.reload();
        await status(first, /Your move/);
        assert.equal(await marks(first), "X,,,,O,,,,");
        await placeAll(first, second, [1, 5, 2], click);
        await status(first, /^You win!/);
    });

    test("a lost connection comes back to the same seat", async (t) => {
        const proxy = await startProxy(t, fray.port);
        const page = await open(`${proxy.url}/games/tictactoe/?play=bot`, DESKTOP);
        await page.waitForSelector(".board.open");
        await click(page, 4);
        await page.waitForFunction(
            () => document.querySelectorAll('.cell:not([data-mark=""])').length === 2,
        );
        proxy.blocked = true;
        proxy.cut();
        await page.waitForSelector(".connection:not([hidden])");
        proxy.blocked = false;
        await page.waitForSelector(".connection", { state: "hidden" });
        await page.waitForSelector(".board.open");
        const free = (await marks(page)).split(",").indexOf("");
        await click(page, free);
        await page.waitForSelector(`[data-cell="${free}"][data-mark="X"]`);
        page.complaints = page.complaints.filter(
            (text) => !/ERR_|WebSocket|Failed to load/.test(text),
        );
    });

    test("plays on by polling where websockets do not get through", async (t) => {
        const isPlain = (text) => !/^upgrade: *websocket/im.test(text);
        const proxy = await startProxy(t, fray.port, isPlain);
        const page = await open(`${proxy.url}/games/tictactoe/?play=bot`, DESKTOP);
        await page.waitForSelector(".board.open");
        await click(page, 4);
        await page.waitForFunction(
            () => document.querySelectorAll('.cell:not([data-mark=""])').length === 2,
        );
        page.complaints = page.complaints.filter((text) => !/WebSocket/.test(text));
    });

    test("who watches takes a seat that becomes free", async () => {
        const [first, second] = await meet("tictactoe");
        const third = await open(first.url(), DESKTOP);
        await status(third, /is thinking/);
        await leave(second);
        await second.waitForSelector("#start:not([hidden])");
        await third.click("#action-sit");
        await third.waitForFunction(() =>
            /you/.test(document.getElementById("people").textContent),
        );
        await status(third, /Your move/); // the next game has begun
    });

    test("B29_rps_against_bots_with_the_keyboard_alone", async () => {
        const page = await visit("/games/rps/");
        await isReady(page);
        await tabTo(page, '[name="kinds"]');
        await page.keyboard.press("ArrowRight");
        await tabTo(page, '#start-form [value="bot"]', "Shift+Tab");
        await page.keyboard.press("Enter");
        await isPhase(page, "playing");
        assert.equal(await page.locator(".kind").count(), 5);
        assert.equal(await page.locator(".hand").count(), 4);
        const hears = await listen(page);
        for (;;) {
            await page.waitForSelector('body[data-phase="over"], .ring[data-open="yes"]');
            if ((await page.getAttribute("body", "data-phase")) === "over") break;
            await page.keyboard.press("1");
            await page.waitForFunction(
                () =>
                    document.body.dataset.phase === "over" ||
                    document.getElementById("ring").dataset.revealing === "yes",
            );
            const isOut = /You are out/.test(await page.textContent("#status"));
            if (isOut) break; // the bots go on by themselves
        }
        await isPhase(page, "over");
        await hears(/Round \d+\. .*: (rock|Spock|paper|lizard|scissors)/);
        await status(page, /win/i);
        assert.equal(await page.locator(".hand.winner").count(), 1);
    });

    test("B29_rps_between_pages_hides_choices", async () => {
        const first = await visit("/games/rps/?play=friend&kinds=3");
        await first.waitForSelector("#invitation:not([hidden])");
        const link = await first.inputValue("#link");
        const others = [await open(link, DESKTOP), await open(link, PHONE)];
        await first.waitForSelector('#detail:has-text("Not ready yet")');
        await first.waitForSelector("#action-start:disabled");
        for (const page of others) {
            await page.waitForSelector('#detail:text("Say when you are ready.")');
            await page.click("#action-ready");
            await page.waitForSelector('#detail:text("You are ready: the host starts.")');
        }
        await first.waitForFunction(() => document.querySelectorAll("#people li").length === 3);
        await first.waitForFunction(
            () => document.getElementById("people").textContent.match(/ready/g)?.length === 2,
        );
        await first.click("#action-start");
        const [paper, rock] = others;
        for (const page of [first, ...others]) await page.waitForSelector('.ring[data-open="yes"]');
        await fits(rock);

        await paper.click('[data-choice="1"]');
        await first.waitForSelector(".hand:not(.own) .palm.ready");
        assert.equal(await first.locator(".palm.shown").count(), 0); // chosen, not shown
        await rock.tap('[data-choice="0"]');
        await first.click('[data-choice="0"]');
        for (const page of [first, ...others]) await isPhase(page, "over");
        await status(paper, /You win!/);
        await status(first, /wins!/);
        for (const page of [first, ...others]) await page.waitForSelector("#action-rematch:focus");
        assert.equal(await first.locator(".palm.shown").count(), 3);
    });

    test("names of choices are within their circles, and bots told apart, when large", async () => {
        for (const viewport of [
            { width: 640, height: 400 }, // 200 % of 1280 × 800
            { width: 320, height: 568 },
            DESKTOP.viewport,
        ]) {
            const page = await visit("/games/rps/?play=bot&kinds=7", { viewport });
            await page.waitForSelector('.ring[data-open="yes"]');
            const outside = await page.$$eval(".kind span", (names) =>
                names
                    .filter((name) => {
                        const [text, round] = [name, name.parentNode].map((one) =>
                            one.getBoundingClientRect(),
                        );
                        const [dx, dy] = [text.width, text.bottom * 2 - round.top - round.bottom];
                        return Math.hypot(dx, dy * 0.75) > round.width; // air below
                    })
                    .map((name) => name.textContent),
            );
            assert.deepEqual(outside, [], `${viewport.width} px`);
            const cut = await page.$$eval(".hand .who span", (names) =>
                names
                    .filter((one) => one.scrollWidth > one.clientWidth)
                    .map((one) => one.textContent),
            );
            assert.deepEqual(cut, [], `${viewport.width} px`);
        }
    });

    test("B29_who_is_kicked_stays_out", async () => {
        const [first, second] = await meet("rps");
        await remove(first);
        await second.waitForSelector("#start:not([hidden])");
        const why = /The host /;
        assert.match(await second.textContent("#start-message"), why);
        const link = await first.inputValue("#link");
        await second.goto(link);
        await second.waitForSelector("#start-message:not(:empty)");
        assert.match(await second.textContent("#start-message"), why);
        assert.equal(await second.isVisible("#table"), false);
    });

    test("a name that the server refuses gives way to the one before", async () => {
        for (const path of ["/lobby/", "/games/duel/", "/games/rps/"]) {
            const page = await visit(path);
            await page.waitForSelector('body[data-ready="yes"]');
            const names = () =>
                page.evaluate(() => [
                    document.getElementById("name").value,
                    localStorage.getItem("fray.name"),
                ]);
            const [before] = await names();
            await page.fill("#name", "\u200b\u202e"); // nothing that can be seen
            await page.press("#name", "Enter");
            await page.waitForSelector('.toast:has-text("A name is up to 20 letters")');
            assert.deepEqual(await names(), [before, before]);
            await page.fill("#name", "Ada\u202e");
            await page.press("#name", "Enter");
            await page.waitForFunction(() => localStorage.getItem("fray.name") === "Ada");
            assert.deepEqual(await names(), ["Ada", "Ada"]); // as it was cleaned
        }
    });

    test("the lobby shows who is there and leads into a game", async () => {
        const lobby = await visit("/lobby/");
        await isReady(lobby);
        const host = await visit("/games/tictactoe/?play=public");
        await host.waitForSelector("#invitation:not([hidden])");
        await host.fill("#name", "Ada <i>");
        await host.press("#name", "Enter");
        await lobby.waitForSelector('#online li:has-text("Ada <i>")');
        await lobby.click('#rooms li:has-text("Ada <i>") a:has-text("Join")');
        await lobby.waitForSelector("#table:not([hidden])");
        await status(host, /Your move/);
        await status(lobby, /Ada <i> is thinking/);
    });

    test("two who quick play in the lobby meet; it fits a phone", async () => {
        const pages = [await visit("/lobby/"), await visit("/lobby/", PHONE)];
        for (const page of pages) {
            await isReady(page);
            await fits(page);
            await page.click('[data-game="tictactoe"] [data-play="quick"]');
            await page.waitForSelector("#table:not([hidden])");
        }
        for (const page of pages) await isPhase(page, "playing");
        assert.equal(new URL(pages[0].url()).search, new URL(pages[1].url()).search);
    });

    test("the lobby's chat", async () => {
        const pages = [await visit("/lobby/"), await visit("/lobby/")];
        for (const page of pages) await isReady(page);
        await say(pages[0], "anybody?");
        for (const page of pages) await page.waitForSelector('#chat-log li:has-text("anybody?")');
    });

    test("own lines are seen when sent, and known after a reload", async () => {
        const page = await visit("/lobby/");
        const other = await visit("/lobby/");
        for (const one of [page, other]) await isReady(one);
        const isLastSeen = async (text) => {
            await page.waitForSelector(`#chat-log li:last-child:has-text("${text}")`);
            return page.evaluate(() => {
                const log = document.getElementById("chat-log");
                return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
            });
        };
        for (let line = 0; line < 3; line++) await say(page, `long ${"words ".repeat(75)}${line}`);
        await page.waitForSelector('#chat-log li:has-text("words 2")');
        await page.evaluate(() => (document.getElementById("chat-log").scrollTop = 0));
        await say(other, "from elsewhere");
        assert.equal(await isLastSeen("from elsewhere"), false); // one reads on
        await say(page, "from here");
        assert.equal(await isLastSeen("from here"), true);
        await page.reload();
        await page.waitForSelector('#chat-log li.own:has-text("from here")');
        await page.waitForSelector('#chat-log li:not(.own):has-text("from elsewhere")');
    });

    test("a server that starts anew is heard, though it counts from 1 again", async (t) => {
        const proxy = await startProxy(t, fray.port);
        const page = await open(`${proxy.url}/lobby/`, DESKTOP);
        await isReady(page);
        for (const [text, server] of [
            ["one", fray],
            ["two", successor],
        ]) {
            proxy.port = server.port;
            proxy.cut();
            await page.waitForSelector(".connection:not([hidden])");
            await page.waitForSelector(".connection", { state: "hidden" });
            await say(page, text);
            await page.waitForSelector(`#chat-log li:has-text("${text}")`);
        }
        assert.match(await page.textContent("#chat-log"), /one.*two/);
        page.complaints = page.complaints.filter((text) => !/ERR_|WebSocket|Failed/.test(text));
    });

    test("a time limit for moves is shown, told, and ends the game", async () => {
        const page = await visit("/games/tictactoe/");
        await isReady(page);
        const isSaid = await listen(page);
        await page.selectOption("#turn", "5000");
        await page.click('[value="bot"]');
        await page.waitForSelector("#clock.late:not([hidden])");
        assert.match(await page.textContent("#clock"), /^[1-5] s left$/);
        await isSaid(/[1-5] seconds left\./);
        await status(page, /wins: time is up/);
        await page.waitForSelector("#clock", { state: "hidden" });
    });

    test("B29_rps_with_fifteen_choices", async () => {
        const page = await visit("/games/rps/?kinds=15", PHONE);
        await isReady(page);
        assert.ok(await page.isChecked('[name="kinds"][value="15"]'));
        await page.selectOption("#round-time", "60000");
        await page.tap('[value="bot"]');
        await page.waitForSelector('.ring[data-open="yes"]');
        assert.equal(await page.locator(".kind").count(), 15);
        assert.match(await page.textContent("#seconds"), /^(60|5\d)$/);
        await fits(page);
        await page.tap('[data-choice="14"]');
        await page.waitForSelector('.hand .palm.shown, [data-choice="14"][aria-pressed="true"]');
    });

    test("who is put out has the focus at the reason; unknown ways lead nowhere", async () => {
        const [host, guest] = await meet("rps");
        await guest.focus("#chat-field");
        await remove(host);
        await guest.waitForSelector("#start-message:focus");
        await guest.keyboard.press("Tab");
        await guest.waitForSelector('#start [value="quick"]:focus');
        const lost = await visit("/games/rps/?play=nonsense");
        await isReady(lost);
        assert.ok(await lost.isVisible("#start"));
    });

    test("a very small screen has all of the width of a page", async () => {
        const small = { viewport: { width: 240, height: 320 }, isMobile: true, hasTouch: true };
        for (const path of ["/lobby/", "/games/replay/", "/games/duel/", "/games/rps/"]) {
            const page = await visit(path, small);
            await page.waitForSelector("body[data-ready]");
            await fits(page);
            const name = await page.locator("#name").boundingBox();
            if (name) assert.ok(name.width > 150 && name.x + name.width <= 240, path);
        }
    });

    test("light and dark are both readable", async () => {
        for (const colorScheme of ["light", "dark"]) {
            const page = await visit("/games/rps/", { ...DESKTOP, colorScheme });
            const [ink, ground] = await page.evaluate(() => {
                const style = getComputedStyle(document.body);
                return [style.color, style.backgroundColor];
            });
            assert.ok(contrast(ink, ground) > 7, `${colorScheme}: ${ink} on ${ground}`);
        }
    });

    describe("from another origin", () => {
        let elsewhere;
        before(async () => {
            elsewhere = http.createServer(async (request, response) => {
                const reply = await fetch(fray.url + request.url);
                response.setHeader("content-type", reply.headers.get("content-type"));
                response.statusCode = reply.status;
                response.end(Buffer.from(await reply.arrayBuffer()));
            });
            elsewhere.listen(0, "127.0.0.1");
            await once(elsewhere, "listening");
        });
        after(() => elsewhere.close());

        test("the pages are told their server", async () => {
            const origin = `http://127.0.0.1:${elsewhere.address().port}`;
            const server = encodeURIComponent(fray.url);
            const page = await open(`${origin}/games/tictactoe/?server=${server}`, DESKTOP);
            await isReady(page);
            await page.click('#start-form [value="friend"]');
            await page.waitForSelector("#invitation:not([hidden])");
            const link = new URL(await page.inputValue("#link"));
            assert.equal(link.origin, origin);
            const other = await open(link.href, DESKTOP);
            await status(page, /Your move/);
            await status(other, /is thinking/);
        });

        test("the landing page is, too", async () => {
            const origin = `http://127.0.0.1:${elsewhere.address().port}`;
            const asked = [];
            const page = await open("about:blank", DESKTOP);
            page.on("request", (request) => asked.push(request.url()));
            page.on("websocket", (socket) => asked.push(socket.url()));
            await page.goto(`${origin}/?server=${encodeURIComponent(fray.url)}`);
            await page.waitForSelector('#arena[data-phase="watching"]');
            await page.waitForFunction(() => document.getElementById("version").textContent);
            const here = asked.filter((url) => url.includes(new URL(origin).host));
            assert.deepEqual(
                here.filter((url) => !/\/\?server=|\/assets\//.test(url)),
                [],
            );
            assert.ok((await page.textContent("#panel-socketio")).includes(fray.url));
            await page.click('nav a:has-text("Lobby")');
            await page.waitForSelector("body[data-ready]");
            assert.equal(new URL(page.url()).searchParams.get("server"), fray.url);
        });
    });
});

/** WCAG 2.2's contrast ratio of two rgb() colours. */
function contrast(...colours) {
    const [a, b] = colours.map((colour) => {
        const [red, green, blue] = colour.match(/\d+/g).map((part) => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
    });
    return Math.max(a, b) / Math.min(a, b);
}
