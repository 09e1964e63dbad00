#!/usr/bin/python3
"""Every C file is laid out as .clang-format says."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, report, tracked  # noqa: E402

files = [str(path) for path in tracked(".c", ".h") if path.parts[0] != "libc-musl-port"]
checked = subprocess.run(["clang-format", "--dry-run", "--ferror-limit=3", *files], cwd=TREE,
                         capture_output=True, text=True, check=True)
wrong = sorted({line.split(":")[0] for line in checked.stderr.splitlines()
                if "[-Wclang-format-violations]" in line})
report([checked.stderr, "Put right by: clang-format -i " + " ".join(wrong)] if wrong else [])
