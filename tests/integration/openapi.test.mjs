// docs/openapi.yaml says what the server does: every path and method of it is there, no other
// method is, and whatever the server answers is a status that the description names.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { gzipSync } from "node:zlib";
import { Session } from "./envelope.mjs";
import { serveFixture } from "./harness.mjs";
import { readDescription } from "./openapi.mjs";

describe("openapi.yaml", { timeout: 180_000 }, () => {
    const server = serveFixture("envelope_support", ["--poll-replay-messages", "1"]);
    const guarded = serveFixture("envelope_support", [
        "--auth",
        "jwt",
        "--jwt-secret",
        "x".repeat(32),
    ]);
    const tiny = serveFixture("envelope_support", ["--workers", "1", "--max-connections", "8"]);
    const paths = readDescription((path) => !path.startsWith("/admin/")); // admin.test.mjs

    test("B03_the_server_has_these_paths_and_methods", async () => {
        assert.deepEqual(Object.keys(paths), ["/poll", "/poll/{session}", "/sse/{session}"]);
        for (const [path, methods] of Object.entries(paths)) {
            const url = server.url + path.replace("{session}", "x");
            const allowed = (await fetch(url, { method: "PUT" })).headers.get("allow");
            const said = allowed.split(", ").filter((m) => !["OPTIONS", "HEAD"].includes(m));
            /* Files are served at every path, by GET. */
            const wanted = new Set(
                path === "/poll" ? ["GET", ...Object.keys(methods)] : Object.keys(methods),
            );
            assert.deepEqual(new Set(said), wanted, path);
        }
    });

    test("B03_every_status_is_described_and_comes", async (t) => {
        const seen = {};
        const ask = async (method, path, at, options = {}, base = server.url) => {
            const reply = await fetch(base + at, { method, ...options });
            assert.ok(
                paths[path][method].includes(reply.status),
                `${method} ${path}: ${reply.status}`,
            );
            ((seen[path] ??= {})[method] ??= new Set()).add(reply.status);
            if (reply.status === 415) {
                assert.match(await reply.text(), /^A body .*\.\n$/);
            } else if (reply.status >= 400) {
                const error = await reply.json();
                assert.equal(error.type, "error");
                assert.match(error.content.code, /^[a-z_]+$/);
            } else {
                await reply.body?.cancel();
            }
        };
        const poll = "/poll/{session}",
            sse = "/sse/{session}";
        const session = await new Session().open(t, server.url);
        const here = `/poll/${session.id}`;
        await ask("POST", "/poll", "/poll");
        await ask("POST", "/poll", "/poll", { body: "x" });
        await ask("POST", "/poll", "/poll", {}, guarded.url);
        await ask("POST", "/poll", "/poll?name=nobody");
        await ask("POST", "/poll", "/poll?namespace=/none");
        for (let i = 0; i < 8; i++) await ask("POST", "/poll", "/poll", {}, tiny.url);
        await ask("POST", "/poll", "/poll", {}, tiny.url);
        await ask("POST", poll, here, { body: '[{"type":"say"},{"type":"say"},{"type":"say"}]' });
        await ask("POST", poll, here, { body: "x" });
        await ask("POST", poll, here, { body: `"${"x".repeat(1_100_000)}"` });
        await ask("POST", poll, "/poll/x", { body: "{}" });
        const coded = { headers: { "content-encoding": "gzip" }, body: gzipSync("{}") };
        await ask("POST", "/poll", "/poll", coded);
        await ask("POST", poll, here, coded);
        while ((await session.get({ after: 0 })).body.cursor < 4);
        await ask("GET", poll, `${here}?after=4`);
        await ask("GET", poll, `${here}?after=0`);
        await ask("GET", poll, `${here}?after=x`);
        await ask("GET", poll, "/poll/x");
        await ask("GET", sse, `/sse/${session.id}?after=4`);
        await ask("GET", sse, `/sse/${session.id}?after=0`);
        await ask("GET", sse, `/sse/${session.id}?after=9`);
        await ask("GET", sse, "/sse/x");
        await ask("DELETE", poll, here);
        await ask("DELETE", poll, here);
        for (const [path, methods] of Object.entries(paths))
            for (const [method, statuses] of Object.entries(methods))
                assert.deepEqual([...seen[path][method]].sort(), statuses, `${method} ${path}`);
    });
});
