#!/usr/bin/python3
"""Seeds of the line editor's fuzzer: every key, lines that parse and lines that do not, completion."""

import sys
from pathlib import Path

USUAL = bytes([24, 80])
SMALL = bytes([3, 12])          # rows, columns
TINY = bytes([1, 1])
ENDLESS = bytes([0, 0])         # a terminal that does not know

KEYS = b"one two.three \xc3\xa4\xe6\x97\xa5\x1bb\x1bb\x1bf\x1bd\x1b\x7f\x1b\x08\x1b[D\x1b[C\x1b[H\x1b[F" \
       b"\x1bOH\x1bOF\x1b[1~\x1b[3~\x1b[4~\x1b[7~\x1b[8~\x1b[2~\x1b[1;3D\x1b[1;5C\x1b[1;5D\x1b[1;9;9Z" \
       b"\x1b[9999~\x1b\x1bx\x01\x06\x02\x05\x04\x0b\x19\x17\x15\x19\x14\x0c\x7f\x08\x03"
HISTORY = b"cat a\rhelp\rcat a\r\r lead\r\x1b[A\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B\x1b[B\x10\x10\x0e" \
          b"\x10x\r\x10\x10\x1b[B"
SEARCH = b"cat one\rhelp two\r\x12o\x12\x12\x7f\x1b\x12zz\x07\x12he\r"
TAB = b"c\t\tl\t \t\tcat \ta\t\tcat 'a\t\r" b"cat a/b/\t\t\rtrace \t\ttrace o\t\r" b"he\t\rzz\t\t\r" \
      b"\t\t\rcat .\t\r" b"cat \"a\t\r" b"cat x >\t\t\rcat a;c\t\t\r"
PARSE = b"cat a b > out 2> err < in\rcat a >> out 2>&1\rcat 'q u' \"d\\\"q\" \\x\rcat a | help\r" \
        b"sleep 1 &\rcat;help;;\rcat '\rcat \"\r\\\r>\r< \rcat > a > b\rcat 2>\rcat 2>&3\r& &\r# note\r" \
        b"cat a#b # c\r$x ${y} $$\r*.c [a-z] ~\r | \rcat |\rcat 2>&1 x\rX=1 cat\rcat \\\n\rcat ''\"\"\r"
MANY = b"a " * 70 + b"\r"
BROKEN = b"\xff\xc3\xe2\x82\xf0\x9f\x98\x80\xe2\x82x\xc3\x1b[A\xc0\x80\xed\xa0\x80\x00\r"
LONG = b"a long line that goes on over several rows of a small window \xe6\x97\xa5\xe6\x9c\xac "

SEEDS = {name: USUAL + text
         for name, text in (("keys", KEYS), ("history", HISTORY), ("search", SEARCH), ("tab", TAB),
                            ("broken", BROKEN), ("many-words", MANY))}
SEEDS |= {f"parse-{i}": USUAL + line + b"\r" for i, line in enumerate(PARSE.split(b"\r"))}
SEEDS |= {f"long-{size}": window + LONG + b"\x01x\x05\x1bb\x1bb\x19\x1b[A\x15\x19\r"
          for size, window in (("usual", USUAL), ("small", SMALL), ("tiny", TINY),
                               ("endless", ENDLESS))}
SEEDS |= {"keys-small": SMALL + KEYS, "tab-small": SMALL + TAB}

for name, data in SEEDS.items():
    (Path(sys.argv[1]) / "seeds" / name).write_bytes(data)
