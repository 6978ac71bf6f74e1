// Builds the package: node web/sdk/build.mjs OUTDIR makes OUTDIR/fray-client.mjs and the types.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** One file without imports. Returns the paths of its sources. `minify`: for pages that have it as
 * it is; who has the package wants to read it in traces, and has a bundler that makes it small. */
export async function buildClient(outfile, { minify = false } = {}) {
    const { build } = await import("esbuild");
    const { metafile } = await build({
        absWorkingDir: here,
        entryPoints: ["src/index.ts"],
        bundle: true,
        minify,
        format: "esm",
        target: "es2022",
        outfile: resolve(outfile),
        metafile: true,
        logLevel: "warning",
    });
    return Object.keys(metafile.inputs).map((path) => resolve(here, path));
}

/** Checks the sources, strictly; with an OUTDIR the declarations are written there. */
export function buildTypes(outdir) {
    const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
    const emit = ["--noEmit", "false", "--emitDeclarationOnly", "--outDir", resolve(outdir ?? "")];
    const options = ["-p", here, ...(outdir ? emit : [])];
    execFileSync(process.execPath, [tsc, ...options], { stdio: ["ignore", "inherit", "inherit"] });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    const outdir = resolve(process.argv[2] ?? join(here, "dist"));
    await buildClient(join(outdir, "fray-client.mjs"));
    buildTypes(outdir);
}
