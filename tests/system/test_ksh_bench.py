"""ksh's bench on the measuring machine: the same figures in two runs, and within what is promised."""

import re
import subprocess
import sys

import pytest

from conftest import TREE

sys.path.insert(0, str(TREE / "tools"))
from fuselage.qemu import measuring_machine  # noqa: E402

LIMITS = {
    "null system call": 160,
    "thread switch, direct": 250,
    "thread switch, by yielding": 250,
    "boot, kernel entry to prompt": 15_000_000,
    "memory gone at the prompt": 8192,
}


def run_bench(line="bench", mem_mib=512):
    """What the bench prints, started by the boot line: no key comes at a time of its own."""
    command = measuring_machine(TREE / "build" / "release" / "fuselage.elf",
                                TREE / "build" / "shared" / "ramdisk" / "base.img",
                                f"console=ttyS0 ksh.run={line}%3Bpoweroff", mem_mib)
    done = subprocess.run([*command, "-display", "none", "-serial", "stdio"], timeout=180,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", done.stdout.decode(errors="replace"))


@pytest.fixture(scope="module")
def runs():
    return [run_bench(), run_bench()]


def figures(text):
    rows = re.findall(r"^(\S.*?) {2,}([\d.]+) (?:instructions|KiB)", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


# Said only where the machine runs on for a moment after it was switched off.
SWITCHED_OFF = "It is now safe to turn off the machine.\r\n"


def test_two_runs_print_the_same(runs):
    assert "figures in instructions" in runs[0]
    assert runs[0].removesuffix(SWITCHED_OFF) == runs[1].removesuffix(SWITCHED_OFF)


@pytest.mark.parametrize("name", LIMITS)
def test_figure_is_within_its_limit(runs, name):
    assert 0 < figures(runs[0])[name] <= LIMITS[name]


@pytest.mark.parametrize("kind", ["frame", "slab object of 32 bytes"])
def test_allocation_stays_flat(runs, kind):
    values = [value for name, value in figures(runs[0]).items() if name.startswith(kind + ",")]
    assert len(values) >= 3
    assert max(values) <= min(values) * 1.1


@pytest.mark.parametrize("how", ["alone", "in a batch"])
def test_tasks_cost_the_same_however_many_live(runs, how):
    values = [value for name, value in figures(runs[0]).items()
              if name.startswith(f"task woken {how},")]
    assert len(values) >= 2
    assert max(values) <= min(values) * 1.02


def test_a_million_live_frames_cost_what_ten_do():
    """They are 4 GiB, more than the measuring machine has: the same machine with more memory."""
    rows = figures(run_bench("bench%20frame", 6144))
    assert "frame, 1000000 live" in rows
    assert max(rows.values()) <= min(rows.values()) * 1.1
