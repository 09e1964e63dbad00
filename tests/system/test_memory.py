"""Programs that take all memory there is, of each kind: one is killed, with a line that says why it,
the machine lives on, and all memory comes back. By night in large, on several CPUs and again."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from conftest import TOOL, Machine

SOURCE = Path(__file__).parent / "programs" / "hog.c"
NIGHTLY = bool(os.environ.get("FUSELAGE_NIGHTLY"))
# Those of one program, and those that are many.
ALONE = ["private", "shared", "populate", "read", "tables", "threads", "files"]
MANY = ["pipes", "sockets", "bomb"]
MACHINES = [("64", "2")] + ([("24", "1"), ("512", "4")] if NIGHTLY else [])
ROUNDS = 5 if NIGHTLY else 1
LIMIT_S = 300
SLACK_KIB = 400     # stacks and tables that are kept at hand
KILLED = re.compile(r"memory: out of memory \(\d+ of \d+ KiB free.*\): "
                    r"(hog\[\d+\] of user 0 is killed, since it holds the most: |"
                    r"the \d+ processes of group \d+ )")


@pytest.fixture(scope="module")
def hog(tmp_path_factory):
    program = tmp_path_factory.mktemp("hog") / "hog"
    subprocess.run(["musl-gcc", "-static", "-O1", "-o", program, SOURCE], check=True)
    return program


@pytest.fixture(scope="module")
def machines():
    booted = {}
    yield booted
    for machine in booted.values():
        machine.close()


@pytest.fixture
def machine_with(machines, hog):
    def get(mem_mib, cpus):
        if (mem_mib, cpus) not in machines:
            machines[mem_mib, cpus] = Machine([
                str(TOOL), "run", "--mem", mem_mib, "--smp", cpus, "--add", f"{hog}:/bin/hog"])
        return machines[mem_mib, cpus]
    return get


def programs_kib(machine):
    (line,) = [line for line in machine.run("mem") if "programs, stacks" in line]
    number, unit = re.search(r"([\d.]+) (\wiB)", line).groups()
    return float(number) * {"KiB": 1, "MiB": 1024}[unit]


def is_back(machine, before_kib):
    """Those of a group die one after the other."""
    for _ in range(100):
        now_kib = programs_kib(machine)
        if now_kib <= before_kib + SLACK_KIB:
            return True
        machine.run("sleep 0.1")
    pytest.fail(f"{before_kib} KiB before, {now_kib} KiB after")


@pytest.mark.parametrize("kind", ALONE + MANY)
@pytest.mark.parametrize("mem_mib, cpus", MACHINES)
def test_a_hog_is_killed_and_all_is_as_before(machine_with, mem_mib, cpus, kind):
    machine = machine_with(mem_mib, cpus)
    machine.run("hello")
    before_kib = programs_kib(machine)
    for _ in range(ROUNDS):
        text = " ".join(machine.run(f"hog {kind}", LIMIT_S))
        assert KILLED.search(text), text
        assert "SIGKILL: killed, status 137" in text, text
        assert ("processes of group" in text) == (kind in MANY), text
        assert "no memory is left" not in text and "segmentation" not in text, text
        assert machine.run("hello", LIMIT_S) == ["Hello, world!"]
        assert is_back(machine, before_kib)


def test_a_bomb_of_a_user_meets_his_limit(machine_with):
    machine = machine_with(*MACHINES[0])
    text = " ".join(machine.run("hog limited"))
    assert "limited" in text and "out of memory" not in text, text
    assert machine.run("hello") == ["Hello, world!"]


def test_the_shell_of_a_hog_goes_on(machine_with):
    """The largest one goes, not who waits for it."""
    machine = machine_with(*MACHINES[0])
    text = " ".join(machine.run('busybox sh -c "hog private; echo went on with \\$?"', LIMIT_S))
    assert "went on with 137" in text, text
