"""Serial ports: flow control in both directions, settings, a BREAK, and the programs that use them.

COM1 is the console; COM2, where no host listens on the status port, is ttyS1, here a socket.
"""

import contextlib
import socket
import sys
import time

import pytest
from conftest import PROMPT, RAMDISK, TREE, kernel, on_this_terminal
from fuselage import qemu
from test_keyboard import Keys

sys.path.insert(0, str(TREE / "tests" / "user"))
import snake_player  # noqa: E402

XON, XOFF = b"\x11", b"\x13"
QUIET_S = 0.7


@pytest.fixture
def serial_machine(boot, tmp_path):
    """A machine at the prompt, its monitor, and the other end of its ttyS1."""
    path = tmp_path / "com2"
    monitor = tmp_path / "qmp"
    command = on_this_terminal(qemu.machine(kernel(), RAMDISK, "console=ttyS0"))
    machine = boot(command=command + [
        "-chardev", f"socket,id=com2,path={path},server=on,wait=off", "-serial", "chardev:com2",
        "-qmp", f"unix:{monitor},server=on,wait=off"])
    with contextlib.ExitStack() as stack:
        keys = stack.enter_context(contextlib.closing(Keys(monitor)))
        line = stack.enter_context(contextlib.closing(socket.socket(socket.AF_UNIX)))
        line.connect(str(path))
        machine.wait_for_prompt()
        yield machine, keys, line


def read_until_quiet(machine, quiet_s=QUIET_S):
    """What comes until nothing has come for a while."""
    before = len(machine.raw)
    deadline_s = time.monotonic() + quiet_s
    while time.monotonic() < deadline_s:
        seen = len(machine.raw)
        machine.read()
        if len(machine.raw) > seen:
            deadline_s = time.monotonic() + quiet_s
    return machine.raw[before:]


def test_xoff_stops_the_output_at_once_and_nothing_is_lost(machine):
    """Also what the driver has taken already: the other end has no room for it."""
    command = "hexdump /bin/sysinfo"
    whole = machine.run(command, 60)
    assert len(whole) > 200
    machine.wait_for_prompt()
    machine.screen.reset()
    start = len(machine.raw)
    machine.send(command + "\r")
    machine.wait_for("00000100")
    for _ in range(3):
        machine.send(XOFF)
        read_until_quiet(machine)
        assert PROMPT not in machine.lines()[-1], "it ended before it could be stopped"
        assert read_until_quiet(machine) == b""
        machine.send(XON)
        machine.read(1)
    machine.wait_for_prompt(60)
    shown = machine.raw[start:].replace(b"\r", b"").decode().splitlines()
    assert shown[-1 - len(whole):-1] == whole


def receive_until(line, what, timeout_s=20):
    line.settimeout(timeout_s)
    got = b""
    while what not in got:
        got += line.recv(4096)
    return got


def test_ixoff_holds_the_sender_and_nothing_is_lost(serial_machine):
    """Nobody reads ttyS1, so it asks its sender to stop, and to go on when somebody does."""
    machine, _, line = serial_machine
    assert machine.run("stty -F /dev/ttyS1 ixoff -echo") == []
    lines = [b"line %05d of what is sent while nobody reads\n" % n for n in range(600)]
    sent = 0
    line.setblocking(False)
    deadline_s = time.monotonic() + 30
    while True:                         # a sender that looks for XOFF before each line
        assert time.monotonic() < deadline_s, "it was never asked to stop"
        with contextlib.suppress(BlockingIOError):
            assert line.recv(1) == XOFF
            break
        assert sent < len(lines), "all of it was taken"
        line.setblocking(True)
        line.sendall(lines[sent])
        line.setblocking(False)
        sent += 1
        time.sleep(0.001)
    machine.wait_for_prompt()
    machine.screen.reset()
    machine.send("head -n 600 /dev/ttyS1 > /tmp/got\r")
    receive_until(line, XON)
    line.setblocking(True)
    for text in lines[sent:]:
        line.sendall(text)
    machine.wait_for_prompt()
    assert machine.run("wc /tmp/got")[0].split()[0] == "600"
    shown = machine.run("cat /tmp/got", 60)
    assert shown[-290:] == [text.decode().strip() for text in lines[-290:]]


def test_settings_are_kept_and_what_cannot_be_is_told(serial_machine):
    machine, _, _ = serial_machine
    assert machine.run("stty -F /dev/ttyS1")[0].startswith("speed 115200")
    assert machine.run("stty -F /dev/ttyS1 9600 cs7 parenb crtscts") == []
    shown = " ".join(machine.run("stty -F /dev/ttyS1"))
    assert "speed 9600" in shown and " cs7 " in shown and " parenb " in shown
    assert " crtscts" in shown and "-crtscts" not in shown
    assert "cannot" in machine.run("stty -F /dev/ttyS1 230400")[0]
    assert "speed 9600" in machine.run("stty -F /dev/ttyS1")[0]
    assert "no terminal" in " ".join(machine.run("serial-keys /dev/null"))


def test_a_break_is_a_key_to_the_kernel(serial_machine):
    machine, keys, _ = serial_machine
    keys.execute("human-monitor-command", **{"command-line": "chardev-send-break com1"})
    machine.send("h")
    machine.wait_for("sysrq: b reboot")
    machine.send("h")                   # one key each
    machine.wait_for("ksh> h")
    machine.send("\x15")
    machine.wait_for_prompt()
    machine.send("spin\r")
    machine.wait_for("ksh> spin")

    def kill():
        keys.execute("human-monitor-command", **{"command-line": "chardev-send-break com1"})
        machine.send("k")

    machine.press_until(kill, "status 137")
    machine.send("\x15")                # of a second press, the letter is left over
    machine.wait_for_prompt()


def test_a_break_is_a_mark_among_the_bytes(serial_machine):
    """PARMRK, on a port that is not the console."""
    machine, keys, line = serial_machine
    assert machine.run("stty -F /dev/ttyS1 raw parmrk") == []
    machine.send("head -n 1 /dev/ttyS1 > /tmp/got\r")
    machine.wait_for("/tmp/got")
    keys.execute("human-monitor-command", **{"command-line": "chardev-send-break com2"})
    line.sendall(b"\n")
    machine.wait_for_prompt()
    assert "ff 00 00 0a" in " ".join(machine.run("hexdump /tmp/got"))


def test_serial_keys_on_the_console(machine):
    machine.wait_for_prompt()
    machine.send("serial-keys\r")
    machine.wait_for("Keys of /dev/ttyS0")
    machine.send("\x1b[A")
    machine.wait_for(lambda lines: any("1b 5b 41" in text and "Up" in text for text in lines))
    machine.send("q")
    machine.wait_for_prompt()
    assert machine.run("echo as it was") == ["as it was"]


class Player:
    """A machine as snake_player wants it."""

    def __init__(self, machine):
        self.machine = machine
        self.lines = machine.lines
        self.send = machine.send
        self.wait_for = machine.wait_for


def test_snake_on_the_console(boot):
    machine = boot(command=on_this_terminal(
        qemu.machine(kernel(), RAMDISK, "console=ttyS0 rows=14 cols=40")))
    machine.wait_for_prompt()
    machine.screen.resize(14, 40)
    machine.send("snake --turns --seed 1\r")
    assert snake_player.play(Player(machine), meals=1) == 1
    machine.wait_for("game over, score 1")
    machine.send("q")
    machine.wait_for("snake: best score 1")
    assert machine.run("echo as it was") == ["as it was"]
