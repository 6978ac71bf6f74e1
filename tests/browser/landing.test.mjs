// The page that the program itself serves: its arena, its looks, its ways in.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect, serveFray } from "../integration/harness.mjs";
import { DESKTOP, contrast, spots, useBrowser } from "./browser.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/** The page's sockets, for tests that close them. */
const keepSockets = (page) =>
    page.addInitScript(() => {
        window.sockets = [];
        window.WebSocket = class extends WebSocket {
            constructor(...args) {
                super(...args);
                window.sockets.push(this);
            }
        };
    });

describe("the landing page", () => {
    const fray = serveFray();
    const open = useBrowser();

    const enter = async (options = DESKTOP) => {
        const page = await open(`${fray.url}/`, options);
        await page.waitForFunction(() => field.arena?.world.players.length > 0);
        return page;
    };
    const phase = (page, wanted) => page.waitForSelector(`#arena[data-phase="${wanted}"]`);
    const own = (page) => page.evaluate(() => field.arena.world.self);
    const people = (page, count) =>
        page.waitForFunction(
            (n) => document.getElementById("players").textContent === n,
            String(count),
        );

    const knows = (page, name) =>
        page.waitForFunction(
            (who) => [...field.arena.world.roster.values()].some((entry) => entry.name === who),
            name,
        );

    async function play(page, name) {
        await page.fill("#name", name);
        await page.click("#play");
        await phase(page, "playing");
        await page.waitForFunction(() => field.arena.world.self);
    }

    /** Walks to the middle of the map: both ways at once, so that no wall stops it. */
    async function moves(page) {
        await page.waitForFunction(() => field.arena.world.self);
        const { x, y } = await own(page);
        const keys = [x < 240 ? "KeyD" : "KeyA", y < 144 ? "KeyS" : "KeyW"];
        for (const key of keys) await page.keyboard.down(key);
        await page.waitForFunction(
            (from) => {
                const { self } = field.arena.world;
                return self && Math.hypot(self.x - from.x, self.y - from.y) > 5;
            },
            { x, y },
        );
        for (const key of keys) await page.keyboard.up(key);
    }

    /** Holds the keys that lead to a player of that name, until within `range`, and strikes. */
    async function hunt(page, name, until) {
        const held = new Set();
        const press = async (wanted) => {
            for (const key of held)
                if (!wanted.includes(key)) (await page.keyboard.up(key), held.delete(key));
            for (const key of wanted)
                if (!held.has(key)) (await page.keyboard.down(key), held.add(key));
        };
        while (!(await until())) {
            const keys = await page.evaluate((who) => {
                const { world } = field.arena;
                const me = world.self;
                const goal = world.players.find(({ seat }) => world.nameOf(seat) === who);
                if (!me || !goal) return [];
                const dx = goal.x - me.x;
                const dy = goal.y - me.y;
                return [
                    dx > 3 && "KeyD",
                    dx < -3 && "KeyA",
                    dy > 3 && "KeyS",
                    dy < -3 && "KeyW",
                    "Space",
                ].filter(Boolean);
            }, name);
            await press(keys);
        }
        await press([]);
    }

    test("bots_fight_before_anybody_plays", async () => {
        const page = await enter();
        assert.equal(await page.evaluate(() => field.arena.world.players.length), 8);
        await page.waitForFunction(() => field.arena.world.players.some(({ hp }) => hp < 100));
        assert.equal(await page.textContent("#players"), "0");
    });

    test("a_first_key_joins_and_moves", async () => {
        const page = await enter();
        await page.keyboard.down("KeyD");
        await phase(page, "playing");
        assert.equal(await page.evaluate(() => document.activeElement.id), "field");
        await page.keyboard.up("KeyD");
        await moves(page);
        await page.keyboard.press("Escape");
        await phase(page, "watching");
        await people(page, 0);
        await page.focus("#field");
        await page.keyboard.press("ArrowLeft");
        await phase(page, "playing");
    });

    test("keys_scroll_a_page_that_nobody_plays_on_yet", async () => {
        const page = await enter();
        const scrolled = (from) => page.waitForFunction((y) => scrollY !== y, from);
        for (const key of ["ArrowDown", "ArrowUp", "Space"]) {
            const from = await page.evaluate(() => scrollY);
            await page.keyboard.press(key);
            await scrolled(from);
            await page.waitForTimeout(300); // it glides
        }
        await page.keyboard.press("ArrowLeft");
        await page.keyboard.press("Control+KeyA");
        await page.focus("#play");
        await page.keyboard.press("KeyD");
        assert.equal(await page.getAttribute("#arena", "data-phase"), "watching");
        assert.equal(await page.evaluate(() => field.arena.seat.wantsSeat), false);
    });

    test("a_name_entered_while_one_plays_is_taken_and_the_keys_go_on", async () => {
        const page = await enter();
        await play(page, "Ada");
        await page.fill("#name", "Ada Two");
        await page.press("#name", "Enter");
        await knows(page, "Ada Two");
        await page.waitForSelector('#arena[data-phase="playing"] #field:focus');
        await moves(page);
        await page.goto(`${fray.url}/lobby/`);
        assert.equal(await page.inputValue("#name"), "Ada Two");
    });

    test("two_pages_see_each_other_move_and_attack", async () => {
        const [ada, bob] = [await enter(), await enter({ ...DESKTOP, colorScheme: "dark" })];
        await play(ada, "Ada");
        await play(bob, "Bob");
        await Promise.all([people(ada, 2), people(bob, 2)]);
        await knows(ada, "Bob");
        await knows(bob, "Ada");

        await bob.evaluate(() => (window.live = []));
        await bob.evaluate(() =>
            new MutationObserver(() =>
                window.live.push(document.getElementById("live").textContent),
            ).observe(document.getElementById("live"), { childList: true }),
        );
        const died = () => bob.evaluate(() => field.arena.world.self?.deaths > 0);
        await hunt(ada, "Bob", died);
        await bob.waitForFunction(() => window.live.some((text) => /struck you down/.test(text)));
        await phase(bob, "playing"); // it comes back by itself
        assert.ok((await own(bob)).hp > 0);
    });

    test("C29_C30_server_is_the_authority", async (t) => {
        const page = await enter();
        const match = await page.evaluate(() => field.arena.seat.match.id);
        const forger = await connect(t, `${fray.url}/games`);
        const refused = new Promise((resolve) => forger.on("error", resolve));
        const { seat } = await forger.emitWithAck("join", { match, name: "Mallory" });
        await knows(page, "Mallory");
        forger.emit("steer", { dx: 30000, dy: 0 });
        assert.equal((await refused).code, "out_of_range");
        forger.emit("steer", { dx: 127, dy: 127 });
        const steps = [];
        let last;
        await new Promise((resolve) =>
            forger.on("state", ({ state }) => {
                const { tick } = state.match;
                const me = state.players.find((player) => player.seat === seat);
                if (me?.hp && last?.deaths === me.deaths && last.hp && tick > last.tick)
                    steps.push(Math.hypot(me.x - last.x, me.y - last.y) / (tick - last.tick));
                last = me && { ...me, tick };
                if (steps.length === 20) resolve();
            }),
        );
        assert.ok(Math.max(...steps) <= 5.2, `${Math.max(...steps)} px a tick`);
        forger.emit("leave");
    });

    test("names_are_cleaned_and_shown_as_text", async () => {
        const page = await enter();
        await play(page, "<b>x</b>\u202e");
        await page.waitForSelector("#board .you");
        assert.equal(await page.textContent("#board .you span"), "<b>x</b>");
        await page.fill("#name", "\u202e");
        await page.press("#name", "Enter");
        await page.waitForSelector('.toast:has-text("A name is up to 20 letters")');
        assert.equal(await page.inputValue("#name"), "<b>x</b>");
        assert.equal(await page.textContent("#board .you span"), "<b>x</b>");
    });

    test("C05_plays_with_websocket_blocked", async () => {
        const page = await open(`${fray.url}/`, {
            ...DESKTOP,
            prepare: (blocked) =>
                blocked.addInitScript(() => {
                    window.WebSocket = class {
                        constructor() {
                            setTimeout(() => this.onerror?.(new Event("error")));
                        }
                        close() {}
                    };
                }),
        });
        await play(page, "Poll");
        await page.waitForSelector('#transport:text("long polling")');
        await moves(page);
    });

    test("a_lost_connection_is_told_and_the_place_taken_again", async () => {
        const page = await enter({ ...DESKTOP, prepare: keepSockets });
        await play(page, "Back");
        const lost = phase(page, "lost");
        await page.evaluate(() => window.sockets.forEach((socket) => socket.close()));
        await lost;
        await phase(page, "playing");
        await page.waitForSelector('#board .you :text("Back")');
    });

    test("a_still_picture_where_no_server_answers", async () => {
        const page = await open(`${fray.url}/`, {
            ...DESKTOP,
            prepare: (cut) => cut.addInitScript(() => (window.WebSocket = window.fetch = null)),
        });
        await phase(page, "unreached");
        assert.equal(await page.textContent("#prompt-title"), "No connection");
        assert.ok((await spots(page, "bot", "field")).count > 100);
        assert.ok((await spots(page, "wall", "field")).count > 100);
    });

    test("who_does_nothing_for_a_minute_watches_again", async () => {
        const page = await enter();
        await play(page, "Idle");
        await page.evaluate(() => {
            const { now } = performance;
            performance.now = () => now.call(performance) + 61_000;
        });
        await phase(page, "away");
        await page.waitForFunction(() => field.arena.seat.match.seat === null);
        await page.keyboard.press("ArrowLeft");
        await phase(page, "playing");
    });

    test("phone_fits_and_plays_by_touch", async () => {
        const page = await enter(PHONE);
        for (const width of [390, 320, 240]) {
            await page.setViewportSize({ width, height: PHONE.viewport.height });
            await page.waitForFunction((wanted) => innerWidth === wanted, width);
            assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
        }
        await page.setViewportSize({ width: 320, height: PHONE.viewport.height });
        const [brand, first] = await page.$$eval(".brand, nav a", (links) =>
            links.map((link) => link.getBoundingClientRect()),
        );
        assert.ok(brand.right + 8 <= first.left, "the name and the links are apart");
        await page.tap("#field");
        await phase(page, "playing");
        await page.waitForFunction(() => field.arena.world.self);
        const small = await page.evaluate(() =>
            [...document.querySelectorAll("button, input")]
                .filter(
                    (element) =>
                        element.offsetParent && element.getBoundingClientRect().height < 44,
                )
                .map(({ id }) => id),
        );
        assert.deepEqual(small, []);
        const swings = (await own(page)).swings;
        await page.tap("#strike");
        await page.waitForFunction((n) => field.arena.world.self.swings !== n, swings);
    });

    test("dark_and_light_have_contrast", async () => {
        for (const colorScheme of ["light", "dark"]) {
            const page = await enter({ ...DESKTOP, colorScheme });
            const ratios = {
                ink: await contrast(page, "ink", "ground"),
                quiet: await contrast(page, "quiet", "ground"),
                button: await contrast(page, "you", "field"),
                foe: await contrast(page, "foe", "field"),
            };
            assert.ok(ratios.ink >= 7 && ratios.quiet >= 4.5, JSON.stringify(ratios)); // WCAG 1.4.3
            assert.ok(ratios.button >= 3 && ratios.foe >= 3, JSON.stringify(ratios)); // 1.4.11
        }
    });

    test("tabs_by_keyboard_and_snippets_of_this_server", async () => {
        const page = await enter();
        await page.focus("#tab-socketio");
        await page.keyboard.press("ArrowRight");
        assert.equal(await page.getAttribute("#tab-websocket", "aria-selected"), "true");
        const snippet = await page.textContent("#panel-websocket");
        assert.match(
            snippet,
            new RegExp(`ws://127\\.0\\.0\\.1:${fray.port}/ws\\?namespace=/games&name=Ada`),
        );
        await page.addScriptTag({
            content: `window.play = (console) => {${snippet}; return games}`,
        });
        await page.evaluate(() => void window.play({ log() {} }));
        await knows(page, "Ada"); // it plays as it says
    });

    test("C38_assets_are_immutable_and_nothing_comes_from_elsewhere", async () => {
        const urls = [];
        const page = await open(`${fray.url}/`, {
            prepare: (fresh) => fresh.on("request", (request) => urls.push(request.url())),
        });
        await phase(page, "watching");
        assert.deepEqual(
            urls.filter((url) => !/^(ws|http):\/\/127\.0\.0\.1|^data:/.test(url)),
            [],
        );
        const assets = urls.filter((url) => url.includes("/assets/"));
        assert.equal(assets.length, 2);
        for (const url of assets) {
            const reply = await page.request.get(url);
            assert.match(reply.headers()["cache-control"], /immutable/);
        }
    });

    test("docs_are_served", async () => {
        const page = await open(`${fray.url}/docs/config.html`);
        assert.match(await page.textContent("h1"), /\w/);
        assert.ok(await page.isVisible("nav a[aria-current]"));
    });
});
