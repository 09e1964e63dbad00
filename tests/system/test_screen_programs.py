"""The programs that use screen and keys, on the machine's own: cells in text mode, and pixels.

On the serial console they are tested in test_serial.py, on the host in tests/user/.
"""

import sys

from conftest import TREE
from screen import Picture, kernel_options, screen_machine  # noqa: F401  (a fixture)
from test_screen import commands

sys.path.insert(0, str(TREE / "tests" / "user"))
import snake_player  # noqa: E402


class Player:
    """A machine in text mode as snake_player wants it."""

    def __init__(self, machine):
        self.machine = machine

    def lines(self):
        """Python leaves code page 437's first characters what they are in ASCII."""
        return [line.replace("\x04", "\u2666") for line in self.machine.vga_text().lines()]

    def wait_for(self, found):
        self.machine.wait_for(self.lines_picture, lambda picture: found(picture.shown))

    def lines_picture(self):
        picture = self.machine.vga_text()
        picture.shown = [line.replace("\x04", "\u2666") for line in picture.lines()]
        return picture


def test_snake_in_the_cells_of_text_mode(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options(commands("echo before", "snake --turns --seed 1")))
    player = Player(machine)
    head = snake_player.Board(player).head
    machine.press("d")
    board = snake_player.wait_for_head(player, (head[0] + 1, head[1]))
    assert board.width == 39 and board.height == 22
    picture = machine.vga_text()
    assert picture.colours("oo") == {(15, 2)}           # its eyes, white on green
    for step in range(board.head[1]):
        machine.press("up")                             # a key that sends three bytes
        snake_player.wait_for_head(player, (board.head[0], board.head[1] - 1 - step))
    machine.press("up")
    machine.wait_for(machine.vga_text, "game over, score 0")
    machine.press("q")
    picture = machine.wait_for(machine.vga_text, Picture.at_prompt)
    assert "before" in picture.text() and "best score 0" in picture.text()


def colours(machine):
    return {colour for row in machine.pixels()[::4] for colour in row}


def test_plasma_moves_in_pixels_and_gives_the_screen_back(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("video=640x480 " + commands("plasma")))
    seen = []

    def moves(_):
        if len(colours(machine)) > 100:
            seen.append(machine.pixels())
        return len(seen) > 1 and seen[-1] != seen[0]

    machine.wait_for(machine.picture, moves)
    machine.press("spc")
    machine.wait_for(machine.picture, Picture.at_prompt)


def test_mandelbrot_in_pixels_waits_for_a_key(screen_machine):  # noqa: F811
    machine = screen_machine(kernel_options("video=640x480 " + commands("mandelbrot --fb")))
    # Rows are drawn in eight passes: the last one is there when all rows have the set's outside.
    machine.wait_for(machine.picture, lambda _: all(
        colour != 0 for colour in (row[0] for row in machine.pixels())))
    assert len(colours(machine)) > 15
    assert machine.pixels()[240][300] == 0              # inside
    machine.press("ret")
    machine.wait_for(machine.picture, Picture.at_prompt)
