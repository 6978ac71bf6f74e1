// examples/arena_tutorial.c on the wire. Tests are named after the rows that they prove.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { once } from "node:events";
import test, { describe } from "node:test";
import { client, connect, Inbox, serveExample, TRANSPORTS } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };

/** A player who has been told of itself. */
async function play(t, url, options) {
    const socket = client(t, url, options);
    const inbox = new Inbox(socket);
    socket.connect();
    await once(socket, "connect");
    const [self] = await inbox.take("new_player", ({ id }) => id === socket.id);
    return { socket, inbox, id: socket.id, position: self.position };
}

/** Moves a player, and waits until everybody of `all` has seen it. */
async function move(player, x, y, all) {
    player.socket.emit("move", { x, y });
    const seen = ({ id, position }) => id === player.id && position.x === x && position.y === y;
    return (await Promise.all(all.map(({ inbox }) => inbox.take("player_moved", seen))))[0][0];
}

describe("arena tutorial", LIMIT, () => {
    const server = serveExample("arena_tutorial");

    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        test(`C13_new_player_is_told_to_the_others_over_${way}`, async (t) => {
            const ann = await play(t, server.url, { transports });
            const bob = await play(t, server.url, { transports });
            const [told] = await ann.inbox.take("new_player", ({ id }) => id === bob.id);
            assert.deepEqual(told, { id: bob.id, position: bob.position });
            assert.deepEqual(Object.keys(told.position).sort(), ["hp", "x", "y"]);
        });
    }

    test("C12_newcomer_is_told_of_itself_and_of_everybody_present", async (t) => {
        const ann = await play(t, server.url);
        const bob = await play(t, server.url);
        const [told] = await bob.inbox.take("new_player", ({ id }) => id === ann.id);
        assert.deepEqual(told, { id: ann.id, position: ann.position });
        assert.equal(
            bob.inbox.all.filter(([name, { id }]) => name === "new_player" && id === bob.id).length,
            1,
        );
    });

    test("C14_player_left", async (t) => {
        const ann = await play(t, server.url);
        const bob = await play(t, server.url);
        bob.socket.disconnect();
        assert.deepEqual(await ann.inbox.take("player_left", ({ id }) => id === bob.id), [
            { id: bob.id },
        ]);
    });

    test("C15_player_moved_is_told_to_all", async (t) => {
        const ann = await play(t, server.url);
        const bob = await play(t, server.url);
        assert.deepEqual(await move(bob, 17, -3, [ann, bob]), {
            id: bob.id,
            position: { x: 17, y: -3, hp: 100 },
        });
    });

    test("C16_C21_C22_attack_hits_every_other_player_within_10_for_10", async (t) => {
        const everybody = [];
        for (let i = 0; i < 4; i++) everybody.push(await play(t, server.url));
        const [ann, bob, cid, dan] = everybody;
        await move(ann, 1000, 1000, everybody);
        await move(bob, 1006, 1008, everybody); // 10 units, inclusive
        await move(cid, 1006, 1009, everybody); // a little more
        await move(dan, 1000, 1000, everybody);
        ann.socket.emit("attack", {});
        for (const { inbox } of everybody) {
            assert.deepEqual(await inbox.take("player_attacked", ({ id }) => id === bob.id), [
                { id: bob.id, hp: 90 },
            ]);
            assert.deepEqual(await inbox.take("player_attacked", ({ id }) => id === dan.id), [
                { id: dan.id, hp: 90 },
            ]);
        }
        assert.equal((await move(cid, 1007, 1009, everybody)).position.hp, 100);
        assert.equal((await move(ann, 1001, 1001, everybody)).position.hp, 100);
        for (const { inbox } of everybody) assert.equal(inbox.count("player_attacked"), 2);
    });

    test("C17_C23_player_is_killed_at_0", async (t) => {
        const everybody = [await play(t, server.url), await play(t, server.url)];
        const [ann, bob] = everybody;
        await move(ann, 2000, 2000, everybody);
        await move(bob, 2005, 2000, everybody);
        for (let i = 0; i < 10; i++) ann.socket.emit("attack", {});
        for (const { inbox } of everybody) {
            for (let hp = 90; hp >= 0; hp -= 10)
                assert.deepEqual(await inbox.take("player_attacked"), [{ id: bob.id, hp }]);
            const told = inbox.all.filter(
                ([name]) => name === "player_attacked" || name === "player_killed",
            );
            assert.deepEqual(told.slice(-2), [
                ["player_killed", { id: bob.id }],
                ["player_attacked", { id: bob.id, hp: 0 }],
            ]); // in the tutorial's order
            assert.equal(inbox.count("player_killed"), 1);
        }
    });

    test("C18_move_of_another_shape_is_answered_with_error", async (t) => {
        const ann = await play(t, server.url);
        for (const wrong of [undefined, null, 5, {}, { x: 1 }, { x: "1", y: 2 }, [1, 2]]) {
            ann.socket.emit("move", wrong);
            assert.equal((await ann.inbox.take("error"))[0].event, "move");
        }
        assert.equal(ann.inbox.count("player_moved"), 0);
        assert.deepEqual((await move(ann, 1, 2.5, [ann])).position, { x: 1, y: 2.5, hp: 100 });
    });

    test("C19_C20_spawn_at_random_in_0_to_100_with_hp_100", async (t) => {
        const places = new Set();
        for (let i = 0; i < 30; i++) {
            const { socket, position } = await play(t, server.url, { transports: ["websocket"] });
            for (const at of [position.x, position.y])
                assert.ok(Number.isInteger(at) && at >= 0 && at <= 100);
            assert.equal(position.hp, 100);
            places.add(`${position.x} ${position.y}`);
            socket.disconnect();
        }
        assert.ok(places.size > 20);
    });

    test("C24_C25_C26_page_is_served_unchanged", async () => {
        const page = await (await fetch(server.url)).text();
        const file = new URL("../../examples/arena_tutorial/index.html", import.meta.url);
        assert.equal(page, await readFile(file, "utf8"));
        assert.match(page, /width="500" height="500"/);
        assert.match(page, /players\[myId\]\.x \+ 5/);
        assert.match(page, /fillRect\(player\.x, player\.y, 10, 10\)/);
    });

    test("C28_pages_of_any_origin_may_play", async () => {
        const reply = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`, {
            headers: { Origin: "https://elsewhere.example" },
        });
        assert.equal(reply.status, 200);
        assert.equal(reply.headers.get("access-control-allow-origin"), "*");
    });

    test("C11_C12_100_players_and_a_late_joiner_who_sees_everybody", async (t) => {
        const crowd = await Promise.all(
            Array.from({ length: 100 }, () =>
                connect(t, server.url, { transports: ["websocket"] }),
            ),
        );
        const late = await play(t, server.url);
        for (const socket of crowd)
            await late.inbox.take("new_player", ({ id }) => id === socket.id);
    });
});
