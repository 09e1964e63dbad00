"""bench: the same static programs on Fuselage and on Debian's Linux, on the machine that counts
instructions; a ratio a row.

    machines.py   starts a kernel with the programs and reads what they print
    results.py    rows, ratios, the table, the files
    chart.py      the picture
    profile.py    where the instructions of one row go
    wall.py       the other kind: several CPUs, by the clock
"""

import shutil
import time

from .. import qemu
from .. import results as kept_results
from ..build import ensure
from ..common import BUILD, ROOT, ToolError, relative, say
from . import machines, results

OUTPUT = BUILD / "bench"


def choose(words):
    """{family: rows asked for, none of them meaning all} from FAMILY and FAMILY/ROW."""
    chosen = {}
    for word in words:
        family, _, row = word.partition("/")
        if family not in machines.FAMILIES:
            raise ToolError(f"bench: no family '{family}'; there are {', '.join(machines.FAMILIES)}")
        rows = chosen.setdefault(family, [])
        if row:
            rows.append(row)
    return chosen or {family: [] for family in machines.FAMILIES}


def measure(chosen, peers, kernel):
    """All kernels, one after the other: {name of the kernel: its machines.Run}."""
    runs = {}
    for machine in [machines.Fuselage(kernel), *peers]:
        started_s = time.monotonic()
        say(f"bench: {machine.title}")
        runs[machine.name] = machine.run(chosen)
        say(f"bench: {machine.title}: {len(runs[machine.name].rows)} rows in "
            f"{time.monotonic() - started_s:.0f} s")
    return runs


def main(args):
    if args.what[:1] == ["compare"]:
        return results.compare(args.what[1:])
    if args.preset == "debug":
        raise ToolError("bench: a debug build's figures mean nothing; leave --preset out")
    if args.profile and args.kernel:
        raise ToolError("bench: --profile needs the symbols of our own build: leave --kernel out")
    if args.record and (args.linux != "all" or args.kernel or (args.what and not args.wall)):
        raise ToolError("bench: --record keeps a whole run of this tree beside every Linux: leave "
                        "rows, --linux and --kernel out")
    chosen = choose(args.what)
    kernel = args.kernel or ensure("release")
    if args.profile:
        from . import profile
        return profile.main(args.profile, kernel)
    if args.wall:
        from . import wall
        return wall.main(args, kernel, chosen)
    peers = machines.peers(args.linux)
    started_s = time.monotonic()
    runs = measure(chosen, peers, kernel)
    check_runs(runs, chosen)
    seconds = time.monotonic() - started_s
    table = results.Results.of(runs, seconds)
    print(table.text(), end="")
    if not args.what:
        table.write(OUTPUT)
        say(f"written to {relative(OUTPUT)}: results.tsv, results.json, chart.svg")
    if args.record:
        record(table, seconds)
    return 0


def record(table, seconds):
    """The figures that the documents quote."""
    kept_results.note_all("bench", table.figures(), qemu.ICOUNT_SEED, seconds, replace=True)
    shutil.copy(OUTPUT / "chart.svg", ROOT / "docs" / "bench.svg")
    say("recorded in docs/results/bench.tsv and docs/bench.svg")


def check_runs(runs, chosen):
    """That each kernel printed what was asked for: a program that died must not go unnoticed."""
    for name, run in runs.items():
        there = {(row.family, row.name) for row in run.rows}
        families = {family for family, _ in there}
        wanted = [f"{family}/{row}" for family, rows in chosen.items() for row in rows
                  if (family, row) not in there]
        wanted += [family for family in chosen if family not in families]
        if wanted:
            tail = "\n".join("  " + line for line in run.lines[-15:])
            raise ToolError(f"bench: {name}: no row {wanted[0]}; its last lines:\n{tail}")
    machines.check_release(runs["fuselage"])
