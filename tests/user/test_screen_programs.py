"""The programs that use screen and keys, in a pseudo terminal whose screen pyte keeps."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pyte
import pytest
import snake_player
from conftest import command

ROWS, COLUMNS = 14, 40


class Terminal:
    """A program in a terminal."""

    def __init__(self, name, *arguments, rows=ROWS, columns=COLUMNS):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(command(name, *arguments), stdin=self.slave,
                                        stdout=self.slave, stderr=self.slave,
                                        env={"TERM": "xterm"})

    def lines(self):
        return self.screen.display

    def wait_for(self, found, timeout_s=20):
        """Until found(lines) is true; a text: until it is seen."""
        holds = found if callable(found) else lambda lines: any(found in line for line in lines)
        deadline_s = time.monotonic() + timeout_s
        while not holds(self.lines()):
            assert time.monotonic() < deadline_s, "\n".join(self.lines())
            if select.select([self.master], [], [], 0.05)[0]:
                data = os.read(self.master, 65536)
                self.raw += data
                self.stream.feed(data)

    def send(self, text):
        os.write(self.master, text.encode())

    def end(self):
        """Its exit status, once it has put the terminal back."""
        deadline_s = time.monotonic() + 20
        while self.process.poll() is None:
            self.wait_for(lambda _: True)
            if select.select([self.master], [], [], 0.02)[0]:
                self.raw += os.read(self.master, 65536)
            assert time.monotonic() < deadline_s
        while select.select([self.master], [], [], 0)[0]:
            self.raw += os.read(self.master, 65536)
        assert termios.tcgetattr(self.slave) == self.before
        return self.process.returncode

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal():
    opened = []

    def start(*arguments, **options):
        opened.append(Terminal(*arguments, **options))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_snake_eats_grows_and_dies(terminal):
    snake = terminal("snake", "--turns", "--seed", "1")
    score = snake_player.play(snake, meals=3)
    assert score == 3
    snake.wait_for("game over, score 3")
    snake.send("x")                     # another game
    snake.wait_for(lambda lines: "score 0" in lines[0] and "best 3" in lines[0])
    snake.send("q")
    assert snake.end() == 0
    assert b"\x1b[?1049l" in snake.raw and b"snake: best score 3" in snake.raw


def test_snake_does_not_turn_into_its_neck(terminal):
    snake = terminal("snake", "--turns", "--seed", "1")
    head = snake_player.Board(snake).head
    snake.send("d")
    snake_player.wait_for_head(snake, (head[0] + 1, head[1]))
    snake.send("a")                     # back: it goes on to the right
    snake_player.wait_for_head(snake, (head[0] + 2, head[1]))


def test_snake_moves_by_itself_and_pauses(terminal):
    snake = terminal("snake", "--speed", "20")
    snake.wait_for("oo")
    snake.send("p")
    snake.wait_for("paused")
    snake.send("x")
    snake.wait_for("game over", 30)     # nobody steers: it meets the frame


def test_snake_needs_a_terminal_of_some_size(terminal, run):
    assert "no terminal" in run("snake").stderr
    snake = terminal("snake", rows=4)
    assert snake.end() == 1
    assert b"too small" in snake.raw


def test_plasma_draws_half_blocks_in_true_colours(terminal):
    plasma = terminal("plasma", "--terminal", "--frames", "1000000")
    plasma.wait_for(lambda lines: all(line == "\u2580" * COLUMNS for line in lines))
    colours = {cell.fg for row in plasma.screen.buffer.values() for cell in row.values()}
    assert len(colours) > 30
    before = plasma.raw.count(b"\x1b[H")
    plasma.wait_for(lambda _: plasma.raw.count(b"\x1b[H") > before + 2)     # it moves
    plasma.send(" ")
    assert plasma.end() == 0
    assert plasma.raw.rstrip().endswith(b"\x1b[?1049l")


def test_plasma_ends_after_its_frames(run):
    done = run("plasma", "--terminal", "--frames", "2")
    assert done.returncode == 0 and done.stdout.count("\x1b[H") == 2


def test_serial_keys_names_keys():
    """A pseudo terminal is the device, and what is typed at its other end is named."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    program = subprocess.Popen(command("serial-keys", os.ttyname(slave)),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with program:
        assert b"Keys of" in program.stdout.readline()
        for sent, name in (("a", "a"), ("\x01", "Ctrl-A"), ("\x1b[A", "Up"), ("\x1bOD", "Left"),
                           ("\x1b[[B", "F2"), ("\x1b[15~", "F5"), ("\x1b[3~", "Delete"),
                           ("\x1bx", "Alt-x"), ("\u20ac", "\u20ac"), ("\r", "Enter"),
                           ("\x1b", "Escape"), ("\x7f", "Backspace"), ("\x1b[99z", "unknown")):
            os.write(master, sent.encode())
            line = program.stdout.readline().decode().rstrip("\n")
            assert line.split()[:-1] == [f"{byte:02x}" for byte in sent.encode()]
            assert line.split()[-1] == name
        os.write(master, b"q")
        assert program.wait(timeout=20) == 0
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_serial_keys_wants_a_terminal(run):
    assert "no terminal" in run("serial-keys", "/dev/null").stderr
    assert "No such file" in run("serial-keys", "/dev/nowhere").stderr


def test_mandelbrot_without_a_framebuffer_says_so(run):
    if os.path.exists("/dev/fb0"):
        pytest.fail("this host has a framebuffer: the test would draw on it")
    done = run("mandelbrot", "--fb")
    assert done.returncode == 1
    assert re.search(r"/dev/fb0: No such file", done.stderr)
