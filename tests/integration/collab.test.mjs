// examples/collab.c and its page's shared_text.mjs: whoever edits what, all end with one text.
import assert from "node:assert/strict";
import { once } from "node:events";
import test, { describe } from "node:test";
import { SharedText, apply, difference, rebase } from "../../examples/collab/shared_text.mjs";
import { client, Inbox, lose, serveExample, startProxy, TRANSPORTS } from "./harness.mjs";

const LIMIT = { timeout: 180_000 };
const server = serveExample("collab", ["--workers", "2"]);

/** What the page does, without a page. */
class Author {
    constructor(t, url, options = {}) {
        this.socket = client(t, url, options);
        this.inbox = new Inbox(this.socket);
        this.shared = new SharedText((edit) => this.socket.emit("edit", edit));
        this.socket.on("connect", () => {
            if (this.socket.recovered) this.shared.resend();
        });
        this.socket.on("text", (whole) => this.shared.reset(whole));
        this.socket.on("edit", (edit) => this.shared.receive(edit, edit.author === this.socket.id));
        this.socket.connect();
    }

    /** Everything typed so far is confirmed. */
    async settled() {
        while (this.shared.settledVersion === null)
            await Promise.race([once(this.socket, "edit"), once(this.socket, "text")]);
        assert.equal(this.inbox.count("text"), 1); // none of them was refused
        return this.shared.settledVersion;
    }
}

async function join(t, url = server.url, options) {
    const author = new Author(t, url, options);
    await author.inbox.take("text");
    return author;
}

/** The same on each run, so that a failure can be looked at. */
function random(seed) {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
}

function scribble(text, below) {
    const characters = [...text];
    const at = below(characters.length + 1);
    const words = ["a", "xyz", "ü", "👩‍🚀", "\n", '"\\', ""];
    return apply(characters, { at, remove: below(4), insert: words[below(words.length)] }).join("");
}

async function converge(authors) {
    const versions = await Promise.all(authors.map((author) => author.settled()));
    const last = Math.max(...versions);
    for (const author of authors) {
        while (author.shared.settledVersion !== last) await once(author.socket, "edit");
    }
    for (const { shared } of authors) assert.equal(shared.text, authors[0].shared.text);
}

