#!/usr/bin/python3
"""meson_tap.py TESTLOG_JSON: TAP with a line for each cmocka case that a `meson test` ran.

A program counts by its exit code where its cases do not tell: it printed none, fewer than it
planned, or failed though all of them passed (a sanitizer, a leak, a crash, a time-out).
"""
import json
import re
import sys


def cases(program):
    label = program["name"].split(" / ")[-1]
    output = program.get("stdout") or ""
    lines = re.findall(r"^(ok|not ok) \d+ - (.*)$", output, re.M)
    planned = sum(int(count) for count in re.findall(r"^1\.\.(\d+)$", output, re.M))
    for verdict, case in lines:
        yield verdict, f"{label}: {case}"
    failed = any(verdict == "not ok" for verdict, _ in lines)
    if re.search(r"^1\.\.\d+$", output, re.M) and (len(lines) != planned or planned == 0):
        yield "not ok", f"{label}: ran {len(lines)} of {planned} cases"
    elif program["result"] != "OK" and not failed:
        yield "not ok", f"{label}: {program['result']}, exit code {program['returncode']}"
    elif not lines:
        yield "ok", label


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        programs = [json.loads(line) for line in file]
    programs.sort(key=lambda program: program["result"] != "OK")  # what failed stands last
    number = 0
    for program in programs:
        if program["result"] != "OK":
            for part in ("stdout", "stderr"):
                for text in (program.get(part) or "").splitlines():
                    print(f"# {text}")
        for verdict, text in cases(program):
            number += 1
            print(f"{verdict} {number} - {text}")
    print(f"1..{number}")


main()
