// The whole netcode against the real rules and codec, over a link that delays, loses and reorders.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { randomOf, World } from "./link.mjs";
import { Player } from "./player.mjs";
import { Server, WELCOME } from "./server.mjs";
import { rulesOf, sdk } from "./sources.mjs";

async function match(game = "duel", options = {}) {
    const world = new World();
    const server = new Server(world, await rulesOf(game), options);
    return { world, server, join: (seat, more) => Player.join(world, server, seat, more) };
}

const DATAGRAMS = { latency: 60, jitter: 50, loss: 0.1 };
const STREAM = { latency: 60, jitter: 50, loss: 0.02, isStream: true };

/** Presses any keys, the same ones for the same seed. */
function play(player, seed) {
    const random = randomOf(seed);
    const { fields } = player.netcode.rules.game.input;
    player.onDraw = () => {
        if (random() < 0.9) return;
        const values = {};
        for (const { name, min = 0, max = 0, once } of fields)
            if (!once && name !== "mode") values[name] = Math.round(min + random() * (max - min));
        player.netcode.setInput(values);
    };
}

function own(player, name) {
    return player.frame.predicted.tables.players[player.seat][name];
}

describe("netcode", () => {
    for (const game of ["duel", "arena"])
        for (const [kind, link] of Object.entries({ datagrams: DATAGRAMS, stream: STREAM }))
            test(`${game} over ${kind}: what clients see is what the server has`, async () => {
                const { world, server, join } = await match(game, { options: { obstacles: 12 } });
                const players = [];
                for (const seat of [0, 1]) {
                    players.push(await join(seat, { ...link, seed: 10 * seat + 3 }));
                    play(players[seat], seat + 1);
                }
                players.push(await join(sdk.SPECTATOR, { ...link, seed: 77 }));
                world.run(20_000);
                /* The last snapshot of all must come through, and nothing may happen after it. */
                for (const player of players) {
                    player.onDraw = null;
                    player.down.options.loss = player.down.options.jitter = 0;
                }
                world.run(1000);
                for (const { netcode, seat, view } of players) {
                    assert.equal(netcode.status.desyncs, 0);
                    assert.ok(netcode.status.received > 250);
                    const behind = server.tick - netcode.status.newestTick;
                    assert.ok(behind >= 0 && behind < 12, `${behind} ticks behind`);
                    assert.ok(
                        view.some((byte) => byte),
                        `seat ${seat} sees something`,
                    );
                }
                assert.deepEqual(server.reports, []);
                assert.equal(server.malformed, 0);
                const share = server.inputs.length / (2 * server.tick);
                assert.ok(share > 0.85, `${share} of the ticks had inputs`);
            });

    test("the view after a snapshot is the server's, byte for byte", async () => {
        const { world, server, join } = await match();
        const player = await join(0, { ...DATAGRAMS, loss: 0.2 });
        await join(1, {});
        play(player, 4);
        const truth = new Map();
        let compared = 0;
        world.every(1000 / 60, () => {
            truth.set(server.tick, server.viewOf(0));
        });
        player.onFrame = () => {
            const expected = truth.get(player.netcode.status.newestTick);
            if (!expected) return;
            assert.deepEqual(player.view, expected);
            compared++;
        };
        world.run(10_000);
        assert.ok(compared > 400, `${compared} compared`);
    });

    test("near and far know at which tick the match is, whatever their clocks say", async () => {
        const { world, server, join } = await match();
        const players = [
            await join(0, { latency: 1 }),
            await join(1, { latency: 75, clockOffset: 5000 }),
            await join(sdk.SPECTATOR, { ...DATAGRAMS, loss: 0, clockOffset: -800 }),
        ];
        assert.ok(Number.isNaN(players[0].netcode.frame(0).serverTick), "nothing was told yet");
        world.run(5000);
        for (const { frame } of players) {
            const off = frame.serverTick - server.tick;
            assert.ok(Math.abs(off) < 2, `${off} ticks off`);
        }
    });

    test("no correction while walking, at 150 ms round trip", async () => {
        const { world, join } = await match();
        const player = await join(0, { latency: 75, jitter: 5 });
        await join(1, { latency: 75, jitter: 5, seed: 8 });
        world.run(3000); // the countdown, and clocks settle
        const { status } = player.netcode;
        const before = status.corrections;
        for (let i = 0; i < 16; i++) {
            player.netcode.setInput({ walk: i % 2 ? 1 : -1, jump: i % 3 === 0 });
            const from = own(player, "x");
            world.run(500);
            assert.notEqual(own(player, "x"), from);
        }
        assert.equal(status.corrections - before, 0);
    });

    test("who hears nothing for a second stands still: it would not be heard", async () => {
        const { world, join } = await match();
        const player = await join(0, { latency: 40, isStream: true });
        await join(1, {});
        world.run(3000);
        player.up.options.latency = player.down.options.latency = 20_000;
        player.netcode.setInput({ walk: -1 });
        const start = own(player, "x");
        world.run(500);
        assert.ok(own(player, "x") < start - 50);
        world.run(1000);
        const still = own(player, "x");
        world.run(3000);
        assert.ok(Math.abs(own(player, "x") - still) < 1e-6);
    });

    test("an own step shows in the next picture, whatever the latency", async () => {
        const { world, join } = await match();
        const player = await join(0, { latency: 150 });
        await join(1, {});
        world.run(3000);
        const from = own(player, "x");
        player.netcode.setInput({ walk: 1 });
        world.run(50);
        assert.ok(own(player, "x") > from);
    });

    test("others move smoothly in spite of jitter and loss", async () => {
        const { world, join } = await match("arena", {
            options: { obstacles: 0, width: 8000, height: 8000, sight: 8000 },
        });
        const walker = await join(0, {});
        const watcher = await join(1, { latency: 60, jitter: 40, loss: 0.05 });
        walker.netcode.setInput({ dx: 127 });
        world.run(4000);
        let last = NaN;
        let shown = 0;
        watcher.onFrame = ({ interpolated, lagging }) => {
            const { x } = interpolated.tables.players[0];
            const step = x - last; // 5 px per tick of 1/30 s: 2.5 px per picture
            if (shown++) assert.ok(step > 1.5 && step < 3.5, `a step of ${step} px`);
            assert.equal(lagging, false);
            last = x;
        };
        world.run(6000);
    });

    test("when nothing comes others go on for 250 ms, then it says lagging", async () => {
        const { world, join } = await match("arena", {
            options: { obstacles: 0, width: 8000, sight: 8000 },
        });
        const walker = await join(0, {});
        const watcher = await join(1, { latency: 30 });
        walker.netcode.setInput({ dx: 127 });
        world.run(3000);
        const place = () => watcher.frame.interpolated.tables.players[0].x;
        watcher.isConnected = false;
        world.run(200);
        const soon = place();
        world.run(80);
        assert.ok(place() > soon + 8, "extrapolated");
        assert.equal(watcher.frame.lagging, false);
        world.run(400);
        const stopped = place();
        world.run(500);
        assert.equal(place(), stopped);
        assert.equal(watcher.frame.lagging, true);
        watcher.isConnected = true;
        world.run(1000);
        assert.equal(watcher.frame.lagging, false);
        assert.ok(place() > stopped + 50);
    });

    test("a new connection: HELLO again, and it goes on", async () => {
        const { world, join } = await match();
        const player = await join(0, { ...STREAM });
        await join(1, {});
        play(player, 5);
        world.run(4000);
        player.isConnected = false;
        world.run(3000);
        player.isConnected = true;
        player.netcode.hello(player.now);
        world.run(3000);
        assert.equal(player.netcode.status.desyncs, 0);
        assert.equal(player.frame.isPredicted, true);
        assert.equal(player.frame.lagging, false);
        assert.ok(player.netcode.status.margin > 0, `${player.netcode.status.margin}`);
    });

    test("other rules than the server's: no prediction, but it still plays", async () => {
        const { world, server, join } = await match("duel", { rulesHash: 42n });
        const player = await join(0, { latency: 30 });
        await join(1, {});
        player.netcode.setInput({ walk: 1 });
        world.run(3000);
        assert.equal(player.netcode.canPredict, false);
        assert.equal(player.frame.isPredicted, false);
        assert.equal(player.frame.predicted, player.frame.interpolated);
        assert.ok(own(player, "x") > 150, "it walked nevertheless");
        assert.ok(server.inputs.some(({ seat }) => seat === 0));
    });

    test("events come once, in order, when the view is at their tick", async () => {
        const { world, server, join } = await match();
        const player = await join(0, { ...DATAGRAMS, loss: 0.3 });
        await join(1, {});
        world.run(3000);
        const ticks = [];
        player.netcode.on("event", ({ tick }) => ticks.push([tick, player.frame.tick]));
        for (let i = 0; i < 40; i++) {
            server.event(1, i % 2, i);
            world.run(50);
        }
        world.run(2000);
        const hits = player.events.filter(({ name }) => name === "player_hit");
        assert.deepEqual(
            hits.map(({ args }) => args),
            Array.from({ length: 40 }, (_, i) => ({ id: i % 2, hp: i })),
        );
        for (const [tick, shown] of ticks) {
            assert.ok(shown >= tick, "not before it is seen");
            assert.ok(shown < tick + 60, `${shown} is long after ${tick}`);
        }
    });

    test("a view that differs is reported, and mended by a full snapshot", async () => {
        const { world, server, join } = await match();
        const player = await join(0, { latency: 20, isStream: true });
        await join(1, {});
        world.run(3000);
        const desyncs = [];
        player.netcode.on("desync", ({ tick }) => desyncs.push(tick));
        const { rules, status } = player.netcode;
        const platforms = rules.game.tables.find(({ name }) => name === "platforms");
        rules.bytes[status.newest + platforms.offset] ^= 1;
        world.run(1000);
        assert.equal(desyncs.length, 1);
        assert.deepEqual(server.reports, [{ seat: 0, tick: desyncs[0] }]);
        world.run(2000);
        assert.equal(desyncs.length, 1, "mended");
        const log = JSON.parse(JSON.stringify(player.netcode.log));
        assert.equal(log.game, "duel");
        assert.equal(log.seat, 0);
        assert.ok(log.inputs.length > 200);
        assert.ok(log.hashes.some(({ own, server }) => own !== server));
        assert.ok(log.hashes.some(({ own, server }) => own === server));
    });

    test("garbage throws nothing and changes nothing", async () => {
        const { world, join } = await match();
        const player = await join(0, { latency: 20 });
        await join(1, {});
        world.run(2000);
        const random = randomOf(1);
        const real = [];
        const { receive } = player.netcode;
        player.netcode.receive = (packet, now) => {
            if (real.length < 50) real.push(packet.slice());
            receive.call(player.netcode, packet, now);
        };
        world.run(2000);
        player.netcode.receive = receive;
        for (let i = 0; i < 3000; i++) {
            const packet =
                i % 3
                    ? real[i % real.length].slice(
                          0,
                          Math.ceil(random() * real[i % real.length].length),
                      )
                    : new Uint8Array(Math.floor(random() * 64));
            for (let n = 0; n < 3; n++)
                packet[Math.floor(random() * packet.length)] = random() * 256;
            if (i % 2) packet[0] = [0x81, 0x82, 0x83, 0x84][i % 4];
            if (packet[0] === WELCOME) continue; // a well-formed one is the server's to send
            player.netcode.receive(packet, player.now);
        }
        player.netcode.receive(new Uint8Array(0), player.now);
        player.netcode.receive(new Uint8Array(100_000).fill(0x82), player.now);
        assert.ok(player.netcode.status.refused > 500, `${player.netcode.status.refused}`);
    });

    test("a slow connection gets fewer packets, none of them stale", async () => {
        const { world, server, join } = await match();
        const player = await join(0, { latency: 20, isStream: true });
        await join(1, {});
        world.run(3000);
        player.netcode.link.buffered = 100_000;
        const sent = player.netcode.bytesOut;
        world.run(1000);
        const from = server.inputs.length;
        player.netcode.link.buffered = 0;
        world.run(1000);
        assert.ok(server.inputs.slice(from).filter(({ seat }) => seat === 0).length >= 50);
        assert.ok(sent);
        assert.equal(server.malformed, 0);
    });

    test("spectators send acknowledgements, no inputs", async () => {
        const { world, server, join } = await match();
        await join(0, {});
        const watcher = await join(sdk.SPECTATOR, { latency: 40 });
        world.run(4000);
        assert.equal(watcher.frame.isPredicted, false);
        assert.equal(watcher.frame.predicted, watcher.frame.interpolated);
        assert.ok(watcher.frame.ready);
        assert.equal(
            server.inputs.some(({ seat }) => seat === sdk.SPECTATOR),
            false,
        );
        assert.equal(server.malformed, 0);
    });
});
