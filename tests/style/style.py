#!/usr/bin/python3
"""Checks the house rules that a machine can see. Usage: tests/style/style.py [ROOT]

Prints each finding as `file:line: reason`, a TAP line for each rule, and exits with 1 if there was
a finding. Looks at the files that git tracks or would: what .gitignore names is left out. In a tree
without git (style_test.py), at all files.
"""
import os
import re
import subprocess
import sys

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 80
PARAMETERS_MAX = 7
COLUMNS_MAX = 100
README_LINES_MAX = 15

# Who may include whom (docs/architecture.md); what a layer may use, its own headers aside.
LAYERS = {
    "base": set(),
    "games": set(),  # its own files include one another without a folder
    "wire": {"base"},
    "net": {"base"},
    "session": {"base"},
    "room": {"base", "session"},
    "protocol": {"base", "wire", "session", "room", "broker"},
    "transport": {"base", "wire", "net", "session"},  # frames are wire's: websocket, http
    "broker": {"base", "wire", "session", "room"},
    "store": {"base"},
    "cluster": {"base", "net"},
    "game": {"base", "session", "room", "games"},
    "match": {"base", "session", "room", "game", "store", "games"},
    "client": {"base", "wire", "net", "session", "room", "game", "games"},
}
LAYERS["server"] = set(LAYERS)
# Of games/ itself: what a host shares with pages. Layers that host games may include them.
GAMES_HEADERS = {"bits.h", "delta.h", "packet.h", "replay.h", "simulate.h"}
GAMES_HOSTS = {"game", "match", "server", "client"}

# These make no system call, read no clock, hold no global: time, randomness, bytes are arguments.
PURE = {"wire", "protocol", "session", "room", "broker", "game", "games"}
IMPURE_HEADER = re.compile(
    r"<(sys/.*|netinet/.*|arpa/.*|openssl/rand\.h|"
    r"(time|unistd|pthread|threads|fcntl|signal|poll|dirent|netdb|spawn|semaphore|syslog)\.h)>")
IMPURE_CALL = re.compile(
    r"(?<![\w.>])(time|clock|clock_gettime|gettimeofday|rand|random|srand|getrandom|getenv|"
    r"RAND_bytes|"
    r"printf|puts|fopen|fprintf|perror|malloc|calloc|realloc|strdup|fray_log)\s*\(")

CODE = (".c", ".h", ".def", ".py", ".sh", ".mjs", ".js", ".ts", ".build")
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(work|farm|home|root|Users)/[\w.]")
REGISTRY = re.compile(
    r"registry[.](npmjs|yarnpkg)|://[a-z0-9.-]*(debian|npmjs|pypi|pythonhosted|ubuntu)[.](org|com)|"
    r'"resolved": *"http|_auth[T]oken')

findings = {}


def find(rule, path, line, reason):
    findings.setdefault(rule, []).append(f"{path}:{line}: {reason}")


def tree_files(root):
    if os.path.exists(os.path.join(root, ".git")):
        names = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                               check=True, capture_output=True, text=True).stdout.split("\0")
    else:
        names = [os.path.relpath(os.path.join(folder, name), root)
                 for folder, _, files in os.walk(root) for name in files]
    return sorted(name for name in names if name and os.path.isfile(os.path.join(root, name)))


def blank(match):
    """What is cut out leaves its newlines, so that line numbers stay true."""
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|(?P<kept>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')',
                  lambda m: m.group(0) if m.group("kept") else blank(m), text, flags=re.S)


def without_strings(text):
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text)


def check_lengths(path, text):
    lines = text.split("\n")
    if len(lines) - 1 > FILE_LINES_MAX:
        find("file length", path, FILE_LINES_MAX + 1,
             f"the file has {len(lines) - 1} lines, at most {FILE_LINES_MAX}")
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            find("columns", path, number, f"{len(line)} columns, at most {COLUMNS_MAX}")


