#!/usr/bin/python3
"""Seeds of the fuzzer of drivers' answers: each kind of answer, and what is checked of it, wrong once.
The first byte says how old the protocol is (odd: 7.8, whose attributes are shorter)."""

import struct
import sys
from pathlib import Path

NEW, OLD = 0, 1
FILE, FOLDER = 0o100644, 0o040755


def attr(mode=FILE, size=5, nsec=0, ino=7, old=False):
    whole = struct.pack("<6Q10I", ino, size, 8, 1, 2, 3, nsec, nsec, nsec, mode, 1, 0, 0, 0, 4096, 0)
    return whole[:80] if old else whole


def entry(node=9, valid=1, valid_nsec=5, **of_attr):
    return struct.pack("<4Q2I", node, 0, valid, valid, valid_nsec, valid_nsec) + attr(**of_attr)


def attr_answer(valid=1, nsec=5, **of_attr):
    return struct.pack("<Q2I", valid, nsec, 0) + attr(**of_attr)


def opened(flags=0):
    return struct.pack("<QII", 3, flags, 0)


def statfs(block=4096, fragment=4096, name=255, blocks=100):
    return struct.pack("<5Q4I", blocks, 50, 40, 30, 20, block, name, fragment, 0) + bytes(24)


def dirent(name, kind=8, ino=1, cookie=1, length=None):
    name_bytes = name + bytes(-len(name) % 8)
    return struct.pack("<QQII", ino, cookie, len(name) if length is None else length, kind) + name_bytes


def init(major=7, minor=38, flags=0xffffffff, write=131072, background=12, pages=32):
    return struct.pack("<4IHHIIHHI", major, minor, 65536, flags, background, 9, write, 1, pages, 0, 0) \
        + bytes(28)


ANSWERS = {
    "entry": entry(), "folder": entry(mode=FOLDER), "negative": entry(node=0), "root": entry(node=1),
    "entry-no-type": entry(mode=0o644), "entry-size": entry(size=1 << 63), "entry-nsec": entry(nsec=10 ** 9),
    "entry-valid": entry(valid=2 ** 64 - 1, valid_nsec=10 ** 9),
    "create": entry() + opened(), "create-folder": entry(mode=FOLDER) + opened(),
    "create-negative": entry(node=0) + opened(),
    "attr": attr_answer(), "attr-no-type": attr_answer(mode=0), "attr-nsec": attr_answer(nsec=10 ** 9),
    "open": opened(), "open-flags": opened(0xffffffff),
    "statfs": statfs(), "statfs-no-block": statfs(block=0, fragment=0), "statfs-name": statfs(name=9999),
    "statfs-blocks": statfs(blocks=2 ** 64 - 1), "statfs-old": statfs()[:48],
    "write": struct.pack("<II", 100, 0), "write-more": struct.pack("<II", 101, 0),
    "value-size": struct.pack("<II", 9, 0), "value-huge": struct.pack("<II", 2 ** 32 - 1, 0),
    "list": b"user.a\0user.b\0", "list-cut": b"user.a\0user.b", "list-empty-name": b"user.a\0\0",
    "seek": struct.pack("<Q", 4096), "seek-far": struct.pack("<Q", 1 << 63),
    "lock": struct.pack("<QQII", 1, 9, 1, 5), "lock-none": struct.pack("<QQII", 0, 0, 2, 0),
    "lock-type": struct.pack("<QQII", 1, 9, 3, 5), "lock-far": struct.pack("<QQII", 1, 1 << 63, 0, 5),
    "lock-reversed": struct.pack("<QQII", 9, 1, 0, 5),
    "ioctl": struct.pack("<iIII", 3, 0, 0, 0) + b"bytes", "ioctl-error": struct.pack("<iIII", -512, 0, 0, 0),
    "ioctl-retry": struct.pack("<iIII", 0, 4, 1, 1), "ioctl-long": bytes(40),
    "bmap": struct.pack("<Q", 2 ** 63), "bmap-short": bytes(7),
    "cuse": struct.pack("<8I", 7, 31, 0, 1, 4096, 4096, 0, 0) + bytes(40) + b"DEVNAME=name\0",
    "cuse-slash": struct.pack("<8I", 7, 31, 0, 1, 0, 0, 1, 2) + bytes(40) + b"OTHER=1\0DEVNAME=a/b\0",
    "cuse-no-end": struct.pack("<8I", 7, 31, 0, 1, 0, 0, 1, 2) + bytes(40) + b"DEVNAME=name",
    "retry": struct.pack("<iIII", 0, 4, 1, 1) + struct.pack("<QQQQ", 4096, 8, 8192, 16),
    "retry-much": struct.pack("<iIII", 0, 4, 0, 1) + struct.pack("<QQ", 0, 2 ** 63),
    "retry-many": struct.pack("<iIII", 0, 4, 2 ** 32 - 1, 2 ** 32 - 1),
    "copied": struct.pack("<Q", 9), "copied-more": struct.pack("<Q", 10),
    "poll": struct.pack("<II", 0xffffffff, 0),
    "birth": bytes(32) + struct.pack("<I", 0x800) + bytes(76) + struct.pack("<qI", 5, 9) + bytes(164),
    "birth-nsec": bytes(32) + struct.pack("<I", 0x800) + bytes(76) + struct.pack("<qI", 5, 10 ** 9)
    + bytes(164),
    "link": b"to/there", "link-zero": b"to\0there", "link-long": b"x" * 64, "link-empty": b"",
    "names": dirent(b".", 4) + dirent(b"..", 4, cookie=2) + dirent(b"a name", cookie=3),
    "names-even": dirent(b"one", ino=2) + dirent(b"two", 0, ino=3, cookie=9),
    "names-cut": dirent(b"a", cookie=1)[:-1], "names-header": dirent(b"a")[:20],
    "names-slash": dirent(b"a/b"), "names-zero": dirent(b"a\0b"), "names-empty": dirent(b""),
    "names-long": dirent(b"n" * 256), "names-length": dirent(b"abc", length=2 ** 32 - 1),
    "names-type": dirent(b"a", kind=16), "names-no-number": dirent(b"a", ino=0),
    "init": init(), "init-old-minor": init(minor=5)[:24], "init-shortest": init(minor=4)[:8],
    "init-middle": init(minor=22)[:24], "init-major": init(major=6), "init-later": init(major=8),
    "init-write": init(write=0), "init-large": init(write=2 ** 32 - 1, pages=65535),
    "init-nothing": init(flags=0, background=0, pages=0),
    "old-entry": entry(old=True), "old-attr": attr_answer(old=True),
    "old-create": entry(old=True) + opened(),
}

for name, answer in ANSWERS.items():
    for age in (NEW, OLD, 0x40):
        (Path(sys.argv[1]) / "seeds" / f"{name}-{age}").write_bytes(bytes([age]) + answer)
