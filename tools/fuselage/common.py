"""Where things lie, and how the tool speaks to the person in front of it."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"
SHARED = BUILD / "shared"
BASE_IMAGE = SHARED / "ramdisk" / "base.img"
BASE_TREE = SHARED / "ramdisk" / "tree"
PRESETS = ("debug", "release")


class ToolError(Exception):
    """What went wrong, in a sentence for the user."""


def say(text):
    """A line for the user. Standard output belongs to the guest's program, so this is stderr."""
    print(f"fuselage: {text}", file=sys.stderr, flush=True)


def kernel_elf(preset):
    """The shipped kernel."""
    return BUILD / preset / "fuselage.elf"


def kernel_debug(preset):
    """The same kernel with symbols."""
    return BUILD / preset / "kernel.debug"


def relative(path):
    """PATH as a person in the current directory would type it."""
    try:
        return os.path.relpath(path)
    except ValueError:
        return str(path)
