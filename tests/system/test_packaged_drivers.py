# needs: drivers
"""Drivers that are programs of others, from Debian's sources: on images that the host's tools make,
and look at afterwards."""

import os
import subprocess
from pathlib import Path

from test_drivers import DRIVERS, SHARED, tool

EXAMPLES = SHARED / "ports" / "libfuse3"
DEMO_FILES = {"empty": 0, "one byte": 1, "folder/page": 4096, "folder/page and more": 4097,
              "folder/deeper/some pages": 70000,
              "folder/deeper/A long name, of more than one entry in an old directory": 131072,
              "large": 1500000}


def demo_contents(number, nbytes):
    """What fuse-demo writes: numbered lines."""
    lines = (f"file {number:02}, line {line:010} ......\n" for line in range(nbytes // 32 + 1))
    return "".join(lines).encode()[:nbytes]


def compare_demo_files(folder):
    wanted = {name: demo_contents(number, nbytes)
              for number, (name, nbytes) in enumerate(DEMO_FILES.items())}
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
             if path.is_file()}
    assert found.keys() == wanted.keys()
    assert [name for name in wanted if found[name] != wanted[name]] == []


def test_fuse_demo_s_files_are_on_the_disks(fexec, tmp_path):
    ext4, fat = tmp_path / "ext4.img", tmp_path / "fat.img"
    tool("mke2fs", "-q", "-t", "ext4", ext4, "12M")
    tool("mkfs.fat", "-F", "16", "-s", "2", "-C", fat, "8192")
    drivers = [DRIVERS / name for name in ("fuse-demo", "memfs", "fatfs", "fuse2fs")]
    drivers += [EXAMPLES / name for name in ("hello", "passthrough_ll")]
    add = [f"{ext4}:/tmp/ext4.img", f"{fat}:/tmp/fat.img",
           *(f"{path}:/tmp/drivers/{path.name}" for path in drivers)]
    ended = fexec("/tmp/drivers/fuse-demo",
                  options=["--smp", "2", *(word for path in add for word in ("--add", path)),
                           "--get", f"/tmp/ext4.img:{ext4}.out", "--get", f"/tmp/fat.img:{fat}.out"])
    rows = ended.stdout.decode().splitlines()
    assert ended.returncode == 0, (rows, ended.stderr.decode())
    assert [row.split()[0] for row in rows[1:]] == ["hello", "passthrough_ll", "memfs", "fatfs",
                                                    "fuse2fs"]
    assert all(row.endswith("  all is there") for row in rows[1:]), rows

    tool("e2fsck", "-fn", f"{ext4}.out")
    assert len(tool("fsck.fat", "-n", f"{fat}.out").splitlines()) == 2
    (tmp_path / "ext4").mkdir()
    (tmp_path / "fat").mkdir()
    tool("debugfs", "-R", f"rdump / {tmp_path / 'ext4'}", f"{ext4}.out")
    tool("mcopy", "-s", "-i", f"{fat}.out", "::*", tmp_path / "fat")
    compare_demo_files(tmp_path / "ext4")
    compare_demo_files(tmp_path / "fat")
