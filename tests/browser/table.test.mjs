// What is around every match: who sits there, what the host may do, coming back and going away.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serveFray } from "../integration/harness.mjs";
import { useBrowser } from "./browser.mjs";

const DESKTOP = { viewport: { width: 1280, height: 800 } };

describe("the table around a match", () => {
    const fray = serveFray();
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
