// The quick matches of determinism.txt, one test for each build of the rules that plays one.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const script = fileURLToPath(new URL("determinism.sh", import.meta.url));
const { stdout, stderr, status } = spawnSync(script, ["quick"], { encoding: "utf8" });
const lines = [...stdout.matchAll(/^(not )?ok \d+ - (.*?)(?: # (.*))?$/gm)];

for (const [line, failed, name, comment] of lines) {
  test(name, { skip: comment?.startsWith("SKIP") && comment }, () => assert.ok(!failed, line));
}

test("E_determinism compares builds", () => {
  assert.ok(lines.length > 0, stderr);
  assert.equal(status, 0, stderr || stdout);
});
