"""A machine with a screen: QEMU without a window, asked for pictures, its keys pressed, through QMP.

Pixels are read back with the glyphs of the font that they were drawn with, so a test compares text
and colours. A text mode is read from the adapter's memory.
"""

import json
import os
import socket
import sys
import time

import pytest
from conftest import PROMPT, RAMDISK, TREE, kernel

sys.path.insert(0, str(TREE / "tools"))
from fuselage import qemu       # noqa: E402  (its place is known only now)
from genfont import LOGO_FIRST, WIDTH, Font     # noqa: E402

FONTS = TREE / "build" / "shared" / "packages" / "console-setup-linux" / "usr/share/consolefonts"
HEIGHT = 16
VGA_MEMORY, VGA_ROWS, VGA_COLUMNS = 0xb8000, 25, 80
KEYS = {" ": "spc", "\n": "ret", "-": "minus", "/": "slash", ".": "dot", ";": "semicolon",
        "=": "equal", ">": "shift-dot", "|": "shift-backslash", "\\": "backslash"}


class Picture:
    """Cells of a screen: lines of text, and colours as 0xrrggbb (pixels) or 0 to 15 (text mode)."""

    def __init__(self, rows):
        self.rows = rows        # [[(character, foreground, background)]]

    def lines(self):
        lines = ["".join(cell[0] for cell in row).rstrip() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def text(self):
        return "\n".join(self.lines())

    def find(self, text):
        """(row, column) of the text where it comes last, or None."""
        for number in reversed(range(len(self.rows))):
            column = "".join(cell[0] for cell in self.rows[number]).rfind(text)
            if column >= 0:
                return number, column
        return None

    def begins(self, text):
        """Whether a row begins with the text: what a command has printed, not how it was typed."""
        return any(line.startswith(text) for line in self.lines())

    def at_prompt(self):
        """Whether ksh waits for a command; what the cursor hides is no character."""
        lines = self.lines()
        return bool(lines) and lines[-1].rstrip(" \ufffd") == PROMPT

    def colours(self, text):
        """The set of (foreground, background) of the text's cells; blanks have no foreground."""
        row, column = self.find(text)
        return {(cell[1], cell[2]) for cell in self.rows[row][column:column + len(text)]
                if cell[0] != " "}


class Glyphs:
    """From the pixels of a cell to its character."""

    def __init__(self):
        self.characters = {}
        for name in ("Uni2-TerminusBold16", "Uni2-Terminus16"):
            font = Font(FONTS / f"{name}.psf.gz")
            for character, glyph in sorted(font.characters.items(), reverse=True):
                if character < LOGO_FIRST:
                    self.characters[font.glyphs[glyph]] = chr(character)

    def cell(self, pixels):
        """PIXELS: HEIGHT rows of WIDTH colours -> (character, foreground, background)."""
        colours = sorted({colour for row in pixels for colour in row})
        if len(colours) == 1:
            return (" ", None, colours[0])
        if len(colours) == 2:
            for background, foreground in (colours, reversed(colours)):
                bits = bytes(sum(0x80 >> i for i in range(WIDTH) if row[i] == foreground)
                             for row in pixels)
                character = self.characters.get(bits, " ")
                if character not in " \xa0█":
                    return (character, foreground, background)
        return ("\ufffd", None, None)


def read_pixels(path):
    """A PPM as rows of 0xrrggbb."""
    data = path.read_bytes()
    magic, size, depth, pixels = data.split(b"\n", 3)
    assert magic == b"P6" and depth == b"255"
    width, height = map(int, size.split())
    values = [pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]
              for i in range(0, 3 * width * height, 3)]
    return [values[y * width:(y + 1) * width] for y in range(height)]


class ScreenMachine:
    """QEMU with an adapter and no window."""

    def __init__(self, folder, options):
        self.folder = folder
        self.glyphs = None
        ours, theirs = socket.socketpair()
        ours.settimeout(60)
        self.serial = folder / "serial"
        command = [qemu.QEMU, "-no-user-config", "-nodefaults", "-no-reboot", "-accel", "tcg",
                   "-display", "none", "-vga", "std", "-serial", f"file:{self.serial}",
                   "-chardev", f"socket,id=qmp,fd={theirs.fileno()}",
                   "-mon", "chardev=qmp,mode=control", *map(str, options)]
        self.process = qemu.start(command, pass_fds=(theirs.fileno(),))
        theirs.close()
        self.socket = ours
        self.answers = ours.makefile("rb")
        self.answers.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        request = {"execute": command, "arguments": arguments}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = json.loads(self.answers.readline())
            assert "error" not in answer, answer
            if "return" in answer:
                return answer["return"]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.answers.close()
        self.socket.close()

    # ---- keys ----

    def press(self, *keys):
        for key in keys:
            self.ask("human-monitor-command", **{"command-line": f"sendkey {key} 20"})
            time.sleep(0.03)    # QEMU's keyboard holds 16 codes

    def type(self, text):
        self.press(*(KEYS.get(character, character) for character in text))

    # ---- pictures ----

    def pixels(self):
        path = self.folder / "picture.ppm"
        self.ask("screendump", filename=str(path))
        return read_pixels(path)

    def picture(self):
        """The cells of the pixels on the screen."""
        self.glyphs = self.glyphs or Glyphs()
        pixels = self.pixels()
        return Picture([[self.glyphs.cell([line[x:x + WIDTH] for line in pixels[y:y + HEIGHT]])
                         for x in range(0, len(pixels[0]) - WIDTH + 1, WIDTH)]
                        for y in range(0, len(pixels) - HEIGHT + 1, HEIGHT)])

    def vga_text(self):
        """The cells in the text mode's memory."""
        path = self.folder / "memory"
        self.ask("pmemsave", val=VGA_MEMORY, size=2 * VGA_ROWS * VGA_COLUMNS, filename=str(path))
        data = path.read_bytes()
        cells = [(bytes([data[i]]).decode("cp437"), data[i + 1] & 15, data[i + 1] >> 4)
                 for i in range(0, len(data), 2)]
        return Picture([cells[row * VGA_COLUMNS:(row + 1) * VGA_COLUMNS]
                        for row in range(VGA_ROWS)])

    def said(self):
        """What came out of the serial port so far."""
        return self.serial.read_text(errors="replace") if self.serial.exists() else ""

    def wait_for(self, look, what, timeout_s=60):
        """Until the picture that LOOK() makes holds the text WHAT, or WHAT(picture); returns it."""
        found = what if callable(what) else lambda picture: picture.find(what)
        deadline_s = time.monotonic() + timeout_s
        while True:
            picture = look()
            if found(picture):
                return picture
            if time.monotonic() > deadline_s:
                pytest.fail(f"not seen within {timeout_s} s: {what}; the screen:\n"
                            f"{picture.text()}\nthe serial port:\n{self.said()}")
            time.sleep(0.2)


def kernel_options(append, preset="debug"):
    return ["-M", "q35", "-cpu", "max", "-m", "256", "-kernel", kernel(preset), "-initrd", RAMDISK,
            "-append", append]


@pytest.fixture
def screen_machine(tmp_path):
    """screen_machine([QEMU's options]) -> ScreenMachine; all are ended with the test."""
    machines = []

    def start(options):
        folder = tmp_path / str(len(machines))
        os.mkdir(folder)
        machines.append(ScreenMachine(folder, options))
        return machines[-1]

    yield start
    for machine in machines:
        machine.close()
