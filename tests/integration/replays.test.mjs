// Replays: what the server keeps of matches, by HTTP and on the command line (docs/replays.md).
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    readdirSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { KINDS } from "./game_players.mjs";
import { BUILD, serveFray } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

function makeData() {
    const data = mkdtempSync(join(tmpdir(), "fray-replays-"));
    after(() => rmSync(data, { recursive: true, force: true }));
    return data;
}

function replay(...args) {
    const done = spawnSync(join(BUILD, "fray"), ["replay", ...args], { encoding: "utf8" });
    return { code: done.status, out: done.stdout, err: done.stderr };
}

const filesOf = (data) =>
    readdirSync(join(data, "replays")).filter((name) => name.endsWith(".replay"));

/** By socket.io-client. */
const player = (t, url, name) => KINDS["Socket.IO"]().open(t, url, { name });

/** Asks until `is` holds of what `look` returns: the server writes off its loop. */
async function until(look, is) {
    for (;;) {
        const seen = await look();
        if (is(seen)) return seen;
        await new Promise((resolve) => setImmediate(resolve));
    }
}

const listOf = async (url, query = "") =>
    (await (await fetch(`${url}/replays${query}`)).json()).replays;

/** Two people play until the first has a line. */
async function playTictactoe(t, url, options = {}) {
    const [ann, bob] = [await player(t, url, "Ann"), await player(t, url, "Bob")];
    const joined = await ann.ask("create", { game: "tictactoe", ...options });
    const { token: bobs } = await bob.ask("join", { match: joined.match });
    for (const [who, cell] of [
        [ann, 0],
        [bob, 3],
        [ann, 1],
        [bob, 4],
        [ann, 2],
    ])
        await who.ask("place", { cell });
    await ann.take("end_game");
    return { ann, bob, match: joined.match, token: joined.token, bobs };
}

async function leave({ ann, bob }) {
    await ann.ask("leave");
    await bob.ask("leave");
}

