// docs/openapi.yaml, as far as tests compare it with a server.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** {path: {method: [status, …]}} of all paths that `of` holds for, by the file's layout. */
export function readDescription(of) {
    const file = join(import.meta.dirname, "../../docs/openapi.yaml");
    const text = readFileSync(file, "utf8")
        .replace(/^[^]*^paths:\n/m, "")
        .replace(/^components:[^]*/m, "");
    const paths = {};
    let methods, statuses;
    for (const line of text.split("\n")) {
        const [, path] = /^ {2}(\/\S*):$/.exec(line) ?? [];
        const [, method] = /^ {4}(get|post|put|delete|patch):$/.exec(line) ?? [];
        const [, status] = /^ {8}"(\d{3})":$/.exec(line) ?? [];
        if (path) methods = paths[path] = {};
        if (method) statuses = methods[method.toUpperCase()] = [];
        if (status) statuses.push(Number(status));
    }
    return Object.fromEntries(Object.entries(paths).filter(([path]) => of(path)));
}
