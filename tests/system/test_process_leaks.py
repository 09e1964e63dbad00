"""A hundred forks, execs, threads, ends and signals of each kind leave no memory behind."""

import subprocess
from pathlib import Path

from conftest import TREE

COMPILER = TREE / "build" / "shared" / "sdk" / "bin" / "fuselage-cc"
SOURCE = Path(__file__).parent / "programs" / "leaks.c"
KINDS = 11
SLACK_KIB = 64      # less than a frame for each of the hundred


def test_memory_is_back_after_a_hundred_of_each_kind(fexec, tmp_path):
    program = tmp_path / "leaks"
    subprocess.run([COMPILER, "-O1", "-o", program, SOURCE], check=True)
    ended = fexec("/bin/leaks", options=["--add", f"{program}:/bin/leaks"])
    lost = {name: int(kib) for name, kib in
            (line.split() for line in ended.stdout.decode().splitlines())}
    assert ended.returncode == 0 and len(lost) == KINDS, ended
    assert all(kib <= SLACK_KIB for kib in lost.values()), lost
