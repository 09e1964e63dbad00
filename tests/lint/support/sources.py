"""What the linters share: which files are ours, and how the kernel's sources are compiled."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]
KERNEL_FOLDERS = ("abi", "lib", "arch", "sched", "mm", "ipc", "fusek", "kernel", "ksh")
# What only gcc knows; the meaning of the code does not depend on it.
GCC_ONLY = ("-mstack-protector-guard", "-Wimplicit-fallthrough", "-fno-delete-null",
            "-fconserve-stack", "-Werror")


def tracked(*suffixes):
    """Our files with one of SUFFIXES, also those not yet added to git, relative to the tree."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=TREE, check=True, capture_output=True, text=True).stdout
    return sorted(Path(name) for name in listed.split("\0")
                  if name.endswith(suffixes) and (TREE / name).is_file())


def kernel_files(*suffixes):
    return [path for path in tracked(*suffixes) if path.parts[0] in KERNEL_FOLDERS]


def clang_include():
    """clang's own stdint.h and friends, in the place of gcc's."""
    found = subprocess.run(["clang", "-print-resource-dir"], check=True, capture_output=True,
                           text=True).stdout.strip()
    return found + "/include"


def compilations():
    """(source, arguments for clang) of every C file of the kernel, generated ones left out."""
    commands = json.loads((TREE / "build/debug/compile_commands.json").read_text())
    headers = clang_include()
    for entry in commands:
        source = Path(entry["file"])
        if source.suffix != ".c" or "build" in source.relative_to(TREE).parts:
            continue
        if source.relative_to(TREE).parts[0] not in KERNEL_FOLDERS:
            continue
        words = shlex.split(entry["command"])[1:]
        arguments, skip = ["--target=x86_64-linux-gnu"], False
        for word in words:
            if skip or word in ("-c", str(source)):
                skip = False
            elif word in ("-o", "-MT", "-MF"):
                skip = True
            elif word.startswith("/usr/lib/gcc"):
                arguments.append(headers)
            elif word != "-MD" and not word.startswith(GCC_ONLY):
                arguments.append(word)
        yield source.relative_to(TREE), arguments


def report(complaints):
    """Prints COMPLAINTS and ends the script: 0 if there is none."""
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)
