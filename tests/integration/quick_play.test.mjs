// Quick play: finding another, agreeing on a start, and what happens when somebody does not come
// (docs/games.md, "Quick play").
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import { EnvelopeSocket } from "./envelope.mjs";
import { KINDS } from "./game_players.mjs";
import { serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const SUITE = { timeout: 180_000 };
const HELLO = [1, 1, 1, 0];
const PING = 3;
const REPORT = 4;
const SNAPSHOT = 0x82;
const PONG = 0x83;
const TICK = 5; // of a SNAPSHOT

const steps = (player) =>
    player.heard.filter((m) => m.type === "matchmaking").map((m) => m.content.phase);
const step = (player, phase, is = () => true) =>
    player.take("matchmaking", (s) => s.phase === phase && is(s));
const refused = (promise, code) => assert.rejects(promise, { message: code });

describe("quick play", SUITE, () => {
    const server = serveFray(["--mqtt-store", "memory"]);
    const open = (t, name, kind = "Socket.IO") => KINDS[kind]().open(t, server.url, { name });

    /** Ann listens, Bob finds her. */
    async function found(t, game, kinds = ["Socket.IO", "envelope"], isBobSilent = false) {
        const ann = await open(t, "Ann", kinds[0]);
        const bob = await open(t, "Bob", kinds[1]);
        bob.isSilent = isBobSilent;
        const joined = await ann.ask("quick_play", { game, wait_s: 60 });
        assert.equal((await bob.ask("quick_play", { game })).match, joined.match);
        return { ann, bob, match: joined.match };
    }

    async function started(t, game, kinds) {
        const all = await found(t, game, kinds);
        await Promise.all([all.ann, all.bob].map((p) => step(p, "started")));
        return all;
    }

    test("nobody sends another away, in a duel or in the arena", LIMIT, async (t) => {
        const { ann, match } = await started(t, "duel", ["Socket.IO", "envelope"]);
        assert.equal((await ann.take("match", (m) => m.phase === "playing")).host_may_kick, false);
        await refused(ann.ask("kick", { seat: 1 }), "not_allowed");
        const [cid, dan] = [await open(t, "Cid"), await open(t, "Dan")];
        await cid.ask("quick_play", { game: "arena" });
        const { seat } = await dan.ask("quick_play", { game: "arena" });
        await refused(cid.ask("kick", { seat }), "not_allowed");
        const own = await cid.ask("leave").then(() => cid.ask("create", { game: "arena" }));
        assert.notEqual(own.match, match);
        assert.equal((await cid.take("match", (m) => m.match === own.match)).host_may_kick, true);
    });

    for (const [game, ...kinds] of [
        ["duel", "Socket.IO", "MQTT"],
        ["tictactoe", "MQTT over websocket", "polling"],
        ["rps", "envelope", "Server-Sent Events"],
    ]) {
        const title = `${game}_${kinds.join("_and_")}`;
        test(`A11_A12_A15_A16_found_agreed_started_${title}`, LIMIT, async (t) => {
            const { ann, bob, match } = await found(t, game, kinds);
            const agreed = await Promise.all([ann, bob].map((p) => step(p, "agreed")));
            assert.equal(
                ann.heard.find(({ type }) => type === "matchmaking").content.bot_in_ms,
                60_000,
            );
            assert.ok(agreed[0].start_in_ms >= 1490 && agreed[0].start_in_ms <= 3020);
            assert.equal(agreed[0].start_ms, agreed[1].start_ms, "the same moment");
            assert.equal(agreed[0].start_tick, 0);
            const { now_ms } = await ann.ask("clock");
            assert.ok(now_ms < agreed[0].start_ms);
            await Promise.all([ann, bob].map((p) => step(p, "started", (s) => !s.bot)));
            const { now_ms: after } = await ann.ask("clock");
            assert.ok(after >= agreed[0].start_ms);
            assert.deepEqual(steps(ann), ["listening", "found", "agreed", "started"]);
            assert.deepEqual(steps(bob), ["found", "agreed", "started"]);
            for (const player of [ann, bob]) {
                await player.take("match", (m) => m.phase === "playing");
                assert.equal(player.last("match").matchmaking, "started");
                const { player: joiner } = await step(player, "found");
                const { id } = bob.last("joined");
                assert.deepEqual(joiner, { seat: 1, id, name: "Bob" });
                await player.take("state", ({ state }) => state.players.length === 2);
                const early = player.heard
                    .slice(
                        0,
                        player.heard.findIndex((m) => m.content?.phase === "started"),
                    )
                    .filter((m) => m.type === "state");
                assert.ok(early.every((m) => m.content.state.players.length === 0));
            }
            await ann.ask("leave");
            assert.equal((await bob.take("player_out")).reason, "left");
            await bob.ask("leave");
            assert.ok(match);
        });
    }

    test("A17_A20_the_joiner_is_killed_and_a_third_finds_the_owner", LIMIT, async (t) => {
        const { ann, bob, match } = await found(t, "duel");
        await step(ann, "agreed");
        bob.close();
        const again = await step(ann, "listening", (s) => s.reason);
        assert.equal(again.reason, "lost");
        assert.equal(again.match, match);
        assert.ok(!steps(ann).includes("started"), "before the deadline");
        const cid = await open(t, "Cid", "MQTT");
        assert.equal((await cid.ask("quick_play", { game: "duel" })).match, match);
        await Promise.all([ann, cid].map((p) => step(p, "started")));
        await ann.take("match", (m) => m.seats[1]?.name === "Cid" && m.phase === "playing");
    });

    test("A17_A18_who_shows_no_sign_of_life_is_out", LIMIT, async (t) => {
        const { ann, bob, match } = await found(t, "tictactoe", ["MQTT", "Socket.IO"], true);
        const out = await bob.take("kicked");
        assert.equal(out.reason, "no_show");
        assert.equal(out.match, match);
        assert.equal((await ann.take("player_out")).reason, "no_show");
        assert.equal((await step(ann, "listening", (s) => s.reason)).reason, "no_show");
        await ann.take("match", (m) => m.matchmaking === "listening" && m.phase === "waiting");
        await ann.take("state", (s) => s.state.players.length === 0);
        bob.isSilent = false; // it may try again
        assert.equal((await bob.ask("quick_play", { game: "tictactoe" })).match, match);
        await Promise.all([ann, bob].map((p) => step(p, "started")));
    });

    test("A17_an_acknowledgement_is_a_sign_of_life", LIMIT, async (t) => {
        const { ann, bob } = await found(t, "rps", ["Socket.IO", "Socket.IO"], true);
        bob.socket.on("matchmaking", (_step, ack) => ack?.());
        await Promise.all([ann, bob].map((p) => step(p, "started")));
        bob.close(); // the seat of who has shown itself is kept
        await ann.take("match", (m) => m.seats[1]?.connected === false && m.phase === "playing");
        assert.equal(ann.last("player_out"), undefined);
    });

    test("who leaves another for who listens finds that one there", LIMIT, async (t) => {
        const [ann, bob, cid] = await Promise.all(["Ann", "Bob", "Cid"].map((n) => open(t, n)));
        const ask = { game: "duel", wait_s: 600 };
        const { match: first } = await ann.ask("quick_play", ask);
        assert.equal((await bob.ask("quick_play", ask)).match, first);
        const { match } = await cid.ask("quick_play", ask);
        assert.notEqual(match, first);
        assert.equal((await ann.ask("join", { match, leave: true })).match, match);
        await cid.take("matchmaking", ({ phase }) => phase === "found");
        for (const player of [ann, bob, cid]) await player.ask("leave");
    });

    test("A21_A35_alone_one_plays_a_bot", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match } = await ann.ask("quick_play", { game: "duel" });
        const first = await step(ann, "listening");
        assert.equal(first.wait_ms, 8000, "by default");
        assert.equal(first.players_waiting, 1);
        await ann.ask("quick_play", { game: "duel", wait_s: 0.2 });
        assert.equal((await step(ann, "started")).bot, true);
        const roster = await ann.take("match", (m) => m.match !== match && m.phase === "playing");
        assert.equal(typeof roster.seats[1].bot, "number");
        await ann.take("state", ({ state }) => state.match.tick > 0);
        await refused(ann.ask("quick_play", { game: "duel" }), "already_in_match");
        await refused(ann.ask("join", { match }), "already_in_match");
        await ann.ask("leave");
        for (const [wait_s, code] of [
            [-1, "out_of_range"],
            [601, "out_of_range"],
            ["1", "wrong_shape"],
        ])
            await refused(ann.ask("quick_play", { game: "duel", wait_s }), code);
        await refused(ann.ask("leave", { reason: "bored" }), "not_in_match");
    });

    test("A34_a_third_is_told_full_and_goes_on_listening", LIMIT, async (t) => {
        const { match } = await started(t, "duel");
        const cid = await open(t, "Cid", "envelope");
        const own = await cid.ask("quick_play", { game: "duel", wait_s: 60 });
        assert.notEqual(own.match, match);
        await refused(cid.ask("join", { match }), "match_full");
        assert.equal(cid.last("match").matchmaking, "listening");
        const dan = await open(t, "Dan");
        await refused(dan.ask("join", { match }), "match_full");
        assert.equal((await dan.ask("quick_play", { game: "duel" })).match, own.match);
        await Promise.all([cid, dan].map((p) => step(p, "started")));
        const eve = await open(t, "Eve");
        await eve.ask("quick_play", { game: "duel", wait_s: 60 });
        assert.equal((await eve.ask("join", { match, as: "spectator" })).role, "spectator");
    });

    test("two_who_listen_apart_are_brought_together", LIMIT, async (t) => {
        const { ann, bob, match } = await found(t, "tictactoe");
        const cid = await open(t, "Cid", "MQTT");
        const own = await cid.ask("quick_play", { game: "tictactoe", wait_s: 60 });
        assert.notEqual(own.match, match);
        await bob.ask("leave", { reason: "error" });
        assert.equal((await step(ann, "listening", (s) => s.reason)).reason, "error");
        assert.equal((await cid.take("joined", (j) => j.match === match)).role, "player");
        await Promise.all([ann, cid].map((p) => step(p, "started", (s) => s.match === match)));
        await refused(bob.ask("join", { match: own.match }), "unknown_match");
    });

    test("who leaves an over match for who listens finds that one there", LIMIT, async (t) => {
        const { ann, bob, match } = await found(t, "rps", ["Socket.IO", "Socket.IO"], true);
        await step(ann, "started");
        const dan = await open(t, "Dan");
        await dan.ask("join", { match });
        const eve = await open(t, "Eve");
        const own = await eve.ask("quick_play", { game: "rps", wait_s: 60 });
        assert.notEqual(own.match, match);
        bob.close(); // a no-show: with it the game is over
        await ann.take("match", (m) => m.match === match && m.phase === "over");
        assert.equal((await ann.ask("join", { match: own.match })).match, own.match);
        await step(eve, "found"); // and not led to Dan, who is left in the other
        await step(dan, "listening");
    });

    test("A04_who_is_left_moves_up_to_the_first_seat", LIMIT, async (t) => {
        const { ann, bob, match } = await found(t, "duel");
        await step(bob, "agreed");
        await refused(ann.ask("start_game"), "not_ready");
        await ann.ask("leave");
        assert.equal((await step(bob, "listening", (s) => s.reason)).reason, "left");
        const joined = await bob.take("joined", (j) => j.seat === 0);
        assert.deepEqual([joined.match, joined.role], [match, "player"]);
        const tokens = bob.heard.filter((m) => m.type === "joined").map((m) => m.content.token);
        assert.equal(tokens.length, 2);
        const cid = await open(t, "Cid");
        assert.equal((await cid.ask("quick_play", { game: "duel" })).seat, 1);
        await Promise.all([bob, cid].map((p) => step(p, "started")));
        await bob.take("match", (m) => m.phase === "playing" && m.seats[0].name === "Bob");
        bob.close();
        const again = await open(t, "Bob");
        await refused(again.ask("reconnect", { match, token: tokens[0] }), "bad_token");
        assert.equal((await again.ask("reconnect", { match, token: tokens[1] })).seat, 0);
    });

    test("quick play brings nobody where a host may send him away", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const { match } = await ann.ask("create", { game: "duel" });
        const bob = await open(t, "Bob");
        const own = await bob.ask("quick_play", { game: "duel", wait_s: 60 });
        assert.notEqual(own.match, match);
        await bob.ask("join", { match }); // by itself it may
        await ann.take("match", (m) => m.phase === "playing");
    });

    test("who_is_lost_while_listening_is_out", LIMIT, async (t) => {
        const watcher = await open(t, "Watcher", "envelope");
        await watcher.ask("lobby");
        const ann = await open(t, "Ann");
        const { match } = await ann.ask("quick_play", { game: "rps", wait_s: 60 });
        await watcher.take("lobby", (l) => l.matches.some((m) => m.match === match && m.open));
        ann.close();
        await watcher.take("lobby", (l) => !l.matches.some((m) => m.match === match));
        const bob = await open(t, "Bob");
        assert.notEqual((await bob.ask("quick_play", { game: "rps" })).match, match);
    });

    test("A18_a_client_that_cannot_go_on_has_a_bot_play_on", LIMIT, async (t) => {
        const { ann, bob } = await started(t, "duel");
        await bob.ask("leave", { reason: "error" });
        const out = await ann.take("player_out");
        assert.deepEqual([out.seat, out.reason, out.bot], [1, "error", true]);
        await ann.take(
            "match",
            (m) => typeof m.seats[1]?.bot === "number" && m.phase === "playing",
        );
        await bob.ask("create", { game: "rps" });
    });

    test("after_the_end_both_may_play_again", LIMIT, async (t) => {
        const { ann, bob, match } = await started(t, "tictactoe");
        await ann.take("state", (s) => s.state.match.phase === "playing");
        for (const [player, cell] of [
            [ann, 0],
            [bob, 3],
            [ann, 1],
            [bob, 4],
            [ann, 2],
        ])
            await player.ask("place", { cell });
        await bob.take("end_game");
        await ann.ask("rematch");
        await bob.ask("rematch");
        await bob.take("match", (m) => m.phase === "over");
        await refused(bob.ask("quick_play", { game: "tictactoe" }), "already_in_match");
        for (const [player, cell] of [
            [bob, 0],
            [ann, 3],
            [bob, 1],
            [ann, 4],
            [bob, 2],
        ])
            await player.ask("place", { cell });
        const other = await bob.ask("quick_play", { game: "tictactoe", wait_s: 60 });
        assert.notEqual(other.match, match);
        assert.equal((await ann.ask("quick_play", { game: "tictactoe" })).match, other.match);
        await Promise.all([ann, bob].map((p) => step(p, "started", (s) => s.match !== match)));
    });
});

