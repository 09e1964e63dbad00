"""The small tools of the build: symbol table, check of the linked kernel, sections cut off."""

import struct
import subprocess
import sys

import pytest

from conftest import TREE

TOOLS = TREE / "tools"
GCC = "x86_64-linux-gnu-gcc"
SOURCE = """
__asm__(".pushsection .note.pvh, \\"a\\", @note\\n"
        ".long 4, 4, 18\\n.asciz \\"Xen\\"\\n.long 0\\n.popsection");
int variable = 1;
int *pointer = &variable;
int last(void) { return *pointer; }
int first(void) { return last(); }
void _start(void) { first(); }
"""


def tool(name, *arguments):
    return subprocess.run([sys.executable, TOOLS / name, *map(str, arguments)],
                          capture_output=True, text=True, check=False)


@pytest.fixture
def link(tmp_path):
    """link(source, options) -> a program linked as the kernel is."""
    def make(source, *options):
        (tmp_path / "k.c").write_text(source)
        out = tmp_path / "k.elf"
        subprocess.run([GCC, "-O1", "-ffreestanding", "-fpie", "-nostdlib", "-static-pie",
                        "-fvisibility=hidden", "-Wl,--no-dynamic-linker", "-Wl,-z,norelro",
                        *options, "-o", out, tmp_path / "k.c"], check=True)
        return out
    return make


def test_a_good_kernel_has_no_complaint(link):
    checked = tool("elfcheck.py", link(SOURCE))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_complaints(link):
    without_note = tool("elfcheck.py", link(SOURCE.replace(".long 4, 4, 18", ".long 4, 4, 17")))
    assert without_note.returncode == 1
    assert "no PVH note" in without_note.stderr
    writable_code = tool("elfcheck.py", link(SOURCE, "-Wl,-N"))
    assert writable_code.returncode == 1
    assert "writable and executable" in writable_code.stderr
    foreign = tool("elfcheck.py", link(
        SOURCE + "__attribute__((visibility(\"default\"))) extern int far_away;"
        "int *q = &far_away;", "-Wl,--unresolved-symbols=ignore-all", "-Wl,-z,dynamic-undefined-weak",
        "-shared"))
    assert foreign.returncode == 1
    assert "want only RELATIVE" in foreign.stderr


def test_symbols_are_sorted_and_checked(link, tmp_path):
    kernel, table = link(SOURCE), tmp_path / "table.asm"
    assert tool("symtab.py", "--nm", "nm", kernel, table).returncode == 0
    text = table.read_text()
    rows = text.split("symtab_offsets:\n")[1].split("symtab_names:\n")[0].splitlines()
    offsets = [int(row.split()[1], 16) for row in rows]
    assert offsets == sorted(offsets) and len(offsets) >= 3
    for name in ("first", "last", "_start"):
        assert f'db "{name}", 0' in text
    assert '"variable"' not in text
    assert tool("symtab.py", "--nm", "nm", "--check", table, kernel).returncode == 0
    table.write_text(text.replace("first", "worst"))
    assert tool("symtab.py", "--nm", "nm", "--check", table, kernel).returncode == 1
    subprocess.run(["nasm", "-f", "elf64", "-o", tmp_path / "table.o", table], check=True)


def test_sections_are_cut_off_and_segments_kept(link, tmp_path):
    kernel, stripped = link(SOURCE), tmp_path / "stripped"
    assert tool("strip_sections.py", kernel, stripped).returncode == 0
    before, after = kernel.read_bytes(), stripped.read_bytes()
    assert struct.unpack_from("<Q", after, 40) == (0,)
    assert struct.unpack_from("<HHH", after, 58) == (0, 0, 0)
    assert before[64:len(after)] == after[64:]
    phoff, = struct.unpack_from("<Q", after, 32)
    size, count = struct.unpack_from("<HH", after, 54)
    for i in range(count):
        _, _, offset, _, _, filesz = struct.unpack_from("<IIQQQQ", after, phoff + i * size)
        assert offset + filesz <= len(after)
