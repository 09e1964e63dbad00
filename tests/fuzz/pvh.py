#!/usr/bin/python3
"""Seeds of the PVH fuzzer: what QEMU hands over, and each thing that is checked, wrong once."""

import struct
import sys
from pathlib import Path

HERE = 0x2000           # as in pvh.c
MAGIC = 0x336ec578


def build(magic=MAGIC, version=1, modules=((0x1000000, 0x400000),), cmdline=b"nokaslr\0",
          memory=((0, 0x9fc00, 1), (0x9fc00, 0x400, 2), (0x100000, 0x1fe00000, 1),
                  (0x1ff00000, 0x10000, 3)), nmodules=None, nmemory=None, at=None):
    at = at or {}
    head = 56
    memory_at = HERE + head
    modules_at = memory_at + 24 * len(memory)
    cmdline_at = modules_at + 32 * len(modules)
    return struct.pack(
        "<IIIIQQQQII", magic, version, 0, len(modules) if nmodules is None else nmodules,
        at.get("modules", modules_at), at.get("cmdline", cmdline_at), 0xe0000,
        at.get("memory", memory_at), len(memory) if nmemory is None else nmemory, 0) \
        + b"".join(struct.pack("<QQII", *entry, 0) for entry in memory) \
        + b"".join(struct.pack("<QQQQ", *module, 0, 0) for module in modules) + cmdline


SEEDS = {
    "qemu": build(),
    "two-modules": build(modules=((0x1000000, 0x400000), (0x2000000, 77))),
    "no-modules": build(modules=()),
    "wrong-magic": build(magic=1),
    "old-version": build(version=0),
    "no-map": build(nmemory=0),
    "long-map": build(nmemory=5000),
    "far-map": build(at={"memory": 1 << 33}),
    "far-modules": build(at={"modules": 0xfffffff0}),
    "many-modules": build(nmodules=100),
    "module-wraps": build(modules=((2 ** 64 - 8, 4096),)),
    "no-cmdline": build(at={"cmdline": 0}),
    "far-cmdline": build(at={"cmdline": 2 ** 64 - 1}),
    "last-cmdline": build(at={"cmdline": 2 ** 32 - 1}),
    "odd-map": build(at={"memory": HERE + 57}),
}

for name, data in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(data)
