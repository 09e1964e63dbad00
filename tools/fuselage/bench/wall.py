"""bench --wall: the same on several CPUs, by the clock of this host.

Four programs that compute and four that make system calls run at once, as much as they can; or, for
families that are named, the time of each row. Fuselage and Linux take turns, so that whatever else
this host does meets both. Not for tests: nothing here repeats.
"""

import re
import statistics
import time

from .. import results
from ..common import ToolError, say
from . import machines

ROUNDS = 7
SECONDS = 3
MODES = ("compute", "calls")
EACH = 4
# What ksh's `sched` and `locks` say at the end, of the time that CPUs worked.
LOST = {"runnable while a CPU idled": r"while one idled: ([\d.]+)%",
        "spinning for locks": r"^spinning: ([\d.]+)%"}


def rates(run):
    """{mode: units of work a second, of all its processes together}."""
    found = {mode: [] for mode in MODES}
    for line in run.lines:
        words = line.split()
        if len(words) == 4 and words[0] == "work" and words[1] in found:
            found[words[1]].append(int(words[2]) * 1e9 / int(words[3]))
    if any(len(each) != EACH for each in found.values()):
        tail = "\n".join("  " + line for line in run.lines[-15:])
        raise ToolError(f"bench --wall: {run.title}: not all programs came to an end:\n{tail}")
    return {mode: sum(each) for mode, each in found.items()}


def lost(run):
    """{what: percent of the time that CPUs worked}; on one CPU nothing can idle beside another."""
    text = "\n".join(run.lines)
    return {what: float(match[1]) for what, pattern in LOST.items()
            if (match := re.search(pattern, text, re.MULTILINE))}


def main(args, kernel, chosen):
    if args.smp < 1:
        raise ToolError("bench --wall: --smp 1 or more")
    linux = machines.peers("stable" if args.linux in ("all", "none") else args.linux)[0]
    ours = machines.Fuselage(kernel)
    return row_times(args, ours, linux, chosen) if args.what else at_once(args, ours, linux)


def row_times(args, ours, linux, chosen):
    """The rows of CHOSEN: how long an operation takes, of how long it takes on Linux."""
    times = {}          # {(family, row): [(ours, Linux's), a pair a round], nanoseconds}
    started_s = time.monotonic()
    for number in range(ROUNDS):
        runs = [machine.run(chosen, smp=args.smp) for machine in (ours, linux)]
        machines.check_release(runs[0])
        values = [{(row.family, row.name): row.value for row in run.rows} for run in runs]
        for row in values[0].keys() | values[1].keys():
            times.setdefault(row, []).append([side.get(row) for side in values])
        say(f"bench: round {number + 1} of {ROUNDS}")
    ratios = {row: [us / them for us, them in pairs] for row, pairs in times.items()
              if all(all(pair) for pair in pairs) and len(pairs) == ROUNDS}
    print(f"{ours.title} beside {linux.title} on {args.smp} CPUs, nanoseconds by the clock, median "
          f"of {ROUNDS}; less is better")
    kept = {}
    for family in chosen:
        print(f"{family:24}  {'us':>9}  {'them':>9}   ratio   least   most")
        medians = []
        for row in sorted(row for row in times if row[0] == family):
            if row not in ratios:
                print(f"  {row[1]:22}  one of the two lacks it")
                continue
            columns = [statistics.median(pair[side] for pair in times[row]) for side in (0, 1)]
            medians.append(statistics.median(ratios[row]))
            kept[f"{family}-{row[1]}-{args.smp}-cpus"] = f"{medians[-1]:.2f}"
            print(f"  {row[1]:22}  {columns[0]:9,.0f}  {columns[1]:9,.0f}  {medians[-1]:6.2f}  "
                  f"{min(ratios[row]):6.2f} {max(ratios[row]):6.2f}")
        if medians:
            mean = statistics.geometric_mean(medians)
            kept[f"{family}-mean-{args.smp}-cpus"] = f"{mean:.2f}"
            print(f"  {'geometric mean':22}  {'':9}  {'':9}  {mean:6.2f}")
    record(args, kept, started_s)
    return 0


def record(args, kept, started_s):
    if args.record:
        results.note_all("wall", kept, "-", time.monotonic() - started_s)
        say("recorded in docs/results/wall.tsv")


def at_once(args, ours, linux):
    """Eight programs on both, and what of their time Fuselage lost."""
    works = [[mode, str(SECONDS)] for _ in range(EACH) for mode in MODES]
    rounds, losses = [], []
    started_s = time.monotonic()
    for number in range(ROUNDS):
        runs = [machine.work(works, args.smp) for machine in (ours, linux)]
        machines.check_release(runs[0])
        rounds.append([rates(run) for run in runs])
        losses.append(lost(runs[0]))
        say(f"bench: round {number + 1} of {ROUNDS}: " + ", ".join(
            f"{mode} {rounds[-1][0][mode] / rounds[-1][1][mode]:.2f}" for mode in MODES))
    print(f"{EACH} programs of each kind on {args.smp} CPUs, work a second by the clock, "
          f"median of {ROUNDS}; more is better")
    print(f"{'':10}  {ours.title:>12}  {linux.title:>20}   ratio   least   most")
    for mode in MODES:
        ratios = [us[mode] / them[mode] for us, them in rounds]
        columns = [statistics.median(pair[side][mode] for pair in rounds) for side in (0, 1)]
        print(f"{mode:10}  {columns[0]:12,.1f}  {columns[1]:20,.1f}  "
              f"{statistics.median(ratios):6.2f}  {min(ratios):6.2f} {max(ratios):6.2f}")
    for what in losses[0]:
        each = [loss[what] for loss in losses]
        print(f"Fuselage, {what}: {statistics.median(each):.3f} % of the time that CPUs worked, "
              f"{max(each):.3f} % at most")
    record(args, figures(args.smp, rounds, losses), started_s)
    return 0


def figures(ncpus, rounds, losses):
    """{row of docs/results/wall.tsv: value}: the medians, and what was lost at most."""
    kept = {}
    for mode in MODES:
        ratio = statistics.median(us[mode] / them[mode] for us, them in rounds)
        kept[f"{mode}-{ncpus}-cpus"] = f"{ratio:.2f}"
    for what in losses[0]:
        percent = max(loss[what] for loss in losses)
        kept[f"{what.lower().replace(' ', '-')}-percent-{ncpus}-cpus"] = f"{percent:.3f}"
    return kept
