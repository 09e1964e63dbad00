#!/usr/bin/python3
"""Seeds of the multiboot2 fuzzer: what GRUB writes, and each thing that is checked, wrong once."""

import struct
import sys
from pathlib import Path


def tag(kind, body, size=None):
    size = 8 + len(body) if size is None else size
    return struct.pack("<II", kind, size) + body + bytes(-len(body) % 8)


def memory_map(*entries, entry_bytes=24):
    return struct.pack("<II", entry_bytes, 0) + b"".join(
        struct.pack("<QQII", start, size, kind, 0) + bytes(max(0, entry_bytes - 24))
        for start, size, kind in entries)


def info(*tags, total=None):
    body = b"".join(tags)
    return struct.pack("<II", 8 + len(body) if total is None else total, 0) + body


PC = memory_map((0, 0x9fc00, 1), (0x9fc00, 0x400, 2), (0x100000, 0x7ef00000, 1),
                (0x7f000000, 0x10000, 3), (0xfffc0000, 0x40000, 2))
END, CMDLINE = tag(0, b""), tag(1, b"root=/dev/ram loglevel=7\0")
MODULE = tag(3, struct.pack("<II", 0x1000000, 0x1400000) + b"ramdisk\0")
FRAME = struct.pack("<QIIIBBH", 0xfd000000, 4096, 1024, 768, 32, 1, 0)
PIXELS = tag(8, FRAME + bytes([16, 8, 8, 8, 0, 8]))
MEMORY, RSDP = tag(6, PC), tag(15, b"RSD PTR " + bytes(28))
SEEDS = {
    "grub": info(CMDLINE, tag(2, b"GRUB 2.06\0"), MODULE, tag(4, bytes(8)), MEMORY, RSDP, END),
    "pixels": info(CMDLINE, MODULE, MEMORY, PIXELS, END),
    "ega-text": info(MEMORY, tag(8, struct.pack("<QIIIBBH", 0xb8000, 160, 80, 25, 16, 2, 0)), END),
    "pixels-without-colours": info(MEMORY, tag(8, FRAME), END),
    "pixels-cut": info(MEMORY, tag(8, FRAME[:12]), END),
    "old-rsdp": info(MEMORY, tag(14, b"RSD PTR " + bytes(12)), END),
    "no-memory": info(CMDLINE, END),
    "no-end": info(MEMORY, CMDLINE),
    "text-without-end": info(MEMORY, tag(1, b"abcdefgh"), END),
    "no-text": info(MEMORY, tag(1, b""), END),
    "module-without-name": info(MEMORY, tag(3, struct.pack("<II", 1, 2)), END),
    "module-name-without-end": info(tag(3, struct.pack("<II", 1, 2) + b"x" * 8), END),
    "module-of-nothing": info(MEMORY, tag(3, struct.pack("<II", 9, 9) + b"x\0"), END),
    "tag-too-long": info(MEMORY, tag(3, b"", size=4000), END),
    "tag-too-short": info(tag(3, b"", size=4)),
    "longer-than-memory": info(MEMORY, total=0xffffffff),
    "wide-entries": info(tag(6, memory_map((0x100000, 0x4000000, 1), entry_bytes=40)), END),
    "odd-entries": info(tag(6, memory_map((0x100000, 0x4000000, 1), entry_bytes=27)), END),
    "narrow-entries": info(tag(6, memory_map((0x100000, 1 << 26, 1))[:0] + bytes(8)), END),
    "long-map": info(tag(6, struct.pack("<II", 24, 0), size=0x70000000), total=0x70000100),
    "map-cut": info(tag(6, b""), END),
    "many-modules": info(*[MODULE] * 12, MEMORY, END),
    "many-ranges": info(tag(6, memory_map(*[(i << 20, 1 << 19, 1 + i % 3) for i in range(100)])),
                        END),
}

for name, data in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(data)
