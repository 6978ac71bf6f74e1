// Games without a page of their own: the lobby has cards for them, the playground lets one play
// whatever the rules are. Tag is examples/own_game's, noughts is tic-tac-toe under another name.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { serveFixture } from "../integration/harness.mjs";
import { DESKTOP, PHONE, fits, isReady, spots, useBrowser } from "./browser.mjs";

const root = join(import.meta.dirname, "../..");

const isPhase = (page, phase) => page.waitForSelector(`body[data-phase="${phase}"]`);
const status = (page, wanted) =>
    page.waitForFunction(
        (source) => new RegExp(source).test(document.getElementById("status").textContent),
        wanted.source,
    );
const happened = (page, wanted) =>
    page.waitForFunction(
        (source) => new RegExp(source).test(document.getElementById("happened").textContent),
        wanted.source,
    );
const own = (page, field) =>
    page.evaluate((name) => {
        const { seat, frame } = document.getElementById("canvas").play;
        const { predicted } = frame.call(document.getElementById("canvas").play, performance.now());
        return predicted.tables.players[seat][name];
    }, field);

describe("games without a page", () => {
    const dir = mkdtempSync(join(tmpdir(), "fray-playground-"));
    after(() => rmSync(dir, { recursive: true }));
    mkdirSync(join(dir, "site/games"), { recursive: true });
    const module = join(dir, "site/games/tag.wasm");
    execFileSync(join(root, "tools/fray-wasm"), [
        ...["-o", module, "tag", join(root, "examples/own_game/rules.c")],
    ]);
    const replays = ["--replays", "true", "--data", join(dir, "data")];
    const server = serveFixture("own_games", ["--static-dir", join(dir, "site"), ...replays]);
    const bare = serveFixture("own_games"); // has no module of tag's
    const open = useBrowser();
    const visit = (path, options = DESKTOP) => open(server.url + path, options);

    test("the_lobby_has_a_card_for_every_game_and_lists_their_rooms", async () => {
        const host = await visit("/games/tag/?play=public");
        await host.waitForSelector("#invitation:not([hidden])");
        const lobby = await visit("/"); // leads there: there is no arena to show
        await isReady(lobby);
        const shown = await lobby.$$eval(".game:not([hidden]) h2", (titles) =>
            titles.map((title) => title.textContent),
        );
        assert.deepEqual(shown, ["Tag", "Noughts and crosses", "Rock-paper-scissors"]);
        assert.match(await lobby.textContent('[data-game="tag"] p'), /2 to 16 players/);
        await lobby.waitForSelector(".room");
        assert.match(await lobby.textContent(".room small"), /Tag · 1\/16 · waiting/);
        await lobby.click(".room a");
        await lobby.waitForSelector("#table:not([hidden])");
        await status(lobby, /Waiting for the host/);
        await status(host, /Start when you like/);
        await lobby.click("#action-ready");
        await host.click("#action-start");
        for (const page of [host, lobby]) await isPhase(page, "playing");
    });

    test("turns_are_played_by_forms_made_of_the_rules", async () => {
        const first = await visit("/games/noughts/");
        await isReady(first);
        assert.equal(await first.textContent("#start-title"), "Noughts and crosses");
        await first.click("#options-box summary");
        await first.fill('[name="turn_ms"]', "60000");
        await first.click('[value="friend"]');
        await first.waitForSelector("#invitation:not([hidden])");
        const second = await open(await first.inputValue("#link"), DESKTOP);
        await status(first, /Your move/);
        await status(second, /is to move/);
        const place = (page, cell) => page.click(`.values button >> nth=${cell}`);
        await place(first, 0);
        await status(second, /Your move/);
        await place(second, 0); // taken: the game says so in its own words
        await second.waitForSelector('.toast:has-text("That cell is taken.")');
        for (const [page, cell] of [
            [second, 3],
            [first, 1],
            [second, 4],
            [first, 2],
        ]) {
            await status(page, /Your move/);
            await place(page, cell);
        }
        await status(first, /You win!/);
        await status(second, /wins/);
        await happened(second, /end game winner .*ending 1/);
        const board = await second.$$eval(".grid span", (cells) =>
            cells.map((cell) => cell.textContent).join(""),
        );
        assert.equal(board, "xxxoo····");
        assert.match(await second.textContent("#state"), /turn/);
        await first.fill("#chat-field", "again?");
        await first.press("#chat-field", "Enter");
        await second.waitForSelector('#chat-log li:has-text("again?")');
        for (const page of [first, second]) await page.click("#action-rematch");
        await status(second, /Your move/);
        await fits(first);
    });

    test("a_game_in_real_time_is_drawn_steered_and_seen_again", async () => {
        const page = await visit("/games/tag/");
        await isReady(page);
        await page.click("#options-box summary");
        await page.fill('[name="seconds"]', "10");
        await page.selectOption("#bots", "2");
        await page.click('[value="bot"]');
        await isPhase(page, "playing");
        await page.waitForFunction(() => document.getElementById("canvas").play?.isOver === false);
        const [x, y] = [await own(page, "x"), await own(page, "y")];
        const [across, down] = [x < 320 ? "ArrowRight" : "KeyA", y < 200 ? "KeyS" : "ArrowUp"];
        for (const key of [across, down]) await page.keyboard.down(key);
        await page.waitForFunction(
            ([fromX, fromY]) => {
                const { play } = document.getElementById("canvas");
                const player = play.frame(performance.now()).predicted.tables.players[play.seat];
                return Math.abs(player.x - fromX) > 60 && Math.abs(player.y - fromY) > 60;
            },
            [x, y],
        );
        for (const key of [across, down]) await page.keyboard.up(key);
        assert.ok((await spots(page, "you")).count > 100);
        assert.match(await page.textContent("#state"), /players.*who.*x.*y.*score/s);
        await status(page, /You win!|wins?$|A draw/);
        await happened(page, /end game winner/);
        await page.click("#action-rematch");
        await isPhase(page, "playing");
        await page.click("#leave");
        await page.click("#start-message a");
        await isReady(page);
        assert.match(await page.textContent("#verdict"), /verified/);
        assert.equal(await page.textContent("#title"), "Tag");
        assert.ok((await spots(page, "bot", "field")).count > 50);
    });

    test("thumbs_and_practice", async () => {
        const page = await visit("/games/tag/", PHONE);
        await isReady(page);
        await page.click("#practice");
        await page.waitForSelector('[data-way="right"]:visible');
        await fits(page);
        const x = await own(page, "x");
        const way = x < 320 ? "right" : "left";
        await page.dispatchEvent(`[data-way="${way}"]`, "pointerdown", { pointerId: 1 });
        await page.waitForFunction((from) => {
            const { play } = document.getElementById("canvas");
            const { predicted } = play.frame(performance.now());
            return Math.abs(predicted.tables.players[play.seat].x - from) > 40;
        }, x);
    });

    test("an_impulse_with_a_range_is_given_once_by_its_button", async () => {
        const boost = { name: "boost", bytes: 1, bits: 3, min: 0, max: 5, once: true };
        const page = await open(`${server.url}/games/tag/`, {
            ...DESKTOP,
            prepare: (blank) =>
                blank.route("**/games/tag.json", async (route) => {
                    const game = await (await route.fetch()).json();
                    game.input.fields.push(boost);
                    await route.fulfill({ json: game });
                }),
        });
        await isReady(page);
        await page.click("#practice");
        await page.waitForFunction(() => document.getElementById("canvas").play);
        await page.evaluate(() => {
            const { play } = document.getElementById("canvas");
            const setInput = play.setInput.bind(play);
            window.told = []; // in every frame
            play.setInput = ({ boost: value = null, ...others }) => {
                window.told.push(value);
                setInput(others);
            };
        });
        const frames = async (count) => {
            const until = await page.evaluate((more) => window.told.length + more, count);
            await page.waitForFunction((wanted) => window.told.length > wanted, until);
        };
        await page.fill('#pad [name="boost"]', "3");
        await frames(5);
        for (let times = 0; times < 2; times++) {
            await page.click('#pad button:text-is("Give")');
            await frames(5);
        }
        await page.fill('#pad [name="boost"]', "9"); // out of its range
        await page.click('#pad button:text-is("Give")');
        await frames(5);
        const given = await page.evaluate(() => window.told.filter((value) => value !== null));
        assert.deepEqual(given, [3, 3]);
        await fits(page);
    });

    for (const query of ["", "?play=bot", "?play=quick", "?match=none"])
        test(`says_how_to_make_a_module_that_is_not_there ${query}`, async () => {
            const page = await open(`${bare.url}/games/tag/${query}`, {
                ...DESKTOP,
                allows: /404/,
            });
            await page.waitForSelector('body[data-ready="failed"]');
            assert.match(await page.innerText("h1"), /Tag/);
            assert.match(
                await page.innerText("#start-message"), // what can be seen of it
                /fray-wasm -o DIR\/games\/tag\.wasm/,
            );
            assert.ok(!(await page.isVisible("#start-form")));
        });
});
