// A reporter for node --test: one flat TAP line for each test that has no test inside, as ./check
// counts them. Suites and the file itself are no tests, except where a file failed by itself.
import { basename } from "node:path";

export default async function* report(source) {
    const inside = []; // inside[n]: whether a test of nesting n was seen below the current one
    let count = 0;
    let file = "";
    for await (const { type, data } of source) {
        if (type === "test:stderr" || type === "test:stdout")
            yield data.message.replace(/^/gm, "# ") + "\n";
        if (type !== "test:pass" && type !== "test:fail") continue;
        file = data.file ?? file;
        const level = data.nesting;
        const hadChildren = inside[level + 1] === true;
        inside[level + 1] = false;
        inside[level] = true;
        const isFile = level === 0 && /\.[cm]?js$/.test(data.name);
        const isParent = hadChildren || data.details?.type === "suite";
        if (type === "test:pass") {
            if (isParent) continue;
            const empty = isFile;
            const skipped = data.skip !== undefined ? ` # SKIP ${data.skip}` : "";
            count++;
            yield empty
                ? `not ok - ${basename(data.name)}: holds no test\n`
                : `ok - ${basename(file)}: ${data.name}${skipped}\n`;
            continue;
        }
        const cause = data.details?.error;
        if (isParent && cause?.failureType === "subtestsFailed") continue;
        count++;
        yield `not ok - ${basename(file)}: ${data.name}\n`;
        yield String(cause?.cause?.stack ?? cause?.stack ?? cause).replace(/^/gm, "# ") + "\n";
    }
    if (count === 0) yield "not ok - no test ran\n";
}