describe("replays", LIMIT, () => {
    const fray = serveFray(["--replay-min-ms", "0"]);

    test("E_replay_of_a_match_is_listed_served_and_verified", LIMIT, async (t) => {
        const game = await playTictactoe(t, fray.url);
        const url = `${fray.url}/replays/${game.match}`;
        const open = await fetch(url); // the game is over, the match not
        const { code, message } = await open.json();
        assert.deepEqual([open.status, code], [409, "being_played"]);
        assert.match(message, /when everybody has left it\.$/);
        const about = async (id) => (await fetch(`${fray.url}/replays?id=${id}`)).json();
        const { match } = game;
        assert.deepEqual(await about(match), {
            replays: [],
            being_played: { game: "tictactoe", match },
        });
        assert.deepEqual(await about(`${match}-2`), { replays: [] });
        await leave(game);
        const { replays } = await until(
            () => about(match),
            ({ being_played: isPlayed }) => !isPlayed,
        );
        assert.equal(replays[0].id, match);
        const [entry] = await until(
            () => listOf(fray.url, "?player=Ann"),
            (list) => list.some(({ match }) => match === game.match),
        );
        assert.equal(entry.id, game.match);
        assert.equal(entry.game, "tictactoe");
        assert.equal(entry.complete, true);
        assert.deepEqual(
            entry.players.map(({ name, outcome, bot }) => [name, outcome, bot]),
            [
                ["Ann", "won", null],
                ["Bob", "lost", null],
            ],
        );
        assert.deepEqual(await listOf(fray.url, "?game=duel"), []);
        assert.deepEqual(await listOf(fray.url, "?player=An"), []);
        assert.deepEqual(await listOf(fray.url, `?before=${entry.started_ms}`), []);

        const whole = await fetch(url);
        const bytes = new Uint8Array(await whole.arrayBuffer());
        assert.equal(bytes.length, entry.bytes);
        assert.match(whole.headers.get("cache-control"), /immutable/);
        const part = await fetch(url, { headers: { range: "bytes=0-3" } });
        assert.equal(part.status, 206);
        assert.equal(await part.text(), "FRPL");
        const etag = whole.headers.get("etag");
        assert.equal((await fetch(url, { headers: { "if-none-match": etag } })).status, 304);

        const listed = replay("list", "--data", fray.data, "--json", "--game", "tictactoe");
        assert.equal(JSON.parse(listed.out)[0].id, game.match); // beside the running server
        assert.match(replay("list", "--data", fray.data).out, /Ann \(won\), Bob \(lost\)/);
        const verified = replay("verify", "--data", fray.data, game.match);
        assert.equal(verified.code, 0, verified.err);
        assert.match(verified.out, new RegExp(`^${game.match}: verified, ${entry.ticks} ticks`));
        const played = replay("play", "--data", fray.data, "--json", game.match);
        assert.equal(played.code, 0);
        const lines = played.out
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line));
        const events = lines.flatMap(({ events }) => events);
        assert.deepEqual(
            events.filter(({ name }) => name === "placed").map(({ content }) => content.cell),
            [0, 3, 1, 4, 2],
        );
        assert.equal(events.find(({ name }) => name === "end_game").content.winner, "Ann");
        assert.equal(lines.at(-1).hash.length, 16);
        assert.match(replay("play", "--data", fray.data, "--to", "3", game.match).out, /placed/);
    });

    test("files that no index knows are counted, and found by their id", LIMIT, async (t) => {
        const game = await playTictactoe(t, fray.url);
        await leave(game);
        await until(
            () => listOf(fray.url),
            (list) => list.some(({ id }) => id === game.match),
        );
        const other = join(fray.data, "other");
        mkdirSync(join(other, "replays"), { recursive: true });
        const name = filesOf(fray.data).find((file) => file.includes(game.match));
        copyFileSync(join(fray.data, "replays", name), join(other, "replays", name));
        const { code, err } = replay("list", "--data", other);
        assert.equal(code, 0);
        assert.match(err, /^1 more in .* are not listed: .*\.\n$/);
        assert.equal(replay("verify", "--data", other, game.match).code, 0);
    });

    test("a question that means nothing is refused with a sentence", LIMIT, async () => {
        for (const [query, code] of [
            ["limit=-1", "bad_limit"],
            ["limit=0", "bad_limit"],
            ["limit=201", "bad_limit"],
            ["limit=ten", "bad_limit"],
            ["before=abc", "bad_before"],
            ["before=-5", "bad_before"],
            ["before=99999999999999999999", "bad_before"],
        ]) {
            const reply = await fetch(`${fray.url}/replays?${query}`);
            const refusal = await reply.json();
            assert.deepEqual([reply.status, refusal.code], [400, code], query);
            assert.match(refusal.message, /^(limit|before) is an? .*\.$/);
        }
        assert.equal((await fetch(`${fray.url}/replays?limit=200&before=1&game=`)).status, 200);
    });

    test("tampered, cut, foreign files and those of other rules are refused", LIMIT, async (t) => {
        const game = await playTictactoe(t, fray.url);
        await leave(game);
        await until(
            () => listOf(fray.url),
            (list) => list.some(({ id }) => id === game.match),
        );
        const name = filesOf(fray.data).find((file) => file.includes(game.match));
        const bytes = readFileSync(join(fray.data, "replays", name));
        const file = join(fray.data, "tampered");
        const verdict = (changed) => {
            writeFileSync(file, changed);
            return replay("verify", file);
        };
        assert.equal(verdict(bytes).code, 0);
        for (let at = 24; at < bytes.length; at += 7) {
            const changed = Buffer.from(bytes);
            changed[at] ^= 4;
            const { code, out } = verdict(changed);
            assert.ok(code === 1 || code === 2, `${at}: ${out}`);
        }
        const cut = verdict(bytes.subarray(0, bytes.length - 20));
        assert.equal(cut.code, 3);
        assert.match(cut.out, /truncated, \d+ ticks/);
        const other = Buffer.from(bytes);
        other[8] ^= 1;
        assert.deepEqual([verdict(other).code, verdict(other).out], [2, `${file}: other rules\n`]);
        assert.match(verdict(Buffer.from("FRPLnonsense")).out, /not a replay/);
        assert.equal(replay("verify", join(fray.data, "nowhere")).code, 1);
        assert.equal(replay("verify", "--data", fray.data, "no-such-id").code, 1);
        assert.equal(replay("verify").code, 2);
        assert.equal(replay("dance").code, 2);
    });

    test("the command says how it is used, and which option lacks its value", LIMIT, () => {
        for (const args of [["--help"], ["play", "--help"]]) {
            const help = replay(...args);
            assert.deepEqual([help.code, help.err], [0, ""]);
            assert.match(help.out, /^Usage: fray replay list/);
        }
        const most = 2n ** 64n - 1n;
        for (const [args, said] of [
            [["list", "--limit"], 'There is no value for the option: "--limit".'],
            [["list", "--limit", "many"], `--limit is an integer from 0 to ${most}, not "many".`],
            [["play", "--speed", "0", "x"], '--speed is a number from 0.001 to 1000, not "0".'],
            [["play", "--speed", "1e5"], '--speed is a number from 0.001 to 1000, not "1e5".'],
            [["list", "--loud"], 'This command has no option: "--loud".'],
            [[], "Say what to do."],
        ]) {
            const { code, out, err } = replay(...args);
            assert.deepEqual([code, out, err.split("\n")[0]], [2, "", said]);
        }
    });

    test("a private match is found by its id alone", LIMIT, async (t) => {
        const game = await playTictactoe(t, fray.url, { private: true });
        await leave(game);
        const reply = await until(
            () => fetch(`${fray.url}/replays/${game.match}`),
            ({ status }) => status === 200,
        );
        assert.match(reply.headers.get("cache-control"), /immutable/);
        assert.ok(!(await listOf(fray.url)).some(({ id }) => id === game.match));
    });

    test("a match that is being played tells nothing", LIMIT, async (t) => {
        const [ann, bob] = [await player(t, fray.url, "Ann"), await player(t, fray.url, "Bob")];
        const { match } = await ann.ask("create", { game: "rps", start: "auto" });
        await bob.ask("join", { match });
        await ann.ask("choose", { choice: 1 });
        assert.equal((await fetch(`${fray.url}/replays/${match}`)).status, 409);
        assert.equal((await fetch(`${fray.url}/replays/unknown`)).status, 404);
        assert.equal((await fetch(`${fray.url}/replays/..%2findex.db`)).status, 404);
    });

    for (const game of ["duel", "arena", "rps"]) {
        test(`E_replay_of_${game}_with_bots_verifies`, LIMIT, async (t) => {
            const ann = await player(t, fray.url, `Ann of ${game}`);
            const { match } = await ann.ask("create", { game, start: "auto" });
            await ann.ask("add_bot");
            if (game === "rps") await ann.ask("choose", { choice: 0 });
            for (let i = 0; game !== "rps" && i < 30; i++) await ann.take("state");
            await ann.ask("leave");
            await until(
                () => listOf(fray.url, `?game=${game}`),
                (list) => list.some(({ id }) => id === match),
            );
            const verified = replay("verify", "--data", fray.data, match);
            assert.equal(verified.code, 0, verified.out);
        });
    }

    test("bots that are watched have a replay, for good once somebody joins", LIMIT, async (t) => {
        const eve = await player(t, fray.url, "Eve");
        const watched = async () => (await eve.ask("watch", { game: "arena" })).match;
        const files = (match) => filesOf(fray.data).filter((name) => name.includes(match));
        const alone = await watched();
        await until(
            () => files(alone),
            ({ length }) => length === 1,
        );
        await eve.ask("leave");
        await until(
            () => files(alone),
            ({ length }) => length === 0,
        );
        assert.equal((await fetch(`${fray.url}/replays/${alone}`)).status, 404);

        const match = await watched();
        await eve.ask("join", { match });
        await eve.take("state", (state) => state.match === match && state.state.match.tick > 30);
        await eve.ask("leave");
        const is = (entry) => entry.id === match;
        const [entry] = await until(
            async () => (await listOf(fray.url)).filter(is),
            ({ length }) => length === 1,
        );
        assert.ok(entry.players.some(({ name, bot }) => name === "Eve" && bot === null));
        assert.ok(entry.players.some(({ bot }) => bot !== null));
        const verified = replay("verify", "--data", fray.data, match);
        assert.equal(verified.code, 0, verified.out + verified.err);
    });

    test("E_desync_logs_are_kept_for_the_owner_of_a_seat", LIMIT, async (t) => {
        const game = await playTictactoe(t, fray.url);
        const url = `${fray.url}/replays/${game.match}/desync`;
        const post = async (token, body) => {
            const headers = { authorization: `Bearer ${token}` };
            const reply = await fetch(url, { method: "POST", headers, body });
            return [reply.status, reply.status === 204 ? null : (await reply.json()).code];
        };
        const log = { game: "tictactoe", hashes: [{ tick: 1, own: "00", server: "01" }] };
        const other = url.replace("/desync", "-999/desync");
        const headers = { authorization: `Bearer ${game.token}` };
        assert.equal((await fetch(other, { method: "POST", headers, body: "{}" })).status, 404);
        const long = JSON.stringify({ long: "x".repeat(300_000) });
        assert.deepEqual(await post(`${game.token}x`, "{}"), [401, "bad_token"]);
        assert.deepEqual(await post("", "{}"), [401, "bad_token"]);
        assert.deepEqual(await post(game.token, long), [413, "too_long"]);
        assert.deepEqual(await post(game.bobs, "[]"), [400, "wrong_shape"]);
        assert.deepEqual(await post(game.bobs, "{}"), [429, "too_many_logs"], "a try is a log");
        assert.deepEqual(await post(game.token, JSON.stringify(log, null, 2)), [204, null]);
        assert.deepEqual(await post(game.token, "{}"), [429, "too_many_logs"]);
        await leave(game);
        const [{ desync_bytes }] = await until(
            () => listOf(fray.url),
            ([newest]) => newest.id === game.match,
        );
        const name = readdirSync(join(fray.data, "replays")).find((name) =>
            name.endsWith(`${game.match}.desync.jsonl`),
        );
        const text = readFileSync(join(fray.data, "replays", name), "utf8");
        assert.equal(text.length, desync_bytes);
        const kept = text.trim().split("\n").map(JSON.parse);
        assert.deepEqual(
            kept.map(({ seat, log }) => [seat, log]),
            [[0, log]],
        );
        assert.deepEqual(await post(game.token, "{}"), [404, "unknown_replay"]);
    });

    test("metrics count replays", LIMIT, async () => {
        const text = await (await fetch(`${fray.url}/metrics`)).text();
        assert.ok(Number(/^fray_replays_written_total (\d+)$/m.exec(text)[1]) >= 5);
        assert.match(text, /^fray_replays_failed_total 0$/m);
        assert.match(text, /^fray_game_desyncs_total \d+$/m);
    });
});

