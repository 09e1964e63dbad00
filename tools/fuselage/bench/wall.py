"""bench --wall: work done in a second on several CPUs, by the clock of this host.

Four programs that compute and four that make system calls run at once; Fuselage and Linux take
turns, so that whatever else this host does meets both. Not for tests: nothing here repeats.
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


def main(args, kernel):
    if args.smp < 1:
        raise ToolError("bench --wall: --smp 1 or more")
    linux = machines.peers("stable" if args.linux in ("all", "none") else args.linux)[0]
    ours = machines.Fuselage(kernel)
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
    if args.record:
        results.note_all("wall", figures(args.smp, rounds, losses), "-",
                         time.monotonic() - started_s)
        say("recorded in docs/results/wall.tsv")
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
