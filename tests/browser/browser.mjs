// What the browser tests share: Chromium for the suite that asks, pages that must not complain, and
// programs served as in tests/integration.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";

const WAIT_MS = 20000; // for what a busy machine does late

/**
 * Chromium for the suite that calls this; open(url, options) makes a page of its own context.
 * `args` returns more of its flags, once servers are there.
 */
export function useBrowser(args = () => []) {
    let browser;
    before(async () => {
        browser = await chromium.launch({
            executablePath: ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync),
            args: ["--no-sandbox", "--disable-gpu", ...args()],
        });
    });
    after(() => browser?.close());

    let pages = [];
    afterEach(async () => {
        const ended = pages;
        pages = [];
        for (const page of ended) await page.context().close();
        for (const page of ended) assert.deepEqual(page.complaints, []);
    });

    /**
     * A page at `url`, in a context of its own. When the test ends it is closed, and must have
     * logged no error nor warning; a test that means to cause some empties page.complaints.
     * `prepare` is called before anything is loaded.
     */
    return async function open(url, { prepare, ...options } = {}) {
        const context = await browser.newContext(options);
        const page = await context.newPage();
        page.setDefaultTimeout(WAIT_MS);
        page.complaints = [];
        pages.push(page);
        page.on("console", (message) => {
            if (message.location().url.endsWith("/favicon.ico")) return; // older pages name none
            // A client that is refused or leaves while its upgrade is on the way gives that up.
            if (/closed before the connection is established/.test(message.text())) return;
            if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
        });
        page.on("pageerror", (error) => page.complaints.push(String(error)));
        await prepare?.(page);
        await page.goto(url);
        return page;
    };
}
