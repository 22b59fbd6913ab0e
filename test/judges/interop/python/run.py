"""Runs the tests of this folder. `--list` prints their titles, as JSON; otherwise, one line of JSON for each test:
its title and its errors."""

import faulthandler
import json
import os
import sys
import unittest

LIMIT_SECONDS = 90


class Reporter(unittest.TestResult):
    """Prints a test when it has ended, the errors of its subtests with it."""

    def stopTest(self, test):
        errors = [text for _, text in self.errors + self.failures]
        print(json.dumps({"title": test.shortDescription(), "errors": errors}), flush=True)
        self.errors.clear()
        self.failures.clear()
        super().stopTest(test)


def tests_in(suite):
    for test in suite:
        yield from tests_in(test) if isinstance(test, unittest.TestSuite) else [test]


suite = unittest.defaultTestLoader.discover(os.path.dirname(__file__), pattern="*_test.py")
if "--list" in sys.argv:
    print(json.dumps([test.shortDescription() for test in tests_in(suite)]))
else:
    faulthandler.dump_traceback_later(LIMIT_SECONDS, exit=True)
    suite.run(Reporter())