def count_parameters(parameters):
    depth = 0
    commas = 0
    for char in parameters:
        depth += (char in "([{") - (char in ")]}")
        commas += char == "," and depth == 0
    return commas + 1 if parameters.strip() not in ("", "void") else 0


def top_level(code):
    """Declarations and definitions: (first line, text before its body, last line)."""
    start = None
    depth = 0
    head = ""
    skipping = False  # a preprocessor directive with its continuation lines
    for number, line in enumerate(code.split("\n"), 1):
        if depth == 0 and (skipping or line.startswith("#")):
            skipping = line.endswith("\\")
            continue
        for char in line + "\n":
            if depth == 0 and start is None and not char.isspace():
                start, head = number, ""
            if char == "{":
                depth += 1
            if depth == 0 and start is not None:
                head += char
            if char == "}":
                depth -= 1
            function = re.search(r"\)\s*$", head) is not None
            if start is not None and depth == 0 and (char == ";" or (char == "}" and function)):
                yield start, head, number
                start = None


def check_functions(path, text):
    code = without_strings(without_comments(text))
    for first, head, last in top_level(code):
        if head.startswith("typedef") or "=" in head:
            continue
        head = re.sub(r"__attribute__\s*\(\(.*?\)\)(?=\s|;|$)", "", head, flags=re.S)
        match = re.search(r"(\w+)\s*\((.*?)\)[\w\s]*;?\s*$", head, flags=re.S)
        if not match:
            continue
        count = count_parameters(match.group(2))
        if count > PARAMETERS_MAX:
            find("parameters", path, first,
                 f"{match.group(1)} has {count} parameters, at most {PARAMETERS_MAX}")
        if last - first + 1 > FUNCTION_LINES_MAX:
            find("function length", path, first,
                 f"{match.group(1)} has {last - first + 1} lines, at most {FUNCTION_LINES_MAX}")


def layer_of(path):
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return parts[0] if parts[0] in ("games", "include", "examples") else None


def includes(text):
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+(<[^>]+>|"[^"]+")', text, flags=re.M):
        yield text.count("\n", 0, match.start()) + 1, match.group(1)


def is_test(path):
    return path.endswith(("_test.c", "_fuzz.c"))


def check_includes(path, text, games):
    layer = layer_of(path)
    if layer is None:
        return
    if path.startswith("src/") and layer not in LAYERS:
        find("include graph", path, 1, f"tests/style/style.py knows no layer {layer}")
        return
    for number, header in includes(without_comments(text)):
        if header.startswith("<"):
            ours = re.match(r"<(fray)/", header)
            if layer == "games" and ours and header != "<fray/game.h>":
                find("include graph", path, number, f"games may not include {header}")
            continue
        folder = header.strip('"').split("/")[0] if "/" in header else None
        if folder == "fray":
            if layer == "games" and header != '"fray/game.h"':
                find("include graph", path, number, f"games may not include {header}")
        elif layer == "examples" and folder is None and path.count("/") > 1:
            continue  # a program of several files has headers of its own
        elif layer in ("include", "examples"):
            find("include graph", path, number, f"{layer} may not include {header}")
        elif layer == "games":
            if folder not in (None, path.split("/")[1]):
                find("include graph", path, number, f"games may not include {header}")
        elif layer in GAMES_HOSTS and header.strip('"') in GAMES_HEADERS:
            continue
        elif folder is None:
            find("include graph", path, number, f'{header} is not written from src/ ("layer/x.h")')
        elif layer in ("server", "client") and folder in games:
            continue
        elif folder != layer and folder not in LAYERS[layer]:
            find("include graph", path, number, f"{layer} may not include {header}")


