// Builds the pages that are inside the program:
//
//   node web/build.mjs OUTDIR STAMP DEPFILE [GAME.wasm]...
//
// web/landing becomes OUTDIR/index.html with its bundled script and style (names with a hash, so
// that browsers keep them for good); web/lobby and web/games/* are pages at their own paths; docs/
// becomes OUTDIR/docs/*.html. The modules of games become OUTDIR/games/GAME.wasm, and web/sdk
// OUTDIR/sdk/fray-client.mjs. STAMP and DEPFILE are for ninja.
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    readFileSync,
    readdirSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildClient } from "./sdk/build.mjs";

const [outdir, stamp, depfile, ...modules] = process.argv.slice(2);
const web = dirname(fileURLToPath(import.meta.url));
const root = dirname(web);

const { esbuild, marked } = await tools();
const dependencies = [join(root, "docs"), join(root, "package-lock.json"), join(web, "games")];
rmSync(outdir, { recursive: true, force: true });
mkdirSync(join(outdir, "docs"), { recursive: true });
await buildPage("landing/index.html", ["landing/main.mjs", "landing/landing.css"], "index.html");
const games = readdirSync(join(web, "games"))
    .map((game) => `games/${game}`)
    .filter((folder) => existsSync(join(web, folder, "index.html")));
for (const page of ["lobby", ...games])
    await buildPage(`${page}/index.html`, [`${page}/main.mjs`, `${page}/main.css`]);
await buildSdk();
buildDocs();
writeFileSync(stamp, "");
const escape = (path) => path.replace(/[ #]/g, "\\$&").replace(/\$/g, "$$$$");
writeFileSync(depfile, `${escape(stamp)}: ${dependencies.map(escape).join(" ")}\n`);

async function tools() {
    try {
        return { esbuild: await import("esbuild"), marked: (await import("marked")).marked };
    } catch (error) {
        if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
        console.error(
            "The pages cannot be built without npm's packages: run `npm ci` in the root of the " +
                "tree (./run does).",
        );
        process.exit(1);
    }
}

/** Assets are linked relative to the page, so that it may lie anywhere. */
async function buildPage(source, entryPoints, target = source) {
    const assets = await bundle(entryPoints.map((path) => join(web, path)));
    const folder = dirname(join(outdir, target));
    const up = relative(folder, outdir);
    let html = fillParts(join(web, source), { root: up ? `${up}/` : "./" });
    for (const [entryPoint, name] of assets) {
        const link = `./${relative(folder, join(outdir, name))}`;
        html = html.replaceAll(`"${basename(entryPoint)}"`, `"${link}"`);
    }
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(outdir, target), html);
}

/** Any page may import the client, which fetches the rules of the game that it plays. */
async function buildSdk() {
    const inputs = await buildClient(join(outdir, "sdk/fray-client.mjs"), { minify: true });
    dependencies.push(join(web, "sdk/build.mjs"), ...inputs);
    mkdirSync(join(outdir, "games"), { recursive: true });
    for (const module of modules) copyFileSync(module, join(outdir, "games", basename(module)));
}

/** {{name}} stands for what `values` has, else for web/parts/name.html, where there is one. */
function fillParts(path, values) {
    dependencies.push(path);
    return readFileSync(path, "utf8").replace(/\{\{(\w+)\}\}/g, (whole, name) => {
        const part = join(web, "parts", `${name}.html`);
        return values[name] ?? (existsSync(part) ? fillParts(part, values).trim() : whole);
    });
}

/** Returns source → name of what was made of it. */
async function bundle(entryPoints) {
    const { metafile } = await esbuild.build({
        absWorkingDir: root,
        entryPoints,
        bundle: true,
        minify: true,
        format: "esm",
        target: "es2022",
        alias: { "@fray/client": join(web, "sdk/src/index.ts") },
        entryNames: "assets/[name]-[hash]",
        outdir: resolve(outdir),
        metafile: true,
        legalComments: "none",
        logLevel: "warning",
    });
    dependencies.push(...Object.keys(metafile.inputs).map((path) => resolve(root, path)));
    return Object.entries(metafile.outputs).map(([path, output]) => [
        output.entryPoint,
        relative(outdir, resolve(root, path)),
    ]);
}

function buildDocs() {
    const frame = join(web, "docs.html");
    dependencies.push(frame);
    const html = readFileSync(frame, "utf8");
    const names = readdirSync(join(root, "docs"))
        .filter((name) => name.endsWith(".md"))
        .sort();
    const pages = names.map((name) => {
        const source = join(root, "docs", name);
        dependencies.push(source);
        const text = readFileSync(source, "utf8");
        return {
            name: name.replace(/\.md$/, ".html"),
            title: /^# (.*)$/m.exec(text)?.[1] ?? name,
            text,
        };
    });
    for (const page of pages) {
        const links = pages.map(
            ({ name, title }) =>
                `<a href="${name}"${page.name === name ? ' aria-current="page"' : ""}>${title}</a>`,
        );
        const body = marked
            .parse(page.text)
            .replace(/href="([\w-]+)\.md(#[^"]*)?"/g, 'href="$1.html$2"');
        const parts = { title: page.title, links: links.join("\n"), body };
        writeFileSync(
            join(outdir, "docs", page.name),
            html.replace(/\{\{(\w+)\}\}/g, (_, key) => parts[key]),
        );
    }
    for (const picture of readdirSync(join(root, "docs")).filter((name) => /\.png$/.test(name))) {
        dependencies.push(join(root, "docs", picture));
        copyFileSync(join(root, "docs", picture), join(outdir, "docs", picture));
    }
    const start = pages.find(({ name }) => name === "architecture.html") ?? pages[0];
    if (!start) return;
    const forward = `<!doctype html><meta http-equiv="refresh" content="0; url=${start.name}">`;
    writeFileSync(join(outdir, "docs/index.html"), forward);
}
