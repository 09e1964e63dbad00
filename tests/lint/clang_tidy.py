#!/usr/bin/python3
# needs: debug
"""clang-tidy with the checks of .clang-tidy. A source that was found clean is not looked at again
until it, a header, its flags or the checks are others: build/lint/ keeps what was seen.

The analyser follows the paths through a function until it has seen so many states. A quick run
ends at less than a quarter of the usual number and takes a third of the time; --nightly does not."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, compilations, report  # noqa: E402

SEEN = TREE / "build/lint/clang_tidy"
STATES_QUICK = 50000            # of a function; LLVM's own limit is 225000
EXTENT = [] if os.environ.get("FUSELAGE_NIGHTLY") else \
    [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config",
                                        "-Xclang", f"max-nodes={STATES_QUICK}")]


def output(*command):
    return subprocess.run(command, cwd=TREE, capture_output=True, check=True).stdout


def key(arguments, source):
    """What the result depends on."""
    text = output("clang", "-E", "-C", *arguments, str(TREE / source))
    return hashlib.sha256(b"\0".join((CHECKS, " ".join(EXTENT + arguments).encode(), text))).hexdigest()


def check(compilation):
    source, arguments = compilation
    try:
        seen = SEEN / key(arguments, source)
    except subprocess.CalledProcessError as error:
        return f"{source}: clang cannot read it:\n{error.stderr.decode(errors='replace')}"
    if seen.exists():
        return None
    done = subprocess.run(["clang-tidy", "--quiet", *EXTENT, str(TREE / source), "--", *arguments],
                          cwd=TREE, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stdout + done.stderr
    seen.touch()
    return None


SEEN.mkdir(parents=True, exist_ok=True)
CHECKS = (TREE / ".clang-tidy").read_bytes() + output("clang-tidy", "--version")
with ThreadPoolExecutor(2) as pool:
    report([text for text in pool.map(check, compilations()) if text])
