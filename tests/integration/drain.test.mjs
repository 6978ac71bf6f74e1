// SIGTERM: a server that drains goes on with who is there, and lets nobody new in.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { test } from "node:test";
import { io } from "socket.io-client";
import { BUILD } from "./harness.mjs";

async function start(t, options) {
    const child = spawn(join(BUILD, "tests/fixtures/socketio_support"), ["0", ...options], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const [line] = await once(createInterface(child.stdout), "line");
    return { child, url: `http://${line.split(" ")[1]}`, exit: once(child, "exit") };
}

const connected = (socket) => new Promise((resolve) => socket.on("connect", resolve));

for (const transport of ["polling", "websocket"]) {
    test(`a session over ${transport} goes on while the server drains`, async (t) => {
        const { child, url, exit } = await start(t, ["--drain-timeout-ms", "60000"]);
        const options = { transports: [transport], reconnection: false, forceNew: true };
        const socket = io(url, options);
        await connected(socket);
        child.kill("SIGTERM");
        // Until the signal has arrived everything is as before.
        while ((await fetch(`${url}/readyz`)).status !== 503);
        assert.equal((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status, 503);
        const late = io(url, options);
        const [error] = await once(late, "connect_error");
        assert.ok(error);
        assert.equal(await socket.timeout(5000).emitWithAck("echo", "still here"), "still here");
        const gone = once(socket, "disconnect");
        socket.disconnect();
        await gone;
        assert.deepEqual(await exit, [0, null]);
    });

    test(`a second signal ends the sessions over ${transport}`, async (t) => {
        const { child, url, exit } = await start(t, ["--drain-timeout-ms", "60000"]);
        const socket = io(url, { transports: [transport], reconnection: false });
        await connected(socket);
        const gone = once(socket, "disconnect");
        child.kill("SIGTERM");
        while ((await fetch(`${url}/readyz`)).status !== 503);
        child.kill("SIGTERM");
        await gone;
        assert.deepEqual(await exit, [0, null]);
    });
}

async function openSession(url) {
    const reply = await fetch(`${url}/poll`, { method: "POST" });
    const { poll } = await reply.json();
    return `${url}${poll}`;
}

test("a polling session that nobody asks for is not waited for", async (t) => {
    const { child, url, exit } = await start(t, ["--drain-timeout-ms", "60000"]);
    await openSession(url); // what it is owed is never fetched
    const began = performance.now();
    child.kill("SIGTERM");
    assert.deepEqual(await exit, [0, null]);
    assert.ok(performance.now() - began < 10_000);
});

test("a polling session that comes back goes on; who comes too late is told", async (t) => {
    const { child, url, exit } = await start(t, ["--drain-timeout-ms", "60000"]);
    const socket = io(url, { transports: ["websocket"], reconnection: false });
    await connected(socket); // keeps the server
    const [busy, late] = [await openSession(url), await openSession(url)];
    child.kill("SIGTERM");
    while ((await fetch(`${url}/readyz`)).status !== 503);
    const poll = (session) => fetch(`${session}?after=0`);
    for (let tries = 0; tries < 6; tries++) {
        const { closed, messages } = await (await poll(busy)).json();
        assert.equal(closed, undefined);
        assert.equal(messages[0].type, "welcome");
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const reply = await poll(late);
    if (reply.ok) assert.equal((await reply.json()).closed, "server shutting down");
    else assert.equal(reply.status, 404);
    child.kill("SIGTERM");
    assert.deepEqual(await exit, [0, null]);
});
