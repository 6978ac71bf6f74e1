#!/usr/bin/python3
"""Proves that each rule of style.py fails on a tree that breaks it, and only on that."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import style  # noqa: E402

GOOD = {
    "include/fray/err.h": "/* Errors. */\nenum fray_err { FRAY_OK };\n",
    "src/base/README.md": "# base\n",
    "src/base/meson.build": "base_sources = files('buf.c')\n",
    "src/base/buf.h": '/* Bytes. */\n#include "fray/err.h"\nvoid fray_buf_init(int a);\n',
    "src/base/buf.c": '#include "base/buf.h"\n#include <unistd.h>\n\nvoid fray_buf_init(int a)\n'
                      "{\n    write(a, 0, 0);\n}\n",
    "src/wire/README.md": "# wire\n",
    "src/wire/meson.build": "wire_sources = files('http.c')\nwire_tests = files('http_test.c')\n",
    "src/wire/http.h": "/* HTTP. */\nint fray_http_parse(void);\n",
    "src/wire/http.c": '#include "wire/http.h"\n\n#include "base/buf.h"\n\n'
                       "static const char *const names[] = {\"time(\", \"x\"};\n"
                       "static int helper(void);\n\nint fray_http_parse(void)\n{\n"
                       "    return helper();\n}\n",
    "src/wire/http_test.c": '#include "wire/http.h"\n#include <unistd.h>\nint main(void);\n',
}
BODY = "    a++;\n" * 80
SEVEN = "int a, int b, int c, int d, int e, int f, int g"


class StyleTest(unittest.TestCase):
    def findings(self, **changes):
        with tempfile.TemporaryDirectory() as root:
            files = dict(GOOD)
            files.update(changes.pop("files", {}))
            for path, text in files.items():
                if text is not None:
                    os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                    with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                        file.write(text)
            style.check(root)
            return {rule: list(found) for rule, found in style.findings.items()}

    def expect(self, rule, start, files):
        found = self.findings(files=files)
        self.assertEqual(list(found), [rule], found)
        self.assertEqual(len(found[rule]), 1, found)
        self.assertTrue(found[rule][0].startswith(start), found)

    def http(self, addition):
        return {"src/wire/http.c": GOOD["src/wire/http.c"] + addition}

    def test_good_tree_has_no_finding(self):
        self.assertEqual(self.findings(), {})

    def test_files_are_those_that_git_tracks_or_would(self):
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["git", "init", "-q", root], check=True)
            for path, text in (("new.c", "int x;\n"), (".gitignore", "made.c\n"),
                               ("made.c", "int y;\n")):
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            self.assertEqual(style.check(root), 2)
            self.assertEqual(style.findings["dead files"],
                             ["new.c:1: no meson.build lists the file"])

    def test_file_length(self):
        exact = GOOD["src/wire/http.c"]
        exact += "\n" * (800 - exact.count("\n"))
        self.assertEqual(self.findings(files={"src/wire/http.c": exact}), {})
        self.expect("file length", "src/wire/http.c:801:", {"src/wire/http.c": exact + "\n"})

    def test_columns(self):
        self.assertEqual(self.findings(files=self.http("/*" + "x" * 96 + "*/\n")), {})
        self.expect("columns", "src/wire/http.c:12: 101", self.http("/*" + "x" * 97 + "*/\n"))

    def test_function_length(self):
        whole = "int long_one(int a)\n{\n" + BODY[:9 * 77] + "}\n"
        self.assertEqual(whole.count("\n"), 80)
        self.assertEqual(self.findings(files=self.http(whole)), {})
        self.expect("function length", "src/wire/http.c:12: long_one has 81",
                    self.http(whole.replace("{\n", "{\n    a++;\n")))

    def test_function_length_sees_what_attributes_and_macros_hide(self):
        self.expect("function length", "src/wire/http.c:14: long_one",
                    self.http("#define X(a) \\\n    { a }\n__attribute__((format(printf, 1, 2)))\n"
                              "static int\nlong_one(const char *a, ...)\n{\n" + BODY + "}\n"))

    def test_parameters(self):
        self.assertEqual(self.findings(files=self.http(f"int wide({SEVEN});\n")), {})
        self.expect("parameters", "src/wire/http.c:12: wide has 8",
                    self.http(f"int wide({SEVEN},\n    int h)\n{{\n    return 0;\n}}\n"))
        self.expect("parameters", "src/wire/http.h:3: wide has 8",
                    {"src/wire/http.h": GOOD["src/wire/http.h"] + f"int wide({SEVEN}, ...)\n"
                     "    __attribute__((format(printf, 7, 8)));\n"})

    def test_include_graph(self):
        rule = "include graph"
        self.expect(rule, "src/base/buf.c:8: base may not include",
                    {"src/base/buf.c": GOOD["src/base/buf.c"] + '#include "wire/http.h"\n'})
        self.expect(rule, "src/wire/http.c:12: wire may not include",
                    self.http('#include "room/room.h"\n'))
        self.expect(rule, "src/wire/http.c:12: \"buf.h\" is not", self.http('#include "buf.h"\n'))
        self.expect(rule, "include/fray/err.h:3: include may not",
                    {"include/fray/err.h": GOOD["include/fray/err.h"] + '#include "base/buf.h"\n'})
        games = {"games/duel/meson.build": "files('rules.c')\n",
                 "games/duel/rules.c": '#include "fray/game.h"\n#include "rules.h"\n'
                                       '#include "duel/map.h"\n'}
        self.assertEqual(self.findings(files=games), {})
        games["games/duel/rules.c"] += '#include "fray/fray.h"\n'
        self.expect(rule, "games/duel/rules.c:4: games may not", games)
        games["games/duel/rules.c"] = '#include "arena/rules.h"\n'
        self.expect(rule, "games/duel/rules.c:1: games may not", games)
        self.expect(rule, "src/misc/x.h:1: tests/style/style.py knows no",
                    {"src/misc/README.md": "", "src/misc/x.h": "/* X. */\n",
                     "tests/x.py": "", "src/wire/http_test.c": GOOD["src/wire/http_test.c"] +
                     '// "misc/x.h"\n', "bench/meson.build": "files('x.c')",
                     "bench/x.c": '#include "misc/x.h"\n'})

    def test_every_layer_may_use_what_lies_below(self):
        for layer, below in style.LAYERS.items():
            for used in below:
                self.assertNotIn(layer, style.LAYERS[used], "a circle")
                self.assertLessEqual(style.LAYERS[used], below | {"net", "store"}, layer)

    def test_purity(self):
        for addition in ("#include <time.h>\n", "#include <sys/socket.h>\n",
                         "#include <pthread.h>\n", "static int count;\n",
                         "static char *names[2] = {0};\n", "static _Thread_local int x;\n"):
            self.expect("purity", "src/wire/http.c:12:", self.http(addition))
        self.expect("purity", "src/wire/http.c:14: wire is pure and may not call time()",
                    self.http("int now(void)\n{\n    return time(0);\n}\n"))

    def test_purity_allows_what_is_handed_in(self):
        self.assertEqual(self.findings(files=self.http(
            "int now(struct x *x)\n{\n    return x->random(1) + x->y.time(2);\n}\n")), {})

    def test_examples_have_headers_of_their_own_in_a_folder(self):
        files = {"examples/meson.build": "files('one.c', 'two/two.c')\n",
                 "examples/one.c": "#include <fray/fray.h>\n",
                 "examples/two/two.c": '#include "two.h"\n'}
        self.assertEqual(self.findings(files=files), {})
        files["examples/one.c"] = '#include "room/room.h"\n'
        self.expect("include graph", "examples/one.c:1: examples may not", files)

    def test_header_comment(self):
        self.expect("header comment", "src/wire/http.h:1:",
                    {"src/wire/http.h": "int fray_http_parse(void);\n"})

    def test_machine_paths(self):
        self.expect("machine paths", "docs/x.md:2:", {"docs/x.md": "\nin /" + "home/me/fray\n"})

    def test_registry_hosts(self):
        self.expect("registry hosts", "package-lock.json:1:",
                    {"package-lock.json": '"resolved": ' + '"https://x/y.tgz"\n'})
        self.expect("registry hosts", "docs/x.md:1:",
                    {"docs/x.md": "https://registry." + "npmjs.org/\n"})

    def test_dead_files(self):
        self.expect("dead files", "src/wire/old.c:1:", {"src/wire/old.c": "int x;\n"})
        self.expect("dead files", "src/wire/old.h:1:", {"src/wire/old.h": "/* Old. */\n"})
        self.expect("dead files", "tests/fuzz/http_fuzz.c:1:",
                    {"tests/fuzz/http_fuzz.c": "int x;\n",
                     "tests/fuzz/meson.build": "files('json_fuzz.c')\n"})

    def test_folder_readme(self):
        self.expect("folder README", "src/wire/README.md:1:", {"src/wire/README.md": None})
        self.assertEqual(self.findings(files={"src/wire/README.md": "x\n" * 15}), {})
        self.expect("folder README", "src/wire/README.md:16:", {"src/wire/README.md": "x\n" * 16})


if __name__ == "__main__":
    unittest.main()
