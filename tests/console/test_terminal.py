"""The terminal against pyte, cell by cell.

Recorded streams (streams/*.txt, Python escapes, made by us in the manner of vttest) must leave the
same screen as pyte as it is; thousands of random ones, the same as pyte with its known faults put
right (reference.py). What pyte does not know is tested in tests/host/console/.
"""

import json
import random
import struct
import subprocess
from pathlib import Path

import pyte
import pytest
from pyte import graphics
from reference import Reference, ReferenceStream

TREE = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
SOURCES = ["terminal.c", "terminal_cells.c", "terminal_colour.c", "terminal_csi.c",
           "terminal_parse.c", "codepage.c", "palette.c"]
STREAMS = sorted((HERE / "streams").glob("*.txt"))

BOLD, ITALIC, UNDERLINE, REVERSE, STRIKE = 1, 4, 8, 32, 128
NAMES = ["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"]


@pytest.fixture(scope="session")
def replay(tmp_path_factory):
    """replay([bytes, ...], rows, columns) -> the screens that they leave."""
    program = tmp_path_factory.mktemp("replay") / "replay"
    subprocess.run(["gcc", "-std=gnu17", "-g", "-O1", "-DFUSELAGE_HOST=1", "-DFUSELAGE_DEBUG=1",
                    "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                    f"-I{TREE}/abi/include", f"-I{TREE}/lib/include",
                    "-iquote", TREE / "kernel" / "console", HERE / "replay.c",
                    *(TREE / "kernel" / "console" / name for name in SOURCES),
                    TREE / "lib" / "utf8.c", TREE / "lib" / "fmt.c", "-o", program], check=True)

    def run(streams, rows, columns):
        data = b"".join(struct.pack("=I", len(stream)) + stream for stream in streams)
        done = subprocess.run([program, str(rows), str(columns)], input=data, check=True,
                              stdout=subprocess.PIPE)
        return [json.loads(line) for line in done.stdout.splitlines()]
    return run


# ---- both in one form: [row][column] = (text, colours and attributes as far as they can be seen) --

def look(text, foreground, background, bold, italic, underline, strike, reverse):
    if text == " " and not (underline or strike or reverse):
        return (text, background)
    return (text, foreground, background, bold and text != " ", italic and text != " ", underline,
            strike, reverse)


def our_colour(value):
    if value >> 24 == 0:
        return "default"
    return graphics.FG_BG_256[value & 255] if value >> 24 == 1 else f"{value & 0xffffff:06x}"


def our_look(cell):
    character, attributes, foreground, background = cell
    text = "" if attributes & 512 else chr(character)
    return look(text, our_colour(foreground), our_colour(background), bool(attributes & BOLD),
                bool(attributes & ITALIC), bool(attributes & UNDERLINE), bool(attributes & STRIKE),
                bool(attributes & REVERSE))


def their_colour(name):
    return graphics.FG_BG_256[NAMES.index(name)] if name in NAMES else name


def their_look(char):
    return look(char.data, their_colour(char.fg), their_colour(char.bg), char.bold, char.italics,
                char.underscore, char.strikethrough, char.reverse)


def compare(ours, screen, stream):
    for row in range(screen.lines):
        for column in range(screen.columns):
            mine = our_look(ours["cells"][row][column])
            other = their_look(screen.buffer[row][column])
            assert mine == other, f"cell {row},{column}: {mine} is not {other}: {stream!r}"
    where = (ours["row"], ours["column"])
    assert where == (screen.cursor.y, min(screen.cursor.x, screen.columns - 1)), repr(stream)


def shown_by(screen, stream):
    kind = ReferenceStream if isinstance(screen, Reference) else pyte.ByteStream
    kind(screen).feed(stream)
    return screen


# ---- recorded ----

@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_recorded_streams_leave_the_same_screen(replay, path):
    lines = [line for line in path.read_text(encoding="ascii").splitlines()
             if not line.startswith("#")]
    stream = "".join(lines).encode().decode("unicode_escape").encode("latin-1")
    compare(replay([stream], 24, 80)[0], shown_by(pyte.Screen(80, 24), stream), stream)


# ---- random ----

