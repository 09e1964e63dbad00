#!/usr/bin/python3
"""docs/results/*.tsv has its form, and what the documents quote from it is what stands there: a link
[VALUE](.../results/NAME.tsv#ROW) has the row's value as its text (commas between thousands do not
count). tests/BUDGET gives minutes to each suite, not more than 25 in all.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, report, tracked  # noqa: E402

sys.path.insert(0, str(TREE / "tools"))
from fuselage import budget, results, testunits  # noqa: E402

QUOTED = re.compile(r"\[([^\]]+)\]\(([^)\s]*results/([\w-]+)\.tsv)(?:#([\w-]+))?\)")
MINUTES_MAX = 25


def tables():
    """{name: rows}, and complaints about files that cannot be read."""
    found, wrong = {}, []
    for path in sorted((TREE / "docs/results").glob("*.tsv")):
        try:
            found[path.stem] = results.read(path)
        except ValueError as error:
            wrong.append(f"{path.relative_to(TREE)}: {error}")
    return found, wrong


def quoted(document, rows_of):
    text = (TREE / document).read_text(encoding="utf-8")
    for match in QUOTED.finditer(text):
        value, _, name, row = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        if row is None:
            continue
        if row not in rows_of.get(name, {}):
            yield f"{document}:{line}: docs/results/{name}.tsv has no row {row}"
        elif value.replace(",", "") != rows_of[name][row]["value"]:
            yield f"{document}:{line}: {value}, but docs/results/{name}.tsv has " \
                  f"{rows_of[name][row]['value']} for {row}"


def budget_problems():
    minutes = budget.read()
    suites = {unit.suite() for unit in testunits.units()} | {"build"}
    yield from (f"tests/BUDGET: no minutes for {suite}" for suite in suites - set(minutes))
    yield from (f"tests/BUDGET: there is no suite {suite}" for suite in set(minutes) - suites)
    if sum(minutes.values()) > MINUTES_MAX:
        yield f"tests/BUDGET: {sum(minutes.values()):g} minutes in all, {MINUTES_MAX} are the limit"


known, complaints = tables()
for page in tracked(".md"):
    complaints += quoted(page, known)
report(complaints + list(budget_problems()))
