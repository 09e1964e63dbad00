"""The one table of system calls, and what tools/gensyscalls.py makes of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
GENERATOR = TREE / "tools" / "gensyscalls.py"
TABLE = TREE / "abi" / "syscalls.def"
PAGE = TREE / "docs" / "syscalls.md"
SHOWN = TREE / "tests" / "guest" / "SHOWN"


def generate(*arguments):
    return subprocess.run([sys.executable, "-B", GENERATOR, *map(str, arguments)],
                          capture_output=True, text=True, check=False)


def test_the_reference_page_is_up_to_date():
    done = generate(TABLE, "--check", PAGE, "--shown", SHOWN)
    assert done.returncode == 0, done.stderr


def test_an_old_page_is_noticed(tmp_path):
    old = tmp_path / "syscalls.md"
    old.write_text(PAGE.read_text().replace("| 0 | read | done |", "| 0 | read | missing |"))
    assert generate(TABLE, "--check", old, "--shown", SHOWN).returncode != 0


def test_done_is_what_a_guest_test_shows(tmp_path):
    shown = tmp_path / "SHOWN"
    shown.write_text("".join(line for line in SHOWN.read_text().splitlines(keepends=True)
                             if not line.startswith("dup3\t")))
    refused = generate(TABLE, "--docs", tmp_path / "page.md", "--shown", shown)
    assert refused.returncode != 0 and "dup3 is done, but no program" in refused.stderr


def test_much_is_done_and_shown():
    """How much the page promises at least."""
    page = PAGE.read_text()
    assert len(re.findall(r"\| done \|", page)) >= 220
    cases = sum(text.count("\tRUN(") for text in
                (path.read_text() for path in (TREE / "tests" / "guest").glob("*.c")))
    assert cases >= 400


def test_every_call_of_linux_is_in_the_table():
    """By the kernel headers of the host, as far as they go."""
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    linux = set(re.findall(r"#define __NR_(\w+) (\d+)", header.read_text()))
    ours = {(name, number) for number, name in
            re.findall(r"(?:SYSCALL|MISSING)\((\d+), (\w+)", TABLE.read_text())}
    # A host with newer headers knows calls that are younger than the table.
    last = max(int(number) for _, number in ours)
    assert not {call for call in linux if int(call[1]) <= last} - ours


def test_each_call_has_a_handler_and_each_number_an_entry(tmp_path):
    assert generate(TABLE, "--kernel", tmp_path).returncode == 0
    source = (tmp_path / "syscall_table.c").read_text()
    limit = int(re.search(r"SYSCALL_LIMIT (\d+)", (tmp_path / "syscall_table.h").read_text())[1])
    handlers = re.search(r"syscall_handlers\[SYSCALL_LIMIT\] = {(.*?)};", source, re.S)[1]
    assert re.findall(r"\[(\d+)\] = ", handlers) == [str(number) for number in range(limit)]


@pytest.mark.parametrize("line,complaint", [
    ("SYSCALL(0, read, 0, int, (int fd, char *text))", "cannot pass"),
    ("SYSCALL(0, read, SOMETIMES, int, (int fd))", "SOMETIMES"),
    ("SYSCALL(0, read, 0, void, (int fd))", "cannot return"),
    ("SYSCALL(0, read, 0, int, (int fd)", "cannot read"),
    ("MISSING(1, write)\nMISSING(0, read)", "out of order"),
    ("MISSING(0, read)\nMISSING(1, read)", "twice"),
    ("MISSING(0, read)\nNOTE(write, \"not so\")", "does not follow"),
])
def test_a_table_that_is_wrong_is_refused(tmp_path, line, complaint):
    table = tmp_path / "wrong.def"
    table.write_text(line + "\n")
    done = generate(table, "--docs", tmp_path / "page.md", "--shown", SHOWN)
    assert done.returncode != 0
    assert complaint in done.stderr
