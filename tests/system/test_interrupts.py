"""Which controller the devices' interrupts come from, and that they come."""

import re

import pytest

from conftest import RAMDISK, kernel, on_this_terminal

QEMU = ["qemu-system-x86_64", "-no-user-config", "-nodefaults", "-no-reboot"]
MACHINES = {
    "q35": (["-M", "q35", "-cpu", "max", "-smp", "2"], "I/O APIC", "local APIC"),
    "pc": (["-M", "pc", "-cpu", "qemu64"], "I/O APIC", "local APIC"),
    "acpi-off": (["-M", "q35", "-cpu", "max", "-append", "acpi=off"], "8259", "local APIC"),
    "no-apic": (["-M", "pc", "-cpu", "qemu64,-apic"], "8259", "8259"),
}


def interrupts(machine):
    """{what: (line, from, [counts])} of ksh's `irq`."""
    rows = {}
    for row in machine.run("irq")[1:]:
        _, line, source, what, counts = re.fullmatch(
            r" *(\d+) (.{4}) .{4}  (.{10})  (.{20})((?: +\d+)+)", row).groups()
        rows[what.strip()] = line.strip(), source.strip(), list(map(int, counts.split()))
    return rows


@pytest.mark.parametrize("name", MACHINES)
def test_lines_come_from_the_right_controller(boot, name):
    options, lines_from, timer_from = MACHINES[name]
    machine = boot(command=on_this_terminal(QEMU + ["-kernel", kernel(), "-initrd", RAMDISK]
                                            + options))
    machine.wait_for_prompt(90)
    before = interrupts(machine)
    assert before["COM1"][:2] == ("4", lines_from)
    assert before["timer"][1] == timer_from
    assert machine.run("sleep 0.1") == []       # typing is interrupts, too
    after = interrupts(machine)
    assert sum(after["COM1"][2]) > sum(before["COM1"][2])
    assert sum(after["timer"][2]) > sum(before["timer"][2])
    assert sum(count > 0 for count in after["COM1"][2]) == 1    # a line leads to one CPU
