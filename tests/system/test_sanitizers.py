"""The build that checks every access and every operation (preset kasan): what is wrong on purpose is
reported with kind, place and object. Its self-tests run with the others, in test_selftest.py."""
# needs: kasan

import re

import pytest

from conftest import HALTED, measuring_machine

# ksh's `panic NAME`: what must be said.
REPORTS = {
    "bounds": r"KASAN: out of bounds of an object: write of 1 bytes at 0x[0-9a-f]+ "
              r"\(40 bytes into the object of kmalloc-64 at 0x[0-9a-f]+\)",
    "freed": r"KASAN: use after free: read of 1 bytes at 0x[0-9a-f]+ "
             r"\(8 bytes into the object of kmalloc-64 at 0x[0-9a-f]+\)",
    "variable": r"KASAN: out of bounds of a variable: write of 1 bytes at 0x[0-9a-f]+ "
                r"\(the kernel's own data\)",
    "signed": r"UBSan: signed overflow of \+ at \S*kernel/panic_triggers.c:\d+:\d+",
}


@pytest.mark.parametrize("name", REPORTS)
def test_what_is_wrong_on_purpose_is_reported(boot, name):
    machine = boot(command=measuring_machine("kasan"))
    machine.wait_for_prompt()
    machine.send(f"panic {name}\r")
    machine.wait_for(HALTED)
    text = machine.raw.decode(errors="replace")     # on the screen the line is cut in two
    assert re.search("KERNEL PANIC: " + REPORTS[name], text), text
    assert f"trigger_{name}+" in text
