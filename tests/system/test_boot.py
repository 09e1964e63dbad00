"""The ways into the kernel, and out of it. What must not start: test_boot_failures.py."""

import shutil
import subprocess

import pytest

from conftest import RAMDISK, RAMDISK_TREE, TOOL, kernel, on_this_terminal

QEMU = ["qemu-system-x86_64", "-no-user-config", "-nodefaults", "-no-reboot"]
# Machines that must do: by the PVH entry of the debug kernel unless it says cdrom.
MACHINES = {
    "qemu64": ["-M", "q35", "-cpu", "qemu64"],
    "max": ["-M", "q35", "-cpu", "max"],
    "no-apic": ["-M", "pc", "-cpu", "qemu64,-apic"],
    "pc": ["-M", "pc", "-cpu", "max"],
    "no-acpi": ["-M", "pc,acpi=off", "-cpu", "max"],
    "no-hpet": ["-M", "q35,hpet=off", "-cpu", "qemu64"],
    "24-mib": ["-M", "q35", "-cpu", "max", "-m", "24"],
    "16-gib": ["-M", "q35", "-cpu", "max", "-m", "16384"],
    "4-cpus": ["-M", "q35", "-cpu", "max", "-smp", "4"],
    "iso-pc-24-mib": ["-M", "pc", "-cpu", "qemu64", "-m", "24", "-cdrom"],
    "iso-16-gib": ["-M", "q35", "-cpu", "max", "-m", "16384", "-cdrom"],
}


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_reaches_the_prompt_and_runs_a_program(boot, request, name):
    options = MACHINES[name]
    if options[-1] == "-cdrom":
        options = options + [request.getfixturevalue("iso")]
    else:
        options = options + ["-kernel", kernel(), "-initrd", RAMDISK, "-append", "console=ttyS0"]
    machine = boot(command=on_this_terminal(QEMU + options))
    machine.wait_for_prompt(90)
    assert machine.run("hello") == ["Hello, world!"]
    # And time passes: timers come.
    assert machine.run("sleep 0.1") == []


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
    shutil.copytree(RAMDISK_TREE, tree, symlinks=True)
    shutil.copy(tree / "bin" / "hello", tree / "bin" / "greeting")
    image = tmp_path / "other.img"
    subprocess.run([TOOL, "ramdisk", tree, "--output", image], check=True,
                   stdin=subprocess.DEVNULL)
    machine = boot("--ramdisk", image)
    machine.wait_for_prompt()
    assert machine.run("greeting") == ["Hello, world!"]


def test_added_files_are_there(boot, tmp_path):
    (tmp_path / "note").write_text("it came along\n")
    machine = boot("--add", tmp_path / "note")
    machine.wait_for_prompt()
    assert machine.run("cat /tmp/note") == ["it came along"]
