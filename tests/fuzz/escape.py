#!/usr/bin/python3
"""Seeds of the terminal's fuzzer: the recorded streams, and what is in none of them."""

import sys
from pathlib import Path

STREAMS = Path(__file__).resolve().parents[1] / "console" / "streams"
SIZE = bytes([23, 79])          # 24 rows, 80 columns
SMALL = bytes([4, 9])

SEEDS = {
    "alternate": b"one\x1b[?1049htwo\x1b[?1049l\x1b[?1047h3\x1b[?1047l\x1b[?1048h\x1b[?1048l\x1b[?47h",
    "reports": b"\x1b[5n\x1b[6n\x1b[?6n\x1b[c\x1b[>c\x1b[18t\x1b[?7$p\x1b[4$p\x1b[?9$p\x1bZ",
    "palette": b"\x1b]P1aabbcc\x1b]4;200;rgb:ff/80/0\a\x1b]4;7;#010203\x1b\\\x1b]104;2\a\x1b]104\a"
               b"\x1b]R\x1b]Pz\x1b]4;999;rgb:f\a\x1b]0;" + b"long " * 20 + b"\a",
    "colons": b"\x1b[38:2::1:2:3m\x1b[48:5:7m\x1b[38:2:9:8:7m\x1b[4:3m\x1b[4:0m\x1b[38;9;1m\x1b[107;97m",
    "resets": b"\x1b[!p\x1bc\x1b[4 q\x1b[6 q\x1b[?12;45;66;1000;2004h\x1b[?45h\b\b\x1b[20h\n\x1b=\x1b>",
    "scroll": b"\x1b[2;4r\x1b[3S\x1b[2T\x1b[L\x1b[M\x1b[3J" + b"row\r\n" * 9 + b"\x1b[3J",
    "repeat": b"x\x1b[9b\x1b[3g\x1b[5G\x1bH\r\x1b[2Ia\x1b[2Z\x1b[0g\x1b[3`\x1b[2a\x1b[2e\x1b[E\x1b[F",
    "wide": "日本語\r日x\x1b[2G\x1b[@\x1b[P\x1b[K".encode()
            + b"\xe2\x82\xc3\xf0\x90\xed\xa0\xff\xe0\x80\xf4\x90",
    "charsets": b"\x1b(0abc+,-.0\x1b(A#\x1b(U\x80\x9b\x1b)0\x0eq\x0f"
                b"\x1b%@\xe4\x9b1m\x1b%G\x1b[11m\x01\x07\x1b[10m",
    "strings": b"\x1bP1$r\x1b\\\x1b_x\x1b\\\x1b^y\x18\x1bXz\x1a"
               b"\x1b]\x1b\\ok\x1b[1;" + b"2;" * 30 + b"m\x1b#8\x1b7\x1b8",
    "window": b"text\x1b[?1049hother\xfe\x01\x05\x09abcdefgh\xfe\x00\x01\x02wxyzabcd\xfe\x01\x15\x25abcdefgh",
    "saved-in-a-narrow-window": b"\x1b[1;10Hx\x1b7\xfe\x01\x05\x15abcde\x1b8",
    "back-over-the-edge": b"\x1b[?45h\x1b[5;15r\x1b[?6h\b\x1b7\x1b[7;9r\x1b8",
    "saved-at-the-edge": b"\x1b[1;10Hx\x1b7\x1b[?7l\x1b8",
    "insert": b"\x1b[4habc\rdef\x1b[4l\x1b[?6h\x1b[2;3r\x1b[9;9H\x1b[?6l\x1b[?7l" + b"full " * 20 + b"\x1b[?5h",
}


def main():
    seeds = Path(sys.argv[1]) / "seeds"
    for name, stream in SEEDS.items():
        (seeds / name).write_bytes(SMALL + stream)
    for path in STREAMS.glob("*.txt"):
        text = "".join(line for line in path.read_text(encoding="ascii").splitlines()
                       if not line.startswith("#"))
        stream = text.encode().decode("unicode_escape").encode("latin-1")
        (seeds / path.stem).write_bytes(SIZE + stream)


main()
