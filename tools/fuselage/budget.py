"""tests/BUDGET: how many minutes of a whole run each suite may take, checked after every run.

Two units run at once, so a suite's minutes are half of what its units took; builds run alone, and
count whole. On a machine that is busy with other things as well they say nothing, and no suite fails
for them.
"""

import os

from .common import ROOT
from .testunits import Result

FILE = ROOT / "tests" / "BUDGET"
BUSY = 2.5                      # waiting threads for each processor; our own tests are about 1
QUICK_MAX = 5                   # minutes of `test --quick`, builds left out


def read():
    """{suite: minutes}, as the file has them."""
    lines = [line.partition("#")[0].split() for line in FILE.read_text().splitlines()]
    return {suite: float(minutes) for suite, minutes in filter(None, lines)}


def is_busy():
    return os.getloadavg()[1] > BUSY * (os.cpu_count() or 1)


def check(seconds):
    """Prints the table; a Result for each suite over its budget. SECONDS: {suite: seconds}."""
    minutes = read()
    busy = is_busy()
    print("minutes: " + ", ".join(f"{suite} {seconds[suite] / 60:.1f}/{minutes.get(suite, 0):g}"
                                  for suite in sorted(seconds) if seconds[suite] >= 0.5)
          + (" (the machine is busy: not judged)" if busy else ""))
    for suite, took_s in seconds.items():
        if suite in minutes and took_s > minutes[suite] * 60 and not busy:
            yield Result(f"budget/{suite}", False, took_s,
                         f"its tests took {took_s / 60:.1f} minutes; tests/BUDGET gives it "
                         f"{minutes[suite]:g}. What is long belongs into --nightly.")


def check_quick(seconds):
    """A Result if the quick tests took longer than people wait for them."""
    took_s = sum(took for suite, took in seconds.items() if suite != "build")
    if took_s > QUICK_MAX * 60 and not is_busy():
        yield Result("budget/quick", False, took_s,
                     f"the quick tests took {took_s / 60:.1f} minutes, {QUICK_MAX} are the limit: "
                     "tests/QUICK says which they are")
