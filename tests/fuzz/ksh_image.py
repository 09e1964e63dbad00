#!/usr/bin/python3
"""Seeds of the fuzzer of ksh's file: one as the linker makes it, and each thing that is checked,
wrong once. The version and the size of the kernel's table are those of abi/ksh.h and of a table
that is small enough for any version.
"""

import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ABI = (ROOT / "abi/include/abi/ksh.h").read_text()
VERSION = int(re.search(r"#define KSH_ABI_VERSION\s+(\d+)", ABI)[1])
NAME = re.search(r'#define KSH_NOTE_NAME\s+"(\w+)"', ABI)[1].encode() + b"\0"
TYPE = int(re.search(r"#define KSH_NOTE_TYPE\s+(0x[0-9a-f]+)", ABI)[1], 0)

LOAD, DYNAMIC, INTERP, NOTE, TLS = 1, 2, 3, 4, 7
R, W, X = 4, 2, 1
NOTE_AT, DYNAMIC_AT, RELA_AT, SYMBOLS_AT, STRINGS_AT, SECTIONS_AT = range(0x400, 0xa00, 0x100)
TEXT_AT, DATA_AT, END = 0xa00, 0xb00, 0xc00
TEXT, DATA = 0x1000, 0x2000


def phdr(kind, flags, offset, address, filesz, memsz=None):
    return struct.pack("<IIQQQQQQ", kind, flags, offset, address, address, filesz,
                       filesz if memsz is None else memsz, 4096)


def note(version=VERSION, table=64, name=NAME, kind=TYPE, name_bytes=None):
    return struct.pack("<III", len(name) if name_bytes is None else name_bytes, 8, kind) \
        + name + bytes(-len(name) % 4) + struct.pack("<II", version, table)


def dynamic(*entries):
    return b"".join(struct.pack("<QQ", *entry) for entry in entries)


def rela(offset=DATA + 8, kind=8, addend=TEXT, symbol=0):
    return struct.pack("<QQq", offset, symbol << 32 | kind, addend)


def shdr(kind, offset, size, link=0):
    return struct.pack("<IIQQQQIIQQ", 0, kind, 0, 0, offset, size, link, 0, 8, 24)


def symbol(name, value, kind=2):
    return struct.pack("<IBBHQQ", name, kind, 0, 1, value, 16)


TEXT_PHDR = phdr(LOAD, R | X, TEXT_AT, TEXT, 0x40)
DATA_PHDR = phdr(LOAD, R | W, RELA_AT, DATA, 0x80, 0x1800)
NOTE_PHDR = phdr(NOTE, R, NOTE_AT, 0, len(note()))
DYNAMIC_PHDR = phdr(DYNAMIC, R, DYNAMIC_AT, 0, 0x50)
PHDRS = (TEXT_PHDR, DATA_PHDR, NOTE_PHDR, DYNAMIC_PHDR)
RELA = ((7, DATA), (8, 48), (9, 24), (5, 0))


def ksh(phdrs=PHDRS, ident=b"\x7fELF\2\1\1", kind=3, machine=62, entry=TEXT + 4, phnum=None,
        phoff=64, shoff=SECTIONS_AT, shnum=3, shentsize=64, **parts):
    file = bytearray(END)
    values = {
        0: struct.pack("<16sHHIQQQIHHHHHH", ident, kind, machine, 1, entry, phoff, shoff, 0, 64, 56,
                       len(phdrs) if phnum is None else phnum, shentsize, shnum, 0),
        64: b"".join(phdrs),
        NOTE_AT: parts.get("note", note()),
        DYNAMIC_AT: parts.get("dynamic", dynamic(*RELA)),
        RELA_AT: parts.get("rela", rela() + rela(DATA + 56)),
        SYMBOLS_AT: symbol(0, 0, 0) + symbol(1, TEXT) + symbol(7, TEXT + 2) + symbol(999, TEXT),
        STRINGS_AT: b"\0first\0second\0",
        SECTIONS_AT: parts.get("sections", shdr(0, 0, 0) + shdr(2, SYMBOLS_AT, 96, 2)
                               + shdr(3, STRINGS_AT, 14)),
    }
    for at, data in values.items():
        file[at:at + len(data)] = data
    return bytes(file)


def with_text(*fields):
    return ksh((phdr(*fields), DATA_PHDR, NOTE_PHDR, DYNAMIC_PHDR))


SEEDS = {
    "good": ksh(), "no-symbols": ksh(shentsize=0), "no-relocations": ksh(dynamic=dynamic((0, 0))),
    "short": b"\x7fELF", "not-elf": ksh(ident=b"text"), "32-bit": ksh(ident=b"\x7fELF\1\1\1"),
    "arm": ksh(machine=183), "exec": ksh(kind=2), "many-phdrs": ksh(phnum=99),
    "far-phdrs": ksh(phoff=1 << 40),
    "many-segments": ksh([phdr(LOAD, R, 0, i << 12, 16) for i in range(12)]),
    "outside": with_text(LOAD, R | X, END, TEXT, 0x40),
    "high": with_text(LOAD, R | X, TEXT_AT, 1 << 40, 0x40),
    "large": with_text(LOAD, R | X, TEXT_AT, TEXT, 0x40, 1 << 40),
    "shared-page": ksh((TEXT_PHDR, phdr(LOAD, R | W, RELA_AT, TEXT + 64, 8), NOTE_PHDR)),
    "wx": with_text(LOAD, R | W | X, TEXT_AT, TEXT, 0x40),
    "dynamic-outside": ksh((*PHDRS[:3], phdr(DYNAMIC, R, END, 0, 64))),
    "odd-relocations": ksh(dynamic=dynamic((9, 7))), "library": ksh(dynamic=dynamic((1, 0))),
    "jmprel": ksh(dynamic=dynamic((23, 0))), "textrel": ksh(dynamic=dynamic((22, 0))),
    "dynamic-without-end": ksh((*PHDRS[:3], phdr(DYNAMIC, R, DYNAMIC_AT, 0, 48))),
    "note-outside": ksh((*PHDRS[:2], phdr(NOTE, R, END, 0, 64))),
    "note-cut": ksh(note=note(name_bytes=4000)), "no-note": ksh(PHDRS[:2]),
    "other-note": ksh(note=note(kind=TYPE + 1)), "version": ksh(note=note(version=VERSION + 1)),
    "table": ksh(note=note(table=1 << 20)), "entry": ksh(entry=DATA),
    "interpreter": ksh((phdr(INTERP, R, 0, 0, 8), *PHDRS)), "tls": ksh((phdr(TLS, R, 0, 0, 8),)),
    "relocations-outside": ksh(dynamic=dynamic((7, DATA + 0x70), (8, 48), (0, 0))),
    "relocations-nowhere": ksh(dynamic=dynamic((7, 1 << 40), (8, 48), (0, 0))),
    "relocation-kind": ksh(rela=rela(kind=1) + rela()), "relocation-symbol": ksh(rela=rela(symbol=1)),
    "relocation-of-text": ksh(rela=rela(offset=TEXT) + rela()),
    "relocation-away": ksh(rela=rela(addend=1 << 40) + rela()),
    "relocation-below": ksh(rela=rela(addend=-1) + rela()),
    "sections-outside": ksh(shoff=END),
    "symbols-link": ksh(sections=bytes(64) + shdr(2, SYMBOLS_AT, 96, 9) + shdr(3, STRINGS_AT, 14)),
    "symbols-outside": ksh(sections=bytes(64) + shdr(2, END, 96, 2) + shdr(3, STRINGS_AT, 14)),
}
for name, data in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(data)
