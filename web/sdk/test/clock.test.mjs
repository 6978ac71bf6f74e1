import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { randomOf } from "./link.mjs";
import { sdk } from "./sources.mjs";

const { Clock, Pace, Playback } = sdk;

describe("clock", () => {
    /** A ping of this round trip; the server's tick 0 was at `zero` ms of the client's clock. */
    const ping = (clock, now, rtt, zero, way = rtt / 2) =>
        clock.pong(now, now + rtt, ((now + way - zero) * clock.tickHz) / 1000);

    test("five pings at first, then one every two seconds", () => {
        const clock = new Clock(60);
        const times = [];
        for (let now = 0; now < 7000; now += 10) if (clock.shouldPing(now)) times.push(now);
        assert.deepEqual(times, [0, 100, 200, 300, 400, 2400, 4400, 6400]);
        clock.restart();
        assert.ok(clock.shouldPing(7000));
    });

    test("the median does not follow one slow answer", () => {
        const clock = new Clock(60);
        for (const rtt of [50, 52, 400, 51, 49]) ping(clock, 1000, rtt, -500, 25);
        assert.equal(clock.rtt, 51);
        assert.ok(Math.abs(clock.tick(2000) - 2500 * 0.06) < 0.1, `${clock.tick(2000)}`);
    });

    test("a round trip that has changed is told within a second", () => {
        const clock = new Clock(60);
        const play = (from, until, rtt) => {
            let pings = 0;
            for (let now = from; now < until; now += 10)
                if (clock.shouldPing(now)) {
                    pings++;
                    ping(clock, now, rtt, 0);
                }
            return pings;
        };
        play(0, 20_000, 20);
        assert.equal(clock.rtt, 20);
        play(20_000, 23_000, 170);
        assert.equal(clock.rtt, 170);
        assert.ok(play(23_000, 43_000, 171) <= 11, "then as seldom as ever");
    });

    test("after a reset the next answer alone counts", () => {
        const clock = new Clock(60);
        for (let i = 0; i < 12; i++) ping(clock, 100 * i, 40 + i, 0);
        clock.reset();
        ping(clock, 5000, 60, 5000);
        assert.ok(Math.abs(clock.tick(6000) - 60) < 0.1, `${clock.tick(6000)}`);
        assert.equal(clock.rtt, 60);
    });

    test("a stall of the network tells nothing of the clock", () => {
        const clock = new Clock(60);
        for (let i = 0; i < 5; i++) ping(clock, 100 * i, 50, -500);
        /* Four pings wait on the way there and are answered all at once. */
        for (let i = 0; i < 4; i++)
            ping(clock, 1000 + 2000 * i, 8000 - 2000 * i, -500, 7975 - 2000 * i);
        assert.ok(Math.abs(clock.tick(9000) - 9500 * 0.06) < 0.1, `${clock.tick(9000)}`);
        /* The same where they are the most. */
        for (let i = 0; i < 2; i++) ping(clock, 9000 + i, 4000, -500, 3975);
        assert.ok(Math.abs(clock.tick(14_000) - 14_500 * 0.06) < 0.5, `${clock.tick(14_000)}`);
    });

    test("drifts by 1 ms up and 2 ms down, halves beyond 100 ms, takes over beyond 500 ms", () => {
        for (const [error, change] of [
            [20, 1],
            [-20, -2],
            [0.5, 0.5],
            [200, 100],
            [-200, -100],
            [600, 600],
        ]) {
            const clock = new Clock(1000);
            for (let i = 0; i < 9; i++) ping(clock, 100 * i, 40, 0);
            const before = clock.tick(5000);
            const offset = () => clock.tick(5000) - before;
            for (let i = 0; i < 2; i++) ping(clock, 1000 + i, 40, -error); // not the median yet
            const early = offset();
            ping(clock, 1005, 40, -error);
            assert.ok(Math.abs(early) < 1e-6, `${early}`);
            assert.ok(Math.abs(offset() - change) < 1e-6, `${error}: ${offset()}`);
        }
    });

    test("nonsense is left out", () => {
        const clock = new Clock(60);
        clock.pong(1000, 900, 5);
        clock.pong(NaN, 900, 5);
        assert.equal(clock.samples, 0);
    });
});

