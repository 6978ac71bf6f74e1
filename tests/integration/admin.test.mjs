// The API at /admin (docs/admin.md, docs/openapi.yaml): who may, what there is, what it does.
import assert from "node:assert/strict";
import { once } from "node:events";
import test, { describe } from "node:test";
import WebSocket from "ws";
import { Session } from "./envelope.mjs";
import { connect, serveFixture } from "./harness.mjs";
import { readDescription } from "./openapi.mjs";

const TOKEN = "a token of the operator";
const OFF = {
    delay_ms: 0,
    jitter_ms: 0,
    loss_percent: 0,
    duplicate_percent: 0,
    reorder_percent: 0,
    rate_kbps: 0,
    datagrams: false,
};

const options = ["--workers", "3", "--admin-token", TOKEN];
const server = serveFixture("socketio_support", options);
const enveloped = serveFixture("envelope_support", ["--admin-token", TOKEN]);
const guessed = serveFixture("socketio_support", options);
const closed = serveFixture("socketio_support");

const paths = readDescription((path) => path.startsWith("/admin/"));
const seen = {};

/** One request; its status must be one that is described. */
async function ask(method, path, { body, token = TOKEN, base = server.url, headers } = {}) {
    const reply = await fetch(`${base}${path}`, {
        method,
        body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    });
    const described = path.replace(/\?.*/, "").replace(/(sessions\/).*/, "$1{session}");
    if (paths[described][method]) {
        const statuses = paths[described][method];
        assert.ok(statuses.includes(reply.status), `${method} ${path}: ${reply.status}`);
        ((seen[described] ??= {})[method] ??= new Set()).add(reply.status);
    }
    const text = await reply.text();
    const json = text && reply.status !== 415 && JSON.parse(text);
    if (json && reply.status >= 400) {
        assert.match(json.code, /^[a-z_]+$/);
        assert.match(json.message, /^[A-Za-z].*\.$/);
    }
    return { status: reply.status, headers: reply.headers, body: json };
}

async function sessions(base = server.url) {
    const all = [];
    for (let next = "", limit = 2; next !== null; next = `&after=${next}`) {
        const { status, body } = await ask("GET", `/admin/sessions?limit=${limit}${next}`, {
            base,
        });
        assert.equal(status, 200);
        assert.ok(body.sessions.length <= limit);
        all.push(...body.sessions);
        next = body.next;
        if (next === null) break;
    }
    return all;
}

async function find(socket, base) {
    const local = socket.io.engine.transport.ws?._socket.localPort;
    return (await sessions(base)).find(({ remote }) => remote === `127.0.0.1:${local}`);
}