/** A server that a test may kill. */
async function serveOnce(t, data, ...options) {
    const child = spawn(
        join(BUILD, "fray"),
        [
            ...["--listen", "127.0.0.1:0", "--drain-timeout-ms", "0", "--data", data],
            ...["--replay-min-ms", "0", ...options],
        ],
        { stdio: ["ignore", "ignore", "pipe"] },
    );
    const exit = once(child, "exit");
    t.after(async () => {
        child.kill("SIGKILL");
        await exit;
    });
    child.log = "";
    child.url = await new Promise((resolve) => {
        child.stderr.on("data", (chunk) => {
            child.log += chunk;
            const said = /listening address=(\S+)/.exec(child.log);
            if (said) resolve(`http://${said[1]}`);
        });
    });
    child.end = async (signal) => {
        child.kill(signal);
        await exit;
    };
    return child;
}

test("E_replay_survives_SIGKILL_as_far_as_it_goes", LIMIT, async (t) => {
    const data = makeData();
    const server = await serveOnce(t, data);
    const ann = await player(t, server.url, "Ann");
    const { match } = await ann.ask("create", { game: "duel" });
    await ann.ask("add_bot");
    const path = await until(
        async () => existsSync(join(data, "replays")) && filesOf(data)[0],
        (name) => name,
    );
    const file = join(data, "replays", path);
    const size = () => readFileSync(file).length;
    const first = size();
    await until(
        async () => size(),
        (now) => now > first + 40,
    );
    await server.end("SIGKILL");

    const verified = replay("verify", file);
    assert.equal(verified.code, 3, verified.out + verified.err);
    assert.match(verified.out, /truncated, [1-9]\d* ticks, [1-9]\d* hashes/);
    assert.equal(replay("play", "--to", "10", file).code, 0);

    const again = await serveOnce(t, data); // takes it into the index
    const [entry] = await until(
        () => listOf(again.url),
        (list) => list.length,
    );
    assert.deepEqual([entry.id, entry.complete, entry.players[0].name], [match, false, "Ann"]);
    assert.equal((await fetch(`${again.url}/replays/${match}`)).status, 200);
    await again.end("SIGTERM");
});

