#!/usr/bin/python3
"""unittest_tap.py FILE TAP: runs the unittest cases of FILE and appends a line for each to TAP."""
import importlib.util
import os
import sys
import unittest


class TapResult(unittest.TextTestResult):
    tap = None

    def say(self, verdict, test, suffix=""):
        self.tap.write(f"{verdict} - {os.path.basename(sys.argv[1])}: {test.id()}{suffix}\n")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.say("ok", test)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.say("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say("not ok", test)

    def addError(self, test, err):
        super().addError(test, err)
        self.say("not ok", test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.say("not ok", test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.say("not ok", subtest)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("ok", test, f" # SKIP {reason}")


def main():
    path = os.path.abspath(sys.argv[1])
    sys.path.insert(0, os.path.dirname(path))
    with open(sys.argv[2], "a", encoding="utf-8", buffering=1) as TapResult.tap:
        spec = importlib.util.spec_from_file_location("tested", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules["tested"] = module
        spec.loader.exec_module(module)
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        if suite.countTestCases() == 0:
            TapResult.tap.write(f"not ok - {sys.argv[1]}: holds no test\n")
            return 1
        result = unittest.TextTestRunner(resultclass=TapResult, verbosity=2).run(suite)
        return 0 if result.wasSuccessful() else 1


sys.exit(main())
