"""The ways into the kernel, and out of it."""

import shutil
import subprocess

import pytest

from conftest import TOOL, TREE


def test_run_reaches_the_prompt_and_poweroff_ends_it(machine):
    assert "ksh" in machine.text()
    assert machine.run("hello") == ["Hello, world!"]
    machine.send("poweroff\r")
    assert machine.wait_for_end() == 0


def test_banner_fits_three_lines(machine):
    lines = machine.lines()
    banner = [i for i, line in enumerate(lines) if line.startswith("Fuselage")]
    assert banner and len(lines) - 1 - banner[-1] <= 3


@pytest.mark.parametrize("entry", [0, 1], ids=["release", "debug"])
def test_the_iso_reaches_the_prompt_through_grub(boot, iso, entry):
    machine = boot(command=["qemu-system-x86_64", "-M", "q35", "-m", "512", "-cdrom", iso,
                            "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"])
    machine.wait_for("Fuselage (debug)", 60)
    if entry == 1:
        machine.send("\x1b[B")
    machine.send("\r")
    machine.wait_for(lambda lines: any("multiboot2" in line for line in lines), 60)
    machine.wait_for_prompt()
    assert machine.run("hello") == ["Hello, world!"]
    assert any(f"({('release', 'debug')[entry]}" in line for line in machine.run("dmesg"))


def test_one_kernel_boots_another_ramdisk(boot, tmp_path):
    """A ramdisk made by ./fuselage ramdisk, with a program that the base has not."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE / "build" / "shared" / "ramdisk" / "tree", tree, symlinks=True)
    shutil.copy(tree / "bin" / "hello", tree / "bin" / "greeting")
    image = tmp_path / "other.img"
    subprocess.run([TOOL, "ramdisk", tree, "--output", image], check=True,
                   stdin=subprocess.DEVNULL)
    machine = boot("--ramdisk", image)
    machine.wait_for_prompt()
    assert machine.run("greeting") == ["Hello, world!"]


def test_without_a_ramdisk_it_says_so(boot):
    machine = boot("--kernel", TREE / "build" / "debug" / "fuselage.elf")
    machine.wait_for(lambda lines: any("ramdisk" in line for line in lines))


def test_too_little_memory_is_told(boot):
    machine = boot("--mem", "6")
    machine.wait_for(lambda lines: any("memory" in line for line in lines))


def test_added_files_are_there(boot, tmp_path):
    (tmp_path / "note").write_text("it came along\n")
    machine = boot("--add", tmp_path / "note")
    machine.wait_for_prompt()
    assert machine.run("cat /tmp/note") == ["it came along"]
