#!/usr/bin/python3
"""The kernel's own symbol table, so that backtraces have names.

symtab.py --nm NM KERNEL OUT.asm        the functions of KERNEL as a NASM source
symtab.py --empty OUT.asm               a table without symbols, for the first pass of the link
symtab.py --nm NM --check ASM KERNEL    fail unless ASM says what KERNEL holds

The table lies in .rodata.symtab and holds no address, so it needs no relocation:

    symtab_count    u32     number of symbols
    symtab_offsets  u32[]   start of each function, relative to image_base, ascending
    symtab_names    u32[]   offset of its name in symtab_strings
    symtab_strings  char[]  names, each ended by a zero

image_base is a symbol of the linker script: the lowest address of the linked image. Without it
the lowest address of any symbol in a section is taken.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HEAD = """; Made by tools/symtab.py from the kernel's symbols.
section .rodata.symtab progbits alloc noexec nowrite align=4
global symtab_count:data hidden
global symtab_offsets:data hidden
global symtab_names:data hidden
global symtab_strings:data hidden
"""
BASE_SYMBOL = "image_base"


def functions(nm, kernel):
    """(offset, name) of every function, ascending, one name for an address."""
    lines = subprocess.run([nm, "--numeric-sort", "--defined-only", kernel],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    symbols = [line.split() for line in lines]
    address_of = {name: int(address, 16) for address, _, name in symbols}
    in_sections = [int(address, 16) for address, kind, _ in symbols if kind not in "aA"]
    base = address_of.get(BASE_SYMBOL, min(in_sections, default=0))
    found = {}
    for address, kind, name in symbols:
        offset = int(address, 16) - base
        # Labels with a dot are local to a function; global names win over static ones.
        if kind in "tTwW" and "." not in name[:1] and 0 <= offset < 1 << 32:
            if offset not in found or kind == "T":
                found[offset] = name
    return sorted(found.items())


def table(symbols):
    """The NASM source of a table."""
    names, strings, position = [], [], 0
    for _, name in symbols:
        names.append(position)
        strings.append(name)
        position += len(name) + 1
    lines = [HEAD, f"symtab_count: dd {len(symbols)}"]
    lines += ["symtab_offsets:"] + [f"\tdd {offset:#x}" for offset, _ in symbols]
    lines += ["symtab_names:"] + [f"\tdd {offset}" for offset in names]
    lines += ["symtab_strings:"] + [f"\tdb \"{name}\", 0" for name in strings]
    # An empty table keeps its labels inside the section.
    lines += ["\tdb 0", "section .note.GNU-stack noalloc noexec nowrite progbits", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--check", metavar="ASM", type=Path)
    parser.add_argument("files", nargs="+", metavar="FILE")
    args = parser.parse_args()

    if args.empty:
        Path(args.files[0]).write_text(table([]))
        return 0
    source = table(functions(args.nm, args.files[0]))
    if not args.check:
        Path(args.files[1]).write_text(source)
        return 0
    if args.check.read_text() != source:
        print(f"{args.files[0]}: its symbol table does not say where its functions are", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