describe("admin API", { timeout: 180_000 }, () => {
    test("without_a_token_there_is_no_such_api", async () => {
        for (const path of ["/admin/sessions", "/admin/lab"])
            assert.equal((await fetch(closed.url + path)).status, 404);
    });

    test("the_token_is_asked_for", async () => {
        const requests = [
            ["GET", "/admin/sessions"],
            ["DELETE", "/admin/sessions/0-0-1"],
            ["GET", "/admin/lab"],
            ["PUT", "/admin/lab"],
            ["PUT", "/admin/lab/sessions/0-0-1"],
            ["DELETE", "/admin/lab/sessions/0-0-1"],
        ];
        for (const [method, path] of requests) {
            const { status, headers, body } = await ask(method, path, { token: "" });
            assert.equal(status, 401);
            assert.equal(body.code, "no_token");
            assert.equal(headers.get("www-authenticate"), "Bearer");
        }
        for (const headers of [
            { authorization: TOKEN },
            { authorization: `Basic ${TOKEN}` },
            { authorization: "Bearer " },
        ])
            assert.equal(
                (await ask("GET", "/admin/lab", { token: "", headers })).body.code,
                "no_token",
            );
        for (const token of ["x", TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase()]) {
            const { status, body } = await ask("GET", "/admin/lab", { token });
            assert.equal(status, 401);
            assert.equal(body.code, "wrong_token");
        }
        const metrics = await (await fetch(`${server.url}/metrics`)).text();
        assert.match(metrics, /^fray_admin_refused_total 13$/m);
    });

    test("tokens_cannot_be_guessed", async () => {
        /* Each worker counts for itself, and a connection's worker is chance. */
        let refused = 0;
        for (let i = 0; i < 31; i++) {
            const { status } = await ask("GET", "/admin/lab", {
                token: `guess ${i}`,
                base: guessed.url,
                headers: { connection: "close" },
            });
            refused += status === 429;
        }
        assert.ok(refused > 0);
    });

    test("sessions_are_listed_by_pages", async (t) => {
        const sockets = [];
        for (let i = 0; i < 5; i++)
            sockets.push(await connect(t, server.url, { transports: ["websocket"] }));
        const polling = await connect(t, `${server.url}/foo`, { transports: ["polling"] });
        const all = await sessions();
        assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
        for (const socket of sockets) {
            const session = await find(socket);
            assert.equal(session.protocol, "engineio");
            assert.equal(session.transport, "websocket");
            assert.deepEqual(session.namespaces, ["/"]);
            assert.equal(session.lab, null);
            assert.ok(Math.abs(Date.parse(session.connected_since) - Date.now()) < 60_000);
        }
        const polled = all.filter(({ transport }) => transport === "polling");
        assert.equal(polled.length, 1);
        assert.deepEqual(polled[0].namespaces, ["/foo"]);
        assert.ok(polling.connected);
    });

    test("sessions_of_all_protocols_are_listed", async (t) => {
        await new Session().open(t, enveloped.url);
        const socket = new WebSocket(`${enveloped.url}/ws`);
        t.after(() => socket.terminate());
        await once(socket, "message");
        const all = await sessions(enveloped.url);
        assert.deepEqual(all.map(({ protocol, transport }) => [protocol, transport]).sort(), [
            ["envelope", "cursor"],
            ["envelope", "websocket"],
        ]);
    });

    test("a_session_is_disconnected", async (t) => {
        const socket = await connect(t, server.url, { transports: ["websocket"] });
        const gone = once(socket, "disconnect");
        const { id } = await find(socket);
        assert.equal((await ask("DELETE", `/admin/sessions/${id}`)).status, 204);
        await gone;
        const again = await ask("DELETE", `/admin/sessions/${id}`);
        assert.equal(again.status, 404);
        assert.equal(again.body.code, "unknown_session");
    });

    test("unknown_sessions_pages_and_methods_are_refused", async () => {
        for (const id of [
            "",
            "x",
            "0",
            "0-0",
            "0-0-",
            "0-0-0",
            "9-0-1",
            "0-0-1-1",
            "00-0-1",
            "-1-0-1",
        ]) {
            assert.equal((await ask("DELETE", `/admin/sessions/${id}`)).status, 404, id);
            assert.equal((await ask("DELETE", `/admin/lab/sessions/${id}`)).status, 404, id);
            const put = await ask("PUT", `/admin/lab/sessions/${id}`, { body: OFF });
            assert.equal(put.status, 404, id);
        }
        for (const query of ["limit=0", "limit=1001", "limit=x", "limit=-1", "limit=", "after=x"])
            assert.equal((await ask("GET", `/admin/sessions?${query}`)).status, 400, query);
        const { status, headers } = await ask("PATCH", "/admin/lab");
        assert.equal(status, 405);
        assert.equal(headers.get("allow"), "GET, PUT");
    });

    test("C35_the_lab_is_read_and_set_for_all", async (t) => {
        assert.deepEqual((await ask("GET", "/admin/lab")).body, OFF);
        const wanted = { ...OFF, delay_ms: 120, datagrams: true };
        t.after(() => ask("PUT", "/admin/lab", { body: {} }));
        const put = await ask("PUT", "/admin/lab", { body: { delay_ms: 120, datagrams: true } });
        assert.deepEqual([put.status, put.body], [200, wanted]);
        for (let i = 0; i < 6; i++) {
            /* Whichever worker answers; and it is late itself. */
            const started = performance.now();
            const headers = { connection: "close" };
            assert.deepEqual((await ask("GET", "/admin/lab", { headers })).body, wanted);
            assert.ok(performance.now() - started >= 240);
        }
        assert.deepEqual((await ask("PUT", "/admin/lab", { body: {} })).body, OFF);
        assert.deepEqual((await ask("GET", "/admin/lab")).body, OFF);
    });

    test("C35_the_lab_is_set_for_one_session", async (t) => {
        const socket = await connect(t, server.url, { transports: ["websocket"] });
        const { id } = await find(socket);
        const put = await ask("PUT", `/admin/lab/sessions/${id}`, { body: { delay_ms: 150 } });
        assert.deepEqual(put.body, { ...OFF, delay_ms: 150 });
        assert.deepEqual(
            (await sessions()).filter(({ lab }) => lab).map((s) => [s.id, s.lab.delay_ms]),
            [[id, 150]],
        );
        const started = performance.now();
        await socket.emitWithAck("echo", 1);
        assert.ok(performance.now() - started >= 300);
        assert.equal((await ask("DELETE", `/admin/lab/sessions/${id}`)).status, 204);
        assert.equal((await find(socket)).lab, null);
        await socket.emitWithAck("echo", 1);
    });

    test("settings_that_are_none_are_refused", async (t) => {
        const socket = await connect(t, server.url, { transports: ["websocket"] });
        const { id } = await find(socket);
        const bodies = {
            bad_json: ["", "{", "{} {}", '{"delay_ms":1,"delay_ms":2}', "\xff", "[".repeat(4000)],
            bad_settings: [
                [],
                [1],
                { delay_ms: -1 },
                { delay_ms: 10001 },
                { delay_ms: 1e300 },
                { delay_ms: 1.5 },
                { delay_ms: "1" },
                { delay_ms: null },
                { jitter_ms: 10001 },
                { loss_percent: 101 },
                { duplicate_percent: 101 },
                { reorder_percent: -1 },
                { rate_kbps: 10000001 },
                { datagrams: 1 },
                { delay: 1 },
            ],
        };
        for (const path of ["/admin/lab", `/admin/lab/sessions/${id}`]) {
            for (const [code, list] of Object.entries(bodies)) {
                for (const body of list) {
                    const reply = await ask("PUT", path, { body });
                    assert.equal(reply.status, 400, JSON.stringify(body));
                    assert.equal(reply.body.code, code, JSON.stringify(body));
                }
            }
            const large = await ask("PUT", path, { body: `{}${" ".repeat(5000)}` });
            assert.equal(large.status, 413);
            const coded = { body: "{}", headers: { "content-encoding": "gzip" } };
            assert.equal((await ask("PUT", path, coded)).status, 415);
        }
        assert.deepEqual((await ask("GET", "/admin/lab")).body, OFF);
        assert.equal((await find(socket)).lab, null);
    });

    test("B03_every_described_status_of_the_admin_api_came", () => {
        for (const [path, methods] of Object.entries(paths))
            for (const [method, statuses] of Object.entries(methods))
                assert.deepEqual(
                    [...seen[path][method]].filter((s) => s !== 429).sort(),
                    statuses.filter((s) => s !== 429),
                    `${method} ${path}`,
                );
    });
});
