// Spectators who are shown the past (game/delay.h): whatever they are connected by they see what
// the players saw, later, and nothing of it before.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import WebSocket from "ws";
import { sdk } from "../../web/sdk/test/sources.mjs";
import { KINDS } from "./game_players.mjs";
import { serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000, concurrency: true };
const DELAY_MS = 3000; // much longer than an answer takes

describe("spectator_delay_ms", LIMIT, () => {
    const server = serveFray(["--spectator-delay-ms", String(DELAY_MS)]);

    const enter = (t, kind, name) => KINDS[kind]().open(t, server.url, { name });

    /** Ann and Bob in a new match of tic-tac-toe, and who watches. */
    async function openTable(t, kind) {
        const [ann, bob, eve] = await Promise.all([
            enter(t, "envelope", "Ann"),
            enter(t, "envelope", "Bob"),
            enter(t, kind, "Eve"),
        ]);
        const { match } = await ann.ask("create", { game: "tictactoe" });
        await bob.ask("join", { match });
        assert.equal((await eve.ask("join", { match, as: "spectator" })).role, "spectator");
        return { ann, bob, eve, match };
    }

    for (const kind of Object.keys(KINDS))
        test(`${kind}: the match, its moves and its end, after the players saw them`, async (t) => {
            const { ann, bob, eve } = await openTable(t, kind);
            const roster = await eve.take("match");
            assert.equal(roster.phase, "waiting"); // as it was made
            assert.deepEqual(roster.seats, []);
            assert.equal(roster.spectator_delay_ms, DELAY_MS);
            const { state, number } = await eve.take("state");
            assert.equal(number, 0);
            assert.deepEqual(state.players, []);

            await eve.take("match", ({ phase }) => phase === "playing");
            const moves = [[ann, 0], [bob, 3], [ann, 1], [bob, 4], [ann, 2]]; // prettier-ignore
            for (const [player, cell] of moves) await player.ask("place", { cell });
            const end = await bob.take("end_game");
            await eve.ask("clock"); // what was sent until now has come
            assert.equal(eve.last("placed"), undefined);
            assert.equal(eve.last("end_game"), undefined);
            assert.equal(eve.last("match").phase, "playing");

            assert.deepEqual(await eve.take("end_game"), end);
            const placed = ({ heard }) => heard.filter(({ type }) => type === "placed");
            assert.deepEqual(placed(eve), placed(bob));
            assert.equal(
                (await eve.take("match", ({ phase }) => phase === "over")).seats.length,
                2,
            );
        });

    test("who leaves is still shown; the match is there until the end was", async (t) => {
        const { ann, bob, eve } = await openTable(t, "Socket.IO");
        await eve.take("match", ({ phase }) => phase === "playing");
        await ann.ask("place", { cell: 8 });
        await ann.ask("leave");
        await bob.ask("leave");
        await eve.ask("clock");
        assert.equal(eve.last("match").seats.length, 2);
        await eve.take("state", ({ state }) => state.match.board[8] !== "");
        await eve.take("match_closed");
        assert.equal(eve.last("match").seats.length, 0);
        assert.ok(eve.heard.some(({ type }) => type === "end_game"));
    });

    test("players do not wait, and who takes a seat sees the present", async (t) => {
        const { ann, eve, match, bob } = await openTable(t, "Socket.IO");
        await ann.ask("place", { cell: 4 });
        assert.equal((await bob.take("placed")).cell, 4);
        await bob.ask("leave");
        await eve.ask("leave");
        await eve.ask("join", { match });
        assert.equal(
            (await eve.take("match", ({ seats }) => seats.length === 2)).seats[1].name,
            "Eve",
        );
    });

    test("whoever creates a match may ask for more, and for no less", async (t) => {
        const ann = await enter(t, "Socket.IO", "Ann");
        const delays = { 0: DELAY_MS, 2.5: DELAY_MS, 10: 10_000, 300: 300_000 };
        for (const [seconds, ms] of Object.entries(delays)) {
            const asked = { game: "tictactoe", spectator_delay_s: Number(seconds) };
            const { match } = await ann.ask("create", asked);
            const roster = await ann.take("match", (roster) => roster.match === match);
            assert.equal(roster.spectator_delay_ms, ms);
            await ann.ask("leave");
        }
        for (const seconds of [-1, 301, 1e300])
            await assert.rejects(
                ann.ask("create", { game: "tictactoe", spectator_delay_s: seconds }),
                /out_of_range/,
            );
        await assert.rejects(
            ann.ask("create", { game: "tictactoe", spectator_delay_s: "10" }),
            /wrong_shape/,
        );
    });

    test("@fray/client: snapshots, clock and events of the past", async (t) => {
        const open = async (name) => {
            const client = await sdk.connect({ url: server.url, name, WebSocket });
            t.after(() => client.close());
            return client;
        };
        const [ann, eve] = [await open("Ann"), await open("Eve")];
        const played = await ann.create("duel", {
            bots: 1,
            options: { hits: 1, countdown_ticks: 0 },
        });
        const watched = await eve.join(played.id, { as: "spectator" });
        const desyncs = [];
        watched.on("desync", (desync) => desyncs.push(desync));
        const events = { ann: [], eve: [] };
        played.on("event", (event) => events.ann.push(event));
        watched.on("event", (event) => events.eve.push(event));

        /* Both draw until a round is over for Eve; meanwhile she is never ahead of the delay. */
        const behind = [];
        await new Promise((resolve) => {
            const timer = setInterval(() => {
                const now = performance.now();
                const [present, past] = [played.frame(now), watched.frame(now)];
                if (present.ready && past.ready) behind.push(present.tick - past.tick);
                if (!events.eve.some(({ name }) => name === "end_round")) return;
                clearInterval(timer);
                resolve();
            }, 10);
        });
        assert.ok(
            Math.min(...behind.slice(-100)) > (DELAY_MS * 60) / 1000 - 10,
            `${behind.slice(-5)}`,
        );
        assert.deepEqual(desyncs, []);
        const names = events.eve.map(({ name, tick }) => `${name} ${tick}`);
        const seen = events.ann.map(({ name, tick }) => `${name} ${tick}`);
        assert.deepEqual(names, seen.slice(seen.indexOf(names[0])).slice(0, names.length));
    });
});

