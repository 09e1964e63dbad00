#!/usr/bin/python3
"""Seeds of the line discipline's fuzzer: what people type, and settings that programs choose."""

import sys
from pathlib import Path

READ, WRITE, SET, DROP, TYPE = range(5)
IFLAG, OFLAG, LFLAG, CC = range(4)
ECHO, ICANON, ISIG, IEXTEN, ECHOK = 0o10, 0o2, 0o1, 0o100000, 0o40
LOCAL = 0o105073        # a fresh terminal's


def typed(text, stopped=False, narrow=False):
    return b"".join(bytes([TYPE, len(text[at:at + 64]) - 1 | (0x80 if stopped else 0)
                           | (0x40 if narrow else 0)]) + text[at:at + 64]
                    for at in range(0, len(text), 64))


def flags(which, value):
    return bytes([SET, which]) + value.to_bytes(3, "little")


def special(index, character):
    return bytes([SET, CC + 4 * index, character])


def written(text):
    return bytes([WRITE, len(text) | 0xc0]) + text


READ_ALL, READ_ONE = bytes([READ, 255]), bytes([READ, 1])
SEEDS = {
    "line": typed(b"hello\r") + READ_ALL,
    "erase": typed(b"a\tb\x01\x7f\x7f\x7f\xc3\xa4\x7fword one\x17\x17\x15\n") + READ_ALL,
    "end": typed(b"\x04ab\x04\x04") + READ_ONE + READ_ALL + READ_ALL,
    "signals": typed(b"abc\x03def\x1cghi\x1a"),
    "literal": typed(b"\x16\x03\x16\x04\n") + READ_ALL,
    "again": typed(b"some\ttext\x12\n"),
    "stop": typed(b"\x13x\x11y\n") + flags(IFLAG, 0o6400) + typed(b"q", stopped=True),
    "raw": flags(LFLAG, 0) + typed(b"\x03\x04\r\n") + READ_ONE + flags(LFLAG, LOCAL) + READ_ALL,
    "no-echo": flags(LFLAG, ICANON | ISIG | 0o100) + typed(b"secret\n") + READ_ALL,
    "no-flush": flags(LFLAG, LOCAL | 0o200) + typed(b"abc\x03") + READ_ALL,
    "kill-unseen": flags(LFLAG, ICANON | ECHO | ECHOK | IEXTEN) + typed(b"abc\x15def\x7f\n"),
    "ends": special(11, ord(";")) + special(16, ord(":")) + typed(b"a;b:c\n") + READ_ALL * 3,
    "cr": flags(IFLAG, 0o100) + typed(b"a\nb\n") + flags(IFLAG, 0o200) + typed(b"c\rd\n")
          + flags(IFLAG, 0o40) + typed(b"\xe1\xe2\n") + READ_ALL,
    "bell": flags(IFLAG, 0o20000) + bytes([DROP, 0xff]) + b"x" + READ_ALL + typed(b"\n") + READ_ALL,
    "full-of-ends": bytes([DROP, 0xf1]) + b"\n" + typed(b"\n") + READ_ALL,
    "anew": typed(b"abc\n") + flags(LFLAG, 0) + typed(b"cat\r\x03") + READ_ONE * 6
            + bytes([DROP, 8]) + flags(LFLAG, LOCAL) + bytes([DROP, 8]) + READ_ALL,
    "drop": typed(b"abc\n\x16") + bytes([DROP, 0]) + READ_ALL,
    "narrow": typed(b"\t\t\t\t\x15\x01\x02\x15\n", narrow=True),
    "out": written(b"a\tb\r\n\b\xc3\xa4\x1b\x07") + flags(OFLAG, 0o75) + written(b"\r\n\ra\r\n\t")
           + flags(OFLAG, 0o14001) + written(b"\ta\tb") + flags(OFLAG, 0) + written(b"raw\n\t")
           + flags(OFLAG, 0o11) + written(b"a\r\n") + flags(OFLAG, 0o41) + written(b"a\n"),
}
for name, data in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(data)