test("who is put out is in the log and in the list, with the replay", LIMIT, async (t) => {
    const data = makeData();
    const server = await serveOnce(t, data);
    const ann = await player(t, server.url, "Ann");
    const [bob, cid] = [await player(t, server.url, "Bob"), await player(t, server.url, "Cid")];
    const { match } = await ann.ask("create", { game: "arena" });
    const { seat } = await bob.ask("join", { match });
    await cid.ask("join", { match });
    await ann.take("state", ({ state }) => state.match.tick > 10);
    await ann.ask("kick", { seat });
    await cid.ask("leave", { reason: "error" });
    await ann.ask("leave");
    const [entry] = await until(
        () => listOf(server.url, "?player=Bob"),
        (list) => list.length,
    );
    assert.equal(entry.id, match);
    assert.deepEqual(
        entry.players.map(({ name, outcome, out }) => [name, outcome, out]),
        [
            ["Ann", "left", undefined],
            ["Bob", "left", "kicked"],
            ["Cid", "left", "error"],
        ],
    );
    assert.match(replay("list", "--data", data).out, /Bob \(left, kicked\), Cid \(left, error\)/);
    await server.end("SIGTERM");
    const lines = server.log.match(/info game_put_out .*/g);
    assert.deepEqual(lines, [
        `info game_put_out match=${match} seat=1 reason=kicked replay=${match}`,
        `info game_put_out match=${match} seat=2 reason=error replay=${match}`,
    ]);
});

