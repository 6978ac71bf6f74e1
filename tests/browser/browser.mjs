// What the browser tests share: Chromium for the suite that asks, pages that must not complain, and
// programs served as in tests/integration.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 375, height: 667 }, isMobile: true, hasTouch: true };
export const LYING = { viewport: { width: 667, height: 375 }, isMobile: true, hasTouch: true };
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
     * logged no error nor warning; a test that means to cause some empties page.complaints, or says
     * what it `allows`. `prepare` is called before anything is loaded.
     */
    return async function open(url, { prepare, allows, ...options } = {}) {
        const context = await browser.newContext(options);
        const page = await context.newPage();
        page.setDefaultTimeout(WAIT_MS);
        page.complaints = [];
        pages.push(page);
        page.on("console", (message) => {
            if (message.location().url.endsWith("/favicon.ico")) return; // older pages name none
            // A client that is refused or leaves while its upgrade is on the way gives that up.
            if (/closed before the connection is established/.test(message.text())) return;
            if (allows?.test(message.text())) return;
            if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
        });
        page.on("pageerror", (error) => page.complaints.push(String(error)));
        await prepare?.(page);
        await page.goto(url);
        return page;
    };
}

export const isReady = (page) => page.waitForSelector('body[data-ready="yes"]');

/** The line that says how the match stands. */
export const status = (page, wanted) =>
    page.waitForFunction(
        (pattern) => new RegExp(pattern).test(document.getElementById("status").textContent),
        wanted.source,
    );

/** Nothing has to be scrolled sideways. */
export async function fits(page) {
    const [wide, room] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.documentElement.clientWidth,
    ]);
    assert.ok(wide <= room, `the page is ${wide} px wide, the screen ${room}`);
}

/** Leaves the match; from a running one with others after a question. */
export async function leave(page) {
    await page.click("#leave");
    const yes = page.locator('[aria-label="Yes, leave"]');
    if (await yes.isVisible()) await yes.click();
}

/** Of the canvas: how many pixels have the page's colour, and their middle in CSS px. */
export function spots(page, name, id = "canvas") {
    return page.evaluate(
        ([property, canvasId]) => {
            const canvas = document.getElementById(canvasId);
            const scratch = Object.assign(document.createElement("canvas"), {
                width: canvas.width,
                height: canvas.height,
            });
            const paint = scratch.getContext("2d", { willReadFrequently: true });
            const style = getComputedStyle(document.documentElement);
            paint.fillStyle = style.getPropertyValue(property);
            paint.fillRect(0, 0, 1, 1);
            const [red, green, blue] = paint.getImageData(0, 0, 1, 1).data;
            paint.drawImage(canvas, 0, 0);
            const { data, width } = paint.getImageData(0, 0, canvas.width, canvas.height);
            const ratio = canvas.width / canvas.clientWidth;
            const sum = { count: 0, x: 0, y: 0 };
            for (let at = 0; at < data.length; at += 4) {
                if (data[at] !== red || data[at + 1] !== green || data[at + 2] !== blue) continue;
                sum.count++;
                sum.x += (at / 4) % width;
                sum.y += Math.floor(at / 4 / width);
            }
            const { count } = sum;
            return { count, x: sum.x / count / ratio, y: sum.y / count / ratio };
        },
        [`--${name}`, id],
    );
}

/** WCAG 2.2's contrast ratio of two of the page's colours. */
export function contrast(page, ...names) {
    return page.evaluate((properties) => {
        const style = getComputedStyle(document.documentElement);
        const luminances = properties.map((name) => {
            const c = document.createElement("canvas").getContext("2d");
            c.fillStyle = style.getPropertyValue(`--${name}`);
            c.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...c.getImageData(0, 0, 1, 1).data].map((value) => {
                const share = value / 255;
                return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
        });
        return Math.max(...luminances) / Math.min(...luminances);
    }, names);
}
