"""The tests inside the kernel, by name. They run on the measuring machine: some of them are about
time, and its time does not depend on what else this host does."""
# needs: kasan

import re
import time

import pytest

from conftest import RAMDISK, kernel, measuring_machine
from fuselage import results

SELFTESTS_MIN = 60
LIMIT_S = 300
MEM_MIB = {"debug": 256, "release": 256, "kasan": 512}  # some tests take all there is
STRESS = "stress_of_everything_on_every_cpu"
STRESS_OPERATIONS = 1000000
# The measuring machine gives its first CPU the time up to the next timer's end, and the others what
# is left of it: a program that never waits there leaves nothing to a second CPU (with more, the
# kernel puts such programs on the last ones). What would take tens of seconds then has no measure of
# time in it, and runs on two CPUs that are two threads of the host.
STARVED_ON_TWO = ["names_walk_while_they_are_renamed", "pages_that_are_taken_back_are_nobody_s",
                  "signal_stops_and_continues", "signal_to_a_newborn_is_not_lost",
                  "threads_on_every_cpu_call_each_other_and_use_memory"]


def selftests(machine, arguments, names):
    """Runs `selftest` with the arguments; those of the names that it did not print as passed."""
    start = len(machine.raw)
    machine.send(f"selftest {' '.join(arguments)}\r")
    machine.wait_for("passed, ", LIMIT_S)
    machine.wait_for_prompt()
    # Not from the screen: log lines of programs that crash on purpose have scrolled it.
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", machine.raw[start:].decode(errors="replace"))
    passed = re.findall(r"^(\w+) +.*?ok +[\d.]+ \w+$", text, re.MULTILINE)
    assert sorted(set(names) - set(passed)) == [], text
    assert f"\n{len(names)} passed, 0 failed\n" in text, text


@pytest.mark.parametrize("preset,cpus", [("debug", 1), ("debug", 2), ("debug", 4),
                                         ("debug", 16),
                                         ("release", 1), ("kasan", 4),
                                         pytest.param("kasan", 1, marks=pytest.mark.nightly)])
def test_selftests_are_many_and_green(boot, preset, cpus):
    machine = boot(command=measuring_machine(preset, smp=cpus, mem_mib=MEM_MIB[preset]))
    machine.wait_for_prompt()
    names = machine.run("selftest -l")
    assert len(set(names)) == len(names) >= SELFTESTS_MIN
    starved = STARVED_ON_TWO if cpus == 2 else []
    assert set(starved) <= set(names)
    selftests(machine, ["-v", *starved] if starved else [], set(names) - set(starved))
    if starved:
        machine.close()
        machine = boot("--smp", str(cpus))
        machine.wait_for_prompt()
        selftests(machine, starved, starved)


@pytest.mark.nightly
@pytest.mark.parametrize("preset,cpus", [("debug", 1), ("debug", 2), ("debug", 4), ("debug", 16),
                                         ("kasan", 4)])
def test_a_million_operations_of_stress(boot, preset, cpus):
    """By the clock, so that CPUs of the machine run beside each other where this host has several."""
    machine = boot("--smp", str(cpus), "--kernel", kernel(preset), "--ramdisk", RAMDISK,
                   "--append", f"stress={STRESS_OPERATIONS}")
    machine.wait_for_prompt()
    start = time.monotonic()
    machine.send(f"selftest {STRESS}\r")
    machine.wait_for("1 passed, 0 failed", 4 * LIMIT_S)
    results.note("stress", f"{'' if preset == 'debug' else preset + '-'}cpus-{cpus}-operations",
                 STRESS_OPERATIONS, "-", time.monotonic() - start)
