#!/usr/bin/python3
"""How every source file reads: it begins with what it owns, and stays below 600 lines."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, report, tracked  # noqa: E402

LINES_MAX = 600
COLUMNS_MAX = 120       # 100 are the rule, which clang-format keeps where it can break a line
HEADS = {".c": ("/*",), ".h": ("/*",), ".asm": (";",), ".py": ('"""', "#!/"), ".cmake": ("#",)}

complaints = []
for path in tracked(*HEADS):
    lines = (TREE / path).read_text().splitlines()
    if lines and not lines[0].startswith(HEADS[path.suffix]):
        complaints.append(f"{path}:1: the file does not begin with what it is")
    if len(lines) > LINES_MAX:
        complaints.append(f"{path}: {len(lines)} lines, look for the second subject inside")
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS_MAX:
            complaints.append(f"{path}:{number}: longer than {COLUMNS_MAX} columns")
        if line != line.rstrip():
            complaints.append(f"{path}:{number}: ends in a space")
report(complaints)
