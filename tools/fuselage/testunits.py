"""What tests there are, and how one unit of them is run.

A unit is what one process runs: a program, a script, a file of pytest. Its tests are known by name
before it runs, so a filter picks units first and tests inside them after that. What cannot run has
failed: nothing is skipped.

A test may be `nightly`: it runs by --nightly alone. A script says so in a line `# nightly` among its
first ten, pytest by the mark `nightly`. What takes a size (a number of executions, of boots) looks
at FUSELAGE_NIGHTLY, which is set then, and notes what it measured by tools/fuselage/results.py.
A self-test of the kernel is `asked`: it is a unit only for who asks for it, since system/selftest
runs them all.
"""

import ast
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import fuzzing, qemu
from .common import BASE_IMAGE, BUILD, PRESETS, ROOT, kernel_elf

TESTS = ROOT / "tests"
HOST_BUILD = BUILD / "host"
SCRATCH = BUILD / "test"
UNIT_LIMIT_S = 1800
NIGHTLY_LIMIT_S = 6 * 3600
SELFTEST_LIMIT_S = 60           # many take seconds; a mutant may hang for all of it
# Suites of pytest, and the builds that they use.
PYTEST_SUITES = {"tool": set(), "console": set(), "user": {"debug"}, "system": set(PRESETS)}
SCRIPT = {".py": [sys.executable, "-B"], ".sh": ["sh"]}
HALTED = b"machine is halted"


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

    def suite(self):
        return self.names[0].partition("/")[0]


def is_nightly():
    return bool(os.environ.get("FUSELAGE_NIGHTLY"))


# --- what there is -----------------------------------------------------------------------------

def units(text=""):
    """All units, the short ones first. TEXT is the filter: self-tests are there if it names them."""
    found = [Unit([f"lint/{path.stem}"], run_script, script_needs(path), path)
             for path in sorted(TESTS.glob("lint/*"))
             if path.suffix in SCRIPT and (is_nightly() or not script_is_nightly(path))]
    found += [Unit([f"host/{path.parent.name}/{path.stem}"], run_host, {"host"}, path)
              for path in sorted(TESTS.glob("host/*/*.c")) if path.parent.name != "support"]
    found += [Unit([f"model/{path.stem}"], run_model, set(), path)
              for path in sorted(TESTS.glob("model/*.pml"))]
    found += [Unit([f"fuzz/{path.stem}"], run_fuzz, set(), path)
              for path in sorted(TESTS.glob("fuzz/*.c"))]
    for suite, needs in PYTEST_SUITES.items():
        for path in sorted(TESTS.glob(f"{suite}/test_*.py")):
            if names := pytest_names(suite, path):
                found.append(Unit(names, run_pytest, needs | script_needs(path), path))
    if text.startswith("selftest/"):
        found += [Unit([f"selftest/{name}"], run_selftest, {"debug"}) for name in selftest_names()]
    return found


def head_of(path):
    return path.read_text(encoding="utf-8").splitlines()[:10]


def script_needs(path):
    """A script that reads what a build leaves behind says so in a line `# needs: debug`, and so does
    a file of pytest that uses another build than its suite does."""
    for line in head_of(path):
        if line.startswith("# needs:"):
            return set(line.partition(":")[2].split())
    return set()


def script_is_nightly(path):
    return "# nightly" in head_of(path)


def pytest_names(suite, path):
    """Names of the tests of a file, from its source: nothing is imported to list them."""
    stem = path.stem.removeprefix("test_")
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return [f"{suite}/{stem}/{node.name.removeprefix('test_')}" for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
            and (is_nightly() or "pytest.mark.nightly" not in map(ast.unparse,
                                                                  node.decorator_list))]


def selftest_names():
    return sorted(name for path in ROOT.glob("*/**/*_selftest.c")
                  if BUILD not in path.parents
                  for name in re.findall(r"^SELFTEST\((\w+)\)", path.read_text(), re.MULTILINE))


def may_hold(name, text):
    """Whether a test called NAME is meant by FILTER; a parameter in brackets shows only later."""
    before, bracket, _ = text.partition("[")
    return name.endswith(before) if bracket else text in name


def chosen(unit, text):
    return any(may_hold(name, text) for name in unit.names)


# --- running one unit --------------------------------------------------------------------------

def process(command, cwd=ROOT, environment=None, limit_s=None):
    """(succeeded, all that it wrote). Kills the whole group at the limit."""
    limit_s = limit_s or (NIGHTLY_LIMIT_S if is_nightly() else UNIT_LIMIT_S)
    child = subprocess.Popen(command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    with child:
        try:
            out, _ = child.communicate(timeout=limit_s)
            return child.returncode == 0, out.decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, _ = child.communicate()
            return False, out.decode(errors="replace") + f"\nkilled after {limit_s} s"


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
    started_s = time.monotonic()
    passed, text = fuzzing.run(unit.path, process)
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
    suite = unit.suite()
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
        if may_hold(name, text) and name not in ran:
            yield Result(name, False, 0, "it did not run:\n" + output)


# --- self-tests of the kernel, one by one --------------------------------------------------------

def run_selftest(unit, text):
    """selftest/NAME on the measuring machine; selftest/NAME[4] on four CPUs, in real time."""
    name = unit.names[0]
    match = re.fullmatch(r"[^\[]*\[(\d+)\]", text)
    cpus = int(match[1]) if match else 1
    commands = qemu.encode_arguments([f"selftest {name.partition('/')[2]};poweroff"])
    kernel, cmdline = kernel_elf("debug"), f"ksh.run={commands}"
    command = qemu.measuring_machine(kernel, BASE_IMAGE, cmdline) if cpus == 1 else \
        qemu.machine(kernel, BASE_IMAGE, cmdline, smp=cpus)
    started_s = time.monotonic()
    output = until_halted([*command, "-display", "none", "-chardev", "stdio,id=com1,signal=off",
                           "-serial", "chardev:com1"], SELFTEST_LIMIT_S)
    output = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", output.decode(errors="replace"))
    yield Result(name + (match[0][match[0].index("["):] if match else ""),
                 bool(re.search(r"^[1-9]\d* passed, 0 failed$", output, re.MULTILINE)),
                 time.monotonic() - started_s, output)


def until_halted(command, limit_s):
    """What a machine writes until it ends, says that it has halted, or has had its time."""
    output = b""
    deadline_s = time.monotonic() + limit_s
    with qemu.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT) as child:
        os.set_blocking(child.stdout.fileno(), False)
        while HALTED not in output and time.monotonic() < deadline_s:
            piece = child.stdout.read()
            if piece == b"":
                break
            output += piece or b""
            if piece is None:
                time.sleep(0.02)
        child.kill()
    return output
