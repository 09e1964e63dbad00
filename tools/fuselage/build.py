"""Building: configures a preset when it never was, runs ninja, shows one line of progress.

Two tools at once are kept apart by a lock on the build folder. A build with nothing to do costs one
start of ninja.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque

from .common import BASE_IMAGE, BUILD, PRESETS, ROOT, ToolError, kernel_elf, say

QUIET_S = 1
PROGRESS = re.compile(r"\[(\d+)/(\d+)\] (.*)")


class Progress:
    """One line that is written over on a terminal; elsewhere one line, if it takes a while."""

    def __init__(self, what):
        self.what = what
        self.terminal = sys.stderr.isatty()
        self.shown = False
        self.started_s = time.monotonic()

    def step(self, text):
        if self.terminal:
            width = shutil.get_terminal_size().columns - 1
            print("\r\x1b[K" + f"{self.what}: {text}"[:width], end="", file=sys.stderr, flush=True)
        elif not self.shown and time.monotonic() - self.started_s < QUIET_S:
            return
        elif not self.shown:
            say(f"building build/{self.what}")
        self.shown = True

    def end(self):
        if self.terminal and self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def configure(preset):
    """Makes build/PRESET; ninja itself runs CMake again when its files change."""
    cmake(preset, ["--preset", preset])


def cmake(directory, arguments):
    if (BUILD / directory / "build.ninja").exists():
        return
    say(f"setting up build/{directory}")
    made = subprocess.run(["cmake", *arguments], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if made.returncode:
        print(made.stdout, file=sys.stderr)
        raise ToolError(f"CMake could not set up build/{directory}; its output is above")


def ninja(directory, targets):
    """Builds TARGETS of a folder of build/; on failure prints what the failing command said."""
    progress = Progress(directory)
    environment = dict(os.environ, NINJA_STATUS="[%f/%t] ")
    command = ["ninja", "-C", str(BUILD / directory), f"-j{os.cpu_count() or 2}", *targets]
    kept = deque(maxlen=400)
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            step = PROGRESS.match(line)
            if step and "Re-checking globbed" not in line:
                progress.step(f"{step[1]}/{step[2]} {step[3]}")
            elif not line.startswith("ninja: Entering"):
                kept.append(line)
    progress.end()
    if process.returncode:
        print("".join(kept), end="", file=sys.stderr)
        raise ToolError(f"the {directory} build failed; by hand: ninja -C build/{directory} "
                        + " ".join(targets))


def ensure(preset, *targets):
    """Builds what is not up to date. Returns the kernel of PRESET."""
    with alone():
        configure(preset)
        ninja(preset, targets or ("image",))
    return kernel_elf(preset)


def ensure_host():
    """Builds the unit tests, a project of their own with the host's compiler."""
    with alone():
        cmake("host", ["-G", "Ninja", "-S", "tests/host", "-B", "build/host"])
        ninja("host", ("all",))


@contextlib.contextmanager
def alone():
    """Keeps other tools from building at the same time."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def boot_files(args, preset):
    """(kernel, ramdisk) for a command that boots. --kernel builds nothing."""
    if args.kernel:
        if not os.access(args.kernel, os.R_OK):
            raise ToolError(f"--kernel: cannot read {args.kernel}")
        kernel, ramdisk = args.kernel, args.ramdisk
    else:
        kernel = ensure(preset)
        ramdisk = args.ramdisk or BASE_IMAGE
        if not kernel.exists():
            raise ToolError(f"the {preset} build made no kernel: {kernel}")
    if ramdisk and not os.access(ramdisk, os.R_OK):
        raise ToolError(f"cannot read the ramdisk image {ramdisk}")
    return kernel, ramdisk


def main(args):
    for preset in [args.preset] if args.preset else PRESETS:
        say(f"{kernel_elf(preset)} is up to date" if ensure(preset).exists()
            else f"the {preset} build is done, and has no kernel")
    return 0
