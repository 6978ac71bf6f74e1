// Pages whose server is away: what they say at once, what they keep, and that nothing comes later.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serveFray, startProxy } from "../integration/harness.mjs";
import { DESKTOP, isReady, useBrowser } from "./browser.mjs";

describe("pages without a connection", () => {
    const fray = serveFray(["--cors-origin", "*"]);
    const successor = serveFray(["--cors-origin", "*"]);
    const open = useBrowser();

    /** Their server is behind the proxy; it may not be there. */
    const far = (path, proxy) => {
        const url = new URL(path, fray.url);
        url.searchParams.set("server", proxy.url);
        return open(url.href, {
            ...DESKTOP,
            allows: /ERR_|WebSocket|Failed|cannot be loaded|CORS/,
        });
    };

    test("without a connection every way in says so at once, and nothing follows", async (t) => {
        const proxy = await startProxy(t, fray.port);
        for (const [game, way] of [
            ["duel", "quick"],
            ["tictactoe", "bot"],
            ["rps", "public"],
        ]) {
            proxy.blocked = true;
            proxy.cut();
            const page = await far(`/games/${game}/`, proxy);
            await page.click(`#start-form [value="${way}"]`);
            const said = '#start-message:text("There is no connection to the server.")';
            await page.waitForSelector(said);
            proxy.blocked = false;
            await isReady(page);
            await page.waitForSelector(said, { state: "detached" });
            assert.equal(await page.isVisible("#table"), false, game);
            const lobby = await open(`${fray.url}/lobby/`, DESKTOP);
            await isReady(lobby);
            const own = await page.inputValue("#name");
            assert.doesNotMatch(await lobby.innerText("#rooms"), new RegExp(`${own}’s room`));
        }
    });

    for (const game of ["duel", "tictactoe"])
        test(`who has left ${game} without a connection is out`, async (t) => {
            const proxy = await startProxy(t, fray.port);
            const page = await far(`/games/${game}/?play=bot`, proxy);
            await page.waitForSelector('body[data-phase="playing"]');
            const match = new URL(page.url()).searchParams.get("match");
            proxy.blocked = true;
            proxy.cut();
            await page.waitForSelector(".connection:not([hidden])");
            await page.click("#leave");
            await page.waitForSelector("#start:not([hidden])");
            proxy.blocked = false;
            await page.waitForSelector(".connection", { state: "hidden" });
            const isOpen = async () => {
                const reply = await fetch(`${fray.url}/replays?id=${match}`);
                return (await reply.json()).being_played;
            };
            while (await isOpen()); // until the server has heard of it
            assert.equal(await page.isVisible("#table"), false);
        });

    for (const game of ["duel", "tictactoe"])
        test(`a name entered in ${game} without a connection is told later`, async (t) => {
            const proxy = await startProxy(t, fray.port);
            const page = await far(`/games/${game}/?play=bot`, proxy);
            await page.waitForSelector('body[data-phase="playing"]');
            proxy.blocked = true;
            proxy.cut();
            await page.waitForSelector(".connection:not([hidden])");
            await page.fill("#name", "Renamed");
            await page.press("#name", "Enter");
            proxy.blocked = false;
            await page.waitForSelector('#people li:has-text("Renamed")');
            const lobby = await open(`${fray.url}/lobby/`, DESKTOP);
            await lobby.waitForSelector('#online li:has-text("Renamed")');
        });

    test("who comes by a link to a server that is away has a way out", async (t) => {
        const proxy = await startProxy(t, fray.port);
        proxy.blocked = true;
        for (const game of ["duel", "tictactoe"]) {
            const page = await far(`/games/${game}/?play=bot`, proxy);
            await page.click("#give-up");
            await page.waitForSelector('#start-form [value="quick"]:focus');
            assert.doesNotMatch(page.url(), /play=/);
        }
    });

    test("the lobby says that there is no connection, and keeps what was written", async (t) => {
        const proxy = await startProxy(t, fray.port);
        proxy.blocked = true;
        const page = await far("/lobby/", proxy);
        await page.waitForSelector('#count:has-text("the games are shown once it is there")');
        for (const one of ["#games", "#no-rooms"]) assert.equal(await page.isVisible(one), false);
        await page.fill("#chat-field", "is anybody there?");
        await page.press("#chat-field", "Enter");
        await page.waitForSelector(
            '#chat-log li:has-text("There is no connection to the server.")',
        );
        assert.equal(await page.inputValue("#chat-field"), "is anybody there?");
        proxy.blocked = false;
        await page.waitForSelector('#count:has-text("online"), #count:has-text("first one")');
        assert.ok(await page.isVisible("#games"));
        assert.equal(await page.locator('#chat-log li:has-text("is anybody")').count(), 0);
        proxy.blocked = true;
        proxy.cut();
        await page.waitForSelector('#count:has-text("No connection to the server")');
    });

    test("a server that starts anew says once that the match is gone", async (t) => {
        const proxy = await startProxy(t, fray.port);
        const page = await far("/games/tictactoe/?play=bot", proxy);
        await page.waitForSelector(".board.open");
        proxy.blocked = true;
        proxy.cut();
        await page.waitForSelector(".connection:not([hidden])");
        await page.click('[data-cell="4"]');
        await page.waitForSelector('.toast:text("There is no connection to the server.")');
        proxy.port = successor.port;
        proxy.blocked = false;
        await page.waitForSelector("#start-message:focus");
        assert.equal(await page.locator('.toast:has-text("no match")').count(), 0);
    });
});
