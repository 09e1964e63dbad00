"""The tests inside the kernel, by name. They run on the measuring machine: some of them are about
time, and its time does not depend on what else this host does."""

import re

import pytest

from conftest import measuring_machine

SELFTESTS_MIN = 60
LIMIT_S = 300


@pytest.mark.parametrize("preset,cpus", [("debug", 1), ("debug", 2), ("debug", 4),
                                         ("release", 1)])
def test_selftests_are_many_and_green(boot, preset, cpus):
    machine = boot(command=measuring_machine(preset, smp=cpus))
    machine.wait_for_prompt()
    names = machine.run("selftest -l")
    assert len(set(names)) == len(names) >= SELFTESTS_MIN
    lines = machine.run("selftest", LIMIT_S)
    text = "\n".join(lines)
    passed = re.findall(r"^(\w+) +ok\b", text, re.MULTILINE)
    assert sorted(set(names) - set(passed)) == [], text
    assert passed == names, text
    assert lines[-1] == f"{len(names)} passed, 0 failed", text
