// /games: matches over every kind of client, as docs/games.md says.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import test, { describe } from "node:test";
import { promisify } from "node:util";
import mqtt from "mqtt";
import { KINDS } from "./game_players.mjs";
import { GAMES, serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

describe("games", LIMIT, () => {
    const server = serveFray(["--mqtt-store", "memory"]);
    const open = (t, name, kind = "Socket.IO", auth = {}, extraHeaders) =>
        KINDS[kind]().open(t, server.url, { name, ...auth }, extraHeaders);

    /** Ann and Bob (and more) in a new match. */
    async function seated(t, create, others = [["Bob", "envelope"]], kind = "Socket.IO") {
        const ann = await open(t, "Ann", kind);
        const joined = await ann.ask("create", create);
        const players = [ann];
        for (const [name, kind] of others) {
            const player = await open(t, name, kind);
            await player.ask("join", { match: joined.match });
            players.push(player);
        }
        return { match: joined.match, joined, players };
    }

    const refused = (promise, code) => assert.rejects(promise, { message: code });

    /** Until the player sees a state that satisfies `is`. */
    const sees = (player, is) => player.take("state", (s) => is(s.state.match, s));

    async function place(players, cells) {
        let turn = players[0].last("state").state.match.turn;
        const ids = new Map(players.map((p) => [p.last("joined").id, p]));
        for (const [n, cell] of cells.entries()) {
            await ids.get(turn).ask("place", { cell });
            for (const player of players)
                await sees(player, (m, s) => m.moves_count === n + 1 && (turn = m.turn));
        }
    }

    for (const [first, second] of [
        ["Socket.IO", "envelope"],
        ["envelope", "Socket.IO"],
        ["Server-Sent Events", "MQTT"],
        ["MQTT over websocket", "polling"],
    ]) {
        test(`B17_B18_B26_tictactoe_${first}_against_${second}_with_rematch`, LIMIT, async (t) => {
            const { players } = await seated(t, { game: "tictactoe" }, [["Bob", second]], first);
            const [ann, bob] = players;
            for (const player of players)
                assert.deepEqual(await player.take("start_game"), { first: ann.last("joined").id });
            await Promise.all(players.map((p) => sees(p, (m) => m.phase === "playing")));
            await place(players, [0, 3, 1, 4, 2]);
            for (const player of players) {
                const end = await player.take("end_game");
                assert.equal(end.winner, ann.last("joined").id);
                assert.equal(end.ending, 1);
                assert.deepEqual(
                    end.results.map((r) => [r.seat, r.name, r.outcome]),
                    [
                        [0, "Ann", "won"],
                        [1, "Bob", "lost"],
                    ],
                );
                const { state } = player.last("state");
                assert.deepEqual(state.match.line, [0, 1, 2]);
                assert.deepEqual(state.match.board, ["x", "x", "x", "o", "o", "", "", "", ""]);
                assert.deepEqual(state.match.moves.slice(0, 5), [0, 3, 1, 4, 2]);
            }
            assert.deepEqual(await ann.ask("rematch"), {});
            await bob.take("match", (m) => m.seats[0].rematch);
            assert.deepEqual(await bob.ask("rematch"), {});
            for (const player of players)
                assert.deepEqual(await player.take("start_game"), { first: bob.last("joined").id });
        });
    }

    test("what is wrong with a request is said", LIMIT, async (t) => {
        const { match, players } = await seated(t, { game: "tictactoe", bots: 1 }, []);
        const [ann] = players;
        const same = { match, leave: true };
        for (const [type, content, code, sentence] of [
            ["place", { cell: 9 }, "out_of_range", "cell is an integer from 0 to 8."],
            ["place", {}, "wrong_shape", "place takes an object with cell."],
            ["kick", {}, "wrong_shape", "seat is the number of a seat."],
            ["join", same, "already_in_match", "It is the one that you are in."],
            [
                "watch",
                { game: "duel", leave: true },
                "unknown_match",
                "Nobody plays Duel just now.",
            ],
        ]) {
            await refused(ann.ask(type, content), code);
            assert.equal(ann.last("error").message, sentence);
        }
        const options = { turns: 3 };
        const create = { game: "tictactoe", options, leave: true };
        await refused(ann.ask("create", create), "unknown_option");
        assert.equal(
            ann.last("error").message,
            'tictactoe has no option "turns". It has: turn_ms.',
        );
        await refused(ann.ask("create", { game: "chess", leave: true }), "unknown_game");
        assert.match(ann.last("error").message, /no such game/, "not what was said before");
    });

    test("B26_every_refusal_leaves_the_state_as_it_was", LIMIT, async (t) => {
        const { match, players } = await seated(t, { game: "tictactoe" });
        const [ann, bob] = players;
        await place(players, [4]);
        const before = structuredClone(ann.last("state"));
        const cid = await open(t, "Cid");
        for (const [player, type, content, code] of [
            [ann, "place", { cell: 0 }, "not_your_turn"],
            [bob, "place", { cell: 4 }, "cell_taken"],
            [bob, "place", { cell: 9 }, "out_of_range"],
            [bob, "place", { cell: -1 }, "out_of_range"],
            [bob, "place", { cell: 1.5 }, "wrong_shape"],
            [bob, "place", { cell: "4" }, "wrong_shape"],
            [bob, "place", {}, "wrong_shape"],
            [bob, "place", [0], "wrong_shape"],
            [bob, "place", 0, "wrong_shape"],
            [bob, "rematch", {}, "game_not_over"],
            [bob, "choose", { choice: 1 }, "unknown_type"],
            [bob, "fly", {}, "unknown_type"],
            [bob, "start_game", {}, "not_host"],
            [ann, "start_game", {}, "already_started"],
            [bob, "add_bot", {}, "not_host"],
            [ann, "add_bot", { level: 1 }, "match_full"],
            [ann, "add_bot", { level: 3 }, "bad_level"],
            [ann, "add_bot", { level: "x" }, "wrong_shape"],
            [bob, "kick", { seat: 0 }, "not_host"],
            [ann, "kick", { seat: 0 }, "unknown_seat"],
            [ann, "kick", { seat: 7 }, "unknown_seat"],
            [ann, "kick", { seat: -1 }, "unknown_seat"],
            [ann, "kick", { seat: 4294967297 }, "unknown_seat"],
            [ann, "kick", {}, "wrong_shape"],
            [ann, "ready", { ready: 1 }, "wrong_shape"],
            [ann, "create", { game: "rps" }, "already_in_match"],
            [ann, "quick_play", { game: "rps" }, "already_in_match"],
            [ann, "join", { match }, "already_in_match"],
            [ann, "name", { name: "\u202e" }, "bad_name"],
            [ann, "name", {}, "wrong_shape"],
            [cid, "join", { match }, "match_full"],
            [cid, "join", { match: "nonsense" }, "unknown_match"],
            [cid, "join", {}, "wrong_shape"],
            [cid, "join", { match, as: "king" }, "wrong_shape"],
            [cid, "reconnect", { match, token: "AAAAAAAAAAAAAAAAAAAA" }, "bad_token"],
            [cid, "reconnect", { match }, "wrong_shape"],
            [cid, "place", { cell: 0 }, "not_in_match"],
            [cid, "leave", {}, "not_in_match"],
            [cid, "leave", { match, token: "AAAAAAAAAAAAAAAAAAAA" }, "bad_token"],
            [cid, "leave", { match, token: 5 }, "wrong_shape"],
            [cid, "leave", { match: "nonsense", token: "q8" }, "unknown_match"],
            [ann, "leave", { match: "nonsense" }, "not_in_match"],
            [ann, "leave", { match: "nonsense", token: ann.last("joined").token }, "unknown_match"],
            [
                cid,
                "leave",
                { match, token: ann.last("joined").token, reason: "bored" },
                "wrong_shape",
            ],
            [cid, "create", { game: "chess" }, "unknown_game"],
            [cid, "create", { game: "chess" }, "unknown_game"],
            [cid, "create", {}, "wrong_shape"],
            [cid, "create", { game: "rps", options: { sides: 3 } }, "unknown_option"],
            [cid, "create", { game: "rps", options: { kinds: "3" } }, "wrong_shape"],
            [cid, "create", { game: "rps", options: [] }, "wrong_shape"],
            [cid, "create", { game: "rps", start: "later" }, "wrong_shape"],
            [cid, "create", { game: "rps", private: "yes" }, "wrong_shape"],
            [cid, "quick_play", {}, "wrong_shape"],
            [cid, "lobby", { watch: 1 }, "wrong_shape"],
            [ann, "create", { game: "rps", leave: 1 }, "wrong_shape"],
            [ann, "create", { game: "rps", leave: true, bots: 99 }, "out_of_range"],
        ])
            await refused(player.ask(type, content), code).catch((error) => {
                throw new Error(`${type} ${JSON.stringify(content)}: ${error.message}`);
            });
        await cid.ask("join", { match, as: "spectator" });
        await refused(cid.ask("place", { cell: 0 }), "not_seated");
        const seen = await cid.take("state");
        assert.deepEqual(seen.state, before.state);
        assert.equal(seen.number, before.number);
        await bob.ask("place", { cell: 0 });
    });

    test("B26_a_whole_game_against_the_bot", LIMIT, async (t) => {
        const ann = await open(t, "Ann", "envelope");
        await ann.ask("create", { game: "tictactoe" });
        assert.deepEqual(await ann.ask("add_bot", { level: 2 }), { seat: 1 });
        const roster = await ann.take("match", (m) => m.seats.length === 2);
        assert.equal(roster.seats[1].bot, 2);
        const me = ann.last("joined").id;
        for (;;) {
            const { match } = (await sees(ann, (m) => m.turn === me || m.phase === "over")).state;
            if (match.phase === "over") break;
            if (match.board.join("") !== ann.last("state").state.match.board.join("")) continue;
            await ann.ask("place", { cell: match.board.indexOf("") });
        }
        const end = await ann.take("end_game");
        assert.notEqual(end.winner, me); // it plays perfectly
        assert.deepEqual(new Set(end.results.map((r) => r.id)), new Set([me, "bot-1"]));
    });

    test("B17_B18_B29_rps_eliminates_hides_choices_and_starts_by_its_host", LIMIT, async (t) => {
        const { match, players } = await seated(t, { game: "rps", options: { kinds: 4 } }, [
            ["Bob", "envelope"],
            ["Cid", "Socket.IO"],
        ]);
        const [ann, bob, cid] = players;
        const watcher = await open(t, "Dan", "envelope");
        await watcher.ask("join", { match, as: "spectator" });
        await refused(bob.ask("start_game"), "not_host");
        await refused(ann.ask("choose", { choice: 0 }), "not_playing");
        await refused(ann.ask("start_game"), "not_ready");
        assert.deepEqual(await bob.ask("ready"), { ready: true });
        assert.deepEqual(await cid.ask("ready", { ready: true }), { ready: true });
        assert.deepEqual(await ann.ask("start_game"), {});
        for (const player of [...players, watcher])
            assert.deepEqual(await player.take("start_game"), { players: 3, kinds: 3 });
        await refused(ann.ask("start_game"), "already_started");

        await ann.ask("choose", { choice: 1 }); // paper
        for (const player of [...players, watcher]) {
            const { state, left_ms } = await sees(
                player,
                (_, s) => s.state.players[0]?.chosen === 1,
            );
            assert.equal(state.players[0].choice, player === ann ? 1 : undefined);
            assert.ok(left_ms > 0 && left_ms <= 15_000);
        }
        await refused(ann.ask("choose", { choice: 0 }), "already_chosen");
        await refused(bob.ask("choose", { choice: 3 }), "no_such_choice");
        await bob.ask("choose", { choice: 1 });
        await cid.ask("choose", { choice: 0 }); // rock
        for (const player of [...players, watcher])
            assert.deepEqual(await player.take("eliminated"), {
                id: cid.last("joined").id,
                round: 1,
            });
        await refused(cid.ask("choose", { choice: 0 }), "eliminated");
        await ann.ask("choose", { choice: 2 });
        await bob.ask("choose", { choice: 1 });
        for (const player of [...players, watcher]) {
            const end = await player.take("end_game");
            assert.equal(end.winner, ann.last("joined").id);
            assert.deepEqual(
                end.results.map((r) => r.outcome),
                ["won", "lost", "lost"],
            );
        }
        for (const player of players) await player.ask("rematch");
        await watcher.take("start_game");
    });

    test("a seat is given up by its secret from any connection", LIMIT, async (t) => {
        const others = Object.keys(KINDS).map((kind) => [kind, kind]);
        const { match, players } = await seated(t, { game: "rps" }, others);
        const ann = players.shift();
        const eve = await open(t, "Eve");
        const own = await eve.ask("create", { game: "tictactoe" });
        for (const [at, player] of players.entries()) {
            const { token } = player.last("joined");
            await (at % 2 ? eve : player).ask("leave", { match, token });
            if (at % 2) assert.match((await player.take("match_closed")).message, /have left/);
            await refused(player.ask("ready"), "not_in_match");
            await refused(player.ask("reconnect", { match, token }), "bad_token");
            const left = others.length - at; // with Ann
            await ann.take("match", ({ seats }) => seats.length === left);
        }
        await eve.ask("leave", { match: own.match, token: own.token });
        await refused(eve.ask("leave"), "not_in_match");
    });

    test("B29_the_kicked_are_told_closed_with_4001_and_stay_out", LIMIT, async (t) => {
        const { match, players } = await seated(t, { game: "rps" }, [["Bob", "Socket.IO"]]);
        const [ann, bob] = players;
        const guest = await open(t, "Guest", "envelope", { match });
        assert.equal((await guest.take("joined")).seat, 2);

        assert.deepEqual(await ann.ask("kick", { seat: 1 }), { seat: 1 });
        assert.equal((await bob.take("kicked")).match, match);
        await refused(bob.ask("join", { match }), "kicked");
        await refused(bob.ask("join", { match, as: "spectator" }), "kicked");
        const { token } = bob.last("joined");
        await refused(bob.ask("reconnect", { match, token }), "bad_token");
        const again = await open(t, "Bob");
        await refused(again.ask("join", { match }), "kicked");
        const renamed = await open(t, "Robert", "envelope");
        await refused(renamed.ask("join", { match }), "kicked"); // the same address and client
        await refused(renamed.ask("join", { match, as: "spectator" }), "kicked");
        const sister = await open(t, "Sister", "Socket.IO", {}, { "User-Agent": "another" });
        await refused(sister.ask("join", { match, name: "Bob" }), "kicked");
        const { id } = await sister.ask("join", { match }); // by her own name, which she still has
        const own = ({ seats }) => seats.find((seat) => seat.id === id);
        assert.equal(own(await ann.take("match", own)).name, "Sister");
        await sister.ask("leave");
        await again.ask("create", { game: "rps" }); // of this match only

        await ann.ask("kick", { seat: 2 });
        await guest.take("kicked");
        assert.deepEqual(await guest.client.closed, { code: 4001, reason: "kicked" });
        const late = await open(t, "Guest", "envelope", { match });
        assert.equal((await late.take("error")).code, "kicked");
        assert.equal((await ann.take("match", (m) => m.seats.length === 1)).host, 0);
    });

    test("B17_B18_one_match_and_one_chat_for_clients_of_all_kinds", LIMIT, async (t) => {
        const kinds = Object.keys(KINDS);
        const others = kinds.slice(1).map((kind) => [kind, kind]);
        const { match, joined, players } = await seated(t, { game: "rps" }, others, kinds[0]);
        for (const player of players.slice(1)) await player.ask("ready");
        await players[0].ask("start_game");
        for (const [seat, player] of players.entries()) {
            assert.deepEqual(await player.take("start_game"), {
                players: kinds.length,
                kinds: 3,
            });
            const roster = await player.take("match", (m) => m.phase === "playing");
            assert.deepEqual(
                roster.seats.map((s) => s.name),
                ["Ann", ...kinds.slice(1)],
            );
            await player.ask("chat_message", { room: joined.room, text: `from ${kinds[seat]}` });
        }
        /* All but the last show paper: it is out, and then they go, one after the other. */
        for (let out = players.length - 1; out > 0; out--) {
            for (const [seat, player] of players.slice(0, out + 1).entries())
                await player.ask("choose", { choice: seat === out ? 0 : 1 });
            for (const player of players)
                await player.take("eliminated", (e) => e.id === players[out].last("joined").id);
        }
        for (const player of players) {
            const end = await player.take("end_game");
            assert.equal(end.winner, players[0].last("joined").id);
            await player.take("chat_message", (c) => c.text === `from ${kinds.at(-1)}`);
            const lines = player.heard.filter((m) => m.type === "chat_message");
            assert.deepEqual(
                lines.map((m) => [m.content.number, m.content.from.name, m.content.text]),
                kinds.map((kind, n) => [n + 1, n ? kind : "Ann", `from ${kind}`]),
                match,
            );
        }
    });

    for (const kind of Object.keys(KINDS).filter((kind) => !/polling|Sent/.test(kind)))
        test(`a_seat_is_given_back_over_${kind}`, LIMIT, async (t) => {
            const game = { game: "tictactoe" };
            const { match, joined, players } = await seated(t, game, undefined, kind);
            const [ann, bob] = players;
            await place(players, [4]);
            ann.close();
            await bob.take("match", (m) => !m.seats[0].connected);
            const back = await open(t, "Ann", kind === "envelope" ? "MQTT" : "envelope");
            const rejoined = await back.ask("reconnect", { match, token: joined.token });
            assert.equal(rejoined.seat, 0);
            assert.equal(rejoined.id, joined.id);
            assert.equal((await back.take("state")).state.match.board[4], "x");
            await bob.take("match", (m) => m.seats[0].connected);
            await bob.ask("place", { cell: 0 });
            await back.ask("place", { cell: 8 });
            const other = await open(t, "Ann", "envelope", { match, token: joined.token });
            assert.equal((await other.take("joined")).seat, 0);
            assert.equal((await back.take("match_closed")).match, match);
            await refused(back.ask("place", { cell: 1 }), "not_in_match");
        });

    test("the lobby, which is long, counts as several requests", LIMIT, async (t) => {
        const eve = await open(t, "Eve", "envelope");
        for (let i = 0; i < 14; i++) await eve.client.send("lobby", {});
        assert.ok((await eve.take("lobby")).players.some(({ name }) => name === "Eve"));
        await eve.ask("clock");
        assert.equal(eve.last("error"), undefined);
        for (let i = 0; i < 14; i++) await eve.client.send("lobby", {});
        assert.equal((await eve.take("error")).code, "too_fast");
    });

    test("lobby_quick_play_chat_and_leaving", LIMIT, async (t) => {
        const watcher = await open(t, "Watcher", "envelope");
        const lobby = await watcher.ask("lobby");
        assert.deepEqual(lobby.games.map((g) => g.game).sort(), GAMES);
        const ann = await open(t, "Ann");
        const bob = await open(t, "Bob", "envelope");
        const { match, room, link } = await ann.ask("quick_play", { game: "tictactoe" });
        assert.equal(link, `/games/tictactoe/?match=${match}`);
        const listed = await watcher.take("lobby", (l) => l.matches.some((m) => m.match === match));
        assert.deepEqual(
            listed.matches.find((m) => m.match === match),
            {
                match,
                game: "tictactoe",
                phase: "waiting",
                host: "Ann",
                players: 1,
                seats_max: 2,
                spectators: 0,
                open: true,
            },
        );
        assert.ok(listed.players.some((p) => p.name === "Ann" && p.match === match));
        assert.equal((await bob.ask("quick_play", { game: "tictactoe" })).match, match);
        for (const player of [ann, bob])
            await player.take("matchmaking", (step) => step.phase === "started");
        await bob.ask("chat_message", { room, text: "hello" });
        assert.equal((await ann.take("chat_message")).text, "hello");
        await refused(watcher.ask("chat_message", { room, text: "psst" }), "not_in_room");
        assert.deepEqual(await bob.ask("name", { name: "Robert" }), { name: "Robert" });
        await ann.take("match", (m) => m.seats[1]?.name === "Robert");

        const secret = await open(t, "Secret");
        const hidden = await secret.ask("create", { game: "rps", private: true });
        const spectator = await open(t, "Spectator", "envelope");
        await spectator.ask("join", { match, as: "spectator" });
        assert.deepEqual(await bob.ask("leave"), {});
        const end = await ann.take("end_game");
        assert.equal(end.ending, 3);
        assert.deepEqual(await ann.ask("leave"), {});
        await spectator.take("match_closed");
        const now = await watcher.take("lobby", (l) => !l.matches.some((m) => m.match === match));
        assert.ok(!JSON.stringify(now).includes(hidden.match));
        await refused(spectator.ask("join", { match }), "unknown_match");
    });

    test("nobody_speaks_for_the_server_over_mqtt_or_listens_in", LIMIT, async (t) => {
        const { match, joined, players } = await seated(t, { game: "tictactoe", private: true });
        const [ann, bob] = players;
        const spy = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`);
        t.after(() => spy.endAsync(true));
        const topics = [];
        const heard = new Promise((resolve) =>
            spy.on("message", (topic) => {
                topics.push(topic);
                if (topic === "fray/-/end") resolve();
            }),
        );
        await spy.subscribeAsync("fray/#", { qos: 1 });
        await spy.publishAsync(`fray/games/${joined.room}/forged`, "{}", { qos: 1 });
        await spy.publishAsync("fray/games/-/forged", "{}", { qos: 1 });
        await spy.publishAsync("fray/games/me/forged", "{}", { qos: 1 }); // its own socket's
        await bob.ask("chat_message", { room: joined.room, text: "hello" });
        for (const player of players) {
            await player.take("chat_message");
            assert.equal(player.last("forged"), undefined);
        }
        await spy.publishAsync("fray/-/end", "{}", { qos: 1 });
        await heard;
        assert.deepEqual(
            topics.filter((topic) => !/^fray\/games\/me\/(welcome|error)$/.test(topic)),
            ["fray/-/end"],
            match,
        );
        await ann.ask("leave");
    });

    test("B26_a_game_with_curl_alone", LIMIT, async () => {
        const curl = async (path, body) => {
            const args = ["-s", `${server.url}${path}`];
            if (body) args.push("-d", JSON.stringify(body));
            return JSON.parse((await promisify(execFile)("curl", args)).stdout);
        };
        const player = async (name) => {
            const { poll } = await curl(`/poll?namespace=/games&name=${name}`, {});
            let cursor = 0;
            const heard = [];
            return {
                say: (type, content) => curl(poll, { type, content }),
                async take(type, is = () => true) {
                    for (;;) {
                        const at = heard.findIndex((m) => m.type === type && is(m.content));
                        if (at >= 0) return heard.splice(0, at + 1).at(-1).content;
                        const news = await curl(`${poll}?after=${cursor}&wait=10000`);
                        cursor = news.cursor;
                        heard.push(...news.messages);
                    }
                },
            };
        };
        const [ann, bob] = [await player("Ann"), await player("Bob")];
        await ann.say("create", { game: "tictactoe" });
        const { match } = await ann.take("joined");
        await bob.say("join", { match });
        await bob.take("joined");
        for (const [n, cell] of [0, 3, 1, 4, 2].entries()) {
            await (n % 2 ? bob : ann).say("place", { cell });
            for (const one of [ann, bob])
                await one.take("placed", (placed) => placed.cell === cell);
        }
        for (const one of [ann, bob])
            assert.equal((await one.take("end_game")).results[0].outcome, "won");
    });

    test(
        "who asks for too much is told so, then closed, and bothers nobody else",
        LIMIT,
        async (t) => {
            const { players, match } = await seated(t, { game: "tictactoe" });
            const [ann, bob] = players;
            await sees(bob, (m) => m.phase === "playing");
            const eve = await open(t, "Eve", "envelope");
            await eve.ask("join", { match, as: "spectator" });
            const closed = new Promise((resolve) =>
                eve.client.socket.on("close", (code, reason) => resolve(`${code} ${reason}`)),
            );
            for (let i = 0; i < 300; i++) await eve.client.send("name", { name: `Eve ${i}` });
            assert.equal((await eve.take("error")).code, "too_fast");
            assert.equal(await closed, "1008 flooding");
            const told = eve.heard.filter(({ type }) => type === "error").length;
            assert.ok(told >= 90 && told < 110, `${told} refusals`);
            for (let i = 0; i < 30; i++) await ann.ask("clock");
            await place(players, [0, 3, 1, 4, 2]);
            assert.equal((await bob.take("end_game")).winner, ann.last("joined").id);
        },
    );

    test("bots come to an end, however many ask for them", LIMIT, async (t) => {
        const hosts = [];
        const ask = { game: "rps", bots: 31 };
        for (;;) {
            const host = await open(t, "Ann", "envelope");
            try {
                await host.ask("create", ask);
            } catch (error) {
                assert.equal(error.message, "too_many_bots");
                break;
            }
            hosts.push(host);
        }
        assert.ok(hosts.length > 50 && hosts.length <= 2048 / 31, `${hosts.length} matches`);
        const bob = await open(t, "Bob");
        await bob.ask("create", { game: "rps", bots: 7 }); // a few there always are
        await bob.ask("add_bot", {});
        await refused(bob.ask("add_bot", {}), "too_many_bots");
        await bob.ask("leave", {});
        await hosts[0].ask("leave", {});
        await bob.ask("create", ask);
    });
});

describe("games, where there is room for two matches", LIMIT, () => {
    const server = serveFray(["--matches-max", "2"]);
    const open = (t, name) => KINDS["Socket.IO"]().open(t, server.url, { name });
    const refused = (promise, code) => assert.rejects(promise, { message: code });

    test("who asks to watch the match that it plays in stays in it", LIMIT, async (t) => {
        const ann = await open(t, "Ann", "envelope");
        const { match } = await ann.ask("create", { game: "tictactoe", bots: 1 });
        const watch = ann.ask("watch", { game: "tictactoe", leave: true });
        await assert.rejects(watch, { message: "already_in_match" });
        assert.deepEqual(await ann.ask("leave"), {}, "it was in one");
        await assert.rejects(ann.ask("join", { match }), { message: "unknown_match" });
    });

    test("quick play that is refused costs no seat", LIMIT, async (t) => {
        const [ann, bob, eve] = await Promise.all(["Ann", "Bob", "Eve"].map((n) => open(t, n)));
        const arena = { game: "arena", options: { goal: 5 } };
        const { match } = await eve.ask("watch", arena);
        const own = await ann.ask("join", { match });
        await bob.ask("create", { game: "duel" });
        const quick = { game: "arena", leave: true };
        await refused(ann.ask("quick_play", quick), "too_many_matches");
        await ann.ask("leave", { match, token: own.token }); // it was there still
        assert.equal((await eve.ask("quick_play", quick)).match !== match, true);
        await refused(ann.ask("join", { match }), "unknown_match"); // nobody was left in it
        for (const player of [bob, eve]) await player.ask("leave");
    });

    test("a host like whom it kicked may watch its own match", LIMIT, async (t) => {
        const names = ["Ann", "Bob", "Cid"];
        const [ann, bob, cid] = await Promise.all(names.map((n) => open(t, n)));
        const { match } = await ann.ask("create", { game: "arena" });
        const { seat } = await bob.ask("join", { match });
        await cid.ask("join", { match });
        await ann.ask("kick", { seat });
        await refused(bob.ask("join", { match }), "kicked");
        const watching = await ann.ask("watch", { game: "arena", leave: true });
        assert.deepEqual([watching.match, watching.role], [match, "spectator"]);
        await cid.take("match", ({ spectators, seats }) => spectators === 1 && seats.length === 1);
        assert.deepEqual(await ann.ask("leave"), {});
        await cid.ask("leave");
    });

    test("who watches takes its seat again that another connection had", LIMIT, async (t) => {
        const [ann, bob] = await Promise.all(["Ann", "Bob"].map((n) => open(t, n)));
        const { match, token } = await ann.ask("create", { game: "tictactoe", bots: 1 });
        await bob.ask("join", { match, as: "spectator" });
        ann.close();
        await bob.take("match", ({ seats }) => !seats[0].connected);
        const back = await bob.ask("reconnect", { match, token, leave: true });
        assert.deepEqual([back.seat, back.role], [0, "player"]);
        const roster = await bob.take("match", ({ spectators }) => spectators === 0);
        assert.equal(roster.seats[0].connected, true);
        await bob.ask("leave");
    });

    test(
        "a match that nobody is in gives way, one that somebody is in does not",
        LIMIT,
        async (t) => {
            const [ann, bob, cid] = await Promise.all(["Ann", "Bob", "Cid"].map((n) => open(t, n)));
            const own = await ann.ask("create", { game: "duel" });
            const other = await bob.ask("create", { game: "rps" });
            await refused(cid.ask("create", { game: "duel" }), "too_many_matches");
            await refused(cid.ask("quick_play", { game: "duel" }), "too_many_matches");
            const watcher = await open(t, "Watcher");
            await watcher.ask("lobby");
            ann.close();
            await watcher.take("lobby", ({ matches }) =>
                matches.every((m) => m.match !== own.match),
            );
            await cid.ask("create", { game: "duel" });
            const again = await open(t, "Ann");
            await refused(again.ask("reconnect", own), "unknown_match");
            await refused(again.ask("create", { game: "duel" }), "too_many_matches");
            assert.equal((await again.ask("join", { match: other.match })).match, other.match);
        },
    );

    test("who is refused another match stays in the one that it is in", LIMIT, async (t) => {
        const names = ["Ann", "Bob", "Cid", "Dan"];
        const [ann, bob, cid, dan] = await Promise.all(names.map((name) => open(t, name)));
        const own = await ann.ask("quick_play", { game: "rps", wait_s: 600 });
        const { match } = await bob.ask("create", { game: "duel" });
        await cid.ask("join", { match });
        await dan.ask("join", { match: own.match, as: "spectator" });
        await refused(ann.ask("quick_play", { game: "tictactoe" }), "too_many_matches");
        await refused(ann.ask("watch", { game: "arena" }), "too_many_matches");
        await refused(ann.ask("join", { match: own.match }), "already_in_match");
        await dan.ask("leave");
        await refused(dan.ask("join", { match, name: "Dora" }), "match_full");
        await dan.ask("join", { match, as: "spectator" });
        await dan.ask("chat_message", { room: `match:${match}`, text: "hello" });
        const { from } = await bob.take("chat_message");
        assert.equal(from.name, "Dan");
    });
});

describe("what strangers may ask of the server", LIMIT, () => {
    const server = serveFray(["--mqtt-store", "memory"]);
    const open = (t, name) => KINDS["Socket.IO"]().open(t, server.url, { name });
    const refused = (promise, code) => assert.rejects(promise, { message: code });

    test("bots of a room stay, those of quick play are its own", LIMIT, async (t) => {
        const [ann, bob] = await Promise.all(["Ann", "Bob"].map((n) => open(t, n)));
        const { match } = await ann.ask("create", { game: "rps", bots: 2 });
        await bob.ask("join", { match });
        await ann.take("match", ({ seats }) => seats.length === 4);
        await bob.ask("leave");
        await ann.take("match", ({ seats }) => seats.length === 3);
        await ann.ask("leave");
        for (const who of [ann, bob]) await who.ask("quick_play", { game: "rps" });
        await refused(ann.ask("add_bot", {}), "not_allowed");
        await bob.ask("leave");
        await ann.ask("add_bot", {}); // alone
        await ann.ask("leave");
        await ann.ask("quick_play", { game: "arena" });
        await refused(ann.ask("add_bot", {}), "too_many_bots");
    });

    test("what spectators are shown late has a bound in all", LIMIT, async (t) => {
        const create = { game: "arena", spectator_delay_s: 300 };
        const kept = [];
        let code = null;
        while (!code) {
            const player = await open(t, `P${kept.length}`);
            code = await player.ask("create", create).then(
                () => null,
                (error) => error.message,
            );
            kept.push(player);
        }
        assert.equal(code, "too_much_delay");
        assert.ok(kept.length < 20, `${kept.length} matches`);
        const other = await open(t, "Ann");
        await other.ask("create", { game: "arena", spectator_delay_s: 0 });
        await kept[0].ask("leave");
        await kept.at(-1).ask("create", create);
    });
});
