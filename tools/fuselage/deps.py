"""What the host needs: which tool comes from which Debian package, and installing what is missing.

Asks once before `sudo apt-get`; root and -y are not asked. Where there is no apt-get the missing
tools are listed by name and the command ends; once they are there nothing is said.
"""

import glob
import os
import platform
import shutil
import subprocess
import sys

from .common import ToolError, say

NATIVE = platform.machine() == "x86_64"
DIST_PACKAGES = "/usr/lib/python3/dist-packages/"

# What to look for -> the package that brings it. A slash means a file (a pattern), else a program.
COMPILE = {
    "cmake": "cmake", "ninja": "ninja-build", "nasm": "nasm",
    "x86_64-linux-gnu-gcc": "gcc" if NATIVE else "gcc-x86-64-linux-gnu",
    "x86_64-linux-gnu-ld": "binutils" if NATIVE else "binutils-x86-64-linux-gnu",
    "make": "make", "patch": "patch", "xz": "xz-utils", "dpkg-source": "dpkg-dev",
    "mke2fs": "e2fsprogs", "python3": "python3",
}
BOOT = {"qemu-system-x86_64": "qemu-system-x86"}
ISO = {"grub-mkrescue": "grub-common", "/usr/lib/grub/i386-pc/kernel.img": "grub-pc-bin",
       "/usr/lib/grub/x86_64-efi/kernel.img": "grub-efi-amd64-bin",
       "xorriso": "xorriso", "mformat": "mtools"}
UEFI = {"/usr/share/OVMF/OVMF_CODE.fd": "ovmf"}
DEBUG = {"gdb": "gdb", "gdbserver": "gdbserver"}
TEST = {
    "gcc": "gcc", "/usr/include/stdio.h": "libc6-dev", "/usr/include/cmocka.h": "libcmocka-dev",
    "clang": "clang", "clang-format": "clang-format", "clang-tidy": "clang-tidy",
    "/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a": "libclang-rt-14-dev",
    "git": "git", "llvm-cov": "llvm", "cppcheck": "cppcheck", "spin": "spin",
    "strace": "strace", "musl-gcc": "musl-tools",
    "/bin/busybox": "busybox-static", "bash-static": "bash-static",
    "zsh-static": "zsh-static",
    "mkfs.fat": "dosfstools", "mcopy": "mtools", "mkfs.erofs": "erofs-utils", "mkntfs": "ntfs-3g",
    DIST_PACKAGES + "pytest": "python3-pytest", DIST_PACKAGES + "pexpect": "python3-pexpect",
    DIST_PACKAGES + "pyte": "python3-pyte",
}
DRIVER = {"gcc": "gcc", "/usr/include/stdio.h": "libc6-dev", "pkg-config": "pkg-config",
          "/usr/include/fuse3/fuse.h": "libfuse3-dev", "fusermount3": "fuse3"}
NEEDS = {
    "build": [COMPILE], "run": [COMPILE, BOOT], "exec": [COMPILE, BOOT], "ramdisk": [COMPILE],
    "iso": [COMPILE, ISO], "debug": [COMPILE, BOOT, DEBUG],
    "test": [COMPILE, BOOT, ISO, UEFI, DEBUG, TEST, DRIVER],
    "bench": [COMPILE, BOOT], "report": [], "sources": [COMPILE],
    "new-driver": [], "test-driver": [COMPILE, BOOT, DRIVER],
}


def add_sbin_to_path():
    """mke2fs and debugfs live where an ordinary user's PATH does not look."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join(path + [d for d in ("/usr/sbin", "/sbin") if d not in path])


def missing(command):
    """What COMMAND needs and is not there: {tool: package}."""
    wanted = {tool: package for group in NEEDS[command] for tool, package in group.items()}
    return {tool: package for tool, package in wanted.items()
            if not (glob.glob(tool) if "/" in tool else shutil.which(tool))}


def ensure(command, yes):
    """Makes sure of all that COMMAND needs, or raises ToolError."""
    add_sbin_to_path()
    lacking = missing(command)
    if not lacking:
        return
    tools = ", ".join(sorted(lacking))
    if not shutil.which("apt-get"):
        raise ToolError(f"missing on this machine: {tools}. Please install them; "
                        "the names are those of the programs and files themselves.")
    packages = sorted(set(lacking.values()))
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    say(f"missing: {tools}")
    if as_root and not yes and not agreed(packages):
        raise ToolError("not installed. By hand: sudo apt-get install " + " ".join(packages))
    install(as_root, packages)
    still = missing(command)
    if still:
        raise ToolError("still missing after apt-get: " + ", ".join(sorted(still)))


def agreed(packages):
    """The one question."""
    if not sys.stdin.isatty():
        return False
    say("to install: " + " ".join(packages))
    answer = input("fuselage: run sudo apt-get install for these? [Y/n] ")
    return answer.strip().lower() in ("", "y", "yes")


def install(as_root, packages):
    quiet = as_root + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    for what, command in (("reading the package lists", quiet + ["update"]),
                          (f"installing {len(packages)} packages",
                           quiet + ["install", "--no-install-recommends", *packages])):
        say(what)
        done = subprocess.run(command, stdin=subprocess.DEVNULL if not as_root else None,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)
        if done.returncode:
            print(done.stdout, file=sys.stderr)
            raise ToolError("apt-get failed; its output is above")
