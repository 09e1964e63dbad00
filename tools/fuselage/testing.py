"""test: every test by name, two at a time, one line each; ends in `N passed, N failed`.

A unit is what one process runs: a program, a script, a file of pytest. Its tests are known by name
before it runs, so FILTER picks units first and tests inside them after that. What cannot run has
failed: nothing is skipped.

    build/<preset>          the build itself
    host/<folder>/<thing>   tests/host, under ASan and UBSan
    tool/... user/...       pytest: the host tool; the programs, which are Linux's too
    system/...              pytest: boots the machine
    lint/<name>             tests/lint/<name>.py or .sh: prints what is wrong, and fails
    model/<name>            tests/model/<name>.pml, by spin
    fuzz/<name>             tests/fuzz/<name>.py, or <name>.c under libFuzzer for a while
"""

import ast
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import build
from .common import BUILD, PRESETS, ROOT, ToolError, say

TESTS = ROOT / "tests"
HOST_BUILD = BUILD / "host"
SCRATCH = BUILD / "test"
PARALLEL = 2
UNIT_LIMIT_S = 1800
FUZZ_RUNS = 200000
FUZZ_SECONDS = 30              # whichever comes first
# Suites of pytest, and the builds that they use.
PYTEST_SUITES = {"tool": set(), "user": {"debug"}, "system": set(PRESETS)}
SCRIPT = {".py": [sys.executable, "-B"], ".sh": ["sh"]}


@dataclass
class Result:
    name: str
    passed: bool
    seconds: float
    text: str = ""


@dataclass
class Unit:
    """Something to run, and the names of the tests in it."""
    names: list
    run: object                                 # run(unit, filter) yields Results
    needs: set = field(default_factory=set)     # builds that must have worked: presets, "host"
    path: Path = None


# --- what there is -----------------------------------------------------------------------------

def units():
    """All units, the short ones first."""
    found = [Unit([f"lint/{path.stem}"], run_script, script_needs(path), path)
             for path in sorted(TESTS.glob("lint/*")) if path.suffix in SCRIPT]
    found += [Unit([f"host/{path.parent.name}/{path.stem}"], run_host, {"host"}, path)
              for path in sorted(TESTS.glob("host/*/*.c")) if path.parent.name != "support"]
    found += [Unit([f"model/{path.stem}"], run_model, set(), path)
              for path in sorted(TESTS.glob("model/*.pml"))]
    found += [Unit([f"fuzz/{path.stem}"], run_fuzz, set(), path)
              for path in sorted(TESTS.glob("fuzz/*.c"))]
    for suite, needs in PYTEST_SUITES.items():
        found += [Unit(pytest_names(suite, path), run_pytest, needs, path)
                  for path in sorted(TESTS.glob(f"{suite}/test_*.py"))]
    return found


def script_needs(path):
    """A script that reads what a build leaves behind says so in a line `# needs: debug`."""
    for line in path.read_text(encoding="utf-8").splitlines()[:10]:
        if line.startswith("# needs:"):
            return set(line.partition(":")[2].split())
    return set()