test("a directory that takes nothing costs replays, no match", LIMIT, async (t) => {
    const data = makeData();
    const server = await serveOnce(t, data);
    const metric = async (name) => {
        const text = await (await fetch(`${server.url}/metrics`)).text();
        return new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1];
    };
    await until(() => metric("fray_replays_kept"), Boolean);
    rmSync(join(data, "replays"), { recursive: true });
    const games = [await playTictactoe(t, server.url), await playTictactoe(t, server.url)];
    for (const game of games) await leave(game);
    await until(
        () => metric("fray_replays_failed_total"),
        (failed) => failed === "2",
    );
    assert.equal(server.log.match(/replays_failed/g).length, 1, server.log);
    await server.end("SIGTERM");
});

test("replays can be off, and the oldest go first", LIMIT, async (t) => {
    const off = makeData();
    const without = await serveOnce(t, off, "--replays=false");
    await leave(await playTictactoe(t, without.url));
    assert.deepEqual(await listOf(without.url), []);
    assert.ok(!existsSync(join(off, "replays")));
    await without.end("SIGTERM");

    const data = makeData();
    const server = await serveOnce(t, data, "--replays-max", "2");
    const matches = [];
    for (let i = 0; i < 3; i++) {
        const game = await playTictactoe(t, server.url);
        await leave(game);
        matches.push(game.match);
        await until(
            () => listOf(server.url),
            (list) => list.some(({ id }) => id === game.match),
        );
    }
    const kept = (await listOf(server.url)).map(({ id }) => id);
    assert.deepEqual(kept, [matches[2], matches[1]]);
    assert.equal(filesOf(data).length, 2);
    await server.end("SIGTERM");
});