describe("collab", LIMIT, () => {
    test("edits_are_moved_over_one_another", () => {
        const moved = (edit, over) => {
            const { at, remove } = rebase(
                { insert: "", remove: 0, ...edit },
                { insert: "", remove: 0, ...over },
            );
            return [at, remove];
        };
        assert.deepEqual(moved({ at: 5 }, { at: 2, insert: "ab" }), [7, 0]);
        assert.deepEqual(moved({ at: 2 }, { at: 5, insert: "ab" }), [2, 0]);
        assert.deepEqual(moved({ at: 2 }, { at: 2, insert: "ab" }), [4, 0]); // it stays in front
        assert.deepEqual(moved({ at: 5 }, { at: 2, remove: 2 }), [3, 0]);
        assert.deepEqual(moved({ at: 5 }, { at: 2, remove: 9 }), [2, 0]);
        assert.deepEqual(moved({ at: 2, remove: 4 }, { at: 3, insert: "ab" }), [2, 6]);
        assert.deepEqual(moved({ at: 2, remove: 4 }, { at: 6, insert: "ab" }), [2, 4]);
        assert.deepEqual(moved({ at: 2, remove: 4 }, { at: 4, remove: 4 }), [2, 2]);
        assert.deepEqual(moved({ at: 4, remove: 4 }, { at: 2, remove: 4, insert: "x" }), [3, 2]);
        assert.deepEqual(moved({ at: 2, remove: 2 }, { at: 1, remove: 9 }), [1, 0]);
        assert.deepEqual(difference([..."abc"], [..."abc"]), null);
        assert.deepEqual(difference([..."aaa"], [..."aa"]), { at: 2, remove: 1, insert: "" });
        assert.deepEqual(difference([..."ab"], [..."axb"]), { at: 1, remove: 0, insert: "x" });
    });

    for (const [way, transports] of Object.entries(TRANSPORTS)) {
        test(`C10_texts_converge_under_concurrent_edits_over_${way}`, async (t) => {
            const below = random(transports.length + way.length);
            const authors = await Promise.all(
                Array.from({ length: 5 }, () => join(t, server.url, { transports })),
            );
            for (let round = 0; round < 40; round++) {
                for (const author of authors) {
                    for (let i = below(4); i > 0; i--)
                        author.shared.edit(scribble(author.shared.text, below));
                }
                if (below(3) === 0) await authors[below(5)].settled();
            }
            await converge(authors);
            const late = await join(t);
            assert.equal(late.shared.text, authors[0].shared.text);
        });
    }

    test("C10_nobody_loses_what_others_typed_elsewhere", async (t) => {
        const [ann, bob] = [await join(t), await join(t)];
        ann.shared.edit("one two three");
        await converge([ann, bob]);
        ann.shared.edit("zero one two three");
        bob.shared.edit("one two three four");
        await converge([ann, bob]);
        assert.equal(ann.shared.text, "zero one two three four");
    });

    test("C06_edits_survive_broken_connections_once_each", async (t) => {
        const proxy = await startProxy(t, server.port);
        const ann = await join(t, proxy.url, {
            reconnection: true,
            reconnectionDelay: 1,
            reconnectionDelayMax: 20,
        });
        const bob = await join(t);
        ann.shared.edit("");
        await converge([ann, bob]);
        for (let round = 0; round < 10; round++) {
            ann.shared.edit(`${ann.shared.text}${round}`); // its confirmation is lost, or it is
            const connected = once(ann.socket, "connect");
            await lose(ann.socket, proxy);
            bob.shared.edit(`${bob.shared.text}-`);
            await connected;
            assert.equal(ann.socket.recovered, true);
            await converge([ann, bob]);
        }
        assert.equal(bob.shared.text.replaceAll("-", ""), "0123456789");
        assert.equal(bob.shared.text.replaceAll(/[^-]/g, "").length, 10);
    });

    test("cursors_are_told_to_the_others_and_moved_to_now", async (t) => {
        const [ann, bob] = [await join(t), await join(t, server.url, { auth: { name: "bob" } })];
        ann.shared.edit("abc");
        await converge([ann, bob]);
        const version = ann.shared.settledVersion;
        ann.shared.edit("xxabc");
        await converge([ann, bob]);
        bob.socket.emit("cursor", { version, at: 1, selected: 2 });
        assert.deepEqual(await ann.inbox.take("cursor"), [
            { author: bob.socket.id, name: "bob", at: 3, selected: 2 },
        ]);
        const { id } = bob.socket;
        bob.socket.disconnect();
        await ann.inbox.take("left", (author) => author === id);
    });

    test("impossible_edits_are_answered_with_the_text", async (t) => {
        const ann = await join(t);
        let number = 0;
        for (const wrong of [
            { version: 1e9 },
            { version: -1 },
            { at: 1e9 },
            { at: -1 },
            { remove: 1e9 },
            { remove: -1 },
            { at: Number.MAX_SAFE_INTEGER, remove: Number.MAX_SAFE_INTEGER },
            { insert: "x".repeat(200_001) },
        ]) {
            number += 1;
            ann.socket.emit("edit", {
                number,
                version: ann.shared.settledVersion,
                at: 0,
                remove: 0,
                insert: "",
                ...wrong,
            });
            const [{ text, version }] = await ann.inbox.take("text");
            assert.equal(version, ann.shared.settledVersion);
            assert.equal(text, ann.shared.text);
        }
        ann.socket.emit("edit", { number: "one" });
        assert.equal((await ann.inbox.take("error"))[0].event, "edit");
    });
});
