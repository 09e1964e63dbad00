"""The programs of tests/guest on our kernel, and programs that crash, again and again."""

import os
import re

import pytest

from conftest import TOOL, TREE, Machine

GUEST = TREE / "tests" / "guest"
BUILT = TREE / "build" / "shared" / "guest"
NAMES = sorted(path.stem for path in GUEST.glob("*.c"))
# Its output is compared with Linux's in test_exec.py.
STREAMS = "both_streams"
CRASHES = 100 if os.environ.get("FUSELAGE_NIGHTLY") else 20
# `crash NAME` in ksh: what ksh says of its end.
KINDS = {"null": "139", "divide": "136", "privileged": "139", "kernel-read": "139",
         "kernel-write": "139", "stack": "139", "smash": "139", "illegal": "132", "breakpoint": "133",
         "step": "133", "step-gs": "133",
         "abort": "134", "jump": "139", "noexec-stack": "139", "badptr": None}


@pytest.fixture(scope="module")
def machines():
    """Those that have been booted, by their options."""
    booted = {}
    yield booted
    for machine in booted.values():
        machine.close()


@pytest.fixture
def check(machines):
    """check(name, *options): runs a program on the machine with these options, which all programs
    share. One on which a program failed is not used again."""
    def run(name, *options):
        if options not in machines:
            added = [word for each in NAMES for word in ("--add", f"{BUILT / each}:/bin/{each}")]
            machines[options] = Machine([str(TOOL), "run", *added, *options])
        machine = machines[options]
        try:
            lines = machine.run(f"cd /tmp; /bin/{name} < /dev/null; cd /", 120)
            text = "\n".join(lines)
            assert not re.search(r"^not ok|^\[exit status|^\[SIG", text, re.MULTILINE), text
            assert re.search(r"^ok \w+", text, re.MULTILINE), "it tested nothing:\n" + text
        except BaseException:
            machines.pop(options).close()
            raise
    return run


@pytest.mark.parametrize("name", [name for name in NAMES if name != STREAMS])
def test_guest(check, name):
    check(name)


@pytest.mark.parametrize("name", [name for name in NAMES if name != STREAMS])
def test_guest_on_several_cpus(check, name):
    check(name, "--smp", "4")


@pytest.mark.parametrize("name", ["fpu", "registers", "vdso", "leaks"])
def test_guest_on_a_plain_cpu(check, name):
    check(name, "--cpu", "qemu64")


def test_two_programs_keep_their_registers_apart(boot):
    machine = boot("--add", f"{BUILT / 'fpu'}:/bin/fpu")
    lines = machine.run("fpu & fpu; wait", 60)
    assert not [line for line in lines if line.startswith("not ok")], lines
    assert lines.count("ok sums_survive_losing_the_cpu") == 2, lines


def programs_kib(machine):
    """From `mem`: memory in no cache and no table, so a frame that was lost shows."""
    line = [line for line in machine.run("mem") if "programs, stacks" in line][0]
    match = re.search(r"(\d+)(?:\.0)? KiB", line)
    assert match, f"not in whole KiB, so nothing can be said: {line}"
    return int(match[1])


def crash(machine, kind, times):
    """Runs `crash KIND` so often; returns what ksh said of the ends."""
    start = len(machine.raw)
    for _ in range(0, times, 10):
        machine.screen.reset()
        machine.send(";".join([f"crash {kind}"] * 10) + '; echo "the""end"\r')
        machine.wait_for("theend", 60)
        machine.wait_for_prompt()
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", machine.raw[start:].decode(errors="replace"))
    return re.findall(r"^\[SIG.*\]$|^\[status.*\]$", text, re.MULTILINE)


def test_crashes_leave_nothing_behind(machine):
    """Each way to crash, many times in one boot (100 in a nightly run), says the same each time."""
    for kind in KINDS:          # stacks and names that are kept at hand are there from now on
        crash(machine, kind, 10)
    before_kib = programs_kib(machine)
    for kind, status in KINDS.items():
        ends = crash(machine, kind, CRASHES)
        assert len(ends) == (CRASHES if status else 0), (kind, ends)
        assert all(f"status {status}]" in end for end in ends), (kind, ends)
    assert programs_kib(machine) == before_kib
