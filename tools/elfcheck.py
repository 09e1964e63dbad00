#!/usr/bin/python3
"""elfcheck.py KERNEL: what must hold of the linked kernel.

- Its only relocations are R_X86_64_RELATIVE: the kernel can apply no others to itself.
- It asks for no dynamic linker.
- No segment is writable and executable (W^X begins in the file).
- It has the PVH note that `qemu -kernel` starts it by.
"""

import struct
import sys
from pathlib import Path

R_X86_64_RELATIVE = 8
SHT_RELA, SHT_REL = 4, 9
PT_LOAD, PT_INTERP, PT_NOTE = 1, 3, 4
PF_X, PF_W = 1, 2
XEN_ELFNOTE_PHYS32_ENTRY = 18


class Elf:
    """The headers of a little-endian 64-bit ELF file."""

    def __init__(self, path):
        self.data = Path(path).read_bytes()
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path}: not a 64-bit ELF file")
        phoff, shoff = struct.unpack_from("<QQ", self.data, 32)
        phentsize, phnum, shentsize, shnum = struct.unpack_from("<HHHH", self.data, 54)
        self.segments = [struct.unpack_from("<IIQQQQQQ", self.data, phoff + i * phentsize)
                         for i in range(phnum)]
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, shoff + i * shentsize)
                         for i in range(shnum)]

    def entries(self, section, layout):
        """The fixed-size records of a section."""
        offset, size = section[4], section[5]
        return struct.iter_unpack(layout, self.data[offset:offset + size])


def complaints(elf):
    """What is wrong with the kernel, one sentence each."""
    for section in elf.sections:
        if section[1] == SHT_REL:
            yield "it has relocations without addends"
        if section[1] == SHT_RELA:
            for where, info, _ in elf.entries(section, "<QQq"):
                if info & 0xffffffff != R_X86_64_RELATIVE:
                    yield f"relocation of type {info & 0xffffffff} at {where:#x}, want only RELATIVE"
    for kind, flags, _, vaddr, *_ in elf.segments:
        if kind == PT_INTERP:
            yield "it asks for a dynamic linker"
        if kind == PT_LOAD and flags & PF_W and flags & PF_X:
            yield f"segment at {vaddr:#x} is writable and executable"
    if not has_pvh_note(elf):
        yield "it has no PVH note"


def has_pvh_note(elf):
    for kind, _, offset, _, _, size, *_ in elf.segments:
        if kind != PT_NOTE:
            continue
        end = offset + size
        while offset + 12 <= end:
            namesz, descsz, note = struct.unpack_from("<III", elf.data, offset)
            name = elf.data[offset + 12:offset + 12 + namesz]
            if note == XEN_ELFNOTE_PHYS32_ENTRY and name == b"Xen\0":
                return True
            offset += 12 + (namesz + 3 & ~3) + (descsz + 3 & ~3)
    return False


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = list(complaints(Elf(sys.argv[1])))
    for complaint in found:
        print(f"{sys.argv[1]}: {complaint}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
