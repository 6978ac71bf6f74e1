#!/usr/bin/env node
// Runs a match of bots and guests inside the game's WebAssembly module and prints the same line as
// `fray simulate`, with the same hash. `--module FILE` names the module; otherwise GAME.wasm is
// looked for here, and in the build directory of fray's tree.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { simulate } from "../wasm/simulate.mjs";

const usage = `Usage: fray-simulate GAME [--seed S] [--ticks N] [--bots K] [--guests G]
         [--option NAME=VALUE]… [--module FILE]`;

function refuse(sentence) {
    console.error(sentence);
    process.exit(2);
}

function fail(sentence) {
    refuse(`${sentence}\n${usage}`);
}

function count(name, text, max) {
    if (!/^\d+$/.test(text) || BigInt(text) > max)
        refuse(`--${name} is an integer from 0 to ${max}, not "${text}".`);
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
                help: { type: "boolean", short: "h" },
            },
        });
    } catch (error) {
        return fail(error.message);
    }
}

function findModule(game) {
    const here = dirname(fileURLToPath(import.meta.url));
    const places = [".", join(here, "../../../build/release/games")];
    const found = places
        .map((place) => join(place, `${game}.wasm`))
        .find((file) => existsSync(file));
    return (
        found ??
        fail(`There is no ${game}.wasm here: make it with fray-wasm, or name it: --module.`)
    );
}

/** As `fray simulate` reads them, and refuses what it does. */
function readOptions(game) {
    const options = game.options.map(({ standard }) => standard);
    const names = game.options.map(({ name }) => name);
    for (const setting of values.option) {
        const equals = setting.indexOf("=");
        if (equals < 0) fail(`An option is NAME=VALUE, not: "${setting}".`);
        const name = setting.slice(0, equals);
        const i = names.indexOf(name);
        if (i < 0)
            refuse(`The game ${game.name} has no option "${name}". It has: ${names.join(" ")}`);
        options[i] = readValue(game.options[i], setting.slice(equals + 1));
    }
    return options;
}

function readValue({ name, min, max, step }, text) {
    const value = Number(text);
    if (/^[-+]?\d+$/.test(text) && value >= min && value <= max && (value - min) % step === 0)
        return value;
    const steps = step > 1 ? `, in steps of ${step}` : "";
    return refuse(`${name} is an integer from ${min} to ${max}${steps}, not "${text}".`);
}

const { values, positionals } = readArguments();
if (values.help) {
    console.log(usage);
    process.exit(0);
}
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