describe("spectator_delay_ms, without", LIMIT, () => {
    const server = serveFray([]);
    const enter = (t, name) => KINDS["Socket.IO"]().open(t, server.url, { name });

    test("spectators see what players see; a match may have a delay of its own", async (t) => {
        const [ann, bob, eve] = await Promise.all(["Ann", "Bob", "Eve"].map((n) => enter(t, n)));
        const { match } = await ann.ask("create", { game: "tictactoe" });
        await bob.ask("join", { match });
        await eve.ask("join", { match, as: "spectator" });
        assert.equal((await eve.take("match")).spectator_delay_ms, 0);
        await ann.ask("place", { cell: 4 });
        await eve.take("placed");
        await ann.ask("leave");
        const asked = { game: "tictactoe", spectator_delay_s: 600 };
        await assert.rejects(ann.ask("create", asked), /out_of_range/);
        const own = await ann.ask("create", { ...asked, spectator_delay_s: 20 });
        const roster = await ann.take("match", (roster) => roster.match === own.match);
        assert.equal(roster.spectator_delay_ms, 20_000);
    });

    test("who comes to watch in the moment when all is over harms nobody", async (t) => {
        const [ann, eve] = await Promise.all(["Ann", "Eve"].map((n) => enter(t, n)));
        const crowd = Array.from({ length: 100 }, (_, i) => enter(t, `Comer ${i}`));
        const comers = await Promise.all(crowd);
        /** In turns, so that nobody asks too often. */
        async function comeAndGo(match) {
            for (let turn = 0; ; turn++) {
                const comer = comers[turn % comers.length];
                try {
                    await comer.ask("join", { match, as: "spectator" });
                } catch ({ message }) {
                    return message;
                }
                await comer.ask("leave").catch(() => {}); // it may be over since
            }
        }
        for (let round = 0; round < 4; round++) {
            const content = { game: "tictactoe", bots: 1, spectator_delay_s: 0.2 };
            const { match } = await ann.ask("create", content);
            await eve.ask("join", { match, as: "spectator" });
            await ann.ask("leave");
            assert.equal(await comeAndGo(match), "unknown_match");
            assert.equal((await eve.take("match_closed")).match, match);
        }
        assert.ok((await ann.ask("clock")).now_ms > 0);
    });
});
