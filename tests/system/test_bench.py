"""`bench` in ksh: the release build on the measuring machine, with the limits of the project."""

import re

import pytest

from conftest import measuring_machine

LIMIT_S = 400
# Rows that must be there: a pattern of the name, the unit, the most that is allowed.
ROWS = [
    ("boot, kernel entry to prompt", "instructions", 15_000_000),
    ("memory gone at the prompt", "KiB", 8 << 10),
    ("null system call", "instructions", 160),
    (r".*switch", "instructions", 250),
    (r".*fault", "instructions", None),
    (r"frame", "instructions", None),
    (r"slab", "instructions", None),
    (r"spawn", "instructions", None),
]


@pytest.fixture(scope="module")
def figures():
    return {}


def bench(boot):
    machine = boot(command=measuring_machine(append="ksh.run=bench"))
    machine.wait_for_prompt(LIMIT_S)
    lines = machine.lines()
    first = lines.index("ksh> bench")
    return lines[first + 1:-1]


def test_figures_keep_their_limits_and_are_the_same_twice(boot):
    first = bench(boot)
    text = "\n".join(first)
    for pattern, unit, limit in ROWS:
        rows = [re.match(rf"{pattern}.*?\s+([\d.]+) {unit}\b", line, re.IGNORECASE)
                for line in first]
        values = [float(row[1]) for row in rows if row]
        assert values, f"no figure of {pattern}:\n{text}"
        assert limit is None or max(values) <= limit, f"{pattern} is above {limit}:\n{text}"
    assert "above" not in text and "failed" not in text, text
    assert bench(boot) == first
