"""Every CPU that the firmware names is started, and the machine goes on without one that is not
there."""

import shutil
import struct
import subprocess

import pytest

from conftest import RAMDISK, kernel, on_this_terminal

QEMU = ["qemu-system-x86_64", "-no-user-config", "-nodefaults", "-no-reboot"]
MACHINES = {
    "q35-max-2": (["-M", "q35", "-cpu", "max", "-smp", "2"], 2),
    "pc-qemu64-4-24-mib": (["-M", "pc", "-cpu", "qemu64", "-smp", "4", "-m", "24"], 4),
    "pc-max-16": (["-M", "pc", "-cpu", "max", "-smp", "16"], 16),
    "q35-qemu64-2-sockets": (["-M", "q35", "-cpu", "qemu64", "-smp", "6,sockets=2,cores=3"], 6),
    "two-of-four-plugged-in": (["-M", "q35", "-cpu", "max", "-smp", "2,maxcpus=4"], 2),
    "acpi-off": (["-M", "q35", "-cpu", "max", "-smp", "4", "-append", "acpi=off"], 1),
    "no-acpi": (["-M", "pc,acpi=off", "-cpu", "max", "-smp", "4"], 1),
    "no-apic": (["-M", "pc", "-cpu", "qemu64,-apic", "-smp", "1"], 1),
    "smp-3": (["-M", "q35", "-cpu", "max", "-smp", "4", "-append", "smp=3"], 3),
    "smp-0": (["-M", "q35", "-cpu", "max", "-smp", "2", "-append", "smp=0"], 2),
}


def cpus_of(machine):
    """The numbers and APIC ids in ksh's `cpu`."""
    lines = machine.run("cpu")
    first = next(i for i, line in enumerate(lines) if line.split()[:2] == ["CPU", "APIC"]) + 1
    return [tuple(map(int, line.split()[:2])) for line in lines[first:]]


@pytest.mark.parametrize("name", MACHINES)
def test_every_cpu_is_started(boot, name):
    options, count = MACHINES[name]
    machine = boot(command=on_this_terminal(QEMU + ["-kernel", kernel(), "-initrd", RAMDISK]
                                            + options))
    machine.wait_for_prompt(90)
    cpus = cpus_of(machine)
    assert [number for number, _ in cpus] == list(range(count))
    assert len({apic for _, apic in cpus}) == count
    assert any("smp=0: say how many" in line for line in machine.run("dmesg")) == (name == "smp-0")
    assert machine.run("hello") == ["Hello, world!"]


def test_sysinfo_shows_sixteen(fexec):
    ended = fexec("sysinfo", options=["--smp", "16"])
    assert ended.returncode == 0
    assert "16 that this program may use" in ended.stdout.decode()


def madt(*apic_ids):
    """A MADT with these CPUs, and nothing else."""
    records = b"".join(struct.pack("<BBBBI", 0, 8, uid, apic, 1)
                       for uid, apic in enumerate(apic_ids))
    length = 44 + len(records)
    header = struct.pack("<4sIBB6s8sI4sIII", b"APIC", length, 3, 0, b"TEST  ", b"GHOST   ", 1,
                         b"TEST", 1, 0xfee00000, 1)
    table = bytearray(header + records)
    table[9] = -sum(table) & 0xff
    return bytes(table)


def test_a_cpu_that_is_not_there_is_left_out(boot, tmp_path):
    """GRUB hands over a MADT that names one CPU too many."""
    tree = tmp_path / "iso"
    (tree / "boot" / "grub").mkdir(parents=True)
    shutil.copy(kernel(), tree / "boot" / "kernel")
    shutil.copy(RAMDISK, tree / "boot" / "base.img")
    (tree / "boot" / "madt").write_bytes(madt(0, 77, 1))
    (tree / "boot" / "grub" / "grub.cfg").write_text(
        "acpi --exclude=APIC /boot/madt\nmultiboot2 /boot/kernel\n"
        "module2 /boot/base.img ramdisk\nboot\n")
    image = tmp_path / "ghost.iso"
    subprocess.run(["grub-mkrescue", "--fonts=", "--locales=", "--themes=", "-o", image, tree],
                   check=True, stdin=subprocess.DEVNULL, capture_output=True)
    machine = boot(command=on_this_terminal(QEMU + ["-M", "q35", "-smp", "2", "-cdrom", image]))
    machine.wait_for_prompt(90)
    assert "APIC id 77 does not answer: it is left out" in machine.text()
    assert cpus_of(machine) == [(0, 0), (1, 1)]
    assert machine.run("hello") == ["Hello, world!"]