def pytest_names(suite, path):
    """Names of the tests of a file, from its source: nothing is imported to list them."""
    stem = path.stem.removeprefix("test_")
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return [f"{suite}/{stem}/{node.name.removeprefix('test_')}" for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def chosen(unit, text):
    """Whether FILTER may hold for a test of UNIT; a parameter in brackets shows only later."""
    return any(text.partition("[")[0] in name for name in unit.names)


# --- running one unit --------------------------------------------------------------------------

def process(command, cwd=ROOT, environment=None):
    """(succeeded, all that it wrote). Kills the whole group at the limit."""
    child = subprocess.Popen(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    with child:
        try:
            out, _ = child.communicate(timeout=UNIT_LIMIT_S)
            return child.returncode == 0, out.decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, _ = child.communicate()
            return False, out.decode(errors="replace") + f"\nkilled after {UNIT_LIMIT_S} s"


def run_script(unit, _filter):
    started_s = time.monotonic()
    passed, text = process(SCRIPT[unit.path.suffix] + [str(unit.path)])
    yield Result(unit.names[0], passed, time.monotonic() - started_s, text)


def run_host(unit, _filter):
    program = HOST_BUILD / f"{unit.path.parent.name}.{unit.path.stem}"
    started_s = time.monotonic()
    passed, text = process([str(program)])
    yield Result(unit.names[0], passed, time.monotonic() - started_s, text)


def run_fuzz(unit, _filter):
    """A harness with a script beside it (seeds, coverage) is run by that; else FUZZ_RUNS inputs.

    Its first line names the sources, as those of tests/host do: `/* sources: ... */`.
    """
    started_s = time.monotonic()
    script = unit.path.with_suffix(".py")
    if script.exists():
        passed, text = process(SCRIPT[".py"] + [str(script)])
    else:
        first = unit.path.read_text(encoding="utf-8").partition("*/")[0]
        sources = [ROOT / word for word in first.partition("sources:")[2].split()]
        includes = [f"-I{ROOT / folder}/include" for folder in
                    ("abi", "lib", "arch/x86_64", "sched", "mm", "ipc", "fusek")]
        with tempfile.TemporaryDirectory(prefix="fuzz.", dir=SCRATCH) as scratch:
            passed, text = process(
                ["clang", "-std=gnu17", "-g", "-O1", "-DFUSELAGE_HOST=1", "-DFUSELAGE_DEBUG=1",
                 "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=undefined",
                 *includes, *{f"-iquote{source.parent}" for source in sources},
                 str(unit.path), *map(str, sources), "-o", "fuzzer"], scratch)
            if passed:
                passed, text = process(["./fuzzer", f"-runs={FUZZ_RUNS}",
                                        f"-max_total_time={FUZZ_SECONDS}", "-timeout=10",
                                        "-print_final_stats=1", "-verbosity=1"], scratch)
    yield Result(unit.names[0], passed, time.monotonic() - started_s, text)


def run_model(unit, _filter):
    """A model passes when spin finds no error and has looked at all of its states.

    Its first lines may say how: `/* pan-cc: FLAGS */` for the compiler, `/* pan-run: FLAGS */`.
    """
    started_s = time.monotonic()
    source = unit.path.read_text(encoding="utf-8")
    compiler = model_flags(source, "pan-cc:") or ["-DSAFETY"]
    options = model_flags(source, "pan-run:") or ["-m1000000"]
    with tempfile.TemporaryDirectory(prefix="model.", dir=SCRATCH) as scratch:
        passed, text = process(["spin", "-a", str(unit.path)], scratch)
        if passed:
            passed, text = process(["gcc", "-O2", "-o", "pan", *compiler, "pan.c"], scratch)
        if passed:
            passed, text = process(["./pan", "-n", *options], scratch)
            passed = passed and "errors: 0" in text and "max search depth too small" not in text \
                and "Search not completed" not in text
    yield Result(unit.names[0], passed, time.monotonic() - started_s, text)


def model_flags(source, key):
    for line in source.splitlines()[:10]:
        if key in line:
            return line.partition(key)[2].replace("*/", "").split()
    return []


def run_pytest(unit, text):
    suite = unit.path.parent.name
    with tempfile.TemporaryDirectory(prefix="pytest.", dir=SCRATCH) as scratch:
        report = Path(scratch) / "report"
        environment = dict(os.environ, PYTHONPATH=str(ROOT / "tools"), PYTHONDONTWRITEBYTECODE="1",
                           FUSELAGE_REPORT=str(report), FUSELAGE_SUITE=suite, FUSELAGE_FILTER=text)
        _, output = process(
            [sys.executable, "-m", "pytest", "-q", "-p", "fuselage.pytest_report",
             "-p", "no:cacheprovider", f"--basetemp={scratch}/tmp", str(unit.path)],
            environment=environment)
        results = [Result(entry["name"], entry["outcome"] == "passed", entry["seconds"],
                          entry["text"])
                   for entry in map(json.loads, report.read_text().splitlines())] \
            if report.exists() else []
    yield from results
    ran = {result.name.partition("[")[0] for result in results}
    for name in unit.names:
        if text.partition("[")[0] in name and name not in ran:
            yield Result(name, False, 0, "it did not run:\n" + output)


# --- all of them -------------------------------------------------------------------------------

class Score:
    """Prints results as they come, from several threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = 0

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


def build_all(needed, score, text):
    """Builds what the chosen units need. Returns what worked."""
    worked = set()
    for name in [name for name in (*PRESETS, "host") if name in needed]:
        started_s = time.monotonic()
        try:
            if name == "host":
                build.ensure_host()
            else:
                build.ensure(name, "all", "image")
            worked.add(name)
            error = None
        except ToolError as failure:
            error = str(failure)
        if error or text in f"build/{name}":
            score.add(Result(f"build/{name}", error is None, time.monotonic() - started_s,
                             error or ""))
    return worked


def work(waiting, score, text, worked):
    while waiting:
        try:
            unit = waiting.pop(0)
        except IndexError:
            return
        if unit.needs - worked:
            for name in filter(lambda name: text.partition("[")[0] in name, unit.names):
                score.add(Result(name, False, 0, "its build failed"))
            continue
        try:
            for result in unit.run(unit, text):
                score.add(result)
        except Exception as error:      # a broken unit must not end the others silently
            score.add(Result(unit.names[0], False, 0, f"{type(error).__name__}: {error}"))


def main(args):
    text = args.filter
    selected = [unit for unit in units() if chosen(unit, text)]
    builds = [f"build/{name}" for name in (*PRESETS, "host")]
    if args.list:
        names = builds + [name for unit in selected for name in unit.names]
        print("\n".join(name for name in names if text.partition("[")[0] in name))
        return 0
    SCRATCH.mkdir(parents=True, exist_ok=True)
    score = Score()
    needed = set().union(*(unit.needs for unit in selected),
                         (name.partition("/")[2] for name in builds if text in name))
    worked = build_all(needed, score, text)
    threads = [threading.Thread(target=work, args=(selected, score, text, worked), daemon=True)
               for _ in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not score.passed and not score.failed:
        say(f"no test's name holds '{text}'")
        score.failed = 1
    print(f"{score.passed} passed, {score.failed} failed")
    return 1 if score.failed else 0
