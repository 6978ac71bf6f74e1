// One arena, every kind of client: the SDK by packets, stock clients by JSON. What each holds of a
// tick is the same, by a hash of what all may see (C29).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test, { describe } from "node:test";
import WebSocket from "ws";
import { sdk } from "../../web/sdk/test/sources.mjs";
import { KINDS } from "./game_players.mjs";
import { replayVerifies, serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const COMMON_TICKS = 20;
const FIELD = { obstacles: 0, width: 150, height: 150, sight: 150, respawn_ticks: 20 };
const PUBLIC = ["seat", "x", "y", "hp", "swings", "score", "deaths"];

const hashOf = (rows) => createHash("sha256").update(JSON.stringify(rows)).digest("hex");
const publicOf = (row) => PUBLIC.map((name) => row[name]);

/** Hashes by tick of what a stock client was sent. */
function heardBy(player) {
    return new Map(
        player.heard
            .filter(({ type }) => type === "state")
            .map(({ content: { state } }) => [
                state.match.tick,
                hashOf(state.players.map(publicOf).sort(([a], [b]) => a - b)),
            ]),
    );
}

function readField(data, at, { bytes, signed, fraction = 0 }) {
    const value = data[`get${signed ? "Int" : "Uint"}${bytes * 8}`](at, true);
    return value / 2 ** fraction;
}

/** The same of the newest view that the SDK decoded. */
function decodedBy({ netcode: { rules, status } }) {
    const table = rules.game.tables.find(({ name }) => name === "players");
    const fields = new Map(table.fields.map((field) => [field.name, field]));
    const rows = [];
    for (let seat = 0; seat < table.rows; seat++) {
        const row = status.newest + table.offset + seat * table.stride;
        const read = (name) =>
            readField(rules.data, row + fields.get(name).offset, fields.get(name));
        if (read("present")) rows.push(PUBLIC.map((name) => (name === "seat" ? seat : read(name))));
    }
    return hashOf(rows);
}

/** Plays with the SDK until the test ends; keeps what it saw of each tick. */
function watch(t, match) {
    const seen = new Map();
    let turns = 0;
    const timer = setInterval(() => {
        const angle = turns++ / 20;
        match.setInput({ dx: 100 * Math.cos(angle), dy: 100 * Math.sin(angle), attack: true });
        if (match.frame(performance.now()).ready)
            seen.set(match.netcode.status.newestTick, decodedBy(match));
    }, 10);
    t.after(() => clearInterval(timer));
    return seen;
}

describe("one arena", LIMIT, () => {
    const server = serveFray(["--replay-min-ms", "0"]);

    test("C29_every_kind_of_client_holds_the_same_state", LIMIT, async (t) => {
        const client = await sdk.connect({ url: server.url, name: "Ann", WebSocket });
        t.after(() => client.close());
        const match = await client.create("arena", { options: FIELD });
        const seen = watch(t, match);
        const players = [];
        for (const kind of Object.keys(KINDS)) {
            const player = await KINDS[kind]().open(t, server.url, { name: kind });
            await player.ask("join", { match: match.id });
            players.push(player);
        }
        for (const player of players) await player.ask("steer", { dx: 50, dy: -50 });
        const settled = match.netcode.status.newestTick + 5; // who joins comes between two ticks
        for (const player of players) {
            const common = () =>
                [...heardBy(player)].filter(([tick]) => tick > settled && seen.has(tick));
            while (common().length < COMMON_TICKS) await player.take("state");
            for (const [tick, hash] of common())
                assert.equal(hash, seen.get(tick), `${player.constructor.name}, tick ${tick}`);
        }
        assert.equal(match.stats.desyncs, 0);
        assert.ok(new Set(seen.values()).size > COMMON_TICKS / 2, "something happened meanwhile");
        for (const player of players) await player.ask("leave", {});
        await match.leave();
        await replayVerifies(server, match.id);
    });
});
