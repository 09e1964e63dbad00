"""posixfs and fsexercise (tests/filesystem) on tmpfs and on drivers, each mount with its caches in
turn; in the machine, and on this host's Linux with the same programs and drivers."""
# needs: drivers

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from test_drivers import tool
from test_shells import BUSYBOX

TREE = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "fuse" / "filesystem.sh"
DIFFERENCES = TREE / "tests" / "filesystem" / "DIFFERENCES"
SHARED = TREE / "build" / "shared"
PROGRAMS = [SHARED / "filesystem" / "posixfs", SHARED / "filesystem" / "fsexercise", DIFFERENCES]
DRIVERS = [SHARED / "sdk" / "drivers" / "memfs", SHARED / "sdk" / "drivers" / "fuse2fs",
           SHARED / "ports" / "libfuse3" / "passthrough_ll"]
LIMIT_S = 3600
STEPS = 100_000 if os.environ.get("FUSELAGE_NIGHTLY") else 20_000
PASSTHROUGH = "passthrough_ll -s -o source=@,xattr,flock,allow_other,default_permissions"
# As root, so that the kernel checks permissions as it does for the others.
FUSE2FS = "fuse2fs -s %/disk -o allow_other,default_permissions,fakeroot"
FUSE2FS_LACKS = "links,trunc"
UNCACHED, WRITEBACK = ",direct", ",writeback"
# Names in DIFFERENCES, features that fsexercise is told to be lacking, driver. passthrough_ll writes
# pages by a descriptor with O_APPEND, if it has such a one.
PLAN = [
    ("tmpfs", "-", "-"),
    ("memfs", "-", "memfs -s -o size=64m"),
    ("memfs", "-", "memfs -o size=64m,timeout=0"),
    ("memfs" + WRITEBACK, "-", "memfs -s -o size=64m,writeback"),
    ("memfs" + UNCACHED, "shared_map", "memfs -s -o size=64m,direct_io"),
    ("passthrough_ll", "append_map", PASSTHROUGH),
    ("passthrough_ll", "append_map", PASSTHROUGH + ",cache=always"),
    ("passthrough_ll", "append_map", PASSTHROUGH + ",timeout=0"),
    ("passthrough_ll" + UNCACHED, "shared_map", PASSTHROUGH + ",cache=never"),
    ("fuse2fs,fuse2fs@fuselage", "zero," + FUSE2FS_LACKS, FUSE2FS),
]
# Linux's tmpfs has no FALLOC_FL_ZERO_RANGE, nor what passes on to it.
ON_LINUX = [
    ("tmpfs", "zero", "-"),
    ("memfs", "-", "memfs -s -o size=64m"),
    ("memfs", "-", "memfs -o size=64m,timeout=0"),
    ("memfs,writeback,writeback@linux", "-", "memfs -s -o size=64m,writeback"),
    ("memfs,direct,direct@linux", "shared_map", "memfs -s -o size=64m,direct_io"),
    ("passthrough_ll", "zero,append_map", PASSTHROUGH),
    ("passthrough_ll", "zero,append_map", PASSTHROUGH + ",cache=always"),
    ("passthrough_ll", "zero,append_map", PASSTHROUGH + ",timeout=0"),
    ("passthrough_ll,direct,direct@linux", "zero,shared_map", PASSTHROUGH + ",cache=never"),
    ("fuse2fs,fuse2fs@linux", "zero," + FUSE2FS_LACKS, FUSE2FS),
]


def sections(said):
    """What the script says of each mount."""
    return re.findall(r"^== (.*)\n((?:(?!== ).*\n)*)", said, re.MULTILINE)


def check(said, plan, steps):
    """Each mount passed all of both; without steps, of the cases."""
    found = sections(said)
    assert len(found) == len(plan), said
    for title, text in found:
        cases = re.search(r"^(\d+) cases: .* 0 failed$", text, re.MULTILINE)
        assert cases and int(cases[1]) >= 300, (title, text)
        assert not steps or re.search(rf"^ok: {steps} steps", text, re.MULTILINE), (title, text)
        ends = re.findall(r"^(\w+) ended with (\d+)$", text, re.MULTILINE)
        assert ends and all(status == "0" for _, status in ends), (title, text)


def lines(plan):
    return "".join(" ".join(line) + "\n" for line in plan)


def make_disk(path):
    """For fuse2fs; large inodes, for times after 2038."""
    tool("mke2fs", "-q", "-t", "ext4", "-I", "256", path, "64M")


def test_what_posix_says_and_random_steps(fexec, tmp_path):
    plan, disk = tmp_path / "plan", tmp_path / "disk"
    make_disk(disk)
    plan.write_text(lines(PLAN))
    add = [f"{plan}:/tmp/plan", f"{SCRIPT}:/tmp/script", f"{BUSYBOX}:/bin/busybox",
           f"{disk}:/tmp/disk",
           *(f"{path}:/tmp/{path.name}" for path in PROGRAMS),
           *(f"{path}:/tmp/drivers/{path.name}" for path in DRIVERS)]
    ended = fexec("/bin/busybox", "sh", "/tmp/script", str(STEPS), "/tmp", timeout=LIMIT_S,
                  options=["--preset", "release",
                           *(word for path in add for word in ("--add", path))])
    check(ended.stdout.decode(errors="replace") + ended.stderr.decode(errors="replace"), PLAN, STEPS)


@pytest.mark.skipif(os.geteuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK),
                    reason="it mounts on this host")
@pytest.mark.parametrize("steps", [0, pytest.param(STEPS, marks=pytest.mark.nightly)],
                         ids=["cases", "steps"])
def test_the_same_on_linux(steps):
    """The very files that the machine runs."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        here = Path(folder)
        (here / "plan").write_text(lines(ON_LINUX))
        make_disk(here / "disk")
        (here / "drivers").mkdir()
        for path in PROGRAMS:
            shutil.copy(path, here)
        for path in DRIVERS:
            shutil.copy(path, here / "drivers")
        done = subprocess.run([BUSYBOX, "sh", SCRIPT, str(steps), here], check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=LIMIT_S)
    check(done.stdout.decode(errors="replace"), ON_LINUX, steps)