describe("pace", () => {
    /** The server uses inputs `way` ticks after they left; the clock is `wrong` ticks off. */
    function converge({ way, wrong, seconds = 20, jitter = 0 }) {
        const pace = new Pace(60);
        const random = randomOf(3);
        const reports = [];
        let margin = NaN;
        let fastest = 1;
        let slowest = 1;
        for (let frame = 0; frame < seconds * 60; frame++) {
            const now = (frame * 1000) / 60;
            const tick = pace.advance(now, frame + wrong, way);
            fastest = Math.max(fastest, pace.rate);
            slowest = Math.min(slowest, pace.rate);
            margin = tick - (frame + way + random() * jitter) - 1;
            reports.push(Math.floor(margin));
            if (frame % 3 === 0 && frame > way) pace.report(reports[Math.floor(frame - way)]);
        }
        return { pace, margin, fastest, slowest };
    }

    test("inputs come to arrive one to two ticks early, whatever the clock thinks", () => {
        for (const wrong of [-8, -3, 0, 3, 8]) {
            const { pace, margin, fastest, slowest } = converge({ way: 9, wrong });
            assert.ok(margin > 0.5 && margin < 3, `${wrong}: ${margin}`); // told in whole ticks
            assert.ok(Math.abs(pace.rate - 1) < 0.01, `${wrong}: still ${pace.rate}`);
            assert.ok(fastest <= 1.05 && slowest >= 0.95);
            if (wrong < -2) assert.ok(fastest > 1.02, "it hurried");
            if (wrong > 2) assert.ok(slowest < 0.98, "it waited");
        }
    });

    test("what it takes for the margin is what is told, at every rate of pictures", () => {
        for (const fps of [20, 60, 144]) {
            const pace = new Pace(60);
            for (let frame = 0; frame < 10 * fps; frame++) {
                const server = (frame * 60) / fps;
                const tick = pace.advance((frame * 1000) / fps, server, 5);
                pace.report(tick - server - 5);
            }
            const told = pace.advance(10_000, 600, 5) - 605;
            assert.ok(Math.abs(pace.margin - told) < 0.1, `${fps}: ${pace.margin}, ${told}`);
        }
    });

    test("jitter makes it lead more", () => {
        const calm = converge({ way: 6, wrong: 0 }).margin;
        const restless = converge({ way: 6, wrong: 0, jitter: 4 });
        const lead = restless.pace.advance(20_000, 1200, 6) - 1206;
        assert.ok(lead > calm + 1, `${lead} against ${calm}`);
    });

    test("what is hopelessly off is not slewed", () => {
        const pace = new Pace(60);
        pace.advance(0, 100, 0);
        assert.equal(pace.advance(16, 500, 0), 501.5);
    });
});

describe("playback", () => {
    /** Snapshots every 50 ms; returns the ticks that were shown and the playback. */
    function play({ jitter = 0, seconds = 10, late = () => 0, interval = 50 }) {
        const playback = new Playback(60, interval);
        const random = randomOf(9);
        const arrivals = [];
        for (let i = 0; i < (seconds * 1000) / interval; i++) {
            const made = i * interval;
            arrivals.push([made + 80 + random() * jitter + late(i), (made * 60) / 1000]);
        }
        arrivals.sort(([a], [b]) => a - b);
        const shown = [];
        let newest = 0;
        for (let now = 0; now < seconds * 1000; now += 10) {
            while (arrivals.length && arrivals[0][0] <= now) {
                const [at, tick] = arrivals.shift();
                playback.arrived(tick, at);
                newest = Math.max(newest, tick);
            }
            const tick = playback.advance(now);
            if (!Number.isNaN(tick)) shown.push({ now, tick, newest });
        }
        return { shown, playback };
    }

    test("two intervals behind on a calm link", () => {
        const { playback } = play({});
        assert.equal(playback.delay, 100);
        assert.equal(play({ interval: 1000 / 60 }).playback.delay.toFixed(1), "33.3");
    });

    test("one interval and the jitter on a restless one, at most 250 ms", () => {
        const { playback } = play({ jitter: 160 });
        assert.ok(playback.delay > 110 && playback.delay < 150, `${playback.delay}`);
        assert.equal(play({ late: (i) => (i % 8 ? 0 : 400) }).playback.delay, 250);
    });

    test("time goes on within 2 %, and hardly ever runs out of snapshots", () => {
        const { shown } = play({ jitter: 60, seconds: 20 });
        const settled = shown.slice(300);
        let starved = 0;
        for (let i = 1; i < settled.length; i++) {
            const pace = (settled[i].tick - settled[i - 1].tick) / 0.6;
            assert.ok(pace > 0.979 && pace < 1.021, `${pace}`);
            if (settled[i].tick > settled[i].newest) starved++;
        }
        assert.ok(starved < settled.length * 0.01, `${starved} of ${settled.length}`);
    });
});
