// What `meson install` puts down is enough for a program: headers, library, pkg-config.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { BUILD } from "./harness.mjs";

// It calls fray and, as handlers do, jansson.
const program = `
#include <fray/fray.h>
static void on_move(fray_socket *socket, const fray_event *event, void *app)
{
    (void)app;
    json_t *where;
    if (!fray_event_unpack(event, "o", &where) && json_is_object(where))
        fray_broadcast_except(socket, "move", "O", where);
}
int main(int argc, char **argv)
{
    return fray_main(argc, argv, &(struct fray_app){.events = {{"move", on_move}}});
}
`;

describe("the installed library", { timeout: 180_000 }, () => {
    const where = mkdtempSync(join(tmpdir(), "fray-"));
    after(() => rmSync(where, { recursive: true }));
    const run = (tool, args, env = {}) =>
        execFileSync(tool, args, { encoding: "utf8", env: { ...process.env, ...env } });

    let env;
    test("installs", () => {
        run("meson", ["install", "-C", BUILD, "--no-rebuild", "--quiet"], { DESTDIR: where });
        const files = readdirSync(where, { recursive: true });
        assert.ok(files.some((file) => file.endsWith("include/fray/fray.h")));
        const described = files.find((file) => file.endsWith("/fray.pc"));
        env = {
            PKG_CONFIG_PATH: dirname(join(where, described)),
            PKG_CONFIG_SYSROOT_DIR: where,
        };
    });

    for (const kind of ["shared", "static"]) {
        test(`compiles and runs a program, ${kind}`, () => {
            const source = join(where, "program.c");
            const binary = join(where, kind);
            writeFileSync(source, program);
            const flags = (...args) =>
                run("pkg-config", [...args, "fray"], env).trim().split(/\s+/);
            const libraries =
                kind === "shared"
                    ? flags("--libs")
                    : flags("--static", "--libs").map((flag) =>
                          flag === "-lfray" ? "-l:libfray.a" : flag,
                      );
            run("cc", ["-std=c17", source, ...flags("--cflags"), "-o", binary, ...libraries]);
            const LD_LIBRARY_PATH = dirname(env.PKG_CONFIG_PATH);
            assert.match(run(binary, ["--version"], { LD_LIBRARY_PATH }), /^fray \d/);
        });
    }
});
