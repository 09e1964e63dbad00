"""Very many processes and threads at once: what each takes, that the machine still answers, and that
everything is back afterwards. On the measuring machine, whose seconds do not depend on this host."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from conftest import used_kib
from fuselage import results

SOURCE = Path(__file__).parent / "programs" / "crowd.c"
CROWD = 10000 if os.environ.get("FUSELAGE_NIGHTLY") else 1000
LIMIT_S = 300
# When they have just begun, and when they have slept for a while. A thread's own stack is the
# program's: one page of it is in use.
NEW_BYTES_MAX = {"processes": 60 * 1024, "threads": 12 * 1024 + 4096}
ASLEEP_BYTES_MAX = {"processes": 40 * 1024, "threads": 12 * 1024 + 4096}
WHILE_S = 10


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    program = tmp_path_factory.mktemp("crowd") / "crowd"
    subprocess.run(["musl-gcc", "-static", "-O1", "-o", program, SOURCE], check=True)
    return program


def gather(machine, what, number):
    """A crowd in the background: its process, and the bytes that each of it takes."""
    machine.send(f"crowd {what} {number} &\r")
    said = re.compile(rf"\b{number} {what}, (\d+) bytes each")
    machine.wait_for(lambda lines: any(map(said.search, lines)), LIMIT_S)
    each = int(next(filter(None, map(said.search, machine.lines())))[1])
    pids = [match[1] for match in (re.fullmatch(r"\[\d+\] (\d+)", line.strip())
                                   for line in machine.lines()) if match]
    machine.send("\r")              # it was written behind the prompt
    machine.run("echo")
    return pids[-1], each


def all_used_kib(machine):
    (line,) = [line for line in machine.run("mem") if line.strip().startswith("used ")]
    number, unit = re.search(r"([\d.]+) (\wiB)", line).groups()
    return float(number) * {"KiB": 1, "MiB": 1024}[unit]


def bytes_asleep(machine, before_kib, enough):
    """What each takes, everything included, as soon as it is `enough`."""
    for _ in range(WHILE_S):
        each = (all_used_kib(machine) - before_kib) * 1024 / CROWD
        if each <= enough:
            break
        machine.run("sleep 1")
    return round(each)


def disperse(machine, pid):
    machine.run(f"kill {pid}; wait", LIMIT_S)


@pytest.mark.parametrize("what", NEW_BYTES_MAX)
def test_a_crowd_is_cheap_and_leaves_nothing(boot, crowd, what):
    start_s = time.monotonic()
    machine = boot("--icount", "--preset", "release", "--mem", "4096", "--add", f"{crowd}:/bin/crowd")
    machine.wait_for_prompt()
    pid, _ = gather(machine, what, 50)  # what is kept at hand is there from then on
    disperse(machine, pid)
    before_kib, all_before_kib = used_kib(machine), all_used_kib(machine)
    pid, each = gather(machine, what, CROWD)
    assert each <= NEW_BYTES_MAX[what], each
    each = bytes_asleep(machine, all_before_kib, ASLEEP_BYTES_MAX[what])
    assert each <= ASLEEP_BYTES_MAX[what], each
    begin, end = (float(line.split()[0]) for line in machine.run(
        "cat /proc/uptime;ps > /tmp/ps;cat /proc/uptime", LIMIT_S))
    assert end - begin < 1, (begin, end)
    (lines,) = machine.run("wc -l /tmp/ps")
    assert int(lines.split()[0]) > (CROWD if what == "processes" else 1), lines
    assert machine.run("hello") == ["Hello, world!"]
    disperse(machine, pid)
    assert used_kib(machine) <= before_kib + CROWD / 10, (before_kib, used_kib(machine))
    if os.environ.get("FUSELAGE_NIGHTLY"):
        results.note_all("crowds", {what: CROWD, f"{what}-bytes-each": each}, "-",
                         time.monotonic() - start_s)
