#!/usr/bin/env node
// Runs a match of bots and guests inside the game's WebAssembly module and prints the same line as
// `fray simulate`, with the same hash. `--module FILE` names the module; otherwise GAME.wasm is
// looked for beside the SDK and in the build directory.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { simulate } from "../wasm/simulate.mjs";

const usage = `usage: simulate.mjs GAME --seed S --ticks N --bots K
         [--guests G] [--option NAME=VALUE]… [--module FILE]`;

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

function readOptions(game) {
  const options = game.options.map(({ standard }) => standard);
  for (const setting of values.option) {
    const [name, value] = setting.split("=");
    const i = game.options.findIndex((option) => option.name === name);
    if (i < 0 || !/^-?\d+$/.test(value ?? "")) fail(`${game.name} has no option "${setting}".`);
    options[i] = Number(value);
  }
  return options;
}

const { values, positionals } = readArguments();
if (positionals.length !== 1) fail("Name one game.");
const file = values.module ?? findModule(positionals[0]);
if (!existsSync(file)) fail(`There is no file ${file}.`);

try {
  const ticks = Number(count("ticks", values.ticks, 0xffffffffn));
  const { hash, seconds } = await simulate(readFileSync(file), (game) => {
    if (game.name !== positionals[0]) fail(`${file} is the game ${game.name}.`);
    return {
      seed: count("seed", values.seed, (1n << 64n) - 1n),
      ticks,
      bots: Number(count("bots", values.bots, 255n)),
      guests: values.guests && Number(count("guests", values.guests, 255n)),
      options: readOptions(game),
    };
  });
  const speed = Math.round(ticks / Math.max(seconds, 1e-9));
  console.log(`ticks=${ticks} hash=${hash} ticks_per_s=${speed}`);
} catch (error) {
  fail(error.message);
}
