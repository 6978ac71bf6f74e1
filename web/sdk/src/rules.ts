import { originHint } from "./address.js";
import type { Game } from "./describe.js";
import { Refusal } from "./refusal.js";
import type { Smoothing } from "./view.js";

/** What is called here of web/sdk/wasm/module.c and netcode.c. Places are addresses in `memory`,
 * times microseconds. */
interface Exports {
    memory: WebAssembly.Memory;
    alloc(size: number): number;
    describe(): number;
    rules_hash(): bigint;
    input_release(input: number): void;
    smoothing(teleport: number, fields: number, count: number): number;
    between(
        smoothing: number,
        older: number,
        newer: number,
        alpha: number,
        ticks: number,
        newest: boolean,
        out: number,
    ): void;
    netcode_init(
        seat: number,
        snapshotHz: number,
        inputBatch: number,
        smoothing: number,
        snapPx: number,
    ): number;
    netcode_restart(isStream: boolean, now: number): void;
    netcode_clock_reset(): void;
    netcode_held(): number;
    netcode_packet(): number;
    netcode_receive(len: number, now: number): void;
    netcode_advance(isClogged: boolean, now: number): void;
    netcode_look(now: number): void;
    said(): number;
    said_len(): number;
    status(): number;
}

/** One game's rules and netcode: an instance of its WebAssembly module with a memory of its own. */
export class Rules {
    readonly game: Game;
    readonly hash: bigint;
    readonly wasm: Exports;
    data: DataView;
    bytes: Uint8Array;

    constructor(instance: WebAssembly.Instance) {
        this.wasm = instance.exports as unknown as Exports;
        this.data = new DataView(this.wasm.memory.buffer);
        this.bytes = new Uint8Array(this.wasm.memory.buffer);
        this.game = JSON.parse(this.#text(this.wasm.describe())) as Game;
        this.hash = BigInt.asUintN(64, this.wasm.rules_hash());
    }

    /** Zeroed, for as long as the rules live. Growing the memory makes `data` and `bytes` anew. */
    alloc(size: number): number {
        const at = this.wasm.alloc(size);
        if (!at) throw new Error(`No memory for ${this.game.name}.`);
        this.refresh();
        return at;
    }

    /** After calls that may have made the memory grow. */
    refresh(): void {
        if (this.data.buffer === this.wasm.memory.buffer) return;
        this.data = new DataView(this.wasm.memory.buffer);
        this.bytes = new Uint8Array(this.wasm.memory.buffer);
    }

    copyState(to: number, from: number): void {
        this.bytes.copyWithin(to, from, from + this.game.state_size);
    }

    /** The address of struct fray_client_smoothing. Fields that there are not are left out. */
    smoothing({ fields, teleport }: Smoothing): number {
        const at = this.alloc(2 * fields.length);
        let count = 0;
        this.game.tables.forEach((table, t) =>
            table.fields.forEach((field, f) => {
                if (fields.includes(`${table.name}.${field.name}`))
                    this.data.setUint16(at + 2 * count++, t * 256 + f, true);
            }),
        );
        const smoothing = this.wasm.smoothing(teleport, at, count);
        this.refresh();
        return smoothing;
    }

    #text(at: number): string {
        const bytes = new Uint8Array(this.wasm.memory.buffer);
        return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
    }
}

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** Compiled once per address; every match has an instance of its own. Rejects with a Refusal that
 * says what to do. */
export async function loadRules(url: string): Promise<Rules> {
    let module = modules.get(url);
    if (!module) modules.set(url, (module = compile(url)));
    module.catch(() => modules.delete(url));
    const compiled = await module;
    try {
        return new Rules(await WebAssembly.instantiate(compiled, {}));
    } catch (error) {
        throw notMade(url, error);
    }
}

async function compile(url: string): Promise<WebAssembly.Module> {
    const reply = await fetch(url).catch((error: Error) => {
        const hint = originHint(new URL(url, globalThis.location?.href));
        throw new Refusal("no_rules", `${url} cannot be fetched: ${error.message}.${hint}`);
    });
    if (!reply.ok) throw missing(url, reply.status);
    try {
        return await WebAssembly.compile(await reply.arrayBuffer());
    } catch (error) {
        throw notMade(url, error);
    }
}

function missing(url: string, status: number): Refusal {
    const name = url.slice(url.lastIndexOf("/") + 1);
    return new Refusal(
        "no_rules",
        `There is no ${url} (HTTP ${status}): make it with fray-wasm -o DIR/games/${name}, and ` +
            "start the server with --static-dir DIR.",
    );
}

function notMade(url: string, error: unknown): Refusal {
    const how = "make it anew, with the fray-wasm of the server's fray";
    return new Refusal("no_rules", `${url} is no module to play with: ${how} (${error}).`);
}
