"""What cannot start says why, on the serial line, and halts: it neither hangs nor starts over."""

import os
import shutil
import subprocess
import time

import pytest

from conftest import RAMDISK, RAMDISK_TREE, TOOL, kernel, on_this_terminal
from fuselage import qemu

LIMIT_S = 30
SUPERBLOCK_MAGIC = 1024 + 56    # its place in an ext2 image


def start(boot, ramdisk, **machine):
    return boot(command=on_this_terminal(qemu.machine(kernel(), ramdisk, "console=ttyS0",
                                                      **machine)))


def expect_halt(machine, *words):
    """One line has all the words; then nothing more comes, and the machine is still there."""
    machine.wait_for(lambda lines: any(all(word in line for word in words) for line in lines),
                     LIMIT_S)
    text = machine.text()
    assert "PANIC" not in text, text
    quiet_since_s = time.monotonic()
    while time.monotonic() - quiet_since_s < 0.3:
        assert machine.read(0.1), "the machine ended:\n" + machine.text()
        if machine.text() != text:
            text, quiet_since_s = machine.text(), time.monotonic()
    assert "ksh>" not in text


def image_with(path, place, data):
    shutil.copy(RAMDISK, path)
    with open(path, "r+b") as image:
        image.seek(place)
        image.write(data)
    return path


def make_ramdisk(tmp_path, change):
    """An image of the base's tree after change(tree)."""
    tree, image = tmp_path / "tree", tmp_path / "changed.img"
    shutil.copytree(RAMDISK_TREE, tree, symlinks=True)
    change(tree)
    subprocess.run([TOOL, "ramdisk", tree, "--output", image], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    return image


def test_without_a_ramdisk(boot):
    expect_halt(start(boot, None), "cannot start", "no ramdisk", "-initrd")


def test_too_little_memory(boot):
    expect_halt(start(boot, RAMDISK, mem_mib=8), "cannot start", "24 MiB of memory")


def test_without_long_mode(boot):
    expect_halt(start(boot, RAMDISK, cpu="qemu32"), "64-bit processor", "long mode", "Halted")


def test_ramdisk_with_a_bad_magic(boot, tmp_path):
    image = image_with(tmp_path / "image", SUPERBLOCK_MAGIC, b"\0\0")
    expect_halt(start(boot, image), "cannot start", "ramdisk", "ext2")


def test_ramdisk_that_is_cut_off(boot, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(RAMDISK.read_bytes()[:64 << 10])
    expect_halt(start(boot, image), "cannot start", "ramdisk", "ext2")


def test_ramdisk_of_random_bytes(boot, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(os.urandom(300_000))
    expect_halt(start(boot, image), "cannot start", "ramdisk", "ext2")


@pytest.mark.parametrize("change", ["gone", "junk"])
def test_ramdisk_whose_ksh_cannot_be_loaded(boot, tmp_path, change):
    def spoil(tree):
        ksh = tree / "lib" / "ksh"
        ksh.unlink()
        if change == "junk":
            ksh.write_bytes(os.urandom(20_000))

    expect_halt(start(boot, make_ramdisk(tmp_path, spoil)), "/lib/ksh", "cannot be loaded")
