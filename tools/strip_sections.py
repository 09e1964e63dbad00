#!/usr/bin/python3
"""strip_sections.py IN OUT: an ELF file without its section header table.

GRUB 2.06 refuses a kernel that has relocation sections. Loaders need only program headers, so the
shipped kernel keeps nothing else. Cuts the file after the last byte that a segment holds.
"""

import struct
import sys
from pathlib import Path

E_PHOFF, E_SHOFF, E_PHENTSIZE, E_SHENTSIZE = 32, 40, 54, 58


def strip(data):
    """The bytes of DATA, a 64-bit ELF file, up to the end of its last segment."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit ELF file")
    phoff, = struct.unpack_from("<Q", data, E_PHOFF)
    phentsize, phnum = struct.unpack_from("<HH", data, E_PHENTSIZE)
    end = phoff + phentsize * phnum
    for i in range(phnum):
        offset, = struct.unpack_from("<Q", data, phoff + i * phentsize + 8)
        filesz, = struct.unpack_from("<Q", data, phoff + i * phentsize + 32)
        end = max(end, offset + filesz)
    out = bytearray(data[:end])
    struct.pack_into("<Q", out, E_SHOFF, 0)
    struct.pack_into("<HHH", out, E_SHENTSIZE, 0, 0, 0)
    return bytes(out)


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    Path(sys.argv[2]).write_bytes(strip(Path(sys.argv[1]).read_bytes()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
