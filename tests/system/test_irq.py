"""Lines of devices are spread over the CPUs, and what `irq` says of them is where they come."""

import re

import pytest


def lines_of(machine):
    """[(line, CPU it leads to, what, counts by CPU)]"""
    found = [re.fullmatch(r" *\d+ +(\d+) +(\d+)  (?:I/O APIC|8259) +(\S+) +([\d ]+)", line)
             for line in machine.run("irq")]
    return [(int(m[1]), int(m[2]), m[3], [int(n) for n in m[4].split()]) for m in found if m]


@pytest.mark.parametrize("options,spread", [(("--smp", "4"), True),
                                            (("--smp", "4", "--append", "acpi=off"), False)])
def test_each_line_comes_to_the_cpu_with_the_fewest(boot, options, spread):
    machine = boot(*options)
    machine.run("echo so that the serial line has interrupted")
    lines = lines_of(machine)
    assert {what for _, _, what, _ in lines} >= {"COM1", "i8042"}, lines
    for line, cpu, what, counts in lines:
        elsewhere = [n for number, n in enumerate(counts) if number != cpu]
        assert not any(elsewhere), (line, what, counts)
    serial = next(entry for entry in lines if entry[2] == "COM1")
    assert serial[3][serial[1]] > 0, serial
    by_cpu = [sum(1 for entry in lines if entry[1] == cpu) for cpu in range(4)]
    if spread:
        assert max(by_cpu) - min(by_cpu) <= 1, by_cpu
    else:
        assert by_cpu[1:] == [0, 0, 0], by_cpu
