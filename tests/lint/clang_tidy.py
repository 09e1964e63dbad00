#!/usr/bin/python3
# needs: debug
"""clang-tidy with the checks of .clang-tidy."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, compilations, report  # noqa: E402


def check(compilation):
    source, arguments = compilation
    done = subprocess.run(["clang-tidy", "--quiet", str(TREE / source), "--", *arguments],
                          cwd=TREE, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else None


with ThreadPoolExecutor(2) as pool:
    report([text for text in pool.map(check, compilations()) if text])
