// @fray/client as a page of another origin imports it, in Chromium.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { serveFray } from "../integration/harness.mjs";
import { useBrowser } from "./browser.mjs";

describe("@fray/client in Chromium", { timeout: 180_000 }, () => {
    const server = serveFray(["--mqtt-store", "memory", "--cors-origin", "*"]);
    const open = useBrowser();

    /* An empty page on another port: another origin. */
    const pages = createServer((_, reply) =>
        reply.setHeader("content-type", "text/html").end("<!doctype html><title>Play</title>"),
    );
    before(() => once(pages.listen(0, "127.0.0.1"), "listening"));
    after(() => pages.close());

    /** A page that is in the duel (`match`, or a new one) and draws as pages do. */
    async function enter(name, match, prepare) {
        const page = await open(`http://127.0.0.1:${pages.address().port}/`, { prepare });
        const joined = await page.evaluate(
            async ([url, name, match]) => {
                const { connect } = await import(`${url}/sdk/fray-client.mjs`);
                const client = await connect({ url, name });
                const options = { hits: 100, countdown_ticks: 0, round_ticks: 0 };
                window.match = await (match
                    ? client.join(match)
                    : client.create("duel", { options }));
                requestAnimationFrame(function draw(now) {
                    window.frame = window.match.frame(now);
                    requestAnimationFrame(draw);
                });
                return { match: window.match.id, transport: client.transport };
            },
            [server.url, name, match],
        );
        return { page, ...joined };
    }

    for (const [way, isBlocked] of [
        ["over WebSocket", false],
        ["where WebSocket is blocked", true],
    ])
        test(`two pages of another origin play ${way}`, async () => {
            const block = (page) => page.addInitScript("delete window.WebSocket");
            const first = await enter("Ann", null, isBlocked ? block : undefined);
            assert.equal(first.transport, isBlocked ? "polling" : "websocket");
            const second = await enter("Bob", first.match);
            for (const { page } of [first, second])
                await page.waitForFunction(
                    "frame.isPredicted && frame.interpolated.tables.players[1].present",
                );
            const from = await second.page.evaluate("frame.interpolated.tables.players[0].x");
            await first.page.evaluate("match.setInput({ walk: 1 })");
            await first.page.waitForFunction(
                (x) => frame.predicted.tables.players[0].x > x + 50,
                from,
            );
            await second.page.waitForFunction(
                (x) => frame.interpolated.tables.players[0].x > x + 50,
                from,
            );
            for (const { page } of [first, second]) {
                const { desyncs, refused } = await page.evaluate("match.stats");
                assert.deepEqual({ desyncs, refused }, { desyncs: 0, refused: 0 });
            }
        });
});
