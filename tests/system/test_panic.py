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


def others_of(text):
    """What is said of each CPU but the first that spoke: {number: its part of the text}."""
    parts = re.split(r"^cpu (\d+)[, ]", text.partition("last log lines:")[2], flags=re.MULTILINE)
    return dict(zip(map(int, parts[1::2]), parts[2::2]))


def panicked(boot, trigger, cpus=4):
    machine = boot("--smp", str(cpus))
    machine.wait_for_prompt()
    machine.send(f"panic {trigger}\r")
    machine.wait_for(HALTED)
    text = machine.text()
    assert text.count("KERNEL PANIC") == 1 and text.count(HALTED) == 1, text
    return text


def test_a_panic_shows_what_every_cpu_did(boot):
    text = panicked(boot, "null")
    speaker = int(re.search(r"^cpu (\d), thread \d+ 'ksh'$", text, re.MULTILINE)[1])
    others = others_of(text)
    assert list(others) == [number for number in range(4) if number != speaker]
    for said in others.values():
        assert re.search(r"\brip [0-9a-f]{16}\b", said) and "backtrace:" in said, said


def test_when_all_panic_at_once_one_speaks(boot):
    text = panicked(boot, "race")
    speaker = int(re.search(r"^KERNEL PANIC: everybody panics, CPU (\d) too$", text,
                            re.MULTILINE)[1])
    others = others_of(text)
    assert list(others) == [number for number in range(4) if number != speaker]
    for said in others.values():
        # In trigger_race_here(), at the latest where somebody else stopped it; what it had just
        # called hides it from a backtrace by frame pointers, but not who called it.
        assert "run_function+0x" in said, text


def test_a_cpu_that_does_not_answer_is_named(boot):
    others = others_of(panicked(boot, "deaf", 3))
    assert len(others) == 2
    assert [said.startswith("does not answer") for said in others.values()] == [False, True]
