"""bench --profile FAMILY/ROW: where the instructions of one operation go, by function.

QEMU logs the address of every instruction (one instruction a translation block) into a pipe. What
lies between bench_timed_begin() and bench_timed_end() of the program's last batch is counted and
named by the kernel's symbol table.
"""

import bisect
import os
import subprocess
import tempfile
import threading
from collections import Counter
from pathlib import Path

from ..common import BUILD, ToolError, kernel_debug
from . import machines

NM = "x86_64-linux-gnu-nm"
KERNEL_HALF = 1 << 63
SHOWN = 40                      # functions of the table; the others are summed up


def symbols(path):
    """(addresses, names) of the functions of an ELF file, sorted."""
    done = subprocess.run([NM, "-n", str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"bench --profile: {path}: {done.stderr.strip()}")
    found = [line.split() for line in done.stdout.splitlines()]
    found = [(int(parts[0], 16), parts[2]) for parts in found
             if len(parts) == 3 and parts[1] in "tTwW"]
    if not found:
        raise ToolError(f"bench --profile: {path} has no symbols")
    return [address for address, _ in found], [name for _, name in found]


class Stretch:
    """Counts addresses between two marks; the last such stretch is kept."""

    def __init__(self, begin, end):
        self.begin, self.end = begin, end
        self.current = None
        self.last = None

    def read(self, pipe):
        """Lines of QEMU's: Trace 0: HOST [CS_BASE/PC/FLAGS/CFLAGS] ..."""
        with open(pipe, "rb", buffering=1 << 20) as lines:
            for line in lines:
                if not line.startswith(b"Trace"):
                    continue
                address = line.split(b"/", 2)[1]
                if address == self.begin:
                    self.current = Counter()
                elif address == self.end and self.current is not None:
                    self.last, self.current = self.current, None
                if self.current is not None:
                    self.current[address] += 1


def by_function(counted, kernel):
    addresses, names = symbols(kernel)
    functions = Counter()
    for address, count in counted.items():
        number = int(address, 16)
        place = bisect.bisect_right(addresses, number) - 1
        functions[names[place] if number >= KERNEL_HALF and place >= 0 else "(the program)"] += count
    return functions


def trace(family, row, kernel):
    """(instructions by address of the last batch, the row as the program printed it)."""
    places = dict(zip(*reversed(symbols(machines.PROGRAMS / family))))
    marks = [b"%016x" % places[name] for name in ("bench_timed_begin", "bench_timed_end")]
    counter = Stretch(*marks)
    with tempfile.TemporaryDirectory(prefix="profile.", dir=BUILD) as scratch:
        pipe = Path(scratch) / "trace"
        os.mkfifo(pipe)
        reader = threading.Thread(target=counter.read, args=(pipe,), daemon=True)
        reader.start()
        run = machines.Fuselage(kernel).run({family: [row]}, "nokaslr", [
            "-singlestep", "-d", "exec,nochain", "-D", str(pipe)])
        reader.join()
    if not run.rows or counter.last is None:
        raise ToolError(f"bench: there is no row {family}/{row}")
    return counter.last, run.rows[0]


def main(what, kernel):
    family, _, name = what.partition("/")
    if family not in machines.FAMILIES or not name:
        raise ToolError("bench --profile FAMILY/ROW, as in calls/null_syscall")
    counted, row = trace(family, name, kernel)
    if row.value is None:
        raise ToolError(f"bench: {what}: {row.reason}")
    total = sum(counted.values())
    count = max(round(total / row.value), 1)
    functions = by_function(counted, kernel_debug("release")).most_common()
    print(f"{what}: {row.value:,.1f} instructions for one operation; of {count} of them:")
    for function, number in functions[:SHOWN]:
        print(f"{number / count:10,.1f}  {100 * number / total:5.1f} %  {function}")
    rest = sum(number for _, number in functions[SHOWN:])
    if rest:
        print(f"{rest / count:10,.1f}  {100 * rest / total:5.1f} %  "
              f"({len(functions) - SHOWN} more)")
    return 0
