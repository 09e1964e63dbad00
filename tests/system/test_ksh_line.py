"""Typing at ksh's prompt: editing, history, completion, lines longer than the window."""

import time

import pytest

LEFT, RIGHT, UP, DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
HOME, END, DELETE, BACKSPACE = "\x1b[H", "\x1b[F", "\x1b[3~", "\x7f"


def ctrl(letter):
    return chr(ord(letter) & 0x1f)


@pytest.fixture
def machine(shared_machine):
    yield shared_machine
    shared_machine.send(ctrl("C"))


def shows(machine, line):
    """Until the line at the prompt is this one."""
    machine.wait_for(lambda lines: bool(lines) and lines[-1] == f"ksh> {line}".rstrip(), 5)


@pytest.mark.parametrize("keys,line", [
    ("hello" + LEFT + LEFT + "XY", "helXYlo"),
    ("hello" + HOME + "X" + END + "Y", "XhelloY"),
    ("hello" + ctrl("A") + "X" + ctrl("E") + "Y", "XhelloY"),
    ("hello" + HOME + DELETE + DELETE + RIGHT + BACKSPACE, "lo"),
    ("one two three" + ctrl("W"), "one two"),
    ("one two" + LEFT + LEFT + LEFT + ctrl("K"), "one"),
    ("one two" + LEFT + LEFT + LEFT + ctrl("U"), "two"),
    ("äöü" + LEFT + LEFT + BACKSPACE + "日", "日öü"),
], ids=["left", "home-end", "ctrl-a-e", "delete", "ctrl-w", "ctrl-k", "ctrl-u", "utf-8"])
def test_keys_edit_the_line(machine, keys, line):
    machine.send(keys)
    shows(machine, line)


def test_history_and_search(machine):
    for command in ("echo first", "echo second", "pwd"):
        machine.run(command)
    machine.send(UP)
    shows(machine, "pwd")
    machine.send(UP + UP)
    shows(machine, "echo first")
    machine.send(DOWN)
    shows(machine, "echo second")
    machine.send(ctrl("C"))
    machine.wait_for_prompt()
    machine.send(ctrl("R") + "fir")
    machine.wait_for("(search `fir'): echo first")
    machine.send("\r")
    machine.wait_for(lambda lines: len(lines) > 1 and lines[-1].startswith("ksh>")
                     and lines[-2] == "first")


def test_tab_completes_commands_paths_and_words(machine):
    machine.send("mand\t")
    shows(machine, "mandelbrot")
    machine.send(ctrl("U") + "cat /etc/mo\t")
    shows(machine, "cat /etc/motd")
    machine.send(ctrl("U") + "ls /et\t")
    shows(machine, "ls /etc/")
    machine.send(ctrl("U") + "panic doub\t")
    shows(machine, "panic doublefault")
    machine.send(ctrl("U") + "c\t\t")
    machine.wait_for(lambda lines: any("cat" in line and "clear" in line and "crash" in line
                                       for line in lines))
    shows(machine, "c")


def test_a_line_longer_than_the_window_is_edited_whole(machine):
    words = " ".join(f"word{number}" for number in range(60))
    machine.send("echo " + words)
    machine.wait_for(lambda lines: lines[-1].endswith("word59"))
    machine.send(HOME + RIGHT * 5 + "X" + END + "Y")
    machine.wait_for(lambda lines: lines[-1].endswith("word59Y"))
    machine.screen.reset()
    machine.send("\r")
    machine.wait_for(lambda lines: "".join(lines).replace("ksh>", "").strip().endswith("word59Y"))
    printed = "".join(line.ljust(machine.screen.columns) for line in machine.screen.display)
    assert "Xword0 word1 " in printed


def test_the_window_may_change_its_size(boot):
    machine = boot()
    machine.run("pwd")
    machine.child.setwinsize(30, 40)
    machine.screen.resize(30, 40)
    deadline_s = time.monotonic() + 10
    machine.screen.reset()
    machine.send(ctrl("L"))
    while time.monotonic() < deadline_s:
        machine.send(ctrl("U") + ctrl("L") + "echo " + "x" * 50)
        # All that comes is read before more is sent, or each side waits for the other.
        again_s = time.monotonic() + 0.5
        while time.monotonic() < again_s:
            machine.read(0.1)
            lines = machine.lines()
            # 40 columns: the prompt, `echo `, 30 of the x, and the rest in the second row
            if len(lines) == 2 and lines[1] == "x" * 20:
                return
    pytest.fail(f"the line still wraps as before:\n{machine.text()}")


def test_control_d_and_exit_say_how_to_leave(machine):
    machine.send(ctrl("D"))
    machine.wait_for("poweroff switches the machine off")
    assert any("poweroff" in line for line in machine.run("exit"))
