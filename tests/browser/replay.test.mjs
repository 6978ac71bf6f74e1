// The page of replays: a match played by stock clients, played again and verified in the page.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KINDS } from "../integration/game_players.mjs";
import { BUILD, serveFray } from "../integration/harness.mjs";
import { Following } from "../../web/games/arena/following.mjs";
import { spots, useBrowser } from "./browser.mjs";

const DESKTOP = { viewport: { width: 1280, height: 900 } };

const PICTURES = {
    duel: { whose: ["left", "right", "stone"], caption: / · Ann \d : \d Bot$/ },
    arena: { whose: ["wall", "field"], caption: /\w 0/ },
};

const player = (t, url, name) => KINDS["Socket.IO"]().open(t, url, { name });

describe("the page of replays", () => {
    const fray = serveFray(["--replay-min-ms", "0", "--seat-stand-in-ms", "200"]);
    const open = useBrowser();

    async function kept(match) {
        for (;;) {
            const reply = await fetch(`${fray.url}/replays/${match}`);
            if (reply.status === 200) return;
        }
    }

    async function playTictactoe(t) {
        const [ann, bob] = [await player(t, fray.url, "Ann"), await player(t, fray.url, "Bob")];
        const { match } = await ann.ask("create", { game: "tictactoe" });
        await bob.ask("join", { match });
        for (const [who, cell] of [
            [ann, 0],
            [bob, 3],
            [ann, 1],
            [bob, 4],
            [ann, 2],
        ])
            await who.ask("place", { cell });
        await ann.ask("leave");
        await bob.ask("leave");
        await kept(match);
        return match;
    }

    async function playWithBots(t, game) {
        const ann = await player(t, fray.url, "Ann");
        const { match } = await ann.ask("create", { game, start: "auto" });
        await ann.ask("add_bot");
        if (game === "rps") {
            await ann.ask("choose", { choice: 0 });
            await ann.take("round");
        }
        for (let i = 0; game !== "rps" && i < 40; i++) await ann.take("state");
        await ann.ask("leave");
        await kept(match);
        return match;
    }

    const visit = async (id) => {
        const page = await open(`${fray.url}/games/replay/?id=${id}`, DESKTOP);
        await page.waitForSelector("body[data-ready]");
        return page;
    };
    /** The page with these bytes for a replay. */
    async function visitFile(bytes) {
        const reply = { body: bytes, contentType: "application/octet-stream" };
        const page = await open("about:blank", {
            ...DESKTOP,
            prepare: async (blank) => {
                await blank.route("**/replays/forged", (route) => route.fulfill(reply));
                await blank.route(/\/replays\?id=forged/, (route) =>
                    route.fulfill({ json: { replays: [{ id: "forged" }] } }),
                );
            },
        });
        await page.goto(`${fray.url}/games/replay/?id=forged`);
        await page.waitForSelector("#verdict[data-fault]");
        return page;
    }

    /** A match of bots and guests who come and go: the same whenever it is played. */
    async function visitSimulated(game, ...options) {
        const file = join(fray.data, `${game}.simulated`);
        spawnSync(join(BUILD, "fray"), ["simulate", game, "--replay", file, ...options]);
        const page = await visitFile(readFileSync(file));
        await page.waitForSelector("body[data-ready]");
        return page;
    }

    /** By way of `from`, tick by tick: what the page says. */
    const saidAt = (page, ticks, from) =>
        page.evaluate(
            ([wanted, way]) => {
                const go = (tick) => {
                    const bar = document.getElementById("seek");
                    bar.value = tick === "end" ? bar.max : tick;
                    bar.dispatchEvent(new Event("input"));
                };
                return wanted.map((tick) => {
                    go(way);
                    go(tick);
                    const read = (id) => document.getElementById(id).innerText;
                    return [tick, ...["caption", "time", "people", "happened"].map(read)];
                });
            },
            [ticks, from],
        );

    const verdict = (page) => page.textContent("#verdict");
    const marks = (page) =>
        page.$$eval(".cell", (cells) => cells.map(({ dataset }) => dataset.mark || "-").join(""));

    test("E_replay_page_plays_tictactoe_and_verifies_it", async (t) => {
        const page = await visit(await playTictactoe(t));
        assert.equal(await verdict(page), "verified ✓");
        assert.equal(await marks(page), "---------");
        assert.match(await page.textContent("#people"), /Ann *Bob *$/); // how it ends is not told
        await page.selectOption("#speed", "8");
        await page.click("#play");
        await page.waitForSelector('body[data-at="end"]');
        assert.equal(await marks(page), "XXXOO----");
        assert.equal(await page.locator(".cell.won").count(), 3);
        assert.match(await page.textContent("#people"), /Ann won.*Bob lost/);
        assert.match(await page.textContent("#happened"), /Ann wins.*Ann takes c1.*Bob takes b2/s);
        assert.equal(await page.textContent("#caption"), "Ann wins");
        await page.click("#play"); // once more
        await page.waitForSelector('body[data-at="middle"]');
        await page.waitForSelector('body[data-at="end"]');
        await page.click("#back");
        assert.equal(await marks(page), "XX-OO----");
        assert.equal(await page.textContent("#caption"), "Ann is to move");
        assert.match(await page.textContent("#happened"), /^\S+Bob takes b2.*Ann takes a1$/s);
        await page.focus("#seek");
        await page.keyboard.press("Home");
        assert.equal(await marks(page), "---------");
        await page.keyboard.press("ArrowRight");
        await page.click("#step");
        assert.equal((await marks(page)).replaceAll("-", "").length > 0, true);
    });

    for (const game of ["rps", "duel", "arena"]) {
        test(`E_replay_page_plays_${game}_and_verifies_it`, async (t) => {
            const page = await visit(await playWithBots(t, game));
            assert.equal(await verdict(page), "verified ✓");
            await page.selectOption("#speed", "8");
            await page.click("#play");
            await page.waitForSelector('body[data-at="end"]');
            assert.match(await page.textContent("#time"), /tick (\d+) of \1/);
            const happened = await page.textContent("#happened");
            await page.focus("#seek");
            for (const key of ["Home", "End"]) await page.keyboard.press(key);
            assert.equal(await page.textContent("#happened"), happened);
            if (game === "rps") {
                await page.waitForSelector(".hand"); // though all have left
                assert.match(await page.textContent("#caption"), /wins after|^Round/);
                return;
            }
            // As the game's own page shows it to who watches.
            const { whose, caption } = PICTURES[game];
            assert.match(await page.textContent("#caption"), caption);
            await page.$eval("#seek", (bar) => {
                bar.value = bar.max / 2;
                bar.dispatchEvent(new Event("input"));
            });
            for (const name of whose)
                assert.ok((await spots(page, name, "field")).count > 30, `${name} is seen`);
            if (game !== "arena") return;
            assert.ok((await spots(page, "wall-edge", "minimap")).count > 30);
            await page.click('#people button:has-text("Ann")');
            await page.waitForSelector('#people [aria-pressed="true"]:has-text("Ann")');
            await page.waitForSelector('#caption:has-text("following Ann")');
            // Picture and playback are in view on a phone that lies, too.
            for (const [width, height] of [
                [667, 375],
                [844, 390],
            ]) {
                await page.setViewportSize({ width, height });
                for (const one of ["#field", "#play", "#step", "#speed", "#seek", "#time"]) {
                    const box = await page.locator(one).boundingBox();
                    assert.ok(box.y + box.height <= height, `${one} at ${width} px`);
                }
            }
        });
    }

    test("the list of players is of the tick that is shown", async (t) => {
        const ann = await player(t, fray.url, "Ann");
        const bob = await player(t, fray.url, "Bob");
        const { match } = await ann.ask("create", { game: "arena" });
        const wait = async (count = 5) => {
            for (let states = 0; states < count; states++) await ann.take("state");
        };
        await wait();
        const { token } = await bob.ask("join", { match });
        await wait();
        bob.close();
        await ann.take("match", ({ seats }) => seats[1]?.stand_in);
        await wait(50); // it is noted with the next hash
        const back = await player(t, fray.url, "Bob");
        await back.ask("reconnect", { match, token });
        await wait(50);
        await back.ask("leave");
        await wait();
        await ann.ask("leave");
        await kept(match);
        const page = await visit(match);
        const said = await page.evaluate(() => {
            const bar = document.getElementById("seek");
            const lists = [];
            for (let tick = 0; tick <= Number(bar.max); tick++) {
                bar.value = tick;
                bar.dispatchEvent(new Event("input"));
                const text = document.getElementById("people").innerText.replace(/\s+/g, " ");
                if (lists.at(-1)?.text !== text) lists.push({ text, tick });
            }
            return lists;
        });
        assert.deepEqual(
            said.map(({ text }) => text),
            [
                "Ann",
                "Ann Bob",
                "Ann Bob a bot stands in",
                "Ann Bob",
                "Ann Bob has left",
                "Ann has left Bob has left",
            ],
        );
        const see = async (at, whom) => {
            await page.fill("#seek", String(said[at].tick + 1));
            await page.waitForSelector(`#caption:has-text("following ${whom}")`);
        };
        const isChosen = '#people [aria-pressed="true"]';
        await see(1, "Ann");
        await page.click('#people button:has-text("Bob")');
        await page.waitForSelector(`${isChosen}:has-text("Bob")`);
        await see(2, "Bob");
        await see(4, "Ann");
        assert.equal(await page.locator(isChosen).count(), 0);
        await see(3, "Bob");
        await page.waitForSelector(`${isChosen}:has-text("Bob")`);
    });

    test("what is said depends on the tick alone, however one went there", async () => {
        for (const [game, ...options] of [
            ["duel", "--bots", "1", "--guests", "1", "--ticks", "20000", "--seed", "3"],
            ["arena", "--bots", "8", "--ticks", "3600", "--seed", "3"],
            ["tictactoe", "--ticks", "60", "--seed", "3"],
            ["rps", "--ticks", "60", "--seed", "3"],
        ]) {
            const page = await visitSimulated(game, ...options);
            const end = Number(await page.getAttribute("#seek", "max"));
            const ticks = Array.from({ length: 41 }, (_, i) => Math.floor((i * end) / 40));
            const said = await saidAt(page, ticks, 0);
            assert.deepEqual(await saidAt(page, ticks, "end"), said);
            assert.ok(said.slice(20).every(([, , , , happened]) => happened !== ""));
        }
    });

    test("the score is of the tick that is shown, when all have left, too", async (t) => {
        const ann = await player(t, fray.url, "Ann");
        const options = { hits: 1, rounds: 1, round_ticks: 600, countdown_ticks: 30 };
        const { match } = await ann.ask("create", { game: "duel", start: "auto", options });
        await ann.ask("add_bot", { level: 2 });
        await ann.take("state", ({ state }) => state.players[1]?.wins === 1);
        await ann.ask("rematch");
        const isNext = ({ matches, phase }) => matches === 2 && phase === "playing";
        await ann.take("state", ({ state }) => isNext(state.match));
        await ann.ask("leave");
        await kept(match);
        const page = await visit(match);
        const end = Number(await page.getAttribute("#seek", "max"));
        const ticks = Array.from({ length: end + 1 }, (_, tick) => tick);
        const captions = (await saidAt(page, ticks, 0)).map(([, caption]) => caption);
        assert.equal(captions.at(-1), "The end · Ann 0 : 0 Bot");
        assert.ok(captions.includes("The end · Ann 0 : 1 Bot"));
        await saidAt(page, [captions.indexOf("The end · Ann 0 : 1 Bot")], 0);
        await page.focus("#seek");
        await page.keyboard.press("End");
        assert.equal(await page.textContent("#caption"), captions.at(-1));
        assert.match(await page.textContent("#happened"), /Bot wins.*Bot wins.*Bot takes/s);
        for (const name of ["left", "right"])
            assert.ok((await spots(page, name, "field")).count > 30, `${name} is seen`);
    });

    test("who left one after the other is seen together at the end", async (t) => {
        const [ann, bob] = [await player(t, fray.url, "Ann"), await player(t, fray.url, "Bob")];
        const { match } = await ann.ask("create", { game: "duel", start: "auto" });
        await bob.ask("join", { match });
        for (const one of [ann, bob]) {
            for (let states = 0; states < 10; states++) await bob.take("state");
            await one.ask("leave");
        }
        await kept(match);
        const page = await visit(match);
        await page.focus("#seek");
        await page.keyboard.press("End");
        assert.equal(await page.textContent("#caption"), "The end · Ann 0 : 0 Bob");
        assert.match(await page.textContent("#happened"), /Bob wins/);
        for (const name of ["left", "right"])
            assert.ok((await spots(page, name, "field")).count > 30, `${name} is seen`);
        await page.click("#back"); // Bob alone
        assert.equal(await page.textContent("#caption"), "The end · Ann 0 : 0 Bob");
        assert.match(await page.textContent("#people"), /Ann lost *Bob won/);
    });

    test("after a leap the camera follows who leads among the living", async () => {
        const page = await visitSimulated("arena", "--bots", "8", "--ticks", "3600", "--seed", "3");
        const ticks = Array.from({ length: 60 }, (_, i) => 60 * (60 - i));
        const said = await page.evaluate((wanted) => {
            const { recording } = document.getElementById("viewer").replay;
            const bar = document.getElementById("seek");
            return wanted.map((tick) => {
                bar.value = tick;
                bar.dispatchEvent(new Event("input"));
                const living = recording.describe().players.filter(({ hp }) => hp > 0);
                const leader = living.sort((a, b) => b.score - a.score || a.seat - b.seat)[0];
                const followed = document.getElementById("caption").textContent.split(" · ").at(-1);
                return [followed, `following ${recording.nameOf(leader.id)}`];
            });
        }, ticks);
        for (const [followed, leader] of said) assert.equal(followed, leader);
        assert.ok(new Set(said.map(([followed]) => followed)).size > 1);
    });

    test("the camera follows who lives, and stays where nobody does", () => {
        const following = new Following();
        const [ann, bob, cid] = [2, 5, 1].map((score, seat) => ({ seat, score, hp: 100 }));
        const players = [ann, bob, cid];
        const follows = () => following.of({ players });
        assert.equal(follows(), bob); // leads
        ann.score = 9;
        assert.equal(follows(), bob); // until he falls
        bob.hp = 0;
        assert.equal(follows(), ann);
        ann.hp = cid.hp = 0;
        assert.equal(follows(), ann);
        cid.hp = 100;
        assert.equal(follows(), cid);
        following.choose(1);
        assert.equal(follows(), bob); // though he lies there
        following.choose(1);
        assert.equal(follows(), cid);
        players.length = 0;
        assert.equal(follows(), null);
    });

    test("a damaged file and an unknown one say so", async (t) => {
        const match = await playTictactoe(t);
        const bytes = Buffer.from(
            await (await fetch(`${fray.url}/replays/${match}`)).arrayBuffer(),
        );
        bytes[bytes.length - 20] ^= 1;
        const page = await visitFile(bytes);
        assert.match(await verdict(page), /(damaged|malformed|differs) at tick/);
        await page.goto(`${fray.url}/games/replay/?id=nowhere`);
        await page.waitForSelector("#failure:not([hidden])");
        assert.match(await page.textContent("#failure"), /no such replay/);
        await page.click("#failure a");
        await page.waitForSelector("#replays li");
    });

    test("who leaves a game that is over finds its replay, once all have left", async () => {
        const first = await open(`${fray.url}/games/tictactoe/?play=friend`, DESKTOP);
        await first.waitForSelector("#invitation:not([hidden])");
        const second = await open(await first.inputValue("#link"), DESKTOP);
        for (const [page, cell] of [
            [first, 0],
            [second, 3],
            [first, 1],
            [second, 4],
            [first, 2],
        ]) {
            await page.waitForSelector(`.board.open [data-cell="${cell}"]`);
            await page.click(`[data-cell="${cell}"]`);
        }
        await first.waitForSelector("#action-rematch");
        await first.click("#leave");
        await first.click("#start-message a");
        await first.waitForSelector("#failure:not([hidden])");
        assert.match(await first.textContent("#failure"), /still open/);
        const here = first.url();
        await first.click('#failure a:has-text("Watch the match")');
        await first.waitForSelector(".cell.won");
        await first.goto(here);
        await first.waitForSelector("#failure:not([hidden])");
        await second.click("#leave");
        const link = new URL(await second.getAttribute("#start-message a", "href"), second.url());
        await kept(link.searchParams.get("id"));
        await first.reload();
        await first.waitForSelector('#verdict[data-fault="good"]');
        await first.click("#play");
        await first.waitForSelector(".cell.won");
    });

    test("who leaves a game in real time finds its replay", async () => {
        const page = await open(`${fray.url}/games/arena/?play=bot`, DESKTOP);
        await page.waitForSelector('body[data-life="alive"]');
        await page.click("#leave");
        const id = new URL(await page.getAttribute("#start-message a", "href"), page.url());
        await kept(id.searchParams.get("id"));
        await page.click("#start-message a");
        await page.waitForSelector('#verdict[data-fault="good"]');
        await page.waitForFunction(() => document.getElementById("caption").textContent !== "");
    });

    test("a duel that is over can be seen to its end", async () => {
        const page = await open(`${fray.url}/games/duel/`, DESKTOP);
        await page.waitForSelector("#options-box:not([hidden])");
        await page.click("#options-box summary");
        for (const [name, value] of Object.entries({ hits: 1, rounds: 1, round_ticks: 600 }))
            await page.fill(`#options [name="${name}"]`, String(value));
        await page.selectOption("#level", "2");
        await page.click('#start-form [value="bot"]');
        await page.waitForSelector("#action-rematch");
        await page.click("#leave");
        await page.click("#start-message a");
        await page.waitForSelector('#verdict[data-fault="good"]');
        await page.focus("#seek");
        await page.keyboard.press("End");
        await page.waitForFunction(() =>
            /^The end · /.test(document.getElementById("caption").textContent),
        );
    });

    test("the lobby leads to the list, the list to a replay", async (t) => {
        await playTictactoe(t);
        const page = await open(`${fray.url}/lobby/`, DESKTOP);
        await page.click('nav a:has-text("Replays")');
        await page.waitForSelector("#replays li");
        assert.match(await page.textContent("nav [aria-current]"), /Replays/);
        assert.match(await page.textContent("#replays"), /Tic-tac-toe.*Ann won, Bob lost/s);
        await page.click("#replays li:first-child a");
        await page.waitForSelector('#verdict[data-fault="good"]');
        assert.match(await page.textContent("nav [aria-current]"), /Replays/);
        assert.match(await page.textContent("#time"), /^0:00 \/ 0:0\d · tick 0 of 5$/);
        await page.focus("#seek");
        await page.keyboard.press("Space");
        await page.waitForSelector('body[data-playing="yes"]');
        await page.keyboard.press("Space");
        await page.waitForSelector('body[data-playing="no"]');
    });

    test("the list comes once the server is there; links go on with it", async (t) => {
        await playTictactoe(t);
        let isDown = true;
        const page = await open("about:blank", {
            ...DESKTOP,
            allows: /ERR_CONNECTION_REFUSED/,
            prepare: (blank) =>
                blank.route(/\/replays$/, (route) =>
                    isDown ? route.abort("connectionrefused") : route.continue(),
                ),
        });
        const server = encodeURIComponent(fray.url);
        await page.goto(`${fray.url}/games/replay/?server=${server}`);
        await page.waitForSelector(".connection:not([hidden])");
        for (const link of await page.$$eval("nav a, .brand", (all) => all.map((a) => a.href)))
            assert.equal(new URL(link).searchParams.get("server"), fray.url);
        isDown = false;
        await page.waitForSelector("#replays li");
        await page.waitForSelector(".connection", { state: "hidden" });
    });
});
