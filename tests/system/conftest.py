"""What the tests of the whole machine share.

`fexec` runs a program with ./fuselage exec; `machine` is a booted kernel at the ksh prompt, driven
through ./fuselage run in a pseudo terminal, as a person would. What is on the screen is kept by
pyte, so tests read what a person reads and not how it was drawn.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pyte
import pytest

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tools"))
from fuselage import qemu    # noqa: E402  (their place is known only now)

TOOL = TREE / "fuselage"
RAMDISK = TREE / "build" / "shared" / "ramdisk" / "base.img"
RAMDISK_TREE = TREE / "build" / "shared" / "ramdisk" / "tree"
PROMPT = "ksh>"
ROWS, COLUMNS = 300, 120        # tall, so that the output of a command stays on the screen
BOOT_LIMIT_S = 60
HALTED = "The machine is halted."


def kernel(preset="debug"):
    """The shipped kernel of a build."""
    return TREE / "build" / preset / "fuselage.elf"


def on_this_terminal(command):
    """QEMU's command line with COM1 on the terminal, where no key means anything to QEMU."""
    return [*map(str, command), "-display", "none",
            "-chardev", "stdio,id=com1,signal=off", "-serial", "chardev:com1"]


def measuring_machine(preset="release", append="", smp=1, mem_mib=qemu.ICOUNT_MEM_MIB):
    """The machine of exec --icount, at ksh: its time is the instructions it executed, so nothing
    that this host is busy with changes what happens on it."""
    return on_this_terminal(qemu.measuring_machine(kernel(preset), RAMDISK, append, mem_mib)
                            + ["-smp", str(smp)])


@pytest.fixture
def fexec(tmp_path):
    """fexec("ls", "-l", options=["--smp", "2"]) -> CompletedProcess, in an empty folder."""
    def run(*argv, options=(), **keywords):
        if "input" not in keywords and "stdin" not in keywords:
            keywords["stdin"] = subprocess.DEVNULL
        return subprocess.run([TOOL, "exec", *map(str, options), "--", *map(str, argv)],
                              cwd=keywords.pop("cwd", tmp_path),
                              timeout=keywords.pop("timeout", 300),
                              stdout=keywords.pop("stdout", subprocess.PIPE),
                              stderr=subprocess.PIPE, check=False, **keywords)
    return run


