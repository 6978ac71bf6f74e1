// What the tests look at: everything in src/, and the games' modules.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "../../..");
const src = join(import.meta.dirname, "../src");
export const built = process.env.FRAY_BUILD ?? join(root, "build/release");

const names = readdirSync(src).filter((name) => name !== "index.ts");
const { outputFiles } = await build({
    stdin: {
        contents: names.map((name) => `export * from "./${name.replace(".ts", "")}";`).join("\n"),
        resolveDir: src,
    },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
});
const text = Buffer.from(outputFiles[0].contents).toString("base64");

/** All that the files of src/ export. */
export const sdk = await import(`data:text/javascript;base64,${text}`);

const modules = new Map();

/** The game's rules in a memory of their own. */
export async function rulesOf(game) {
    if (!modules.has(game))
        modules.set(game, new WebAssembly.Module(readFileSync(join(built, `games/${game}.wasm`))));
    return new sdk.Rules(await WebAssembly.instantiate(modules.get(game), {}));
}
