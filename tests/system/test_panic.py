"""What the kernel says when it breaks: the right reason, registers, a backtrace with names, the
running thread, the last log lines. A fault in ksh is not one: test_ksh_restart.py."""

import re

import pytest

from conftest import HALTED

# ksh's `panic NAME`: the reason that must be given, and the functions that the backtrace must name.
PANICS = {
    "null": (r"null pointer dereference: write to 0x8", ["trigger_null"]),
    "overflow": (r"kernel stack overflow in thread 'ksh' \(guard page at 0x[0-9a-f]+\)",
                 ["trigger_overflow_level"]),
    "doublefault": (r"double fault", ["machine_trigger_double_fault", "trigger_doublefault"]),
    "assert": (r"answer == 42", ["trigger_assert"]),
    "smash": (r"stack smashed", ["__stack_chk_fail", "trigger_smash"]),
    "lockorder": (r"lock", ["spin_lock", "trigger_lockorder"]),
}


def section(lines, heading):
    """The indented lines below a heading."""
    first = lines.index(heading) + 1
    rest = [i for i in range(first, len(lines)) if not lines[i].startswith("  ")]
    return lines[first:rest[0]]


@pytest.mark.parametrize("name", PANICS)
def test_a_panic_says_what_where_and_what_was_before(machine, name):
    reason, functions = PANICS[name]
    machine.send(f"panic {name}\r")
    machine.wait_for(HALTED)
    text, lines = machine.text(), machine.lines()

    assert re.search(rf"^KERNEL PANIC: .*{reason}", text, re.MULTILINE), text
    assert re.search(r"^cpu 0, thread \d+ 'ksh'$", text, re.MULTILINE), text

    frames = section(lines, "backtrace:")
    assert len(frames) >= 3, text
    named = [frame.split()[1].partition("+")[0] for frame in frames if "+0x" in frame]
    for function in functions:
        assert function in named, text
    if name != "overflow":      # there the backtrace ends long before
        for function in ("panic_trigger_fire", "ksh_thread", "context_start"):
            assert function in named, text
    if name not in ("assert", "smash", "lockorder"):     # those stop in panic() and have no trap
        for register in ("rip", "rsp", "rax", "rdi", "r15", "rflags"):
            assert re.search(rf"\b{register} +[0-9a-f]{{8,16}}\b", text), text

    log = section(lines, "last log lines:")
    assert any(f"breaking the kernel on purpose: {name}" in line for line in log), text