class Machine:
    """A machine in a terminal, and what is on its screen."""

    def __init__(self, command):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.rows = [""] * ROWS     # what lines() has read; those of screen.dirty have changed
        self.child = pexpect.spawn(command[0], [str(word) for word in command[1:]],
                                   dimensions=(ROWS, COLUMNS))
        self.child.delaybeforesend = None

    def lines(self):
        """The screen's lines without what is blank at their ends, and at the screen's."""
        for y in self.screen.dirty:
            row = self.screen.buffer[y]
            self.rows[y] = "".join(row[x].data for x in range(self.screen.columns)).rstrip()
        self.screen.dirty.clear()
        end = self.screen.lines
        while end and not self.rows[end - 1]:
            end -= 1
        return self.rows[:end]

    def text(self):
        return "\n".join(self.lines())

    def read(self, timeout_s=0.2):
        """Takes what has come. False at the machine's end."""
        try:
            data = self.child.read_nonblocking(65536, timeout_s)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self.stream.feed(data)
        return True

    def wait_for(self, what, timeout_s=30):
        """Until the screen holds the text `what`, or until `what(lines)` is true."""
        found = what if callable(what) else lambda lines: any(what in line for line in lines)
        deadline_s = time.monotonic() + timeout_s
        while not found(self.lines()):
            alive = self.read()
            if not alive and not found(self.lines()):
                pytest.fail(f"the machine ended; its screen:\n{self.text()}")
            if HALTED in self.text() and not found(self.lines()):
                deadline_s = 0      # nothing more will come
            if time.monotonic() > deadline_s:
                pytest.fail(f"not seen within {timeout_s} s: {what}; the screen:\n{self.text()}")

    def press_until(self, press, what):
        """A kernel's key that comes before the program which it is meant for is nobody's, and when
        that one is there is not to be seen: PRESS() again, until the screen holds WHAT."""
        press()
        for _ in range(30):
            try:
                self.wait_for(what, 1)
                return
            except pytest.fail.Exception:
                press()
        self.wait_for(what, 1)

    def wait_for_prompt(self, timeout_s=BOOT_LIMIT_S):
        self.wait_for(lambda lines: bool(lines) and lines[-1].strip() == PROMPT, timeout_s)

    def send(self, text):
        self.child.send(text)

    def run(self, command, timeout_s=30):
        """Types a command at the prompt; returns the lines that it printed."""
        self.wait_for_prompt()
        self.screen.reset()
        self.send(command)
        self.wait_for(command)
        self.send("\r")
        typed = f"{PROMPT} {command}"
        rows = -(-len(typed) // COLUMNS)

        def rows_typed(lines):
            return [row for row, line in enumerate(lines) if line == typed[:COLUMNS]]

        def done(lines):
            """A prompt that is the last is a new one below the command; where that is gone from the
            screen, one after which nothing comes: a line is drawn again in pieces."""
            if len(lines) < 2 or lines[-1].strip() != PROMPT:
                return False
            before = len(self.raw)
            return bool(rows_typed(lines)) or (self.read() and len(self.raw) == before)

        self.wait_for(done, timeout_s)
        lines = self.lines()
        typed_at = rows_typed(lines)
        return lines[typed_at[-1] + rows if typed_at else 1:-1]

    def wait_for_end(self, timeout_s=20):
        """Until the machine has switched itself off; returns the tool's exit status."""
        deadline_s = time.monotonic() + timeout_s
        while self.read(0.2):
            if time.monotonic() > deadline_s:
                pytest.fail(f"still on after {timeout_s} s; the screen:\n{self.text()}")
        self.child.wait()
        return self.child.exitstatus

    def close(self):
        self.child.close(force=True)


def used_kib(machine):
    """What `mem` says of programs and stacks."""
    (line,) = [line for line in machine.run("mem") if "programs, stacks" in line]
    number, unit = re.search(r"([\d.]+) (\wiB)", line).groups()
    return float(number) * {"KiB": 1, "MiB": 1024}[unit]


@pytest.fixture
def boot():
    """boot("--smp", "2") -> Machine; all are ended with the test. boot(command=[...]) for others."""
    machines = []

    def start(*options, command=None):
        machines.append(Machine(command or [str(TOOL), "run", *options]))
        return machines[-1]

    yield start
    for machine in machines:
        machine.close()
    assert not [machine for machine in machines if b"the end of its kernel stack" in machine.raw]


@pytest.fixture
def machine(boot):
    """A machine at the prompt."""
    booted = boot()
    booted.wait_for_prompt()
    return booted


@pytest.fixture(scope="module")
def machine_of_the_module():
    """Where `shared_machine` keeps its machine: a list of one or none."""
    machines = []
    yield machines
    for booted in machines:
        booted.close()


@pytest.fixture
def shared_machine(machine_of_the_module, request):
    """A machine at the prompt, the same for all tests of a file, for those that leave it as they
    found it. One in which a test failed is not used again."""
    if not machine_of_the_module:
        machine_of_the_module.append(Machine([str(TOOL), "run"]))
    booted = machine_of_the_module[0]
    booted.wait_for_prompt()
    nfailed = request.session.testsfailed
    yield booted
    if request.session.testsfailed != nfailed:
        machine_of_the_module.pop().close()


@pytest.fixture(scope="session")
def iso(tmp_path_factory):
    """The ISO with both kernels."""
    image = tmp_path_factory.mktemp("iso") / "fuselage.iso"
    subprocess.run([TOOL, "iso", "--output", image], check=True, stdin=subprocess.DEVNULL,
                   env=dict(os.environ))
    return image
