#!/usr/bin/python3
"""Seeds of the keyboard's fuzzer: layouts with dead keys and AltGr, wrong ones, and what is typed."""

import struct
import sys
from pathlib import Path

RAW, XLATE, MEDIUM_RAW, UNICODE = range(4)                  # by the first byte modulo 5
CURSOR, PAD, NEWLINE, SET2 = 0x10, 0x20, 0x40, 0x80         # its bits
ALTGR, COMMA = 1, 2
DEAD = 0xe000
SHIFT, CONTROL, ALT, CAPS, NUM = 0x2a, 0x1d, 0x38, 0x3a, 0x45
RIGHT_ALT, MENU = b"\xe0\x38", b"\xe0\x5d"
PAUSE = b"\xe1\x1d\x45\xe1\x9d\xc5"
Q, W, E, A, S, SPACE, ONE = 0x10, 0x11, 0x12, 0x1e, 0x1f, 0x39, 0x02


def modes(mode, flags):
    """The first byte: its remainder is the mode, its high bits the flags."""
    return next(byte for byte in range(flags, flags + 16) if byte % 5 == mode)


def layout(*keys, flags=ALTGR, magic=b"FKM1", zero=0, count=None):
    return magic + struct.pack("<BBH", flags, zero, len(keys) if count is None else count) \
        + b"".join(struct.pack("<BB4H", *key) for key in keys)


def typed(*codes):
    return b"".join(code if isinstance(code, bytes) else bytes([code, code | 0x80])
                    for code in codes)


def held(code, *codes):
    down = code if isinstance(code, bytes) else bytes([code])
    return down + typed(*codes) + down[:-1] + bytes([down[-1] | 0x80])


LAYOUT = layout((ONE, 0, 0x31, 0x38, 0xb9, 0), (Q, 1, DEAD + 1, DEAD + 4, DEAD, DEAD + 14),
                (W, 1, 0x77, 0x57, DEAD + 2, 0x2192), (E, 3, 0xe9, 0xc9, 0x20ac, 0x401),
                (A, 1, 0x61, 0x41, 0xe4, 0xc4), (S, 0, 0x2f, 0x3f, 0, 0x20))
DEADS = typed(Q, A, Q, W, Q, Q, Q, SPACE) + held(SHIFT, Q) + typed(Q, A) + typed(Q) + held(CONTROL, A)
COMPOSE = typed(MENU) + typed(Q, A) + typed(MENU, A, E) + typed(MENU, E) + typed(S)
LETTERS = typed(A, E, S, W, ONE, SPACE, CAPS, A, E) + held(SHIFT, A, E, ONE, W) \
    + held(RIGHT_ALT, A, E, W, ONE, Q, A) + held(ALT, A) + held(CONTROL, *range(2, 0x3a))
PAD_KEYS = typed(*range(0x47, 0x54), 0x37, b"\xe0\x35\xe0\xb5\xe0\x1c\xe0\x9c")
CURSORS = b"".join(b"\xe0" + bytes([code]) for code in (*range(0x47, 0x54), 0x5b, 0x5c, 0x5d))
FUNCTIONS = typed(*range(0x3b, 0x45), 0x57, 0x58)
TYPED = {       # short ones: what is made of them is short as well, and there is time for many
    "letters": LETTERS, "dead": DEADS, "compose": COMPOSE, "pad": PAD_KEYS + typed(NUM) + PAD_KEYS,
    "cursors": CURSORS + held(SHIFT, CURSORS), "shifted": held(SHIFT, *range(1, 0x59)),
    "functions": FUNCTIONS + held(SHIFT, FUNCTIONS) + held(ALT, FUNCTIONS),
    "special": PAUSE + held(CONTROL, PAUSE) + held(ALT, 0x54, b"\x54\x1f\x54\x9f")
               + held(CONTROL, held(ALT, 0x53)) + typed(1, 0x0e, 0x0f, 0x1c)
               + b"\xe1\x1d\x00\xe1\x00\x00\xff\xfe\xfa",
}
CODES = range(0x8f)     # of the keyboard's second set

SEEDS = {f"{name}-{flags:x}-{keys}": (modes(mode, flags), LAYOUT, codes)
         for name, mode in (("raw", RAW), ("latin", XLATE), ("medium", MEDIUM_RAW),
                            ("unicode", UNICODE))
         for flags in (0, CURSOR | PAD | NEWLINE) for keys, codes in TYPED.items()}
SEEDS |= {f"set2-{prefix.hex()}": (modes(UNICODE, SET2), b"",
                                   b"".join(prefix + bytes([code]) for code in CODES))
          for prefix in (b"", b"\xe0", b"\xf0", b"\xe0\xf0", b"\xf0\xf0\xe0\xe0")}
SEEDS |= {
    "us": (UNICODE, b"", LETTERS),
    "comma": (UNICODE, layout((0x53, 0, 0x2c, 0x2c, 0, 0), flags=COMMA), typed(NUM) + PAD_KEYS),
    "every-key": (UNICODE, layout(*((key, 0, 0x100 + key, 0, 0, 0) for key in range(1, 24))), LETTERS),
    "no-layout": (UNICODE, layout(magic=b"FKM2"), LETTERS),
    "unknown-flags": (UNICODE, layout(flags=4), LETTERS),
    "not-zero": (UNICODE, layout(zero=1), LETTERS),
    "too-many": (UNICODE, layout(count=200), LETTERS),
    "wrong-size": (UNICODE, layout((A, 0, 0x61, 0, 0, 0), count=2), LETTERS),
    "not-in-order": (UNICODE, layout((A, 0, 0x61, 0, 0, 0), (Q, 0, 0x61, 0, 0, 0)), LETTERS),
    "no-key": (UNICODE, layout((200, 0, 0x61, 0, 0, 0)), LETTERS),
    "key-flags": (UNICODE, layout((A, 4, 0x61, 0, 0, 0)), LETTERS),
    "control-character": (UNICODE, layout((A, 0, 0x1b, 0, 0, 0)), LETTERS),
    "surrogate": (UNICODE, layout((A, 0, 0xd900, 0, 0, 0)), LETTERS),
    "no-dead-key": (UNICODE, layout((A, 0, DEAD + 15, 0, 0, 0)), LETTERS),
}

for name, (first, file, keys) in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(bytes([first, len(file)]) + file + keys)
