// colyseus_clients.mjs --port PORT --server-pid PID [--clients N (200)] [--seconds S (5)]
//     [--warmup-seconds S (3)]
// Plays colyseus.mjs as bench/play plays fray's arena, and prints what that prints. All are sent
// the same frames: one client decodes them and every bot looks at its state, as 200 decoders in
// Node would be the limit themselves; the others count. Exit code 1: the figures mean nothing.
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { getMessageBytes, Protocol } from "@colyseus/core";
import { Reflection } from "@colyseus/schema";
import WebSocket from "ws";
import { ArenaBot } from "./arena_bot.mjs";
import { processUsage } from "./process_usage.mjs";

const INPUT_INTERVAL_MS = 1000 / 15;
const TURN_MS = 2;
const JOIN_S = 30;

const { values: options } = parseArgs({
  options: {
    port: { type: "string" },
    "server-pid": { type: "string" },
    clients: { type: "string", default: "200" },
    seconds: { type: "string", default: "5" },
    "warmup-seconds": { type: "string", default: "3" },
  },
});
const address = `127.0.0.1:${options.port}`;
const sums = { frames: 0, bytes: 0, watched: 0, rows: 0 };

function fail(reason) {
  console.error(`colyseus_clients: ${reason}`);
  process.exit(1);
}

// The client whose frames are decoded.
class Watcher {
  players = new Map(); // session → what the last frame said of its player

  receive(message) {
    if (message[0] === Protocol.JOIN_ROOM) this.learn(message);
    else this.apply(message);
  }

  // code, token and serializer, each behind its length, the schemas
  learn(message) {
    let offset = 1;
    for (let word = 0; word < 2; word++) offset += 1 + message[offset];
    this.decoder = Reflection.decode(message, { offset });
  }

  apply(message) {
    const changed = new Set();
    for (const { ref, field } of this.decoder.decode(message, { offset: 1 }))
      if (field && ref !== this.decoder.state) changed.add(ref);
    for (const [sessionId, player] of this.decoder.state.players.entries())
      this.players.set(sessionId, player.toJSON());
    if (message[0] !== Protocol.ROOM_STATE_PATCH) return;
    sums.watched++;
    sums.rows += changed.size;
  }
}

async function open(watcher) {
  const response = await fetch(`http://${address}/matchmake/joinOrCreate/arena`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const { processId, roomId, sessionId } = await response.json();
  const socket = new WebSocket(
    `ws://${address}/${processId}/${roomId}?sessionId=${sessionId}`,
    { perMessageDeflate: false },
  );
  const client = { socket, sessionId, bot: new ArenaBot(), isJoined: false };
  socket.on("message", (message) => receive(client, message, watcher));
  socket.on("close", (code, reason) => fail(`a connection was lost: ${code} ${reason}`));
  return client;
}

function receive(client, message, watcher) {
  sums.bytes += message.length;
  watcher?.receive(message);
  if (message[0] === Protocol.JOIN_ROOM) client.socket.send(message.subarray(0, 1));
  else if (message[0] === Protocol.ROOM_STATE) client.isJoined = true;
  else if (message[0] === Protocol.ROOM_STATE_PATCH) sums.frames++;
  else fail(`a message of kind ${message[0]}`);
}

async function openAll(watcher) {
  const clients = [];
  while (clients.length < options.clients)
    clients.push(await open(clients.length ? null : watcher));
  const until = Date.now() + JOIN_S * 1000;
  while (!clients.every((client) => client.isJoined) || watcher.players.size < clients.length) {
    if (Date.now() > until) fail("not everybody is seen by everybody in time");
    await wait(10);
  }
  return clients;
}

function sendInput({ socket, sessionId, bot }, players) {
  const input = bot.decide(players.get(sessionId), players.values());
  socket.send(getMessageBytes.raw(Protocol.ROOM_DATA, "input", input));
}

// Each at times of its own, in turns as long as those of bench/play.
async function sendInputs(clients, watcher) {
  const start = performance.now();
  for (const client of clients) client.due = start + Math.random() * INPUT_INTERVAL_MS;
  for (;;) {
    await wait(TURN_MS);
    for (const client of clients) {
      if (client.due > performance.now()) continue;
      sendInput(client, watcher.players);
      client.due += INPUT_INTERVAL_MS;
    }
  }
}

function moment() {
  const own = process.cpuUsage();
  return {
    ...sums,
    ...processUsage(options["server-pid"]),
    ownCpuUs: own.user + own.system,
    us: performance.now() * 1000,
  };
}

function report(before, after) {
  const now = {};
  for (const name in after) now[name] = after[name] - before[name];
  const rows = now.rows / now.watched;
  const figures = {
    clients: options.clients,
    per_match: options.clients,
    seconds: (now.us / 1e6).toFixed(2),
    frames: now.frames,
    frames_per_s: ((now.frames / now.us) * 1e6).toFixed(0),
    cpu_us_per_frame: (now.cpuUs / now.frames).toFixed(3),
    cpu_percent: ((100 * now.cpuUs) / now.us).toFixed(1),
    bytes_per_frame: (now.bytes / now.frames).toFixed(1),
    rows_per_frame: rows.toFixed(2),
    bytes_per_row: (now.bytes / now.frames / rows).toFixed(2),
    rss_kb: after.rssKb,
    generator_utilization: (now.ownCpuUs / now.us).toFixed(2),
  };
  console.log(Object.entries(figures).map(([name, value]) => `${name}=${value}`).join(" "));
}

const watcher = new Watcher();
const clients = await openAll(watcher);
sendInputs(clients, watcher);
await wait(options["warmup-seconds"] * 1000);
const before = moment();
await wait(options.seconds * 1000);
const after = moment();
if (after.frames === before.frames) fail("nothing came");
report(before, after);
process.exit(0);
