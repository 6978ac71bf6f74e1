// What the tests of the pages of games in real time share: pages that meet, and the worlds that
// they show.
import { serveFray } from "../integration/harness.mjs";
import { DESKTOP, isReady, useBrowser } from "./browser.mjs";

/** What the duel shows: reads the page's own world. */
export const duel = (page, read, argument) =>
    page.waitForFunction(
        ([source, value]) => {
            const { world } = document.getElementById("canvas").duel;
            return new Function("world", "value", `return ${source}`)(world, value);
        },
        [read, argument],
    );

export const isRound = (page, phase) => page.waitForSelector(`body[data-round="${phase}"]`);

async function setOptions(page, options) {
    await page.click("#options-box summary");
    for (const [name, value] of Object.entries(options))
        await page.fill(`#options [name="${name}"]`, String(value));
}

/** A server, whose matches have replays, and pages of it, for the suite that calls this. */
export function useTables() {
    const fray = serveFray(["--lab-self-service", "--replay-min-ms", "0"]);
    const open = useBrowser();
    const visit = (path, options = DESKTOP) => open(fray.url + path, options);

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

    return { fray, open, visit, meet, meetBot };
}
