"""The build that checks every access and every operation (preset kasan): its self-tests are green,
and what is wrong on purpose is reported with kind, place and object."""

import re
import subprocess

import pytest

from conftest import HALTED, RAMDISK, TREE, on_this_terminal
from fuselage import build, qemu

LIMIT_S = 900
# ksh's `panic NAME`: what must be said.
REPORTS = {
    "bounds": r"KASAN: out of bounds of an object: write of 1 bytes at 0x[0-9a-f]+ "
              r"\(40 bytes into the object of kmalloc-64 at 0x[0-9a-f]+\)",
    "freed": r"KASAN: use after free: read of 1 bytes at 0x[0-9a-f]+ "
             r"\(8 bytes into the object of kmalloc-64 at 0x[0-9a-f]+\)",
    "signed": r"UBSan: signed overflow of \+ at kernel/panic_triggers.c:\d+:\d+",
}


@pytest.fixture(scope="module")
def command():
    kernel = build.ensure("kasan", "kernel_image")
    return on_this_terminal(qemu.machine(kernel, RAMDISK, "console=ttyS0"))


@pytest.mark.nightly
@pytest.mark.parametrize("name", REPORTS)
def test_what_is_wrong_on_purpose_is_reported(boot, command, name):
    machine = boot(command=command)
    machine.wait_for_prompt()
    machine.send(f"panic {name}\r")
    machine.wait_for(HALTED)
    text = machine.raw.decode(errors="replace")     # on the screen the line is cut in two
    assert re.search("KERNEL PANIC: " + REPORTS[name], text), text
    assert f"trigger_{name}+" in text


@pytest.mark.nightly
def test_selftests_are_green_when_everything_is_checked(boot, command):
    machine = boot(command=command)
    machine.wait_for_prompt()
    machine.send("selftest\r")
    machine.wait_for("passed, ", LIMIT_S)
    assert "passed, 0 failed" in machine.text(), machine.text()
