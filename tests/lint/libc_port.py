#!/usr/bin/python3
"""What is ours in the C library stays small, and its page says of each patch what it is."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, report  # noqa: E402

PORT = TREE / "libc-musl-port"
LINES_MAX = 500     # of what is changed and added, headers not counted
REASON = "overlay"  # why that does not do: in a patch's first lines

complaints = []
page = (PORT / "README.md").read_text()
total = sum(len(path.read_text().splitlines()) for path in PORT.glob("overlay/**/*")
            if path.is_file() and path.suffix != ".h")
for patch in sorted(PORT.glob("patches/*")):
    head, _, body = patch.read_text().partition("\n--- ")
    total += len(re.findall(r"^[+-](?![+-]{2} )", body, re.MULTILINE))
    if patch.name not in page:
        complaints.append(f"libc-musl-port/README.md: nothing about {patch.name}")
    if REASON not in head:
        complaints.append(f"{patch.relative_to(TREE)}:1: does not say why the {REASON} does not do")
for path in sorted(PORT.glob("overlay/src/**/*.c")):
    if str(path.relative_to(PORT)) not in page:
        complaints.append(f"libc-musl-port/README.md: nothing about {path.relative_to(PORT)}")
if total > LINES_MAX:
    complaints.append(f"libc-musl-port: {total} lines, more than {LINES_MAX}")
report(complaints)
