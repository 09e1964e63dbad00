"""Ramdisk images: of any directory, and of the base with files added for one run (--add)."""

import contextlib
import os
import posixpath
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .common import BASE_TREE, BUILD, ROOT, ToolError, relative, say

MKIMAGE = ROOT / "initrd" / "mkimage.py"


def make_image(tree, image):
    """The ext2 image of TREE."""
    made = subprocess.run([sys.executable, "-S", "-E", "-B", str(MKIMAGE), str(tree), str(image)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if made.returncode:
        raise ToolError(f"no image of {tree}: {made.stdout.strip()}")


def add(tree, host, guest):
    """Puts HOST into the staged TREE at GUEST. Symlinks of the tree are not followed."""
    base = os.path.basename(os.path.abspath(host))
    if not guest:
        guest = "/tmp/" + base
    elif guest.endswith("/"):
        guest += base
    name = posixpath.normpath("/" + guest).lstrip("/")
    if not name:
        raise ToolError("--add: the root directory itself cannot be replaced")
    target = tree
    for part in name.split("/")[:-1]:
        target = target / part
        if target.is_symlink() or (target.exists() and not target.is_dir()):
            raise ToolError(f"--add: {guest}: /{target.relative_to(tree)} is no directory")
        target.mkdir(exist_ok=True)
    target = tree / name
    try:
        if os.path.isdir(host):
            shutil.copytree(host, target, symlinks=True, dirs_exist_ok=True)
        else:
            if target.is_symlink() or target.exists():
                target.unlink()
            shutil.copy2(host, target)
    except (OSError, shutil.Error) as error:
        raise ToolError(f"--add: {host}: {error}") from None


@contextlib.contextmanager
def with_files(pairs, base_image):
    """An image of the base and the (host, guest) PAIRS, gone afterwards."""
    if base_image:
        raise ToolError("--add works on the base ramdisk: leave --ramdisk out, "
                        "or put the files into your image")
    if not BASE_TREE.is_dir():
        raise ToolError(f"no base ramdisk at {relative(BASE_TREE)}: ./fuselage build makes it")
    for host, _ in pairs:
        if not os.path.exists(host):
            raise ToolError(f"--add: there is no {host}")
    with tempfile.TemporaryDirectory(prefix="ramdisk.", dir=BUILD) as scratch:
        tree = Path(scratch) / "tree"
        shutil.copytree(BASE_TREE, tree, symlinks=True)
        for host, guest in pairs:
            add(tree, host, guest)
        image = Path(scratch) / "image"
        make_image(tree, image)
        shutil.rmtree(tree)
        yield image


def main(args):
    source = Path(args.dir)
    if not source.is_dir():
        raise ToolError(f"{args.dir} is no directory")
    image = Path(args.output or source.resolve().name + ".img")
    make_image(source, image)
    say(f"made {image}, {image.stat().st_size} bytes; ./fuselage run --ramdisk {image}")
    return 0
