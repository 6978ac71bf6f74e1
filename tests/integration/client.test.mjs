// @fray/client (web/sdk) against the server: how it connects, meets, plays and comes back.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
    cpSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import WebSocket from "ws";
import { buildClient } from "../../web/sdk/build.mjs";
import { serveFixture, serveFray, startProxy } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const CALM_DUEL = { hits: 100, countdown_ticks: 0, round_ticks: 0 };

const folder = mkdtempSync(join(tmpdir(), "fray-client-"));
await buildClient(join(folder, "fray-client.mjs"));
const { connect } = await import(pathToFileURL(join(folder, "fray-client.mjs")));
rmSync(folder, { recursive: true });

/** Resolves with the first value of the event for which `is` holds. */
function next(emitter, name, is = () => true) {
    return new Promise((resolve) => {
        const off = emitter.on(name, (value) => {
            if (!is(value)) return;
            off();
            resolve(value);
        });
    });
}

describe("@fray/client", LIMIT, () => {
    const server = serveFray(["--mqtt-store", "memory", "--cors-origin", "https://pages.example"]);

    async function open(t, name, options = {}) {
        const client = await connect({ url: server.url, name, WebSocket, ...options });
        t.after(() => client.close());
        return client;
    }

    /** Draws a picture every 10 ms until `is` holds of one. */
    async function draw(match, is, each = () => {}) {
        for (;;) {
            each();
            const frame = match.frame(performance.now());
            if (is(frame)) return frame;
            await sleep(10);
        }
    }

    test("modules come with their type and a tag, to other origins too", async () => {
        for (const game of ["duel", "arena", "tictactoe", "rps"]) {
            const url = `${server.url}/games/${game}.wasm`;
            const headers = { origin: "https://pages.example" };
            const reply = await fetch(url, { headers });
            assert.equal(reply.headers.get("content-type"), "application/wasm");
            assert.equal(reply.headers.get("access-control-allow-origin"), "https://pages.example");
            await WebAssembly.compile(await reply.arrayBuffer());
            const tag = reply.headers.get("etag");
            const again = await fetch(url, { headers: { ...headers, "if-none-match": tag } });
            assert.equal(again.status, 304);
        }
        const client = await fetch(`${server.url}/sdk/fray-client.mjs`);
        assert.match(client.headers.get("content-type"), /^text\/javascript/);
        await client.body.cancel();
    });

    test("WebSocket, polling where it is blocked, a refusal where nobody is", async (t) => {
        assert.equal((await open(t, "Ann")).transport, "websocket");
        assert.equal((await open(t, "Ann", { transport: "polling" })).transport, "polling");
        const proxy = await startProxy(t, server.port, (text) => !/Upgrade: websocket/i.test(text));
        assert.equal((await open(t, "Ann", { url: proxy.url })).transport, "polling");
        proxy.blocked = true;
        proxy.cut(); // connections that fetch() keeps
        await assert.rejects(open(t, "Ann", { url: proxy.url }), { code: "unreachable" });
    });

    for (const transport of ["websocket", "polling"])
        test(`a game without ticks over ${transport}: roster, chat, moves, results`, async (t) => {
            const [ann, bob] = [await open(t, "Ann", { transport }), await open(t, "Bob")];
            const mine = await ann.create("tictactoe");
            assert.equal(mine.seat, 0);
            assert.ok(mine.isHost);
            const begun = next(mine, "roster", ({ phase }) => phase === "playing");
            const theirs = await bob.join(mine.id);
            await begun;
            assert.deepEqual(
                mine.roster.seats.map(({ name }) => name),
                ["Ann", "Bob"],
            );
            const said = next(mine, "chat");
            await theirs.chat("hello");
            assert.equal((await said).from.name, "Bob");
            const ended = next(theirs, "results");
            for (const [match, cell] of [
                [mine, 0],
                [theirs, 3],
                [mine, 1],
                [theirs, 4],
                [mine, 2],
            ])
                await match.ask("place", { cell });
            assert.deepEqual(
                (await ended).map(({ outcome }) => outcome),
                ["won", "lost"],
            );
            await assert.rejects(mine.ask("place", { cell: 8 }), { code: "not_playing" });
            const closed = next(mine, "closed");
            await mine.leave();
            assert.equal((await closed).code, "left");
            assert.equal(ann.match, null);
        });

    for (const transport of ["websocket", "polling"])
        test(`duel over ${transport}: both see each other walk, nothing differs`, async (t) => {
            const [ann, bob] = [await open(t, "Ann", { transport }), await open(t, "Bob")];
            const mine = await ann.create("duel", { options: CALM_DUEL });
            const theirs = await bob.join(mine.id);
            for (const match of [mine, theirs])
                match.on("desync", () => assert.fail("client and server differ"));
            const players = (view) => view.tables.players;
            const both = (frame) => frame.ready && players(frame.predicted)[1].present;
            const first = (await Promise.all([draw(mine, both), draw(theirs, both)]))[0];
            assert.equal(first.isPredicted, true);
            const from = players(first.predicted)[0].x;

            mine.setInput({ walk: 1 });
            const drawing = draw(mine, (frame) => players(frame.predicted)[0].x > from + 60);
            await draw(theirs, (frame) => players(frame.interpolated)[0].x > from + 60);
            await drawing;
            mine.setInput({ walk: 0 });

            const { stats } = mine;
            assert.equal(stats.transport, transport);
            assert.equal(stats.desyncs, 0);
            assert.equal(stats.refused, 0);
            if (transport === "polling") assert.equal(stats.loss, 0); // replaced is not lost
            for (const name of ["rtt", "jitter", "snapshotAge", "interpolationDelay"])
                assert.ok(Number.isFinite(stats[name]), `${name}: ${stats[name]}`);
        });

    test("a duel ends with events in step and results, and a rematch is followed", async (t) => {
        const client = await open(t, "Ann");
        const match = await client.create("duel", {
            options: {
                hits: 1,
                rounds: 1,
                countdown_ticks: 0,
                round_ticks: 60 * 3,
                pause_ticks: 1,
            },
        });
        const events = [];
        match.on("event", ({ name, tick }) => events.push({ name, tick }));
        await match.addBot();
        const press = () => match.setInput({ walk: 1 }); // off the map, at last
        await draw(match, () => match.results, press);
        assert.equal(match.results.length, 2);
        await draw(match, () => events.some(({ name }) => name === "end_game"), press);
        assert.deepEqual(
            events,
            [...events].sort((a, b) => a.tick - b.tick),
        );
        const playing = next(match, "roster", ({ phase }) => phase === "playing");
        match.setInput({ rematch: true });
        await Promise.all([
            draw(match, (frame) => frame.predicted.tables.match.matches > 1),
            playing,
        ]);
        assert.equal(match.stats.desyncs, 0);
    });

    test("arena: bots walk, a spectator watches what all may see", async (t) => {
        const [ann, bob] = [await open(t, "Ann"), await open(t, "Bob")];
        const match = await ann.quickPlay("arena");
        const watched = await bob.join(match.id, { as: "spectator" });
        assert.equal(watched.seat, null);
        assert.equal(watched.saved, null);
        const others = ({ interpolated }) =>
            interpolated.tables.players.filter(({ present }) => present).length;
        await draw(match, (frame) => frame.ready && others(frame) > 0);
        await draw(match, () => Math.abs(match.stats.inputMargin) < 30); // the server says it
        const frame = await draw(watched, (frame) => frame.ready && others(frame) > 1);
        assert.equal(frame.isPredicted, false);
        assert.equal(frame.predicted, frame.interpolated);
        assert.equal(watched.stats.desyncs, 0);
    });

    test("after an outage it is a WebSocket again, polling only while it must be", async (t) => {
        let mayUpgrade = true;
        const filter = (text) => mayUpgrade || !/Upgrade: websocket/i.test(text);
        const proxy = await startProxy(t, server.port, filter);
        const ann = await open(t, "Ann", { url: proxy.url });
        const outage = async (until) => {
            const back = next(ann, "back");
            proxy.blocked = true;
            proxy.cut();
            await until();
            proxy.blocked = false;
            await back;
        };
        await outage(() => sleep(1500)); // for a few attempts to fail
        assert.equal(ann.transport, "websocket");
        mayUpgrade = false;
        await outage(() => next(ann, "lost"));
        assert.equal(ann.transport, "polling");
        mayUpgrade = true;
        await next(ann, "back"); // it has looked whether one gets through
        assert.equal(ann.transport, "websocket");
        assert.equal((await ann.lobby()).online > 0, true);
    });

    test("a lost connection is made again, and the seat taken again", async (t) => {
        const proxy = await startProxy(t, server.port);
        const ann = await open(t, "Ann", { url: proxy.url });
        const bob = await open(t, "Bob");
        const mine = await ann.create("duel", { options: CALM_DUEL });
        const theirs = await bob.join(mine.id);
        await draw(mine, ({ ready, predicted }) => ready && predicted.tables.players[1].present);
        const gone = next(theirs, "roster", ({ seats }) => !seats[0].connected);
        const [lost, back] = [next(mine, "lost"), next(mine, "back")];
        proxy.cut();
        await Promise.all([lost, gone]);
        const returned = next(theirs, "roster", ({ seats }) => seats[0].connected);
        await Promise.all([back, returned]);
        assert.equal(mine.seat, 0);
        const { received } = mine.netcode.status;
        const frame = await draw(mine, () => mine.netcode.status.received > received + 5);
        assert.equal(frame.isPredicted, true);
        const { x } = frame.predicted.tables.players[0];
        mine.setInput({ walk: 1 });
        await draw(mine, ({ predicted }) => predicted.tables.players[0].x > x + 20);
        assert.equal(mine.stats.desyncs, 0);
    });

    test("who leaves while the connection is lost gives up the seat", async (t) => {
        for (const game of ["duel", "tictactoe"]) {
            const proxy = await startProxy(t, server.port);
            const ann = await open(t, "Ann", { url: proxy.url });
            const bob = await open(t, "Bob");
            const mine = await ann.create(game);
            const theirs = await bob.join(mine.id);
            const left = next(theirs, "roster", ({ seats }) => seats.length === 1);
            const lost = next(mine, "lost");
            proxy.blocked = true;
            proxy.cut();
            await lost;
            await mine.leave();
            proxy.blocked = false;
            assert.equal((await left).seats[0].name, "Bob");
            assert.equal(ann.match, null);
        }
    });

    test("who leaves over a dead connection gives up the seat, too", LIMIT, async (t) => {
        const proxy = await startProxy(t, server.port);
        const ann = await open(t, "Ann", { url: proxy.url });
        const bob = await open(t, "Bob");
        const mine = await ann.create("tictactoe");
        const theirs = await bob.join(mine.id);
        const left = next(theirs, "roster", ({ seats }) => seats.length === 1);
        proxy.deafen();
        await mine.leave();
        await left;
    });

    test("a name that was changed stays so over connections", LIMIT, async (t) => {
        const proxy = await startProxy(t, server.port);
        const ann = await open(t, "Ann", { url: proxy.url });
        assert.deepEqual(await ann.rename("Anna"), { name: "Anna" });
        const back = next(ann, "back");
        proxy.cut();
        await back;
        const { players } = await ann.lobby();
        assert.equal(players.find(({ id }) => id === ann.id).name, "Anna");
    });

    test("E_log_of_a_desync_is_kept_beside_the_replay", LIMIT, async (t) => {
        const ann = await open(t, "Ann");
        const match = await ann.create("duel", { options: CALM_DUEL, bots: 1 });
        await draw(match, ({ ready }) => ready);
        const desync = next(match, "desync");
        const { rules, status } = match.netcode;
        const { offset } = rules.game.tables.find(({ name }) => name === "platforms");
        const spoil = () => (rules.bytes[status.newest + offset] = 77); // nobody sends it again
        let isFound = false;
        desync.then(() => (isFound = true));
        await draw(match, () => isFound, spoil);
        const wanted = `${match.id}.desync.jsonl`;
        const { tick } = await desync;
        for (;;) {
            const replays = join(server.data, "replays");
            const name = readdirSync(replays).find((name) => name.endsWith(wanted));
            const lines = name ? readFileSync(join(replays, name), "utf8").split("\n") : [];
            const kept = lines.slice(0, -1).map((line) => JSON.parse(line));
            const log = kept.find(({ seat, log }) => log && seat === match.seat)?.log;
            if (!log) {
                await sleep(10);
                continue;
            }
            assert.equal(log.game, "duel");
            assert.equal(log.seat, match.seat);
            const hashes = log.hashes.find((hash) => hash.tick === tick);
            assert.notEqual(hashes.own, hashes.server);
            assert.ok(log.inputs.length > 10);
            assert.ok(log.inputs.every(({ input }) => /^[0-9a-f]{16}$/.test(input)));
            assert.ok(match.log(1000).length <= 1000, "logs can be short");
            break;
        }
    });

    test("a reloaded page has its seat again", async (t) => {
        const ann = await open(t, "Ann");
        const before = await ann.create("duel", { options: CALM_DUEL });
        await before.addBot();
        const { saved, seat } = before;
        ann.close();
        const again = await open(t, "Ann");
        const match = await again.reconnect(saved);
        assert.equal(match.seat, seat);
        await draw(match, ({ ready, isPredicted }) => ready && isPredicted);
        await assert.rejects((await open(t, "Eve")).reconnect({ ...saved, token: "guess" }), {
            code: "bad_token",
        });
    });

    test("who is kicked is told, and is out", async (t) => {
        const [ann, bob] = [await open(t, "Ann"), await open(t, "Bob")];
        const mine = await ann.create("arena");
        const theirs = await bob.join(mine.id);
        const [kicked, closed] = [next(theirs, "kicked"), next(theirs, "closed")];
        await mine.kick(theirs.seat);
        assert.ok((await kicked).message.length > 5);
        assert.equal((await closed).code, "kicked");
        assert.equal(bob.match, null);
    });

    test("what is refused leaves one in the match where one was", async (t) => {
        const names = ["Ann", "Bob", "Cid"];
        const [ann, bob, cid] = await Promise.all(names.map((name) => open(t, name)));
        await ann.lobby({ watch: true });
        const mine = await ann.create("tictactoe", { start: "host" });
        const full = await bob.create("tictactoe", { bots: 1 });
        await assert.rejects(ann.join(full.id), { code: "match_full" });
        await assert.rejects(ann.quickPlay("nonsense"), { code: "unknown_game" });
        await assert.rejects(ann.join("nonsense"), { code: "unknown_match" });
        const wrong = { options: { goal: 1.5 } };
        await assert.rejects(ann.create("arena", wrong), { code: "wrong_shape" });
        await assert.rejects(ann.create("arena", { options: { gaol: 1 } }), {
            code: "unknown_option",
        });
        await assert.rejects(ann.join(mine.id), { code: "already_in_match" });
        await assert.rejects(ann.reconnect(mine.saved), { code: "already_in_match" });
        assert.equal(ann.match, mine);
        const isRps = ({ game }) => game === "rps";
        const listed = next(ann, "lobby", ({ matches }) => matches.some(isRps));
        const theirs = await cid.create("rps");
        await listed; // it watches the lobby as before
        const closed = next(theirs, "closed");
        const met = next(mine, "roster", ({ seats }) => seats.length === 2);
        assert.equal((await cid.join(mine.id)).seat, 1);
        assert.equal((await closed).code, "left");
        await met;
        const left = next(mine, "closed");
        const watched = await ann.join(full.id, { as: "spectator" });
        assert.equal((await left).code, "left");
        assert.equal(ann.match, watched);
    });

    test("who listens goes on listening when another match is refused", async (t) => {
        const names = ["Ann", "Bob", "Cid"];
        const [ann, bob, cid] = await Promise.all(names.map((name) => open(t, name)));
        const own = await ann.quickPlay("duel");
        const full = await bob.create("duel", { bots: 1, private: true });
        await assert.rejects(ann.join(full.id), { code: "match_full" });
        assert.equal(ann.match, own);
        const found = phase(own, "found");
        assert.equal((await cid.quickPlay("duel")).id, own.id);
        await found;
    });

    const phase = (match, name) =>
        next(match, "message", (m) => m.type === "matchmaking" && m.content.phase === name);

    test("A15_A16_quick_play_starts_for_both_at_one_moment", LIMIT, async (t) => {
        const [ann, bob] = [await open(t, "Ann"), await open(t, "Bob")];
        const own = await ann.quickPlay("duel");
        const agreed = [phase(own, "agreed")];
        const others = await bob.quickPlay("duel");
        agreed.push(phase(others, "agreed"));
        assert.equal(others.id, own.id);
        const [{ content: first }, { content: second }] = await Promise.all(agreed);
        assert.equal(first.start_ms, second.start_ms);
        const started = [own, others].map((match) => phase(match, "started"));
        for (const match of [own, others]) assert.ok(!match.frame(performance.now()).ready);
        await Promise.all(started);
        const frames = await Promise.all([own, others].map((m) => draw(m, (f) => f.ready)));
        for (const frame of frames) assert.ok(frame.tick < 600, "ticks count from the start");
        assert.equal(own.roster.matchmaking, "started");
    });

    test("who_listens_apart_is_moved_to_another_match", LIMIT, async (t) => {
        const names = ["Ann", "Bob", "Cid"];
        const [ann, bob, cid] = await Promise.all(names.map((name) => open(t, name)));
        const own = await ann.quickPlay("duel");
        const others = await bob.quickPlay("duel");
        const apart = await cid.quickPlay("duel");
        assert.notEqual(apart.id, own.id);
        const moved = next(cid, "moved");
        const closed = next(apart, "closed");
        await others.leave();
        const match = await moved;
        assert.equal(match.id, own.id);
        assert.equal(cid.match, match);
        assert.equal((await closed).code, "moved");
        await phase(match, "started");
    });

    test("who_is_moved_up_to_the_first_seat_comes_back_to_it", LIMIT, async (t) => {
        const proxy = await startProxy(t, server.port);
        const ann = await open(t, "Ann");
        const bob = await open(t, "Bob", { url: proxy.url });
        const own = await ann.quickPlay("duel");
        const second = await bob.quickPlay("duel");
        assert.equal(second.seat, 1);
        const moved = next(bob, "moved");
        await own.leave();
        const first = await moved;
        assert.deepEqual([first.id, first.seat, second.isOver], [own.id, 0, true]);
        const started = phase(first, "started");
        await first.addBot();
        await started;
        const back = next(first, "back");
        proxy.cut();
        await back;
        assert.equal(bob.match, first);
        assert.equal(first.seat, 0);
    });
});

