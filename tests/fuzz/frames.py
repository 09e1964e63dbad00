#!/usr/bin/python3
"""Seeds of the fuzzer of the host's frames: each kind, in one piece and in many, and garbage."""

import struct
import sys
from pathlib import Path


def frame(kind, payload=b"", zero=0, length=None):
    return kind + struct.pack("<BH", zero, len(payload) if length is None else length) + payload


ALL = frame(b"D", b"input") + frame(b"D") + frame(b"W", struct.pack("<HH", 24, 80)) \
    + frame(b"P", b"\x01\x02\x03\x04") + frame(b"F") + frame(b"T") + frame(b"E")

SEEDS = {
    "all": ALL,
    "unknown": frame(b"X", b"skipped") + ALL,
    "garbage": b"no frame at all" + ALL,
    "not-zero": frame(b"D", b"x", zero=1) + ALL,
    "too-long": frame(b"D", length=4097) + frame(b"W", b"12345") + frame(b"E", b"1") + ALL,
    "largest": frame(b"D", bytes(range(256)) * 16) + ALL,
    "cut": ALL[:-2],
    "cut-payload": frame(b"P", b"12", length=4),
}

for name, stream in SEEDS.items():
    for piece in (0, 2, 63):            # bytes at a time, less one
        (Path(sys.argv[1]) / "seeds" / f"{name}-{piece}").write_bytes(bytes([piece]) + stream)
