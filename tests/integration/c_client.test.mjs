// include/fray/client.h through examples/bot.c: players in C on the real server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import test, { describe } from "node:test";
import { createInterface } from "node:readline";
import { BUILD, connect, Inbox, serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

/** Lines of what the bots say; ends with the test. */
function bots(t, url, ...args) {
    const child = spawn(join(BUILD, "examples/bot"), [url.replace("http", "ws"), ...args], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    const exit = once(child, "exit");
    t.after(async () => {
        child.kill();
        await exit;
    });
    return createInterface({ input: child.stdout });
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
});

describe("a client in C in bad weather", () => {
    const server = serveFray(["--lab-delay-ms", "60", "--lab-jitter-ms", "40"]);

    test("C35_plays_a_duel_at_200_ms", LIMIT, async (t) => {
        await says(bots(t, server.url, "duel", "2"), /player_hit/);
    });
});