describe("the module of a game in real time", LIMIT, () => {
    const own = join(import.meta.dirname, "../../examples/own_game");
    const sites = mkdtempSync(join(tmpdir(), "fray-modules-"));
    after(() => rmSync(sites, { recursive: true }));

    /** A server of tag whose pages have a module of these rules with `words` for others; without
     * `words`, none. */
    function serveTag(name, words) {
        const site = join(sites, name);
        mkdirSync(join(site, "games"), { recursive: true });
        if (words) {
            cpSync(own, join(site, "source"), { recursive: true });
            for (const file of ["rules.c", "tag.h"]) {
                const path = join(site, "source", file);
                writeFileSync(path, readFileSync(path, "utf8").replace(...words));
            }
            const module = ["-o", join(site, "games/tag.wasm"), "tag"];
            const source = join(site, "source/rules.c");
            const tool = join(import.meta.dirname, "../../tools/fray-wasm");
            execFileSync(tool, [...module, source]);
        }
        return serveFixture("own_games", ["--static-dir", site]);
    }

    const bare = serveTag("bare");
    const raised = serveTag("raised", ["version = 1", "version = 2"]);
    const narrower = serveTag("narrower", ["F(T, score, .bits = 16)", "F(T, score, .bits = 9)"]);
    const faster = serveTag("faster", [/TAG_STEP_IT = [^,]*/, "TAG_STEP_IT = 3000"]);

    /** A match against one bot that has begun; what is warned of it. */
    async function play(t, { url }) {
        const warned = [];
        t.mock.method(console, "warn", (text) => warned.push(text));
        const client = await connect({ url, name: "Ann", WebSocket });
        t.after(() => client.close());
        const match = await client.create("tag", { options: { seconds: 10 } });
        const told = [];
        match.on("other_rules", (rules) => told.push(rules));
        match.on("desync", () => told.push("desync"));
        await match.addBot();
        await match.start();
        return { match, told, warned };
    }

    async function draw(match, ms) {
        let frame;
        for (const end = performance.now() + ms; performance.now() < end; await sleep(10))
            frame = match.frame(performance.now());
        return frame;
    }

    test("is missing: it is said, and JSON alone does", async (t) => {
        const { match, warned } = await play(t, bare);
        assert.equal(warned.length, 1);
        const missing = `There is no ${bare.url}/games/tag.wasm (HTTP 404): make it with fray-wasm`;
        assert.ok(warned[0].includes(missing), warned[0]);
        for (const act of [() => match.frame(0), () => match.setInput({ dx: 1 })])
            assert.throws(act, {
                code: "no_rules",
                message: /404.*fray-wasm.*ask\("steer", {dx: …/,
            });
        assert.equal(match.netcode, null);
        assert.equal(match.rules, null);
        assert.equal(match.game.tick_hz, 30);
        const x = () => match.state.state.players.find(({ seat }) => seat === match.seat).x;
        await next(match, "state", ({ state }) => state.players.length === 2);
        const from = x();
        await match.ask("steer", { dx: from < 320 ? 1 : -1 });
        await next(match, "state", () => Math.abs(x() - from) > 30);
        const ended = next(match, "message", ({ type }) => type === "end_game");
        assert.equal((await next(match, "results")).length, 2);
        assert.ok("winner" in (await ended).content);
    });

    test("is of another version: it is said once, nothing is predicted", async (t) => {
        const { match, told, warned } = await play(t, raised);
        const frame = await draw(match, 1000);
        assert.ok(frame.ready);
        assert.equal(frame.isPredicted, false);
        assert.equal(told.length, 1);
        const { message, own, server } = told[0];
        assert.deepEqual([own, server], [2, 1]);
        assert.match(message, /plays version 1 of tag, this page's module version 2\./);
        assert.deepEqual(warned, [message]);
    });

    test("has other bits: it is said where", async (t) => {
        const { match, told, warned } = await play(t, narrower);
        assert.equal((await draw(match, 1000)).isPredicted, false);
        const [{ message }, ...more] = told.filter((what) => what !== "desync"); // by chance
        assert.match(message, /both of version 1: players\.score differs\..*fray-wasm/);
        assert.deepEqual([more, warned], [[], [message]]);
    });

    test("does something else by the same tables: one is set right again and again", async (t) => {
        const { match, told, warned } = await play(t, faster);
        for (let i = 0; i < 5; i++) {
            match.setInput({ dx: i % 2 ? 1 : -1 });
            assert.ok((await draw(match, 500)).isPredicted);
        }
        assert.ok(match.stats.corrections > 2, `${match.stats.corrections} corrections`);
        assert.deepEqual([told, warned], [[], []]);
    });
});
