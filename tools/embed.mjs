// Makes the table of files inside the program (src/server/static_files.h) from built directories:
//
//   node tools/embed.mjs OUT.c OUT.bin OUT.d NAME=DIRECTORY[:PATTERN]...
//
// Each NAME becomes `fray_embedded_NAME`, with all files below DIRECTORY whose path matches
// PATTERN, and their brotli and gzip variants where those are shorter. A DIRECTORY that is not
// there makes an empty set. OUT.bin holds the bytes and is included by the assembler: as C they
// would take the compiler minutes. OUT.d lists what was read, for ninja.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [outC, outBin, outDeps, ...sets] = process.argv.slice(2);

// NAME.HASH.EXT with 8 hexadecimal digits or more, and esbuild's NAME-HASH.EXT (8 of RFC 4648's
// base 32).
const HASHED = /([^/]\.[0-9a-fA-F]{8,}\.[^/]+|-[A-Z2-7]{8}\.[^/]+)$/;
const COMPRESSIBLE = /\.(html|m?js|css|json|map|webmanifest|txt|md|svg|wasm)$/;
const WORTH_IT = 0.9; // of the size: above, a variant only takes room

const dependencies = [];
const chunks = [];
let size = 0;

function place(bytes) {
    const at = size;
    chunks.push(bytes);
    size += bytes.length;
    return `{fray_embedded_bytes + ${at}, ${bytes.length}}`;
}

function variant(bytes, compressed) {
    return compressed.length < bytes.length * WORTH_IT ? place(compressed) : "{0}";
}

function brotli(path, bytes) {
    return brotliCompressSync(bytes, {
        params: {
            // Maps are large and rarely asked for.
            [constants.BROTLI_PARAM_QUALITY]: path.endsWith(".map") ? 6 : 11,
            [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
    });
}

function quote(text) {
    return JSON.stringify(text).replace(/[^\x20-\x7e]/g, () => {
        throw new Error(`name outside of ASCII: ${text}`);
    });
}

function files(directory, pattern) {
    if (!existsSync(directory)) return [];
    dependencies.push(directory);
    return readdirSync(directory, { recursive: true, withFileTypes: true })
        .map((entry) => {
            const full = join(entry.parentPath ?? entry.path, entry.name);
            if (entry.isDirectory()) dependencies.push(full);
            return entry.isFile() ? full.slice(directory.length + 1) : "";
        })
        .filter(
            (path) =>
                path && !/(^|\/)\./.test(path) && !/\.(br|gz)$/.test(path) && pattern.test(path),
        )
        .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function row(directory, path) {
    const full = join(directory, path);
    dependencies.push(full);
    const bytes = readFileSync(full);
    const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
    const packs = COMPRESSIBLE.test(path);
    return `    {.path = ${quote(path)},
     .hash = "${hash}",
     .bytes = ${place(bytes)},
     .br = ${packs ? variant(bytes, brotli(path, bytes)) : "{0}"},
     .gzip = ${packs ? variant(bytes, gzipSync(bytes, { level: 9 })) : "{0}"},
     .is_immutable = ${HASHED.test(path)}},\n`;
}

let tables = "";
for (const set of sets) {
    const [, name, where, pattern] = set.match(/^(\w+)=([^:]*)(?::(.*))?$/);
    const directory = resolve(where);
    const rows = files(directory, new RegExp(pattern ?? "")).map((path) => row(directory, path));
    if (rows.length)
        tables +=
            `\nstatic const struct fray_embedded_file ${name}_files[] = {\n` +
            `${rows.join("")}};\n`;
    const table = rows.length ? `${name}_files` : "0";
    tables +=
        `\nconst struct fray_embedded_set fray_embedded_${name} = ` +
        `{${table}, ${rows.length}};\n`;
}

writeFileSync(outBin, Buffer.concat(chunks));
writeFileSync(
    outC,
    `/* Made by tools/embed.mjs. */
#include "server/static_files.h"

__asm__(".pushsection .rodata\\n"
        ".balign 16\\n"
        ".globl fray_embedded_bytes\\n"
        ".hidden fray_embedded_bytes\\n"
        "fray_embedded_bytes:\\n"
        ".incbin " ${quote(quote(resolve(outBin)))} "\\n"
        ".popsection\\n");

extern const char fray_embedded_bytes[] __attribute__((visibility("hidden")));
${tables}`,
);
const escape = (path) => path.replace(/[ #]/g, "\\$&").replace(/\$/g, "$$$$");
writeFileSync(
    outDeps,
    `${[outC, outBin].map(escape).join(" ")}: ${dependencies.map(escape).join(" ")}\n`,
);