class Generator:
    """Streams of what both know, with more sense than noise: the same for the same seed."""

    FINALS = "@ABCDEFGHJKLMPX`adefg"

    def __init__(self, seed, rows, columns):
        self.random = random.Random(seed)
        self.rows, self.columns = rows, columns

    def number(self):
        return self.random.choice([0, 1, 1, 2, 3, self.random.randrange(30), self.rows,
                                   self.columns, self.columns + 5])

    def text(self):
        kind = self.random.randrange(4)
        if kind == 0:
            return "".join(self.random.choice("`abcdefghijklmnopqrstuvwxyz{|}~") for _ in range(9))
        if kind == 1:
            return "word " * self.random.randrange(1, 30)
        return "".join(chr(self.random.randrange(0x21, 0x7f))
                       for _ in range(self.random.randrange(1, 20)))

    def control(self):
        return self.random.choice(["\b", "\t", "\n", "\v", "\f", "\r", "\r\n", "\x0e", "\x0f"])

    def csi(self):
        final = self.random.choice(self.FINALS)
        if final in "JK":
            return f"\x1b[{self.random.randrange(3)}{final}"
        if final == "g":
            return f"\x1b[{self.random.choice([0, 0, 0, 3])}g"
        if final in "Hf":
            return f"\x1b[{self.number()};{self.number()}{final}"
        return f"\x1b[{self.number()}{final}"

    def colour(self):
        numbers = [self.random.choice([0, 1, 3, 4, 7, 9, 22, 23, 24, 27, 29, 39, 49]),
                   self.random.choice([30, 40, 90, 100]) + self.random.randrange(8)]
        if self.random.randrange(3) == 0:
            numbers += [self.random.choice([38, 48]), 5, self.random.randrange(256)]
        if self.random.randrange(3) == 0:
            numbers += [self.random.choice([38, 48]), 2] + [self.random.randrange(256)] * 3
        return "\x1b[" + ";".join(map(str, numbers)) + "m"

    def region(self):
        top = self.random.randrange(self.rows + 2)
        return self.random.choice(["\x1b[r", f"\x1b[{top};{top + self.random.randrange(8)}r"])

    def mode(self):
        return f"\x1b[{self.random.choice(['?6', '?7', '4', '20', '?25'])}" \
               f"{self.random.choice('hl')}"

    def escape(self):
        return self.random.choice(["\x1b7", "\x1b8", "\x1bD", "\x1bE", "\x1bM", "\x1bH", "\x1b(0",
                                   "\x1b(B", "\x1b)0", "\x1b)B", "\x1b#8", "\x1bc\x1b%@"])

    def stream(self):
        parts = [(self.text, 30), (self.control, 20), (self.csi, 25), (self.colour, 10),
                 (self.region, 4), (self.mode, 4), (self.escape, 6)]
        makers = self.random.choices([maker for maker, _ in parts], [weight for _, weight in parts],
                                     k=self.random.randrange(5, 60))
        return ("\x1b%@" + "".join(maker() for maker in makers)).encode("latin-1")


@pytest.mark.parametrize("rows, columns", [(24, 80), (5, 9), (2, 2)])
def test_random_streams_leave_the_same_screen(replay, rows, columns):
    streams = [Generator(seed, rows, columns).stream() for seed in range(1500 // (rows // 2 + 1))]
    for stream, ours in zip(streams, replay(streams, rows, columns)):
        compare(ours, shown_by(Reference(columns, rows), stream), stream)


def test_utf8_in_any_state_of_repair_is_the_same_text(replay):
    pieces = [b"plain", "grün €".encode(), "日本".encode(), b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98",
              b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xff", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\x80"]
    source = random.Random(7)
    streams = [b"\r\n".join(b"".join(source.choices(pieces, k=6)) + b"." for _ in range(5))
               for _ in range(60)]
    for stream, ours in zip(streams, replay(streams, 12, 70)):
        compare(ours, shown_by(Reference(70, 12), stream), stream)


def test_questions_are_answered_as_pyte_does(replay):
    stream = b"\x1b[5n\x1b[7;9H\x1b[6n\x1b[5;20r\x1b[?6h\x1b[3;4H\x1b[6n"
    said = []
    screen = pyte.Screen(80, 24)
    screen.write_process_input = said.append
    shown_by(screen, stream)
    assert replay([stream], 24, 80)[0]["answers"] == "".join(said)
