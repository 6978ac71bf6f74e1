// Ticked games of /games with clients that have no SDK: JSON actions, states and events, as
// docs/games.md says.
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { KINDS } from "./game_players.mjs";
import { serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const FIELD = { obstacles: 0, width: 150, height: 150, respawn_ticks: 20, cooldown_ticks: 5 };
const QUICK_DUEL = { hits: 1, rounds: 1, countdown_ticks: 0, pause_ticks: 1, round_ticks: 0 };

describe("ticked games", LIMIT, () => {
    const server = serveFray(["--mqtt-store", "memory"]);
    const open = (t, name, kind = "Socket.IO", auth = {}) =>
        KINDS[kind]().open(t, server.url, { name, ...auth });

    /** Ann, Bob and more in a new match. */
    async function seated(t, create, kinds = ["Socket.IO", "Socket.IO"]) {
        const players = [];
        let match;
        for (const [i, kind] of kinds.entries()) {
            const player = await open(t, ["Ann", "Bob", "Cid", "Dee"][i], kind);
            const joined = match
                ? await player.ask("join", { match })
                : await player.ask("create", create);
            match = joined.match;
            player.seat = joined.seat;
            player.id = joined.id;
            players.push(player);
        }
        return { match, players };
    }

    const own = (state) => state.state.players.find((p) => p.seat === state.seat);
    const of = (state, seat) => state.state.players.find((p) => p.seat === seat);
    const sees = (player, is) => player.take("state", is);

    /** Walks until it stands on the other; each step is judged by the server. */
    async function walkTo(player, seat) {
        for (;;) {
            const state = await sees(player, (s) => of(s, seat));
            const [me, other] = [own(state), of(state, seat)];
            const [dx, dy] = [other.x - me.x, other.y - me.y];
            if (Math.hypot(dx, dy) < 5) return;
            const part = Math.min(1, 60 / Math.hypot(dx, dy));
            await player.ask("move", { x: me.x + dx * part, y: me.y + dy * part });
        }
    }

    for (const kinds of [
        ["Socket.IO", "envelope"],
        ["MQTT", "Socket.IO"],
    ]) {
        test(`C13_C18_arena_walk_attack_kill_respawn_${kinds}`, LIMIT, async (t) => {
            const { players } = await seated(t, { game: "arena", options: FIELD }, kinds);
            const [ann, bob] = players;
            assert.equal((await ann.take("new_player", (e) => e.id === bob.id)).position.hp, 100);
            await walkTo(ann, bob.seat);
            const moved = ann.last("player_moved");
            assert.equal(moved.id, ann.id);
            assert.equal(moved.position.hp, 100);
            for (let hp = 90; hp >= 0; hp -= 10) {
                await ann.ask("attack", {});
                const hit = await bob.take("player_attacked");
                assert.deepEqual(hit, { id: bob.id, hp });
                await sees(ann, (s) => of(s, bob.seat)?.hp === hp);
                const { ready_tick } = own(ann.last("state"));
                await sees(ann, (s) => s.state.match.tick >= ready_tick);
            }
            for (const player of players)
                assert.deepEqual(await player.take("player_killed"), { id: bob.id, by: ann.id });
            const dead = await sees(bob, (s) => own(s).hp === 0);
            const back = await sees(bob, (s) => own(s).hp === 100 && own(s).deaths === 1);
            const ticks = back.state.match.tick - dead.state.match.tick;
            assert.ok(ticks >= FIELD.respawn_ticks - 2 && ticks <= FIELD.respawn_ticks + 2, ticks);
            assert.equal((await sees(ann, (s) => own(s).score === 1)).seat, ann.seat);
            assert.deepEqual(await ann.ask("leave"), {});
            assert.deepEqual(await bob.take("player_left"), { id: ann.id });
        });
    }

    test("C29_the_state_of_a_tick_is_the_same_for_all", LIMIT, async (t) => {
        const kinds = ["Socket.IO", "envelope", "Server-Sent Events", "Socket.IO"];
        const create = { game: "arena", options: { ...FIELD, sight: 8000 }, bots: 7 };
        const { players } = await seated(t, create, kinds);
        for (const [i, player] of players.entries())
            await player.ask("steer", { dx: 40 * i - 60, dy: 90 });
        const byTick = new Map();
        const secrets = ["dx", "dy", "mode", "target_x", "target_y", "ready_tick", "respawn_tick"];
        const since = players.at(-1).last("state").state.match; /* all have come */
        await sees(players[0], (s) => s.state.match.tick > since.tick + 60);
        for (const player of players) {
            for (const { type, content } of player.heard) {
                if (type !== "state" || content.state.match.tick <= since.tick) continue;
                const { state } = structuredClone(content);
                for (const row of state.players) for (const key of secrets) delete row[key];
                const { tick } = state.match;
                if (!byTick.has(tick)) byTick.set(tick, []);
                byTick.get(tick).push(JSON.stringify(state));
            }
        }
        const shared = [...byTick.values()].filter((states) => states.length > 1);
        assert.ok(shared.length > 20, `${shared.length} ticks that several saw`);
        for (const states of shared) assert.equal(new Set(states).size, 1);
    });

    test("A07_A34_a_duel_until_a_rematch", LIMIT, async (t) => {
        const { match, players } = await seated(t, { game: "duel", options: QUICK_DUEL });
        const [ann, bob] = players;
        const cid = await open(t, "Cid");
        await assert.rejects(cid.ask("join", { match }), { message: "match_full" });
        await cid.ask("join", { match, as: "spectator" });
        for (const player of players)
            assert.deepEqual(await player.take("start_round"), { round: 1 });
        const start = await sees(ann, (s) => s.state.match.phase === "playing");
        const [left, right] = [of(start, 0), of(start, 1)];
        assert.ok(left.x < right.x, "the creator is on the left");
        await bob.ask("input", {
            aim_x: Math.round(left.x),
            aim_y: Math.round(left.y) - 20,
            fire: 1,
        });
        for (const player of [...players, cid]) {
            assert.deepEqual(await player.take("player_killed"), { id: ann.id, by: bob.id });
            const end = await player.take("end_game");
            assert.equal(end.winner, bob.id);
            assert.deepEqual(
                end.results.map((r) => r.outcome),
                ["lost", "won"],
            );
            await player.take("match", (m) => m.phase === "over");
        }
        await ann.ask("rematch");
        await bob.take("match", (m) => m.seats[0].rematch && !m.seats[1].rematch);
        await bob.ask("rematch");
        for (const player of players)
            assert.deepEqual(await player.take("start_round"), { round: 1 });
        const again = await ann.take(
            "match",
            (m) => m.phase === "playing" && m.seats[1].id === bob.id,
        );
        assert.ok(again.seats.every((s) => !s.rematch));
    });

    test("A24_a_duel_against_a_bot", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        await ann.ask("create", { game: "duel", options: { ...QUICK_DUEL, hits: 2 }, bots: 1 });
        await ann.take("match", (m) => m.seats.length === 2 && m.seats[1].bot !== null);
        const hit = await ann.take("player_hit");
        assert.equal(hit.id, ann.last("joined").id, "who stands still is hit");
    });

    test("quick_play_finds_an_arena_with_bots_that_make_way", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match } = await ann.ask("quick_play", { game: "arena" });
        await ann.take(
            "match",
            (m) => m.seats.length === 8 && m.seats.filter((s) => s.bot !== null).length === 7,
        );
        const bob = await open(t, "Bob", "envelope");
        assert.equal((await bob.ask("quick_play", { game: "arena" })).match, match);
        await bob.take(
            "match",
            (m) => m.seats.length === 8 && m.seats.filter((s) => s.bot !== null).length === 6,
        );
        await bob.ask("leave");
        await ann.take("match", (m) => m.seats.filter((s) => s.bot !== null).length === 7);
    });

    test("A31_A32_who_cheats_gains_nothing_and_is_put_out", LIMIT, async (t) => {
        const { match, players } = await seated(t, { game: "arena", options: FIELD });
        const [ann, bob] = players;
        const reasons = new Set();
        bob.socket.on("error", (e) => reasons.add(e.code));
        const closed = new Promise((resolve) => bob.socket.on("disconnect", resolve));
        /* Many a tick, swings faster than the cooldown, leaps across the map. */
        for (let i = 0; i < 40; i++) bob.socket.emit("steer", { dx: 127, dy: 0 });
        for (let i = 0; i < 5; i++) bob.socket.emit("attack", {});
        const before = await sees(ann, (s) => of(s, 1)?.swings > 0);
        const after = await sees(ann, (s) => s.state.match.tick > before.state.match.tick + 4);
        const ticks = after.state.match.tick - before.state.match.tick;
        assert.ok(of(after, 1).x - of(before, 1).x <= 5 * ticks, "no faster than others");
        assert.equal(of(after, 1).swings, 1, "no swing but one");
        for (let i = 0; i < 45; i++) bob.socket.emit("move", { x: 2000, y: 2000 });
        const kicked = await bob.take("kicked");
        assert.equal(kicked.reason, "cheating");
        assert.equal(kicked.match, match);
        await closed;
        assert.ok(reasons.has("too_far"), [...reasons]);
        await ann.take("player_left", (e) => e.id === bob.id);
        await ann.take("match", (m) => m.seats.length === 1);
        const { tick } = ann.last("state").state.match;
        await sees(ann, (s) => s.state.match.tick > tick + 10);
        const back = await open(t, "Bob");
        await assert.rejects(back.ask("join", { match }), { message: "kicked" });
    });

    test("A22_A23_a_bot_plays_on_for_who_is_put_out_of_a_duel", LIMIT, async (t) => {
        const { players } = await seated(t, { game: "duel", options: { hits: 100 } });
        const [ann, bob] = players;
        bob.socket.emit("input", { walk: 7 });
        await bob.take("error", (e) => e.code === "out_of_range");
        assert.ok(!bob.last("kicked"), "one error is none");
        for (let i = 0; i < 12; i++) bob.socket.emit("input", { aim_x: 5000 });
        assert.equal((await bob.take("kicked")).reason, "cheating");
        const roster = await ann.take("match", (m) => m.seats[1]?.bot === 1);
        assert.equal(roster.phase, "playing");
        assert.equal((await ann.take("player_hit")).id, ann.id);
    });

    test("a_seat_waits_for_its_player", LIMIT, async (t) => {
        const { match, players } = await seated(t, { game: "duel" });
        const [ann, bob] = players;
        const { token } = bob.last("joined");
        bob.close();
        await ann.take("match", (m) => m.seats[1]?.connected === false);
        const back = await open(t, "Bob");
        assert.equal((await back.ask("reconnect", { match, token })).seat, 1);
        await ann.take("match", (m) => m.seats[1]?.connected === true);
        await back.ask("input", { walk: -1 });
        const { x } = of(await sees(ann, (s) => s.state.match.phase === "playing"), 1);
        await sees(ann, (s) => of(s, 1)?.x < x - 20);
    });
});

