// The package as it is published: its size, its types, and the README's example.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import { buildClient, buildTypes } from "../build.mjs";

const MAX = 12 * 1024;
const folder = join(import.meta.dirname, "..");

describe("the package", () => {
    const out = mkdtempSync(join(tmpdir(), "fray-client-"));
    test.after(() => rmSync(out, { recursive: true }));

    test("is at most 12 KB gzipped, in one file without imports", async () => {
        await buildClient(join(out, "fray-client.mjs"));
        const bytes = readFileSync(join(out, "fray-client.mjs"));
        const size = gzipSync(bytes, { level: 9 }).length;
        assert.ok(size <= MAX, `${size} bytes`);
        assert.doesNotMatch(`${bytes}`, /\bimport\s*[{"'*]/);
    });

    test("passes tsc --strict, and has types", () => {
        buildTypes(out);
        const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        for (const path of Object.values(exports["."]))
            assert.ok(readFileSync(join(out, path.replace("./dist/", ""))).length, path);
    });

    test("has an example of at most 20 lines of script that parses", async () => {
        const readme = readFileSync(join(folder, "README.md"), "utf8");
        const script = /<script type="module">\n([^]*?)<\/script>/.exec(readme)[1];
        assert.ok(script.trimEnd().split("\n").length <= 20);
        await transform(script, { loader: "js", format: "esm" });
    });
});
