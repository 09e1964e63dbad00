"""The console's terminal, as a person at the keyboard and a program in front of it see it."""

import time

from conftest import RAMDISK_TREE

HOSTNAME = (RAMDISK_TREE / "etc" / "hostname").read_text().strip()


def start(machine, command):
    """Types a command that goes on running; returns when it runs (cat), or had time to start."""
    machine.wait_for_prompt()
    machine.screen.reset()
    if command == "/bin/cat":       # with a file before its input, it says that it is there
        machine.send("/bin/cat /etc/hostname -\r")
        machine.wait_for(lambda lines: HOSTNAME in lines)
        machine.screen.reset()
        return
    machine.send(command + "\r")
    machine.wait_for(command)
    time.sleep(0.5)


def screen_has(*expected):
    """The lines of the screen without the prompt's, and the end of one that start() has seen."""
    return lambda lines: [line for line in lines
                          if line and not line.startswith("ksh>")][:len(expected)] == list(expected)


def test_a_line_is_edited_before_the_program_sees_it(machine):
    start(machine, "/bin/cat")
    machine.send("helloo\x7f\x7fo there\r")
    machine.wait_for(screen_has("hello there", "hello there"))
    machine.send("one two\x17three\r")
    machine.wait_for(screen_has("hello there", "hello there", "one three", "one three"))
    machine.send("all of it\x15kept\r")
    machine.wait_for(lambda lines: lines[-2:] == ["kept", "kept"])
    machine.send("grüße\x7f\x7fn\r")
    machine.wait_for(lambda lines: lines[-2:] == ["grün", "grün"])


def test_control_d_ends_the_input(machine):
    start(machine, "/bin/cat")
    machine.send("half")
    machine.wait_for("half")
    machine.send("\x04")            # not at the start of a line: sends what is there
    machine.wait_for("halfhalf")
    machine.send("\r\x04")
    machine.wait_for_prompt()


def test_control_c_ends_what_reads_and_what_computes(machine):
    for command in ("/bin/cat", "spin"):
        start(machine, command)
        machine.send("\x03")
        machine.wait_for("^C")
        machine.wait_for_prompt(10)
        assert "130" in machine.text()


def test_control_s_holds_the_output_and_control_q_lets_it_go(machine):
    start(machine, "/bin/cat")
    machine.send("\x13")
    machine.send("held\r")
    deadline_s = time.monotonic() + 1
    while time.monotonic() < deadline_s:
        machine.read()
    assert machine.text().count("held") == 0    # the line is held, the echo with it
    machine.send("\x11")
    machine.wait_for(lambda lines: "\n".join(lines).count("held") == 2)


def test_a_log_line_stands_above_what_is_typed(machine):
    """A fault is told while the next command is half typed."""
    start(machine, "crash null &")
    machine.send("echo half")
    machine.wait_for("segmentation fault")
    machine.wait_for(lambda lines: lines[-1] == "ksh> echo half")
    told = [line for line in machine.lines() if "segmentation fault" in line]
    assert len(told) == 1 and told[0].startswith("[")


def test_what_is_typed_with_the_command_is_the_programs(machine):
    machine.send("/bin/cat\rtyped line\redited\x7f\x7fing\r\x04")
    machine.wait_for(lambda lines: lines.count("typed line") == 2 and lines.count("editing") == 2)
    machine.wait_for_prompt()
    machine.send("spin\r\x03")
    machine.wait_for("[SIGINT: interrupted by Ctrl-C, status 130]")


def test_type_ahead_is_kept_for_the_next_reader(machine):
    start(machine, "/bin/sleep 1")
    machine.send("echo typed ahead\r")
    machine.wait_for(lambda lines: "typed ahead" in lines, 10)


def test_a_background_program_does_not_take_the_input(machine):
    start(machine, "/bin/cat &")
    machine.wait_for("I/O error")
    machine.send("\r")
    assert machine.run("echo mine") == ["mine"]