def check_purity(path, text):
    if layer_of(path) not in PURE or is_test(path):
        return
    code = without_comments(text)
    for number, header in includes(code):
        if IMPURE_HEADER.match(header):
            find("purity", path, number, f"{layer_of(path)} is pure and may not use {header}")
    for number, line in enumerate(without_strings(code).split("\n"), 1):
        call = IMPURE_CALL.search(line)
        if call and not line.lstrip().startswith("#"):
            find("purity", path, number, f"{layer_of(path)} is pure and may not call {call[1]}()")
        if re.match(r"static\s+(?!.*\bconst\b)[^()]*(;|=)", line) or "_Thread_local" in line:
            find("purity", path, number, f"{layer_of(path)} is pure and may hold no global state")


def check_header(path, text):
    first = text.split("\n", 1)[0]
    if not first.startswith("/*"):
        find("header comment", path, 1, "a header begins with a comment that says what it is")


def check_text(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if MACHINE_PATH.search(line):
            find("machine paths", path, number, "an absolute path of one machine")
        if REGISTRY.search(line):
            find("registry hosts", path, number, "the address of a package registry")


def listed_in_meson(path, meson):
    """Whether a meson.build names it: of its folder, one above, or elsewhere by `../`."""
    for listing_path, listing in meson.items():
        if f"'{os.path.relpath(path, os.path.dirname(listing_path) or '.')}'" in listing:
            return True
    folder = os.path.dirname(path)
    while True:
        listing = meson.get(os.path.join(folder, "meson.build"), "")
        if f"'{os.path.relpath(path, folder or '.')}'" in listing:
            return True
        if not folder:
            return False
        folder = os.path.dirname(folder)


def check_dead_files(texts):
    meson = {path: text for path, text in texts.items() if path.endswith("meson.build")}
    included = {}
    for path, text in texts.items():
        for _, header in includes(text):
            included.setdefault("src/" + header.strip('<>"'), set()).add(path)
    for path in texts:
        if path.endswith(".c") and not listed_in_meson(path, meson):
            find("dead files", path, 1, "no meson.build lists the file")
        if path.startswith("src/") and path.endswith(".h"):
            if not included.get(path, set()) - {path[:-2] + ".c"}:
                find("dead files", path, 1, "nothing but its own .c includes the header")


def check_readmes(texts):
    folders = {"/".join(path.split("/")[:2]) for path in texts
               if path.startswith("src/") and path.count("/") > 1}
    for folder in sorted(folders):
        readme = texts.get(folder + "/README.md")
        if readme is None:
            find("folder README", folder + "/README.md", 1, "every folder of src/ has a README.md")
        elif readme.count("\n") > README_LINES_MAX:
            find("folder README", folder + "/README.md", README_LINES_MAX + 1,
                 f"{readme.count(chr(10))} lines, at most {README_LINES_MAX}")


RULES = ("file length", "columns", "function length", "parameters", "include graph", "purity",
         "header comment", "machine paths", "registry hosts", "dead files", "folder README")


def check(root):
    """Fills `findings` and returns how many files were looked at."""
    findings.clear()
    texts = {}
    for path in tree_files(root):
        with open(os.path.join(root, path), "rb") as file:
            data = file.read()
        if b"\0" in data or "/corpus/" in path:
            continue
        texts[path] = data.decode("utf-8", "replace")
    # Folders of games/, whose rules the server hosts.
    games = {path.split("/")[1] for path in texts
             if path.startswith("games/") and path.count("/") > 1}
    for path, text in texts.items():
        check_text(path, text)
        if path.endswith(CODE):
            check_lengths(path, text)
        if path.endswith((".c", ".h")):
            check_functions(path, text)
            check_includes(path, text, games)
            check_purity(path, text)
        if path.endswith(".h"):
            check_header(path, text)
    check_dead_files(texts)
    check_readmes(texts)
    return len(texts)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../..")
    if check(root) == 0:
        print("not ok 1 - style: no file found")
        return 1
    for number, rule in enumerate(RULES, 1):
        for finding in findings.get(rule, []):
            print(finding)
        print(f"{'not ok' if rule in findings else 'ok'} {number} - style: {rule}")
    print(f"1..{len(RULES)}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
