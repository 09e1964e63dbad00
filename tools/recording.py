#!/usr/bin/python3
"""Draws docs/ksh.svg: boots the release kernel, types into ksh, and paints the terminal's screen.

    tools/recording.py [--output FILE | --text] [--rows N] [--cols N] [COMMAND...]

The machine is the measuring one (instructions are the clock, fixed date and random numbers); for a
picture its idle time passes as a person's does. A key is sent only when the screen shows what the
one before it did. So two recordings of one build differ in a few digits of the time.
"""

import argparse
import socket
import subprocess
import sys
import time
from pathlib import Path
from xml.sax.saxutils import escape

import pexpect.fdpexpect
import pyte

sys.path.insert(0, str(Path(__file__).resolve().parent))
from fuselage import build, qemu            # noqa: E402
from fuselage.common import ROOT, kernel_elf, BASE_IMAGE, relative, say  # noqa: E402

COMMANDS = ["sysinfo", "trace hello", "crash null", "spin &", "ps", "kill %1", "mem", "primess"]
PROMPT = "ksh>"
STEP_LIMIT_S = 60

# The picture's measures, in its own units: a cell of a 14 unit monospace font.
CELL_WIDTH, CELL_HEIGHT, FONT_SIZE, MARGIN = 8.43, 17, 14, 14
FONTS = "'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"
BACKGROUND, FOREGROUND = "#14161b", "#d5d8df"
COLOURS = {
    "black": "#3b3f4a", "red": "#e5646f", "green": "#8fc46a", "brown": "#dcb45c",
    "blue": "#6aa5ee", "magenta": "#c583e0", "cyan": "#57bcc5", "white": "#d5d8df",
    "brightblack": "#767d8d", "brightred": "#ff7f8a", "brightgreen": "#aee38a",
    "brightbrown": "#f5d27c", "brightblue": "#8cbcff", "brightmagenta": "#dca4f3",
    "brightcyan": "#7fdbe3", "brightwhite": "#ffffff",
}


# --- the session ---------------------------------------------------------------------------------

class Session:
    """A machine, the line to its COM1, and the screen of a terminal at the other end."""

    def __init__(self, rows, columns, idle_passes):
        ours, guests = socket.socketpair()
        command = qemu.measuring_machine(kernel_elf("release"), BASE_IMAGE,
                                         f"console=ttyS0 loglevel=trace rows={rows} cols={columns}")
        if idle_passes:
            command = [word.replace("sleep=off", "sleep=on") for word in command]
        command += ["-display", "none", "-chardev", f"socket,id=com1,fd={guests.fileno()}",
                    "-serial", "chardev:com1"]
        self.machine = qemu.start(command, pass_fds=(guests.fileno(),), stdin=subprocess.DEVNULL)
        guests.close()
        self.line = pexpect.fdpexpect.fdspawn(ours)
        self.socket = ours
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)

    def end(self):
        self.machine.kill()
        self.machine.wait()
        self.socket.close()

    def row(self):
        """What stands in the cursor's row."""
        return self.screen.display[self.screen.cursor.y].rstrip()

    def wait(self, what, reached):
        """Reads until the screen is as it should be."""
        deadline_s = time.monotonic() + STEP_LIMIT_S
        while not reached():
            if time.monotonic() > deadline_s:
                screen = "\n".join(self.screen.display)
                raise SystemExit(f"recording: waited in vain for {what}; the screen:\n{screen}")
            try:
                self.stream.feed(self.line.read_nonblocking(4096, timeout=1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                raise SystemExit(f"recording: the machine ended before {what}") from None

    def type(self, command):
        """Types COMMAND as a person would, and waits until ksh asks for the next one."""
        for end in range(len(command)):
            self.line.send(command[end])
            self.wait(f"the echo of {command!r}",
                      lambda: self.row().endswith(f"{PROMPT} {command[:end + 1]}".rstrip()))
        self.line.send("\r")
        self.wait(f"the end of {command!r}", self.at_prompt)

    def at_prompt(self):
        return self.row().endswith(PROMPT)


# --- the picture -----------------------------------------------------------------------------------

def colour(name, otherwise):
    """An SVG colour for pyte's name or six hexadecimal digits."""
    if name == "default":
        return otherwise
    return COLOURS.get(name) or f"#{name}"


def look(cell):
    """(foreground, background, bold) of a character cell."""
    foreground, background = colour(cell.fg, FOREGROUND), colour(cell.bg, BACKGROUND)
    if cell.reverse:
        foreground, background = background, foreground
    return foreground, background, cell.bold


def runs(cells):
    """(column, text, look) of neighbours that look alike."""
    start, text, current = 0, "", None
    for column, cell in enumerate(cells):
        if look(cell) != current:
            if text:
                yield start, text, current
            start, text, current = column, "", look(cell)
        text += cell.data
    if text:
        yield start, text, current


def row_svg(number, cells):
    """The rectangles and texts of a row."""
    top = MARGIN + number * CELL_HEIGHT
    for column, text, (foreground, background, bold) in runs(cells):
        left, width = MARGIN + column * CELL_WIDTH, len(text) * CELL_WIDTH
        if background != BACKGROUND:
            yield (f'<rect x="{left:.2f}" y="{top}" width="{width:.2f}" '
                   f'height="{CELL_HEIGHT}" fill="{background}"/>')
        if text.strip():
            indent = len(text) - len(text.lstrip())
            left += indent * CELL_WIDTH
            text = text.strip()
            weight = ' font-weight="bold"' if bold else ""
            # The length is given, so that a font of another width does not shift the columns.
            yield (f'<text x="{left:.2f}" y="{top + CELL_HEIGHT - 4}" fill="{foreground}"{weight} '
                   f'textLength="{len(text) * CELL_WIDTH:.2f}">{escape(text)}</text>')


def picture(screen):
    """The SVG of what SCREEN shows, cut below its last used row."""
    rows = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
    while rows and not any(cell.data.strip() for cell in rows[-1]):
        rows.pop()
    width = 2 * MARGIN + screen.columns * CELL_WIDTH
    height = 2 * MARGIN + len(rows) * CELL_HEIGHT
    cursor = screen.cursor
    body = [part for number, cells in enumerate(rows) for part in row_svg(number, cells)]
    body.append(f'<rect x="{MARGIN + cursor.x * CELL_WIDTH:.2f}" '
                f'y="{MARGIN + cursor.y * CELL_HEIGHT + 1}" width="{CELL_WIDTH}" '
                f'height="{CELL_HEIGHT - 2}" fill="{FOREGROUND}"/>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}" font-family="{FONTS}" '
        f'font-size="{FONT_SIZE}" xml:space="preserve">',
        "<title>A session with ksh, the kernel's shell</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        *body, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "ksh.svg")
    parser.add_argument("--text", action="store_true", help="print the screen, draw nothing")
    parser.add_argument("--rows", type=int, default=52)
    parser.add_argument("--cols", type=int, default=104)
    parser.add_argument("commands", nargs="*", default=COMMANDS)
    args = parser.parse_args()

    build.ensure("release")
    session = Session(args.rows, args.cols, not args.text)
    try:
        session.wait("ksh's prompt", session.at_prompt)
        for command in args.commands:
            session.type(command)
    finally:
        session.end()
    if args.text:
        print("\n".join(line.rstrip() for line in session.screen.display).rstrip())
        return
    args.output.write_text(picture(session.screen), encoding="utf-8")
    say(f"made {relative(args.output)}")


if __name__ == "__main__":
    main()
