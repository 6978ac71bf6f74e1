// include/fray/client.h through examples/bot.c: players in C on the real server.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { createInterface } from "node:readline";
import { BUILD, connect, Inbox, serveFray, startProxy } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

/** Lines of what the bots say; ends with the test. */
function bots(t, url, ...args) {
    return start(t, [url.replace("http", "ws"), ...args]).said;
}

/** Bots with any arguments and more environment: the lines that they say, and those of trouble. */
function start(t, args, env = {}) {
    const child = spawn(join(BUILD, "examples/bot"), args, {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
    });
    const exit = once(child, "exit");
    t.after(async () => {
        child.kill();
        await exit;
    });
    child.stderr.pipe(process.stderr, { end: false });
    const [said, trouble] = [child.stdout, child.stderr].map((input) => createInterface({ input }));
    return { said, trouble };
}

/** Resolves once there was a line for each pattern. */
async function says(lines, ...patterns) {
    const missing = new Set(patterns);
    for await (const line of lines) {
        for (const pattern of missing) if (pattern.test(line)) missing.delete(pattern);
        if (!missing.size) return;
    }
    assert.fail(`the bots ended without ${[...missing].join(", ")}`);
}

describe("a client in C", () => {
    const server = serveFray();

    test("A37_two_fight_a_duel_and_hear_the_same", LIMIT, async (t) => {
        const lines = bots(t, server.url, "duel", "2");
        await says(
            lines,
            /^seat 0, tick \d+: player_hit id=\d hp=4$/,
            /^seat 1, tick \d+: player_hit id=\d hp=4$/,
        );
    });

    test("C12_it_meets_a_stock_client_in_one_arena", LIMIT, async (t) => {
        const socket = await connect(t, `${server.url}/games`);
        const inbox = new Inbox(socket);
        const { match } = await socket.emitWithAck("quick_play", { game: "arena" });
        const lines = bots(t, server.url, "arena", "6");
        await says(lines, /player_attacked id=\d+ hp=\d+/);
        for (;;) {
            const [roster] = await inbox.take("match");
            assert.equal(roster.match, match);
            if (roster.seats.filter(({ name }) => name.startsWith("C bot")).length === 6) break;
        }
    });

    for (const [end, fate] of [
        ["all", "kept"],
        ["one", "given_up"],
        ["lost", "given_up"],
    ])
        test(`when_${end}_end_a_seat_is_${fate}`, LIMIT, async (t) => {
            const socket = await connect(t, `${server.url}/games`);
            const inbox = new Inbox(socket);
            const { match } = await socket.emitWithAck("create", { game: "duel", bots: 0 });
            const proxy = end === "lost" ? await startProxy(t, server.port) : server;
            const url = proxy.url.replace("http", "ws");
            const child = spawn(join(BUILD, "tests/fixtures/client_end"), [url, match, end]);
            const exit = once(child, "exit");
            const ann = async () => {
                const [{ seats }] = await inbox.take("match"); // in order
                return seats.find(({ name }) => name === "Ann");
            };
            let seen;
            while (!seen?.connected) seen = await ann();
            await once(child.stdout, "data"); // it knows that it is in
            if (end === "lost") {
                proxy.cut();
                while (seen) seen = await ann();
            }
            child.stdin.end();
            assert.equal((await exit)[0], 0);
            while (seen?.connected) seen = await ann();
            assert.equal(seen?.connected, fate === "kept" ? false : undefined);
        });
});

describe("a client in C in bad weather", () => {
    const server = serveFray(["--lab-delay-ms", "60", "--lab-jitter-ms", "40"]);

    test("C35_plays_a_duel_at_200_ms", LIMIT, async (t) => {
        await says(bots(t, server.url, "duel", "2"), /player_hit/);
    });
});

describe("a client in C over TLS", () => {
    const folder = mkdtempSync(join(tmpdir(), "fray-tls-"));
    after(() => rmSync(folder, { recursive: true }));
    const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(folder, name));
    execFileSync(
        "openssl",
        [
            ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            ...["-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost"],
            ...["-keyout", key, "-out", cert],
        ],
        { stdio: "ignore" },
    );
    const server = serveFray(["--tls-cert", cert, "--tls-key", key]);
    const url = (host) => `wss://${host}:${server.port}`;
    const knows = { SSL_CERT_FILE: cert };
    const hit = /player_hit/;

    test("it_trusts_a_certificate_for_the_host_by_a_known_authority", LIMIT, async (t) => {
        await says(start(t, [url("localhost"), "duel", "2"], knows).said, hit);
    });

    test("it_refuses_another_hosts_certificate_and_tries_again", LIMIT, async (t) => {
        const { trouble } = start(t, [url("127.0.0.1"), "duel"], knows);
        await says(
            trouble,
            /^1015 The server's certificate is not trusted: IP address mismatch. Trying again …$/,
        );
    });

    test("it_refuses_a_certificate_by_nobody_that_is_known", LIMIT, async (t) => {
        await says(start(t, [url("localhost"), "duel"]).trouble, /^1015 .*: self-signed cert/);
    });

    test("it_trusts_any_certificate_where_it_is_told_to", LIMIT, async (t) => {
        await says(start(t, ["--trust-any", url("127.0.0.1"), "duel", "2"]).said, hit);
    });
});
