"""The tests inside the kernel, and what it says when it breaks."""

import re

import pytest

SELFTESTS_MIN = 60


@pytest.mark.parametrize("preset", ["debug", "release"])
def test_selftests_are_many_and_green(boot, preset):
    machine = boot("--preset", preset)
    machine.wait_for_prompt()
    lines = machine.run("selftest", timeout_s=180)
    passed = [line for line in lines if re.search(r"\bok\b", line)]
    wrong = [line for line in lines if re.search(r"\b(FAIL|failed)\b", line)
             and not re.search(r"\b0 failed", line)]
    assert not wrong, "\n".join(lines)
    assert len(passed) >= SELFTESTS_MIN


@pytest.mark.parametrize("way,reason", [
    ("null", "null"), ("overflow", "stack"), ("doublefault", "double fault")])
def test_a_panic_says_why_and_where(machine, way, reason):
    machine.send(f"panic {way}\r")
    machine.wait_for(lambda lines: any("panic" in line.lower() and reason in line.lower()
                                       for line in lines))
    # A frame of the backtrace with its name: at least the one that was asked to break.
    machine.wait_for(lambda lines: any(re.search(r"[a-z_]+\+0x[0-9a-f]+", line)
                                       for line in lines))
