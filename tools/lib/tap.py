# SPDX-License-Identifier: GPL-2.0
"""Tests that speak TAP, for userspace/tests/run.sh."""


class Results:
    def __init__(self):
        self.count = 0
        self.good = True

    def equal(self, claim, found, wanted):
        self.count += 1
        good = found == wanted
        self.good &= good
        print(f"{'ok' if good else 'not ok'} {self.count} - {claim}")
        if not good:
            print(f"#   found  {found}\n#   wanted {wanted}")


def run(*tests):
    """Each test is a function that takes Results. Returns the exit status."""
    results = Results()
    for test in tests:
        print(f"# {test.__name__}")
        test(results)
    print(f"1..{results.count}")
    return 0 if results.good else 1
