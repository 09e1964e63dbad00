#!/usr/bin/python3
"""Console fonts (PSF, compressed) and the boot logo become a C source: glyphs and who has which.

genfont.py REGULAR.psf.gz BOLD.psf.gz LOGO.txt OUTPUT.c

Both fonts have one size, 8 pixels wide, and the table of characters of REGULAR counts for both.
Block elements and scan lines that it lacks are drawn here: they are geometry. The
logo is text, a character a pixel (a blank is dark), cut into tiles of a cell's size, which get
characters of their own from U+F500 on (private use), row by row.
"""

import gzip
import struct
import sys
from pathlib import Path

WIDTH = 8
LOGO_FIRST = 0xf500
PSF1_MAGIC, PSF1_MODE_512, PSF1_MODE_TABLE = b"\x36\x04", 1, 2
PSF2_MAGIC, PSF2_HAS_TABLE = b"\x72\xb5\x4a\x86", 1


class Font:
    """A PSF font: its glyphs, and the characters of each."""

    def __init__(self, path):
        data = gzip.decompress(Path(path).read_bytes())
        if data[:2] == PSF1_MAGIC:
            mode, self.height = data[2], data[3]
            count, start, has_table = 512 if mode & PSF1_MODE_512 else 256, 4, mode & PSF1_MODE_TABLE
            units, end, combined = self.psf1_units, 0xffff, 0xfffe
        elif data[:4] == PSF2_MAGIC:
            _, start, flags, count, _, self.height, width = struct.unpack_from("<7I", data, 4)
            if width != WIDTH:
                sys.exit(f"genfont.py: {path} is {width} pixels wide, not {WIDTH}")
            has_table = flags & PSF2_HAS_TABLE
            units, end, combined = self.psf2_units, "\xff", "\xfe"
        else:
            sys.exit(f"genfont.py: {path} is no PSF font")
        if not has_table:
            sys.exit(f"genfont.py: {path} does not say which characters it has")
        table = start + count * self.height
        self.glyphs = [data[start + i * self.height:start + (i + 1) * self.height]
                       for i in range(count)]
        self.characters = {}
        glyph, alone = 0, True
        for unit in units(data[table:]):
            if unit == end:
                glyph, alone = glyph + 1, True
            elif unit == combined:
                alone = False       # a sequence follows, which no single cell can ask for
            elif alone:
                self.characters.setdefault(unit if isinstance(unit, int) else ord(unit), glyph)

    @staticmethod
    def psf1_units(data):
        return struct.unpack(f"<{len(data) // 2}H", data[:len(data) // 2 * 2])

    @staticmethod
    def psf2_units(data):
        # 0xff and 0xfe are no UTF-8: they come through as single characters of their own.
        text = data.decode("utf-8", "surrogateescape")
        return [{"\udcff": "\xff", "\udcfe": "\xfe"}.get(unit, unit) for unit in text]


def blocks(height):
    """{character: glyph} of U+2580 to U+259F and U+23BA to U+23BD."""
    def glyph(dark):
        return bytes(sum(0x80 >> x for x in range(WIDTH) if dark(x, y)) for y in range(height))

    made = {0x2580: glyph(lambda x, y: y < height // 2), 0x2590: glyph(lambda x, y: x >= WIDTH // 2),
            0x2594: glyph(lambda x, y: y < height // 8), 0x2595: glyph(lambda x, y: x == WIDTH - 1),
            0x2591: glyph(lambda x, y: (x + 2 * y) % 4 == 0),
            0x2592: glyph(lambda x, y: (x + y) % 2 == 0),
            0x2593: glyph(lambda x, y: (x + 2 * y) % 4 != 0)}
    for eighths in range(1, 9):
        made[0x2580 + eighths] = glyph(lambda x, y, n=eighths: y >= height - n * height // 8)
        made[0x2590 - eighths] = glyph(lambda x, y, n=eighths: x < n)
    # Quadrants: upper left 1, upper right 2, lower left 4, lower right 8.
    for i, parts in enumerate((4, 8, 1, 13, 9, 7, 11, 2, 6, 14)):
        made[0x2596 + i] = glyph(lambda x, y, p=parts: p >> (2 * (y >= height // 2)
                                                             + (x >= WIDTH // 2)) & 1)
    for i, place in enumerate((0, 3, 11, 15)):
        made[0x23ba + i] = glyph(lambda x, y, p=place: y == p * (height - 1) // 15)
    return made


def logo_tiles(path, height):
    lines = [line for line in Path(path).read_text(encoding="ascii").split("\n")
             if not line.startswith(";")]
    while lines and not lines[-1].strip():
        lines.pop()
    columns = (max(map(len, lines)) + WIDTH - 1) // WIDTH
    rows = (len(lines) + height - 1) // height
    lines = [line.ljust(columns * WIDTH) for line in lines]
    lines += [" " * columns * WIDTH] * (rows * height - len(lines))
    tiles = []
    for row in range(rows):
        for column in range(columns):
            part = [line[column * WIDTH:(column + 1) * WIDTH]
                    for line in lines[row * height:(row + 1) * height]]
            tiles.append(bytes(sum(0x80 >> i for i in range(WIDTH) if line[i] != " ")
                               for line in part))
    return tiles, rows, columns


def c_bytes(data):
    return "\n".join("\t" + " ".join(f"0x{byte:02x}," for byte in data[i:i + 16])
                     for i in range(0, len(data), 16))


def main():
    regular_path, bold_path, logo_path, output = sys.argv[1:]
    regular, bold = Font(regular_path), Font(bold_path)
    if regular.height != bold.height:
        sys.exit(f"genfont.py: {bold_path} is not as high as {regular_path}")
    tiles, rows, columns = logo_tiles(logo_path, regular.height)
    for character, glyph in blocks(regular.height).items():
        if character not in regular.characters:
            regular.characters[character] = len(regular.glyphs)
            regular.glyphs.append(glyph)
    bold_glyphs = list(regular.glyphs)
    for character, glyph in regular.characters.items():
        if character in bold.characters:
            bold_glyphs[glyph] = bold.glyphs[bold.characters[character]]
    characters = dict(regular.characters)
    for i in range(len(tiles)):
        characters[LOGO_FIRST + i] = len(regular.glyphs) + i
    known = sorted((character, glyph) for character, glyph in characters.items()
                   if character < 0x10000)
    text = f"""/* Made by tools/genfont.py from {Path(regular_path).name}, {Path(bold_path).name} and a logo. */
#include "console/font.h"

static const uint8_t regular[] = {{
{c_bytes(b"".join(regular.glyphs + tiles))}
}};

static const uint8_t bold[] = {{
{c_bytes(b"".join(bold_glyphs + tiles))}
}};

static const struct font_character characters[] = {{
"""
    text += "\n".join("\t" + " ".join(f"{{0x{c:04x}, {g}}}," for c, g in known[i:i + 6])
                      for i in range(0, len(known), 6))
    text += f"""
}};

const struct font console_font = {{
	.height = {regular.height},
	.regular = regular,
	.bold = bold,
	.characters = characters,
	.ncharacters = {len(known)},
	.logo_first = {LOGO_FIRST:#x},
	.logo_rows = {rows},
	.logo_columns = {columns},
}};
"""
    Path(output).write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
