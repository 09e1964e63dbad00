#!/usr/bin/python3
"""A folder includes what stands above it in the house and nothing below.

The kernel's folders cannot compile otherwise; this says it in a sentence, and also looks at those
who are not part of the kernel and meet it through abi/ alone. ksh may also use lib/, which has no
state and knows of no kernel.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, report, tracked  # noqa: E402

ORDER = ["abi", "lib", "arch", "sched", "mm", "ipc", "fusek", "kernel"]
OUTSIDE = {"ksh": ["abi", "lib", "ksh"], "user": ["abi"], "drivers": ["abi"],
           "libc-musl-port": ["abi"]}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([a-z]+)/')

complaints = []
for path in tracked(".c", ".h"):
    own = path.parts[0]
    if own not in ORDER and own not in OUTSIDE:
        continue
    allowed = OUTSIDE[own] if own in OUTSIDE else ORDER[:ORDER.index(own) + 1]
    for number, line in enumerate((TREE / path).read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match and match[1] in ORDER and match[1] not in allowed:
            complaints.append(f"{path}:{number}: {own}/ may not include {match[1]}/")
report(complaints)
