#!/usr/bin/env node
// Runs a match of bots and guests inside the game's WebAssembly module and prints the same line as
// `fray simulate`, with the same hash. `--module FILE` names the module; otherwise GAME.wasm is
// looked for beside the SDK and in the build directory.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const usage = `usage: simulate.mjs GAME --seed S --ticks N --bots K
         [--guests G] [--option NAME=VALUE]… [--module FILE]`;
const chunk = 1 << 16;

function fail(sentence) {
  console.error(`${sentence}\n${usage}`);
  process.exit(2);
}

function count(name, text, max) {
  if (!/^\d+$/.test(text) || BigInt(text) > max) {
    fail(`--${name} must be a number from 0 to ${max}, not "${text}".`);
  }
  return BigInt(text);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seed: { type: "string", default: "1" },
        ticks: { type: "string", default: "10000" },
        bots: { type: "string", default: "2" },
        guests: { type: "string" },
        option: { type: "string", multiple: true, default: [] },
        module: { type: "string" },
      },
    });
  } catch (error) {
    return fail(error.message);
  }
}

function findModule(game) {
  const here = dirname(fileURLToPath(import.meta.url));
  const root = join(here, "..", "..", "..");
  const places = [join(here, "..", "wasm"), join(root, "build", "release", "games"), "."];
  const found = places.map((place) => join(place, `${game}.wasm`)).find((file) => existsSync(file));
  return found ?? fail(`No ${game}.wasm in ${places.join(", ")}: build it, or use --module.`);
}

const { values, positionals } = readArguments();
if (positionals.length !== 1) fail("Name one game.");
const file = values.module ?? findModule(positionals[0]);
if (!existsSync(file)) fail(`There is no file ${file}.`);

const { instance } = await WebAssembly.instantiate(readFileSync(file), {});
const wasm = instance.exports;

function readText(at) {
  const bytes = new Uint8Array(wasm.memory.buffer);
  return new TextDecoder().decode(bytes.subarray(at, bytes.indexOf(0, at)));
}

const game = JSON.parse(readText(wasm.describe()));
if (game.name !== positionals[0]) fail(`${file} is the game ${game.name}.`);

const options = wasm.alloc(4 * Math.max(1, game.options.length));
const chosen = new Int32Array(wasm.memory.buffer, options, game.options.length);
game.options.forEach((option, i) => (chosen[i] = option.standard));
for (const setting of values.option) {
  const [name, value] = setting.split("=");
  const i = game.options.findIndex((option) => option.name === name);
  if (i < 0 || !/^-?\d+$/.test(value ?? "")) fail(`${game.name} has no option "${setting}".`);
  chosen[i] = Number(value);
}

const ticks = Number(count("ticks", values.ticks, 0xffffffffn));
const bots = Number(count("bots", values.bots, 255n));
const guests = Number(count("guests", values.guests ?? `${wasm.simulate_guests(bots)}`, 255n));
const seed = count("seed", values.seed, (1n << 64n) - 1n);
if (!wasm.simulate_init(seed, bots, guests, options)) fail("Out of memory.");

const start = process.hrtime.bigint();
for (let left = ticks; left > 0; left -= chunk) wasm.simulate_run(Math.min(left, chunk));
const seconds = Number(process.hrtime.bigint() - start) / 1e9;

const hash = BigInt.asUintN(64, wasm.simulate_hash()).toString(16).padStart(16, "0");
const speed = Math.round(ticks / Math.max(seconds, 1e-9));
console.log(`ticks=${ticks} hash=${hash} ticks_per_s=${speed}`);
