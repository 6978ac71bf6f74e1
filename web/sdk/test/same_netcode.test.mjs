// The module's netcode does to the bit what the native one does: what players of the C tests were
// told (src/client/test_match.h) it is told again, and says the same.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { built, rulesOf } from "./sources.mjs";

const PACKET = 1;
const EVENT = 2;
const HEAD = 13; // char what, u64 now_us, u32 len

function* recordsOf(file) {
    const bytes = readFileSync(file);
    for (let at = 0; at < bytes.length;) {
        const len = bytes.readUInt32LE(at + 9);
        const what = String.fromCharCode(bytes[at]);
        yield {
            what,
            now: Number(bytes.readBigUInt64LE(at + 1)),
            content: bytes.subarray(at + HEAD, at + HEAD + len),
        };
        at += HEAD + len;
    }
}

/** One player's netcode. */
class Told {
    #said = []; // what is still to be compared

    constructor(rules) {
        this.rules = rules;
        this.wasm = rules.wasm;
    }

    take({ what, now, content }, where) {
        const { wasm, rules } = this;
        if (what === "S" || what === "E")
            return assert.deepEqual(this.#said.shift(), what + content.toString("hex"), where);
        assert.deepEqual(this.#said, [], where);
        if (what === "C") {
            const [seat, isStream, snapshotHz, batch] = content;
            const smoothing = rules.smoothing({ fields: [], teleport: 0 });
            assert.ok(wasm.netcode_init(seat, snapshotHz, batch, smoothing, 0));
            rules.refresh();
            wasm.netcode_restart(isStream, now);
        } else if (what === "I") rules.bytes.set(content, wasm.netcode_held());
        else if (what === "L") this.#look(now, content, where);
        else {
            if (what === "H") wasm.netcode_restart(content[0], now);
            if (what === "A") wasm.netcode_advance(content[0], now);
            if (what === "R") {
                rules.bytes.set(content, wasm.netcode_packet());
                wasm.netcode_receive(content.length, now);
            }
            this.#listen();
        }
    }

    #look(now, content, where) {
        const { wasm, rules } = this;
        wasm.netcode_look(now);
        const at = wasm.status();
        for (const [i, offset] of [0, 16].entries()) {
            const view = rules.data.getFloat64(at + offset, true);
            const hash = view ? BigInt.asUintN(64, wasm.hash(view)) : 0n;
            assert.equal(hash, content.readBigUInt64LE(8 * i), where);
        }
    }

    #listen() {
        const { wasm, rules } = this;
        const { data, bytes } = rules;
        let at = wasm.said();
        const end = at + wasm.said_len();
        while (at < end) {
            const kind = data.getUint16(at, true);
            const len = data.getUint16(at + 2, true);
            const content = (from) => Buffer.from(bytes.subarray(from, at + 8 + len));
            if (kind === PACKET) this.#said.push(`S${content(at + 8).toString("hex")}`);
            if (kind === EVENT) this.#said.push(`E${content(at + 4).toString("hex")}`); // with tick
            at += 8 + ((len + 7) & ~7);
        }
    }
}

describe("the module's netcode", () => {
    const traces = mkdtempSync(join(tmpdir(), "fray-traces-"));
    after(() => rmSync(traces, { recursive: true }));

    test("says what the native one says, in whatever weather", async () => {
        const env = { ...process.env, FRAY_NETCODE_TRACE: traces };
        execFileSync(join(built, "tests/client_netcode_test"), { env, stdio: "ignore" });
        const files = readdirSync(traces);
        assert.ok(files.length > 50);
        for (const file of files) {
            const told = new Told(await rulesOf(file.split("-")[1]));
            let number = 0;
            for (const record of recordsOf(join(traces, file)))
                told.take(record, `${file}, ${record.what} ${number++}`);
        }
    });
});
