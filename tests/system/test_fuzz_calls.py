"""Random calls of all that the table has, by several processes and threads on four CPUs, as root and
as a user: the machine lives on, nobody hangs, and the memory is back."""

import os
import re
import subprocess
import sys
from pathlib import Path

from conftest import TREE, used_kib

SOURCE = Path(__file__).parent / "programs" / "fuzz_calls.c"
NIGHTLY = bool(os.environ.get("FUSELAGE_NIGHTLY"))
CALLS = 1_000_000 if NIGHTLY else 100_000
SEED = int.from_bytes(os.urandom(4), "big") if NIGHTLY else 20
LIMIT_S = 900
SLACK_KIB = 256     # `mem` tells tenths of a MiB; a frame lost with each worker would be more


def build(folder):
    header = folder / "fuzz_table.h"
    subprocess.run([sys.executable, TREE / "tools" / "gensyscalls.py", TREE / "abi" / "syscalls.def",
                    "--fuzz", header], check=True)
    subprocess.run(["musl-gcc", "-static", "-O1", "-mno-red-zone", "-fno-stack-protector",
                    "-D_GNU_SOURCE", "-I", folder, "-o", folder / "fuzz_calls", SOURCE], check=True)
    return folder / "fuzz_calls"


def fuzz(machine, seed, calls):
    """How many calls it made."""
    lines = "\n".join(machine.run(f"fuzz_calls {seed} {calls}", LIMIT_S))
    said = re.search(rf"fuzzed (\d+) calls in \d+ ms, seed {seed}:", lines)
    assert said and "hung" not in lines, f"seed {seed}: {lines}"
    return int(said[1])


def test_random_calls_do_no_harm(boot, tmp_path):
    machine = boot("--smp", "4", "--add", f"{build(tmp_path)}:/bin/fuzz_calls")
    machine.wait_for_prompt()
    fuzz(machine, 1, 5000)          # what is kept at hand is there from then on
    before_kib = used_kib(machine)
    assert fuzz(machine, SEED, CALLS) >= CALLS
    assert machine.run("hello") == ["Hello, world!"]
    after_kib = used_kib(machine)
    assert after_kib <= before_kib + SLACK_KIB, (SEED, before_kib, after_kib)
