#!/usr/bin/python3
# needs: debug
"""Clang's thread-safety analysis: what the annotations promise about locks is kept."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, compilations, report  # noqa: E402


def check(compilation):
    source, arguments = compilation
    done = subprocess.run(["clang", *arguments, "-fsyntax-only", "-Wthread-safety",
                           "-Wno-unknown-warning-option", "-Werror", str(TREE / source)],
                          cwd=TREE, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else None


with ThreadPoolExecutor(2) as pool:
    found = list(pool.map(check, compilations()))
if not found:
    found = ["no source of the kernel was looked at"]
report([text for text in found if text])
