import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rulesOf, sdk } from "./sources.mjs";

const { Inputs, View } = sdk;

/** Two states of a duel: seat 0 has moved from the first to the second. */
async function duel() {
    const rules = await rulesOf("duel");
    const [older, newer] = [0, 0].map(() => rules.alloc(rules.game.state_size));
    rules.wasm.init(older, 1n, 0);
    rules.wasm.join(older, 0);
    rules.copyState(newer, older);
    const players = rules.game.tables.find(({ name }) => name === "players");
    const set = (state, seat, name, value) => {
        const field = players.fields.find((field) => field.name === name);
        const at = state + players.offset + seat * players.stride + field.offset;
        sdk.writeField(rules.data, at, field, value);
    };
    return { rules, older, newer, set };
}

describe("views", () => {
    test("a table of one row is the row, others are arrays", async () => {
        const { rules, older } = await duel();
        const view = new View(rules, false, { fields: [], teleport: 24 });
        assert.equal(view.ready, false);
        view.show(older, older, 0, 1);
        assert.equal(view.tables.match.phase, 0);
        assert.equal(view.tables.match.winner, 255);
        assert.equal(view.tables.players.length, 2);
        assert.equal(view.tables.players[0].present, true);
        assert.equal(view.tables.players[1].present, false);
        assert.equal(view.tables.players[0].row, 0);
        assert.equal(view.tables.players[0].x, 120, "px, not 1/256 px");
        assert.equal(view.tables.options.hits, 5);
        assert.equal(view.tables.platforms[0].present, true, "always there");
    });

    test("places are between two states, other things of the older or the newest", async () => {
        const { rules, older, newer, set } = await duel();
        set(newer, 0, "x", (120 + 8) * 256);
        set(newer, 0, "hp", 3);
        set(newer, 0, "aim_x", 100);
        const smoothing = { fields: ["players.aim_x"], teleport: 24 };
        const then = new View(rules, false, smoothing);
        const now = new View(rules, true, smoothing);
        for (const view of [then, now]) view.show(older, newer, 0.25, 1);
        assert.equal(then.tables.players[0].x, 122);
        assert.equal(now.tables.players[0].x, 122);
        assert.equal(then.tables.players[0].aim_x, 25);
        assert.equal(then.tables.players[0].hp, 0);
        assert.equal(now.tables.players[0].hp, 3);
    });

    test("who is placed elsewhere or has just come is not shown on the way", async () => {
        const { rules, older, newer, set } = await duel();
        set(newer, 0, "x", 400 * 256);
        set(newer, 1, "present", 1);
        set(newer, 1, "x", 20 * 256);
        const then = new View(rules, false, { fields: [], teleport: 24 });
        const now = new View(rules, true, { fields: [], teleport: 24 });
        for (const view of [then, now]) view.show(older, newer, 0.5, 1);
        assert.equal(then.tables.players[0].x, 120);
        assert.equal(now.tables.players[0].x, 400);
        assert.equal(now.tables.players[1].x, 20);
        then.show(older, newer, 0.5, 20); // 20 ticks: now it may have walked
        assert.equal(then.tables.players[0].x, 260);
    });
});

describe("inputs", () => {
    const read = (rules, at, name) => {
        const field = rules.game.input.fields.find((field) => field.name === name);
        return sdk.readField(rules.data, at + field.offset, field);
    };

    test("are held, impulses for one tick", async () => {
        const rules = await rulesOf("duel");
        const inputs = new Inputs(rules);
        const taken = [0, 1].map(() => rules.alloc(rules.game.input_size));
        inputs.set({ walk: -1, jump: true, rematch: true });
        for (const to of taken) inputs.take(to);
        for (const [i, name, value] of [
            [0, "walk", -1],
            [1, "walk", -1],
            [1, "jump", 1],
            [0, "rematch", 1],
            [1, "rematch", 0],
        ])
            assert.equal(read(rules, taken[i], name), value, `${name}, the ${i}th time`);
    });

    test("are brought into their range; what does not exist is an error", async () => {
        const rules = await rulesOf("duel");
        const inputs = new Inputs(rules);
        inputs.set({ walk: 7, aim_x: -1e9, aim_y: 12.6 });
        assert.equal(read(rules, inputs.held, "walk"), 1);
        assert.equal(read(rules, inputs.held, "aim_x"), -2047);
        assert.equal(read(rules, inputs.held, "aim_y"), 13);
        const refused = (values, code, message) =>
            assert.throws(() => inputs.set(values), { name: "Refusal", code, message });
        const has = "it has aim_x, aim_y, walk, jump, fire, rematch.";
        refused({ fly: 1 }, "unknown_field", `duel has no input "fly": ${has}`);
        const range = "it is a number from -1 to 1.";
        refused({ walk: "up" }, "bad_value", `"walk" cannot be "up": ${range}`);
        for (const value of [NaN, null, undefined, "1", {}])
            assert.throws(() => inputs.set({ walk: value }), {
                code: "bad_value",
                message: /^"walk" cannot be .*: it is a number from -1 to 1\.$/,
            });
        assert.throws(() => inputs.set({ walk: 0, jump: null }), { code: "bad_value" });
        assert.equal(read(rules, inputs.held, "walk"), 1, "nothing of it is set");
    });

    test("labels stand for their numbers", async () => {
        const rules = await rulesOf("arena");
        const inputs = new Inputs(rules);
        inputs.set({ mode: "target" });
        assert.equal(read(rules, inputs.held, "mode"), 1);
        inputs.set({ mode: 0 });
        assert.equal(read(rules, inputs.held, "mode"), 0);
        assert.throws(() => inputs.set({ mode: "crawl" }), {
            code: "bad_value",
            message: '"mode" cannot be "crawl": it is "steer", "target", or a number from 0 to 1.',
        });
        assert.throws(() => inputs.set({ x: null }), { message: /a number from -64 to 8064\.$/ });
    });
});
