// The transcripts of docs/ are what happens: their commands are run by one shell, and what they
// print is compared line by line; of wscat, "> " is typed and "< " is what comes. "…" stands for
// anything.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test, { describe } from "node:test";
import { serveFray } from "./harness.mjs";

/** Debian's wscat is found by Debian's node; another node is told where its modules are. */
const ENV = { ...process.env, NODE_PATH: "/usr/share/nodejs" };

function transcriptsOf(name) {
    const page = readFileSync(join(import.meta.dirname, "../../docs", name), "utf8");
    return [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map((match) => match[1]);
}

function fits(line, wanted) {
    const parts = wanted.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(line);
}

function assertFits(line, wanted, command) {
    assert.ok(fits(line, wanted), `${command}\nprinted ${line}\nwanted  ${wanted}`);
}

function runShell(t, transcript, env) {
    const steps = transcript
        .split(/^\$ /m)
        .slice(1)
        .map((step) => {
            const [command, ...output] = step.trimEnd().split("\n");
            return { command, output: output.join("\n").trim().split("\n") };
        });
    const mark = "---- next ----";
    const script = steps.map((step) => `${step.command}\necho; echo '${mark}'`).join("\n");
    const cwd = mkdtempSync(join(tmpdir(), "fray-transcript-"));
    t.after(() => rmSync(cwd, { recursive: true }));
    const said = execFileSync("bash", ["-c", script], { cwd, env: { ...ENV, ...env } })
        .toString()
        .split(`${mark}\n`);
    for (const [i, { command, output }] of steps.entries()) {
        const lines = said[i].trim().split("\n");
        assert.equal(lines.length, output.length, `${command}\n${said[i]}`);
        for (const [n, line] of lines.entries()) assertFits(line, output[n], command);
    }
}

async function runWscat(t, transcript) {
    const [command, ...lines] = transcript.trim().split("\n");
    const url = /^\$ wscat -c "(.*)"$/.exec(command)[1];
    const wscat = spawn("wscat", ["--no-color", "-c", url], { env: ENV, stdio: "pipe" });
    const exit = once(wscat, "exit");
    t.after(() => wscat.kill());
    const heard = createInterface({ input: wscat.stdout })[Symbol.asyncIterator]();
    for (const line of lines) {
        const [direction, text] = [line.slice(0, 2), line.slice(2)];
        if (direction === "> ") {
            wscat.stdin.write(`${text}\n`);
            continue;
        }
        /* What is no terminal sees no "< ", but its prompts. */
        const { value } = await heard.next();
        assertFits(value.replace(/^(> )*/, ""), text, url);
    }
    wscat.stdin.end();
    await exit;
}

describe("transcripts", { timeout: 180_000 }, () => {
    /* One worker: what a handler says arrives at once. */
    const server = serveFray(["--workers", "1", "--mqtt-store", "memory"]);

    for (const page of ["protocols.md", "games.md"]) {
        test(`there_are_some_in_${page}`, () => assert.ok(transcriptsOf(page).length > 0));
        for (const [number, transcript] of transcriptsOf(page).entries()) {
            const name = `B15_transcript_${number + 1}_of_${page.replace(".", "_")}`;
            test(name, { timeout: 30_000 }, async (t) => {
                const here = transcript
                    .replaceAll("localhost:8080", `127.0.0.1:${server.port}`)
                    .replaceAll("-p 8080", `-h 127.0.0.1 -p ${server.port}`);
                if (here.startsWith("$ wscat ")) await runWscat(t, here);
                else runShell(t, here, { FRAY: server.url });
            });
        }
    }
});