describe("quick play by packets", SUITE, () => {
    const server = serveFray([]);

    /** A client whose way to the server, and back, takes `latency` ms. */
    async function far(t, name, latency) {
        const client = await new EnvelopeSocket().open(t, server.url, {
            namespace: "/games",
            name,
        });
        const heard = [];
        const push = client.push.bind(client);
        client.push = (message) =>
            setTimeout(() => {
                if (Buffer.isBuffer(message.content))
                    heard.push({ packet: message.content, at: performance.now() });
                push(message);
            }, latency);
        const say = (data) => setTimeout(() => client.socket.send(data), latency);
        return {
            client,
            heard,
            tell: (type, content = {}, id = undefined) =>
                say(JSON.stringify({ type, content, id })),
            packet: (bytes) => say(Buffer.from(bytes)),
            take: (type, is) => client.take(type, is),
            takePacket: (type, is = () => true) =>
                client.take("message", (p) => Buffer.isBuffer(p) && p[0] === type && is(p)),
        };
    }

    async function agreed(t, latencies) {
        const players = [];
        for (const [i, latency] of latencies.entries()) {
            const player = await far(t, `P${i}`, latency);
            player.tell("quick_play", { game: "duel" });
            await player.take("joined");
            player.packet(HELLO);
            players.push(player);
        }
        for (const player of players) {
            player.found = await player.client.takeMessage(
                "matchmaking",
                (s) => s.phase === "found",
            );
            player.tell("ack", {}, player.found.id);
        }
        for (const player of players)
            player.agreed = await player.take("matchmaking", (s) => s.phase === "agreed");
        return players;
    }

    /** Between which two of its times tick 0 was, or will be: a PONG tells the server's tick at
     * some moment between its PING and itself. */
    async function boundsOfTickZero(player, stamp) {
        const sent = performance.now();
        player.packet([PING, stamp, 0, 0, 0]);
        const pong = await player.takePacket(PONG, (p) => p[1] === stamp);
        const tick = pong.readInt32LE(5) + pong.readUInt16LE(9) / 65536;
        return {
            tick,
            after: sent - (tick * 1000) / 60,
            before: performance.now() - (tick * 1000) / 60,
        };
    }

    test("A15_A16_clients_of_other_latencies_know_one_start", LIMIT, async (t) => {
        const players = await agreed(t, [5, 150]);
        assert.equal(players[0].agreed.start_ms, players[1].agreed.start_ms);
        const bounds = [];
        for (let stamp = 1; stamp <= 3; stamp++)
            bounds.push(...(await Promise.all(players.map((p) => boundsOfTickZero(p, stamp)))));
        assert.ok(bounds[0].tick < 0, "the start is yet to come");
        await Promise.all(players.map((p) => p.take("matchmaking", (s) => s.phase === "started")));
        bounds.push(...(await Promise.all(players.map((p) => boundsOfTickZero(p, 9)))));
        assert.ok(bounds.at(-1).tick >= 0);
        const after = Math.max(...bounds.map((b) => b.after));
        const before = Math.min(...bounds.map((b) => b.before));
        assert.ok(after - before <= 1000 / 60, "all agree, to a tick");
        const firsts = await Promise.all(players.map((p) => p.takePacket(SNAPSHOT)));
        assert.equal(
            firsts[0].readUInt32LE(TICK),
            firsts[1].readUInt32LE(TICK),
            "the same first tick",
        );
        assert.ok(firsts[0].readUInt32LE(TICK) <= 3, "the first that is due");
    });

    async function settled(t) {
        const players = await agreed(t, [0, 0]);
        for (const player of players) {
            player.tell("ready", {}, 3);
            await player.client.takeMessage("ack", (_, m) => m.id === 3);
        }
        return players;
    }

    const report = [REPORT, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    test("A22_A23_reports_at_the_threshold_bring_a_bot_and_one_does_not", LIMIT, async (t) => {
        const [ann, bob] = await settled(t);
        bob.packet(report); // at the start it is normal
        await Promise.all(
            [ann, bob].map((p) => p.take("matchmaking", (s) => s.phase === "started")),
        );
        await bob.takePacket(SNAPSHOT);
        for (let i = 0; i < 5; i++) bob.packet(report);
        const kicked = await bob.take("kicked");
        assert.equal(kicked.reason, "error");
        const out = await ann.take("player_out");
        assert.deepEqual([out.reason, out.bot], ["error", true]);
        await ann.take(
            "match",
            (m) => typeof m.seats[1]?.bot === "number" && m.phase === "playing",
        );
        bob.tell("lobby", { watch: false }, 7);
        await bob.client.takeMessage("ack", (_, m) => m.id === 7); // the connection is kept
    });

    test("A18_A22_nonsense_is_cheating_and_the_match_goes_on", LIMIT, async (t) => {
        const [ann, bob] = await settled(t);
        await Promise.all(
            [ann, bob].map((p) => p.take("matchmaking", (s) => s.phase === "started")),
        );
        for (let i = 0; i < 6; i++) bob.packet([2, 255]);
        assert.equal((await bob.take("kicked")).reason, "cheating");
        assert.equal((await bob.client.closed).code, 4001);
        const out = await ann.take("player_out");
        assert.deepEqual([out.reason, out.bot], ["cheating", true]);
        await ann.take(
            "match",
            (m) => typeof m.seats[1]?.bot === "number" && m.phase === "playing",
        );
    });
});
