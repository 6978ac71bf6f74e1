// The transcripts of docs/protocols.md are what happens: their commands are run by one shell, and
// what they print is compared line by line. "…" stands for anything.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { serveBinary } from "./harness.mjs";

const page = readFileSync(join(import.meta.dirname, "../../docs/protocols.md"), "utf8");
const transcripts = [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map((match) => match[1]);

function fits(line, wanted) {
    const parts = wanted.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(line);
}

describe("transcripts", { timeout: 60_000 }, () => {
    const server = serveBinary();

    test("there_are_some", () => assert.ok(transcripts.length > 0));

    for (const [number, transcript] of transcripts.entries()) {
        test(`B15_transcript_${number + 1}_of_protocols_md`, () => {
            const steps = transcript
                .split(/^\$ /m)
                .slice(1)
                .map((step) => {
                    const [command, ...output] = step.trimEnd().split("\n");
                    return { command, output: output.join("\n").trim().split("\n") };
                });
            const mark = "---- next ----";
            const script = steps.map((step) => `${step.command}\necho; echo '${mark}'`).join("\n");
            const said = execFileSync("bash", ["-c", script], {
                env: { ...process.env, FRAY: server.url },
            })
                .toString()
                .split(`${mark}\n`);
            for (const [i, { command, output }] of steps.entries()) {
                const lines = said[i].trim().split("\n");
                assert.equal(lines.length, output.length, `${command}\n${said[i]}`);
                for (const [n, line] of lines.entries())
                    assert.ok(
                        fits(line, output[n]),
                        `${command}\nprinted ${line}\nwanted  ${output[n]}`,
                    );
            }
        });
    }
});
