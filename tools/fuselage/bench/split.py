"""Whose instructions they are: a row's, told by a plugin of QEMU's (bench/qemu/split.c) into those of
programs and those of the kernel."""

import contextlib
import dataclasses
import statistics
import subprocess
import tempfile
from pathlib import Path

from ..common import BUILD, ROOT, ToolError

SOURCE = ROOT / "bench" / "qemu" / "split.c"
STRETCHES = 6                   # of a row: BENCH_BATCHES and the one that warms up
PARTS = ("user", "kernel")


@contextlib.contextmanager
def counted():
    """(options for QEMU, a function that gives the stretches counted so far)."""
    with tempfile.TemporaryDirectory(prefix="split.", dir=BUILD) as scratch:
        plugin, log = Path(scratch) / "split.so", Path(scratch) / "log"
        done = subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", plugin, SOURCE],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise ToolError(f"bench: {SOURCE.name}: {done.stderr.strip()}")

        def stretches():
            if not log.exists():
                return []
            lines = log.read_text(encoding="ascii", errors="replace").splitlines()
            return [tuple(map(int, line.split()[1:])) for line in lines
                    if line.startswith("split ")]

        yield ["-plugin", str(plugin), "-d", "plugin", "-D", str(log)], stretches


def rows(whole, stretches):
    """Of one family: its rows again, for each part, as family_PART. None where a row is lacking."""
    if any(row.value is None for row in whole):
        return []
    if len(stretches) != STRETCHES * len(whole):
        raise ToolError(f"bench: {len(stretches)} stretches of {len(whole)} rows were counted")
    found = []
    for number, part in enumerate(PARTS):
        for i, row in enumerate(whole):
            own = stretches[STRETCHES * i + 1:STRETCHES * (i + 1)]
            share = statistics.median(stretch[number] / sum(stretch) for stretch in own)
            found.append(dataclasses.replace(row, family=f"{row.family}_{part}",
                                             value=row.value * share))
    return found
