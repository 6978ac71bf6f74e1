// What is around every match: who sits there, what the host may do, coming back and going away.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS } from "../integration/game_players.mjs";
import { serveFray } from "../integration/harness.mjs";
import { DESKTOP, PHONE, leave, status, useBrowser } from "./browser.mjs";

describe("the table around a match", () => {
    const fray = serveFray(["--replay-min-ms", "0"]);
    const stranger = serveFray(["--cors-origin", "*"]);
    const open = useBrowser();
    const visit = (path, options = DESKTOP) => open(fray.url + path, options);

    /** Two pages at one table: the second comes by the first's link. */
    async function meet(game) {
        const first = await visit(`/games/${game}/?play=friend`);
        await first.waitForSelector("#invitation:not([hidden])");
        const second = await open(await first.inputValue("#link"), DESKTOP);
        await second.waitForSelector("#table:not([hidden])");
        return [first, second];
    }

    /** Once it has one: the table is shown ahead. */
    async function seatOf(page) {
        const token = await page.waitForFunction(
            (origin) => JSON.parse(sessionStorage.getItem(`fray.seat ${origin}`))?.token,
            fray.url,
        );
        return token.jsonValue();
    }

    test("what is said of a player is seen, however long the name is", async () => {
        const [first, second] = await meet("rps");
        await second.fill("#name", "W".repeat(20));
        await second.press("#name", "Enter");
        await first.waitForSelector('#people li:has-text("WWWW")');
        await second.click("#action-ready");
        await first.waitForSelector('#people small:has-text("ready")');
        const cut = await first.evaluate(() => {
            const list = document.getElementById("people");
            const words = [...list.querySelectorAll("small")];
            return [list, ...words].filter((one) => one.scrollWidth > one.clientWidth).length;
        });
        assert.equal(cut, 0);
    });

    test("who has won has so when it has left, too", async () => {
        const pages = await meet("tictactoe");
        for (const cell of [0, 3, 1, 4, 2])
            await Promise.any(pages.map((page) => page.click(`.board.open [data-cell="${cell}"]`)));
        const isWinner = async (page) => (await page.textContent("#status")) === "You win!";
        for (const page of pages) await page.waitForSelector('body[data-phase="over"]');
        const [winner, loser] = (await isWinner(pages[0])) ? pages : pages.toReversed();
        const said = await loser.textContent("#status");
        assert.match(said, / wins!$/);
        const title = /^Tic-tac-toe/;
        assert.doesNotMatch(await winner.title(), title);
        await winner.click("#leave");
        await winner.waitForSelector("#start:not([hidden])");
        assert.match(await winner.title(), title);
        await loser.waitForSelector('#chat-log:has-text("has left")');
        assert.equal(await loser.textContent("#status"), said);
    });

    test("who reloads while it waits for an opponent waits on", async () => {
        for (const [game, waits] of [
            ["duel", /^Listening for an opponent/],
            ["tictactoe", /^Waiting for an opponent/],
        ]) {
            const page = await visit(`/games/${game}/?play=quick`);
            await status(page, waits);
            await page.reload();
            await status(page, waits);
            await page.click("#leave");
            await page.waitForSelector("#start:not([hidden])");
        }
    });

    test("who removes a person is asked, and can be by keys alone", async () => {
        const [host, guest] = await meet("rps");
        const name = await guest.inputValue("#name");
        await host.focus(`[aria-label="Remove ${name}"]`);
        await host.keyboard.press("Enter");
        await host.waitForSelector(`[aria-label="No, keep ${name}"]:focus`);
        await host.keyboard.press("Escape");
        await host.waitForSelector(`[aria-label="Remove ${name}"]:focus`);
        await host.keyboard.press("Enter");
        await host.keyboard.press("Shift+Tab");
        await host.keyboard.press("Enter"); // Yes
        await guest.waitForSelector("#start:not([hidden])");
    });

    test("who leaves a running game with others is asked", async () => {
        const [first, second] = await meet("tictactoe");
        await first.waitForSelector('body[data-phase="playing"]');
        await first.focus("#leave");
        await first.keyboard.press("Enter");
        await first.waitForSelector('[aria-label="No, stay"]:focus');
        await first.keyboard.press("Enter");
        await first.waitForSelector("#leave:focus");
        await leave(first);
        await first.waitForSelector("#start:not([hidden])");
        await second.waitForSelector('#status:has-text("the other has left")');
        await second.click("#leave"); // it is over: nothing to ask
        await second.waitForSelector("#start:not([hidden])");
    });

    test("who watches is told so for good, and not how to play", async () => {
        const [first] = await meet("tictactoe");
        const third = await open(`${first.url()}&as=spectator`, DESKTOP);
        await third.waitForSelector('#spectators:text("You are watching.")');
        assert.equal(await third.isVisible("#keys"), false);
        assert.ok(await third.isVisible("#watching"));
        await third.click('#leave:text("Stop watching")');
        await third.waitForSelector("#start:not([hidden])");
        assert.equal(await third.textContent("#leave"), "Leave the table");
    });

    test("the lobby says that one's own match can be returned to", async () => {
        const page = await visit("/games/tictactoe/?play=public");
        await page.waitForSelector("#invitation:not([hidden])");
        const second = await open(await page.inputValue("#link"), DESKTOP);
        await second.waitForSelector('body[data-phase="playing"]');
        await page.click('.top a:text("Lobby")');
        await page.click('#rooms a:text("Return")');
        await page.waitForSelector('#people small:has-text("you")');
        const third = await visit("/lobby/");
        await third.waitForSelector('#rooms a:text("Watch")');
    });

    test("who closes the tab comes back by the link to the own seat", async () => {
        const [first, second] = await meet("tictactoe");
        const link = second.url();
        const token = await seatOf(second);
        const context = second.context();
        const another = await context.newPage(); // the same browser: another player
        await another.goto(link);
        await another.waitForSelector('.toast:has-text("All seats are taken")');
        await second.close();
        await first.waitForSelector("#people li.away");
        const back = await context.newPage();
        await back.goto(link);
        await back.waitForSelector('#people small:has-text("you")');
        assert.equal(await seatOf(back), token);
        await first.waitForFunction(() => !document.querySelector("#people li.away"));
        // A copy of the tab has a copy of its storage, but the seat is taken.
        const copy = await context.newPage();
        await copy.addInitScript(
            ([name, value]) => sessionStorage.setItem(name, value),
            await back.evaluate((origin) => {
                const name = `fray.seat ${origin}`;
                return [name, sessionStorage.getItem(name)];
            }, fray.url),
        );
        await copy.goto(link);
        await copy.waitForSelector('.toast:has-text("All seats are taken")');
        await leave(back);
        await back.waitForSelector("#start:not([hidden])");
        const left = (origin) => localStorage.getItem(`fray.seats ${origin}`);
        assert.equal(await back.evaluate(left, fray.url), "[]");
    });

    test("a link to another server tells it of no seat, and takes none away", async () => {
        const [, second] = await meet("tictactoe");
        const link = second.url();
        const token = await seatOf(second);
        const lure = `${link}&server=${encodeURIComponent(stranger.url)}`;
        const context = second.context();
        const sent = [];
        context.on("request", (request) => sent.push(request.url(), request.postData() ?? ""));
        const follow = async (page) => {
            page.on("websocket", (socket) =>
                socket.on("framesent", ({ payload }) => sent.push(`${payload}`)),
            );
            await page.goto(lure);
            await page.waitForSelector("#start-message:focus"); // it knows no such match
        };
        await follow(second); // the tab's own seat
        const other = await context.newPage();
        await follow(other); // and the browser's, where no tab sits
        const asked = sent.filter((text) => /"join"/.test(text));
        assert.equal(asked.length, 2);
        assert.ok(sent.every((text) => !text.includes(token)));
        await other.goto(link);
        await other.waitForSelector('#people small:has-text("you")');
        assert.equal(await seatOf(other), token);
    });

    test("an old link says why it leads nowhere, and where the match can be seen", async (t) => {
        const [ann, bob] = await Promise.all(
            ["Ann", "Bob"].map((name) => KINDS.envelope().open(t, fray.url, { name })),
        );
        const { match } = await ann.ask("create", { game: "tictactoe" });
        await bob.ask("join", { match });
        await ann.ask("place", { cell: 4 });
        for (const who of [ann, bob]) await who.ask("leave");
        let reply;
        do reply = await fetch(`${fray.url}/replays/${match}`);
        while (reply.status === 409); // a thread writes it
        assert.equal(reply.status, 200);
        const page = await visit(`/games/tictactoe/?match=${match}`, PHONE);
        await page.waitForSelector("#start-message:focus");
        const [message, button] = await Promise.all(
            ["#start-message", '[value="quick"]'].map((one) => page.locator(one).boundingBox()),
        );
        assert.ok(message.y + message.height <= button.y && button.y < PHONE.viewport.height);
        await page.tap('#start-message a:has-text("Watch the replay")');
        await page.waitForSelector('#verdict[data-fault="good"]');
    });

    test("who comes by a link sees no start page, and with bots no waiting", async () => {
        const watch = (page) =>
            page.addInitScript(() => {
                window.seen = [];
                const look = () => {
                    requestAnimationFrame(look);
                    if (document.getElementById("start")?.offsetParent) window.seen.push("start");
                    const text = document.getElementById("status")?.textContent;
                    if (text && window.seen.at(-1) !== text) window.seen.push(text);
                };
                requestAnimationFrame(look);
            });
        for (const path of ["duel/?play=bot", "arena/?play=bot", "tictactoe/?play=bot"]) {
            const page = await visit(`/games/${path}`, { ...DESKTOP, prepare: watch });
            await page.waitForSelector('body[data-phase="playing"]');
            const seen = await page.evaluate(() => window.seen);
            assert.equal(seen[0], "Connecting …", path);
            assert.doesNotMatch(seen.join(), /start|[Ll]istening|Waiting/, path);
        }
        const away = await visit("/games/duel/?match=nothere", { ...DESKTOP, prepare: watch });
        await away.waitForSelector("#start-message:focus");
    });

    test("the link to skip to leads to the game, and to the ways in before", async () => {
        const page = await visit("/games/duel/");
        await page.waitForSelector('body[data-ready="yes"]');
        for (const there of ['[value="quick"]', "#canvas"]) {
            await page.focus(".skip");
            await page.keyboard.press("Enter");
            await page.waitForSelector(`${there}:focus`);
            if (there !== "#canvas") await page.click("#practice");
        }
        const quick = await visit("/games/duel/?play=quick");
        await quick.waitForSelector("#canvas:focus");
        await leave(quick);
    });

    test("nobody can be removed whom quick play has brought", async () => {
        const pages = [];
        for (let come = 0; come < 2; come++) {
            pages.push(await visit("/games/tictactoe/?play=quick"));
            await pages[come].waitForSelector("#table:not([hidden])");
        }
        for (const page of pages) {
            await page.waitForSelector('body[data-phase="playing"]');
            assert.equal(await page.locator("#people li").count(), 2);
            assert.equal(await page.locator("#people button:visible").count(), 0);
        }
    });
});
