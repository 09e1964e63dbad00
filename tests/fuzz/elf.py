#!/usr/bin/python3
"""Seeds of the ELF fuzzer: programs as a linker makes them, and each thing that is checked, wrong
once."""

import struct
import sys
from pathlib import Path

LOAD, INTERP, NOTE, STACK = 1, 3, 4, 0x6474e551
R, W, X = 4, 2, 1
EXEC, DYN = 2, 3
PAGE = 4096


def header(kind=EXEC, entry=0x401010, phoff=64, phnum=3, phentsize=56, ident=b"\x7fELF\2\1\1",
           machine=62, version=1):
    return struct.pack("<16sHHIQQQIHHHHHH", ident, kind, machine, version, entry, phoff, 0, 0, 64,
                       phentsize, phnum, 0, 0, 0)


def phdr(kind, flags, offset, address, filesz, memsz, align=PAGE):
    return struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, filesz, memsz, align)


def program(*phdrs, size=0x2000, **fields):
    head = header(phnum=fields.pop("phnum", len(phdrs)), **fields) + b"".join(phdrs)
    return head + bytes(size - len(head))


TEXT = phdr(LOAD, R | X, 0, 0x401000, 0x800, 0x800)
DATA = phdr(LOAD, R | W, 0x1008, 0x402008, 0x100, 0x3000)
MARK = phdr(STACK, R | W, 0, 0, 0, 0, 16)


def text(**changes):
    values = dict(kind=LOAD, flags=R | X, offset=0, address=0x401000, filesz=0x800, memsz=0x800)
    return phdr(**(values | changes))


SEEDS = {
    "static": program(TEXT, DATA, MARK),
    "pie": program(phdr(LOAD, R | X, 0, 0, 0x800, 0x800), DATA, MARK, kind=DYN, entry=0x10),
    "executable-stack": program(TEXT, phdr(STACK, R | W | X, 0, 0, 0, 0)),
    "large-alignment": program(text(align=1 << 21), kind=DYN),
    "headers-elsewhere": program(text(offset=0x1000), DATA, phoff=64),
    "empty": b"", "short": b"\x7fELF", "not-elf": program(TEXT, ident=b"#!/bin/sh"),
    "32-bit": program(TEXT, ident=b"\x7fELF\1\1\1"), "arm": program(TEXT, machine=183),
    "version": program(TEXT, version=2), "object": program(TEXT, kind=1),
    "phentsize": program(TEXT, phentsize=32), "no-phdrs": program(TEXT, phnum=0),
    "many-phdrs": program(TEXT, phnum=60000), "far-phdrs": program(TEXT, phoff=1 << 60),
    "dynamic": program(phdr(INTERP, R, 0, 0, 8, 8), TEXT),
    "nothing-to-load": program(MARK), "nothing-in-memory": program(text(memsz=0, filesz=0)),
    "entry-in-data": program(TEXT, DATA, entry=0x402010), "entry-nowhere": program(TEXT, entry=8),
    "longer-in-file": program(text(memsz=8)), "outside": program(text(offset=0x10000)),
    "ends-outside": program(text(filesz=0x3000, memsz=0x3000)),
    "too-high": program(text(address=0x7ffffffff000)),
    "wraps": program(text(memsz=2 ** 64 - 0x1000)), "too-low": program(text(address=0x1000)),
    "odd-alignment": program(text(align=3)), "huge-alignment": program(text(align=1 << 40)),
    "not-together": program(text(offset=8)), "overlap": program(TEXT, TEXT),
    "backwards": program(DATA, TEXT),
    "many-segments": program(*[text(address=0x401000 + i * PAGE, filesz=0x10, memsz=0x10)
                               for i in range(40)]),
}
for name, data in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(data)
