#!/usr/bin/python3
"""Seeds of the command line's fuzzer: lines as the tool and people write them, and maps."""

import sys
from pathlib import Path


def change(kind, start, size, last):
    """One change of the map, as boot_line.c takes it apart."""
    return bytes([kind, start >> 52 & 255, start >> 28 & 255, start >> 12 & 255, start & 255,
                  size >> 56 & 255, size >> 28 & 255, size >> 12 & 255, size & 255, last])


LINES = {
    "plain": b"root=/dev/ram0 loglevel=7 ksh=off nokaslr",
    "twice": b"  root=a root  root=last   ",
    "exec": b"exec=/bin/echo%00one%00two%20words exec.env=A%3d1",
    "run": b"ksh.run=bench%3Bpoweroff rows=24 cols=80",
    "broken": b"exec=%4g%", "cut": b"ksh.run=%4", "empty": b"", "names": b"roots=1 xroot=2 root2",
    "many": b"%00" * 12,
}
MAPS = {
    "pc": [change(3, 0x100000, 0x7f00000, 1), change(3, 0x80000, 0x9000, 2),
           change(3, 0x7f000, 0x4000, 3)],
    "hole": [change(0, 0, 0xff000, 1), change(1, 0x40000, 0x1000, 0), change(1, 0, 0xff000, 0)],
    "split": [change(0, 0x10000, 0x40000, 1), change(1, 0x20000, 0x8000, 0),
              change(0, 0, 0x80000, 0)],
    "wrap": [change(3, 0xfff << 52 | 0xff << 28, 0xff << 56, 1), change(0, 0xff << 52, 0xff << 56, 1)],
    "modules": [change(2, 0x100000, 0x1000, n) for n in range(12)],
    "many": [change(0, n << 14, 0x1000, n) for n in range(90)],
}
place = Path(sys.argv[1]) / "seeds"
for name, line in LINES.items():
    (place / f"line-{name}").write_bytes(b"\0" + line)
for name, changes in MAPS.items():
    (place / f"map-{name}").write_bytes(bytes([len(changes)]) + b"".join(changes) + b"root=1")