describe("watching", LIMIT, () => {
    const server = serveFray();
    const open = (t, name, kind = "Socket.IO") => KINDS[kind]().open(t, server.url, { name });

    test("bots_fight_for_who_watches_and_one_may_drop_in", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match, role } = await ann.ask("watch", { game: "arena" });
        assert.equal(role, "spectator");
        await ann.take("match", (m) => m.seats.length === 8 && m.phase === "playing");
        await ann.take("state", (s) => s.state.players.some(({ swings }) => swings > 0));
        const bob = await open(t, "Bob", "envelope");
        assert.equal((await bob.ask("watch", { game: "arena" })).match, match);
        // To play where one watches, and back, without leaving.
        assert.equal((await ann.ask("join", { match })).role, "player");
        await bob.take("match", (m) => m.seats.some(({ name }) => name === "Ann"));
        await assert.rejects(ann.ask("join", { match }), { message: "already_in_match" });
        const { token } = ann.last("joined");
        await assert.rejects(ann.ask("reconnect", { match, token }), {
            message: "already_in_match",
        });
        await bob.ask("leave");
        assert.equal((await ann.ask("join", { match, as: "spectator" })).role, "spectator");
        await ann.take("match", (m) => m.seats.every(({ bot }) => bot !== null));
        assert.equal((await bob.ask("quick_play", { game: "arena" })).match, match);
        await ann.ask("leave");
        await bob.ask("leave");
        await assert.rejects(ann.ask("join", { match }), { message: "unknown_match" });
        await assert.rejects(ann.ask("watch", { game: "duel" }), { message: "unknown_match" });
    });

    test("who_listens_alone_cannot_come_to_the_own_match", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match, token } = await ann.ask("quick_play", { game: "tictactoe" });
        for (const [type, content] of [
            ["join", { match }],
            ["join", { match, as: "spectator" }],
            ["reconnect", { match, token }],
        ])
            await assert.rejects(ann.ask(type, content), { message: "already_in_match" });
        await ann.ask("leave");
    });
});
