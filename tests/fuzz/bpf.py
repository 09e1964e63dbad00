#!/usr/bin/python3
"""Seeds of the fuzzer of classic BPF: each instruction, jumps, memory, and what is refused."""

import struct
import sys
from pathlib import Path

RETURN_A = (0x16, 0, 0, 0)
PACKET = bytes(range(1, 41))


def seed(kind, *program, packet=PACKET):
    return bytes([kind, len(program)]) \
        + b"".join(struct.pack("<HBBI", *instruction) for instruction in program) + packet


LOADS = [(code, 0, 0, k) for code in (0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0xb1)
         for k in (0, 3, 36, 0xfff00001)]
ALU = [(0x04 | op | source, 0, 0, 3) for op in range(0, 0xb0, 0x10) for source in (0, 8)
       if op | source != 0x88]
SEEDS = {
    "loads": seed(0, *LOADS, RETURN_A),
    "alu": seed(0, (0x00, 0, 0, 77), (0x01, 0, 0, 5), *ALU, RETURN_A),
    "beside": seed(0, *[(0x20, 0, 0, 0xfffff000 + what) for what in range(12, 64, 4)
                        if what != 28], RETURN_A),
    "attributes": seed(0, (0x00, 0, 0, 0), (0x01, 0, 0, 5), (0x20, 0, 0, 0xfffff010), RETURN_A,
                       packet=struct.pack("<6H", 12, 1, 4, 5, 4, 6)),
    "jumps": seed(0, (0x20, 0, 0, 0), *[(0x05 | op, 1, 0, 5) for op in (0x10, 0x20, 0x30, 0x40)],
                  (0x05, 0, 0, 1), RETURN_A, (0x06, 0, 0, 9)),
    "memory": seed(0, (0x02, 0, 0, 1), (0x03, 0, 0, 2), (0x60, 0, 0, 1), (0x61, 0, 0, 2),
                   (0x07, 0, 0, 0), (0x87, 0, 0, 0), RETURN_A),
    "unwritten": seed(0, (0x15, 1, 0, 0), (0x02, 0, 0, 1), (0x60, 0, 0, 1), RETURN_A),
    "calls": seed(1, (0x20, 0, 0, 4), (0x15, 0, 1, 0xc000003e), (0x20, 0, 0, 0), RETURN_A),
    "unaligned": seed(1, (0x20, 0, 0, 2), RETURN_A),
}

for name, data in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(data)
