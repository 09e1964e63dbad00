"""test: every test by name, two at a time, one line each; ends in `N passed, N failed`.

    build/<preset>          the build itself
    host/<folder>/<thing>   tests/host, under ASan and UBSan
    tool/... user/...       pytest: the host tool; the programs, which are Linux's too
    system/...              pytest: boots the machine
    lint/<name>             tests/lint/<name>.py or .sh: prints what is wrong, and fails
    model/<name>            tests/model/<name>.pml, by spin
    fuzz/<name>             tests/fuzz/<name>.c under libFuzzer for a while
    selftest/<name>         one self-test of the kernel, for who asks for it by this name
    mutants/<name>          --mutants: a patch that breaks a promise is caught by the test it names

tests/BUDGET gives each suite its minutes. --quick runs those that tests/QUICK names, --nightly
everything at its full length, mutants as well, and writes docs/results/.
"""

import os
import sys
import threading
import time

from . import budget, build, mutants, results, testunits
from .common import PRESETS, ROOT, ToolError, say
from .testunits import SCRATCH, Result, chosen, may_hold, units

PARALLEL = 2
QUICK = ROOT / "tests" / "QUICK"
# What the tests need: a preset, and what to build of it; the host's is a project of its own.
BUILDS = {"debug": ("debug", "all", "image"), "release": ("release", "all", "image"),
          "kasan": ("kasan", "kernel_image"), "drivers": ("debug", "packaged_drivers"), "host": ()}


class Score:
    """Prints results as they come, from several threads, and adds up what each suite took."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = 0
        self.seconds = {}

    def add(self, result):
        with self.lock:
            if result.passed:
                self.passed += 1
            else:
                self.failed += 1
            print(f"{'ok  ' if result.passed else 'FAIL'} {result.name} ({result.seconds:.1f} s)")
            if not result.passed:
                print("\n".join("     | " + line for line in result.text.rstrip().splitlines()))
            sys.stdout.flush()

    def spent(self, suite, seconds):
        with self.lock:
            self.seconds[suite] = self.seconds.get(suite, 0) + seconds


def build_all(needed, score, text):
    """Builds what the chosen units need. Returns what worked."""
    worked = set()
    for name in [name for name in BUILDS if name in needed]:
        started_s = time.monotonic()
        try:
            if name == "host":
                build.ensure_host()
            else:
                build.ensure(*BUILDS[name])
            worked.add(name)
            error = None
        except ToolError as failure:
            error = str(failure)
        took_s = time.monotonic() - started_s
        score.spent("build", took_s)
        if error or text in f"build/{name}":
            score.add(Result(f"build/{name}", error is None, took_s, error or ""))
    return worked


def work(waiting, score, text, worked):
    while waiting:
        try:
            unit = waiting.pop(0)
        except IndexError:
            return
        if unit.needs - worked:
            for name in filter(lambda name: may_hold(name, text), unit.names):
                score.add(Result(name, False, 0, "its build failed"))
            continue
        started_s = time.monotonic()
        try:
            for result in unit.run(unit, text):
                score.add(result)
        except Exception as error:      # a broken unit must not end the others silently
            score.add(Result(unit.names[0], False, 0, f"{type(error).__name__}: {error}"))
        score.spent(unit.suite(), (time.monotonic() - started_s) / PARALLEL)


def run_units(selected, score, text, presets, quick):
    needed = set().union(*(unit.needs for unit in selected))
    if not quick:
        needed |= {name for name in BUILDS if text in f"build/{name}"}
    dropped = set(PRESETS) - set(presets)
    worked = build_all(needed - dropped, score, text) | dropped
    waiting = list(selected)
    threads = [threading.Thread(target=work, args=(waiting, score, text, worked), daemon=True)
               for _ in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def is_quick(unit):
    """By the last line of tests/QUICK that its name begins with; a line with a minus leaves out."""
    lines = [line.partition("#")[0].strip() for line in QUICK.read_text().splitlines()]
    meant = [line for line in filter(None, lines)
             if unit.names[0].startswith(line.removeprefix("-"))]
    return bool(meant) and not meant[-1].startswith("-")


def list_names(selected, text):
    builds = [f"build/{name}" for name in BUILDS]
    names = builds + [name for unit in selected for name in unit.names]
    print("\n".join(name for name in names if may_hold(name, text)))


def main(args):
    text = args.filter
    if args.quick and (args.nightly or args.mutants):
        raise ToolError("test: --quick leaves out what --nightly and --mutants are for: only one of "
                        "them")
    if args.nightly:
        os.environ["FUSELAGE_NIGHTLY"] = "1"
    if args.mutants and args.list:
        print("\n".join(f"mutants/{path.stem}" for path in mutants.chosen(text)))
        return 0
    selected = [] if args.mutants else [unit for unit in units(text) if chosen(unit, text)]
    if args.quick:
        selected = [unit for unit in selected if is_quick(unit)]
    if args.list:
        list_names(selected, text)
        return 0
    SCRATCH.mkdir(parents=True, exist_ok=True)
    score = Score()
    started_s = time.monotonic()
    if not args.mutants:
        run_units(selected, score, text, [args.preset] if args.preset else PRESETS, args.quick)
    if args.mutants or (args.nightly and not text):
        mutants.run(mutants.chosen(text), score)
    if not score.passed and not score.failed:
        say(f"no{' quick' if args.quick else ''} test's name holds '{text}'")
        score.failed = 1
    if not args.nightly and not args.mutants:
        for result in (budget.check_quick if args.quick else budget.check)(score.seconds):
            score.add(result)
    if args.nightly and not text:
        took_s = time.monotonic() - started_s
        results.note("nightly", "tests-passed", score.passed, "-", took_s)
        results.note("nightly", "tests-failed", score.failed, "-", took_s)
    print(f"{score.passed} passed, {score.failed} failed")
    return 1 if score.failed else 0
