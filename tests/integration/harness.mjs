// What the end-to-end tests share: programs on free ports, stock clients, a network that breaks.
// Everything started here ends with the test or suite that started it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { setImmediate } from "node:timers/promises";
import { io } from "socket.io-client";

const root = join(import.meta.dirname, "../..");
export const BUILD = process.env.FRAY_BUILD ?? join(root, "build/release");

/** The names of fray's own games: the folders of games/. */
export const GAMES = readdirSync(join(root, "games"))
    .filter((name) => existsSync(join(root, "games", name, "rules.c")))
    .sort();

const inHaste = ["--drain-timeout-ms", "0"]; // tests leave sessions behind

/** The ways in which stock clients connect. */
export const TRANSPORTS = {
    polling: ["polling"],
    websocket: ["websocket"],
    upgrade: ["polling", "websocket"],
};

/** A fixture of tests/fixtures, for the suite that calls this. Options as in docs/config.md. */
export function serveFixture(name, options = []) {
    return serve(join(BUILD, "tests/fixtures", name), ["0", ...inHaste, ...options]);
}

/** A program of examples/, likewise. */
export function serveExample(name, options = []) {
    return serve(join(BUILD, "examples", name), [
        "--listen",
        "127.0.0.1:0",
        ...inHaste,
        ...options,
    ]);
}

/** The server binary itself, likewise. */
export function serveFray(options = []) {
    return serveProgram(join(BUILD, "fray"), options);
}

/** What everybody has left is played again by the command, and comes to the same. The server keeps
 * all replays (replay_min_ms 0). */
export async function replayVerifies({ url, data }, match) {
    let reply;
    do reply = await fetch(`${url}/replays/${match}`);
    while (reply.status === 409); // a thread writes it
    assert.equal(reply.status, 200);
    const args = ["replay", "verify", "--data", data, match];
    const done = spawnSync(join(BUILD, "fray"), args, { encoding: "utf8" });
    assert.equal(done.status, 0, done.stdout + done.stderr);
}

/** Another program that takes fray's options, likewise. */
export function serveProgram(program, options = []) {
    return serve(program, ["--listen", "127.0.0.1:0", ...inHaste, ...options]);
}

/** Returns what becomes {port, url, pid, data} before the first test. `data`: its directory, unless
 * another is among the options; it goes with it. */
function serve(program, args) {
    const server = {};
    let stop;
    before(async () => {
        stop = await start(program, args, server);
    });
    after(() => stop?.());
    return server;
}

/**
 * Starts a program and waits until it says where it listens. Resolves to a function that stops it:
 * it must then exit with 0 and without a sanitizer's report. It is an error if it ends by itself.
 */
async function start(program, args, server) {
    const data = mkdtempSync(join(tmpdir(), "fray-test-"));
    const env = { ...process.env, FRAY_DATA: data };
    const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const exit = once(child, "exit");
    exit.then(() => rmSync(data, { recursive: true, force: true }));
    Object.assign(server, { pid: child.pid, data });
    let output = "";
    let isStopping = false;
    exit.then(([code, signal]) => {
        if (!isStopping) throw new Error(`${program} ended with ${signal ?? code}:\n${output}`);
    });
    server.port = await new Promise((resolve) => {
        const read = (chunk) => {
            output += chunk;
            const said = /\blistening\b.*:(\d+)/.exec(output);
            if (said) resolve(Number(said[1]));
        };
        child.stdout.on("data", read);
        child.stderr.on("data", read);
    });
    server.url = `http://127.0.0.1:${server.port}`;
    return async () => {
        isStopping = true;
        child.kill("SIGTERM");
        const [code, signal] = await exit;
        assert.equal(signal ?? code, 0, output);
        assert.doesNotMatch(output, /Sanitizer|runtime error/);
    };
}

/** A socket of the official client, not connected yet; it never reconnects unless told to. */
export function client(t, url, options = {}) {
    const socket = io(url, { forceNew: true, autoConnect: false, reconnection: false, ...options });
    t.after(() => socket.disconnect());
    return socket;
}

/** The same, connected. */
export async function connect(t, url, options) {
    const socket = client(t, url, options);
    const connected = once(socket, "connect");
    const refused = once(socket, "connect_error");
    socket.connect();
    await Promise.race([connected, refused.then(([error]) => Promise.reject(error))]);
    return socket;
}

/** Everything that a socket receives, in order; take() waits for the next event of a name. */
export class Inbox {
    all = []; // [name, ...args]
    #taken = new Set();
    #waiting = new Set();

    constructor(socket) {
        socket.onAny((...event) => {
            this.all.push(event);
            for (const check of this.#waiting) check();
        });
    }

    /** The arguments of the first event of that name, and for which `is` holds, not taken yet. */
    take(name, is = () => true) {
        return new Promise((resolve) => {
            const check = () => {
                const event = this.all.find(
                    (e) => e[0] === name && !this.#taken.has(e) && is(...e.slice(1)),
                );
                if (!event) return;
                this.#taken.add(event);
                this.#waiting.delete(check);
                resolve(event.slice(1));
            };
            this.#waiting.add(check);
            check();
        });
    }

    /** How many events of that name came. */
    count(name) {
        return this.all.filter((event) => event[0] === name).length;
    }
}

/**
 * A TCP proxy in front of a port: cut() resets all connections, deafen() lets them be, but nothing
 * through any more, `blocked` refuses new ones, and `filter(text)` may return false for a client's
 * bytes to reset the connection instead.
 */
export async function startProxy(t, port, filter = () => true) {
    const sockets = new Set();
    const proxy = {
        port, // that leads on, for connections from now on
        blocked: false,
        deafen() {
            for (const socket of sockets) socket.removeAllListeners("data").resume();
        },
        cut() {
            /* What has ended its half cannot be reset any more: Node would keep it for good. */
            for (const socket of sockets)
                if (socket.writableEnded) socket.destroy();
                else socket.resetAndDestroy();
        },
    };
    const listener = net.createServer((near) => {
        if (proxy.blocked) return near.resetAndDestroy();
        const far = net.connect(proxy.port, "127.0.0.1");
        for (const [from, to] of [
            [near, far],
            [far, near],
        ]) {
            sockets.add(from);
            from.on("data", (bytes) => {
                if (from === near && !filter(bytes.toString("latin1"))) near.resetAndDestroy();
                else to.write(bytes);
            });
            from.on("end", () => to.end());
            from.on("error", () => {});
            from.on("close", () => {
                sockets.delete(from);
                to.destroy();
            });
        }
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    t.after(() => {
        proxy.cut();
        listener.close();
    });
    proxy.url = `http://127.0.0.1:${listener.address().port}`;
    return proxy;
}

/** Breaks the client's connection, whichever request or websocket it consists of just now. */
export async function lose(socket, proxy) {
    let isLost = false;
    socket.once("disconnect", () => {
        isLost = true;
    });
    while (!isLost) {
        proxy.cut();
        await setImmediate();
    }
}
