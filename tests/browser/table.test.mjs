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
});
