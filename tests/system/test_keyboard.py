"""The PS/2 keyboard: keys that QEMU's monitor presses reach the terminal as they shall.

`machine_with_keys` is a machine whose serial console is watched as ever and whose keyboard is
pressed through QMP, by the names of the keys of a US keyboard.
"""

import contextlib
import json
import socket
import time

import pytest
from conftest import PROMPT, RAMDISK, kernel, on_this_terminal
from fuselage import qemu

# QEMU's names of the keys of a US keyboard (qapi/ui.json, QKeyCode), by what they mean there.
NAMES = {" ": "spc", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right",
         ";": "semicolon", "'": "apostrophe", "`": "grave_accent", "\\": "backslash",
         ",": "comma", ".": "dot", "/": "slash", "\n": "ret", "\t": "tab"}
SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))


class Keys:
    """The keyboard, by QMP."""

    def __init__(self, path):
        deadline_s = time.monotonic() + 20
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                assert time.monotonic() < deadline_s, "QEMU has not opened its monitor"
                time.sleep(0.02)
        self.stream = self.socket.makefile("rw")
        self.stream.readline()          # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "event" not in answer:
                assert "error" not in answer, answer
                return answer["return"]

    def event(self, *keys):
        """Keys go down or up: "a" down, "-a" up."""
        events = [{"type": "key", "data": {"down": not key.startswith("-") or key == "-",
                                           "key": {"type": "qcode", "data": key.removeprefix("-")}}}
                  for key in keys]
        self.execute("input-send-event", events=events)

    def press(self, *keys):
        """All down, one after the other, and up again: press("shift", "a")."""
        self.event(*keys)
        self.event(*("-" + key for key in reversed(keys)))

    def type(self, text):
        for character in text:
            if character.isupper():
                self.press("shift", character.lower())
            elif character in SHIFTED:
                plain = SHIFTED[character]
                self.press("shift", NAMES.get(plain, plain))
            else:
                self.press(NAMES.get(character, character))

    def close(self):
        self.stream.close()
        self.socket.close()


@pytest.fixture
def machine_with_keys(boot, tmp_path):
    """machine_with_keys(append="keymap=de") -> (machine, keys), at the prompt."""
    opened = []

    def start(append="", **options):
        path = tmp_path / f"qmp{len(opened)}"
        command = qemu.machine(kernel(), RAMDISK, "console=ttyS0 " + append, **options)
        machine = boot(command=on_this_terminal(
            command + ["-qmp", f"unix:{path},server=on,wait=off"]))
        opened.append(Keys(path))
        machine.wait_for_prompt()
        return machine, opened[-1]

    yield start
    for keys in opened:
        keys.close()


ASCII = "Hello, World! {A-z} (1+2)*3 = $9 | ~_^%@ : \"x\" <?>#&[;]`\\"


@pytest.mark.parametrize("append", ["", "i8042=set2"])
def test_a_command_with_shifted_keys(machine_with_keys, append):
    """Both with the controller's translation and without."""
    machine, keys = machine_with_keys(append)
    command = f"echo '{ASCII}' > /tmp/x"
    for typed in range(1, len(command) + 1):    # QEMU's keyboard keeps 16 bytes for a busy machine
        keys.type(command[typed - 1])
        shown = f"ksh> {command[:typed]}".rstrip()
        machine.wait_for(lambda lines, shown=shown: bool(lines) and lines[-1] == shown)
    keys.type("\n")
    machine.wait_for(lambda lines: len(lines) > 1 and lines[-1] == PROMPT and command in lines[-2])
    assert machine.run("cat /tmp/x") == [ASCII]


def test_layouts(machine_with_keys):
    """keymap=NAME, ksh's `keymap`, AltGr, dead keys, and a file that is no layout."""
    machine, keys = machine_with_keys("keymap=de")
    keys.type("cat")                # the keys of a US keyboard: Shift-7 is the slash
    keys.press("shift", "7")
    machine.wait_for("ksh> cat/")
    keys.press("ctrl", "u")
    keys.type("echo ")
    keys.press("alt_r", "q")        # @
    keys.type("yz;['")              # zy, then the umlauts
    keys.press("equal")             # a dead acute
    keys.press("e")
    keys.press("alt_r", "minus")    # the backslash, and what it hides
    keys.press("alt_r", "8")
    keys.press("alt_r", "e")
    machine.wait_for("ksh> echo @zyöüäé\\[€")
    keys.type("\n")
    machine.wait_for(lambda lines: "@zyöüäé[€" in lines)
    assert "de" in machine.run("keymap")[0]
    assert machine.run("keymap us") == []
    keys.type("yz")
    machine.wait_for("ksh> yz")
    keys.press("ctrl", "u")
    assert machine.run("keymap dvorak") == []
    keys.type("jd;p")
    machine.wait_for("ksh> hesl")
    keys.press("ctrl", "f")         # u
    assert "no such layout" in machine.run("keymap nowhere")[0]
    assert "no layout" in "".join(machine.run("keymap /bin/true"))
    keys.type("x")
    machine.wait_for("ksh> q")      # it stayed as it was


def test_a_machine_without_a_keyboard(boot):
    """Nothing waits for a controller that is not there."""
    command = qemu.machine(kernel(), RAMDISK, "console=ttyS0")
    command[command.index("q35")] = "q35,i8042=off"
    machine = boot(command=on_this_terminal(command))
    machine.wait_for_prompt()
    machine.wait_for(lambda lines: any("no keyboard controller" in line
                                       for line in machine.run("dmesg")))


def test_control_c_and_sysrq(machine_with_keys):
    machine, keys = machine_with_keys()
    machine.send("spin\r")
    machine.wait_for("ksh> spin")
    keys.press("ctrl", "c")
    machine.wait_for("SIGINT")
    machine.wait_for_prompt()
    machine.screen.reset()
    machine.send("spin\r")
    machine.wait_for("spin")
    machine.press_until(lambda: keys.press("alt", "sysrq", "k"), "status 137")
    machine.wait_for_prompt()
    with contextlib.suppress(OSError, ValueError):      # QEMU may be gone before it answers
        keys.event("ctrl", "alt", "delete")
    assert machine.wait_for_end() == 0
