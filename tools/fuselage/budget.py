"""tests/BUDGET: how many minutes each suite may take, checked after every run of the tests.

A suite's minutes are those of its units one after the other, though two run at once: so they say
the same on any number of processors. On a machine that is busy with other things as well they say
nothing, and no suite fails for them.
"""

import os

from .common import ROOT
from .testunits import Result

FILE = ROOT / "tests" / "BUDGET"
BUSY = 2.5                      # waiting threads for each processor; our own tests are about 1


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
