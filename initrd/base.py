#!/usr/bin/python3
"""Stage the base ramdisk and make its image.

/ is initrd/root, the folders of EMPTY, our programs in /bin, busybox with its applets as links in
/usr/bin, the C library as /lib/ld-musl-x86_64.so.1, the kernel shell as /lib/ksh and keyboard
layouts in /lib/keymaps. The staged tree stays
beside the image: a run with further files makes its image of that tree and them. Does nothing when
nothing that goes in has changed.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from mkimage import ImageError, fixed_time, make_image

HERE = Path(__file__).resolve().parent
SKELETON = HERE / "root"
# git keeps no empty folders, and no modes but the executable bit.
EMPTY = {"bin": 0o755, "sbin": 0o755, "usr/bin": 0o755, "usr/sbin": 0o755, "lib": 0o755,
         "etc": 0o755, "home": 0o755, "dev": 0o755, "proc": 0o755, "sys": 0o755,
         "mnt": 0o755, "run": 0o755, "var": 0o755, "root": 0o700, "tmp": 0o1777}

# Programs that run as their owner, root; files that only root reads.
SET_UID = {"su", "passwd"}
PRIVATE = {"etc/shadow"}
LINKS = {"sbin/init": "/bin/init", "sbin/getty": "/bin/getty", "bin/halt": "poweroff",
         "bin/reboot": "poweroff", "etc/mtab": "/proc/self/mounts"}
# Applets of busybox that our own programs take the place of: those who let people in, and first
# processes.
NO_APPLETS = {"init", "linuxrc", "getty", "id", "login", "su", "passwd", "poweroff", "reboot", "halt",
              "busybox"}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, required=True, metavar="DIR")
    parser.add_argument("--keymaps", type=Path, metavar="DIR", help="keyboard layouts")
    parser.add_argument("--ksh", type=Path, metavar="FILE", help="the kernel shell")
    parser.add_argument("--busybox", type=Path, metavar="FILE")
    parser.add_argument("--loader", type=Path, metavar="FILE",
                        help="the C library, which loads dynamic programs")
    parser.add_argument("--tree", type=Path, required=True, metavar="DIR", help="where to stage")
    parser.add_argument("--image", type=Path, required=True, metavar="FILE")
    parser.add_argument("--limit", type=int, default=4 << 20, metavar="BYTES")
    return parser.parse_args()


def contents(arguments):
    """Path in the ramdisk -> (file on the host, mode)."""
    files = {}
    for path in sorted(SKELETON.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(SKELETON))
            files[name] = (path, 0o600 if name in PRIVATE else 0o644)
    for path in sorted(arguments.programs.iterdir()):
        if path.is_file() and os.access(path, os.X_OK):
            files[f"bin/{path.name}"] = (path, 0o4755 if path.name in SET_UID else 0o755)
    if arguments.keymaps:
        for path in sorted(arguments.keymaps.iterdir()):
            files[f"lib/keymaps/{path.name}"] = (path, 0o644)
    if arguments.ksh:
        files["lib/ksh"] = (arguments.ksh, 0o644)
    if arguments.loader:
        files[f"lib/{arguments.loader.name}"] = (arguments.loader, 0o755)
    if arguments.busybox:
        files["bin/busybox"] = (arguments.busybox, 0o755)
    return files


def links(arguments):
    """Path in the ramdisk -> where it leads. An applet is a link in /usr/bin, and in /bin where a
    script expects the shell."""
    made = dict(LINKS)
    if arguments.busybox:
        made["bin/sh"] = "busybox"
        listed = subprocess.run([arguments.busybox, "--list"], capture_output=True, text=True,
                                check=True).stdout.split()
        made.update({f"usr/bin/{name}": "/bin/busybox" for name in listed
                     if name not in NO_APPLETS})
    return made


def checksum(files, links_made, limit):
    digest = hashlib.sha256(f"{fixed_time()} {limit}".encode())
    for source in (HERE / "base.py", HERE / "mkimage.py"):
        digest.update(source.read_bytes())
    for name, (path, mode) in files.items():
        digest.update(f"\0{name}\0{mode}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(repr(sorted(links_made.items())).encode())
    return digest.hexdigest()


def make_parents(tree, folder):
    """Folders that root/ has and EMPTY has not; whatever the umask is."""
    if folder.is_dir():
        return
    make_parents(tree, folder.parent)
    folder.mkdir()
    folder.chmod(0o755)


def stage(files, links_made, tree):
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    tree.chmod(0o755)
    for name, mode in EMPTY.items():
        (tree / name).mkdir(parents=True)
        (tree / name).chmod(mode)
    for name, (path, mode) in files.items():
        target = tree / name
        make_parents(tree, target.parent)
        shutil.copyfile(path, target)
        target.chmod(mode)
    for name, leads_to in links_made.items():
        (tree / name).symlink_to(leads_to)
    time = fixed_time()
    for folder, _, names in os.walk(tree, topdown=False):
        for name in names:
            os.utime(os.path.join(folder, name), (time, time), follow_symlinks=False)
        os.utime(folder, (time, time))


def main():
    arguments = parse_arguments()
    arguments.image.parent.mkdir(parents=True, exist_ok=True)
    mark_file = Path(f"{arguments.image}.made-from")
    with open(f"{arguments.image}.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        files = contents(arguments)
        links_made = links(arguments)
        mark = checksum(files, links_made, arguments.limit)
        if (mark_file.exists() and mark_file.read_text() == mark
                and arguments.image.exists() and arguments.tree.is_dir()):
            return
        mark_file.unlink(missing_ok=True)
        stage(files, links_made, arguments.tree)
        make_image(arguments.tree, arguments.image, arguments.limit)
        mark_file.write_text(mark)
        print(f"ramdisk: {len(files)} files, {arguments.image.stat().st_size >> 10} KiB"
              f"{'' if 'lib/ksh' in files else ', without ksh'}")


if __name__ == "__main__":
    try:
        main()
    except (ImageError, OSError) as error:
        sys.exit(f"base.py: {error}")
