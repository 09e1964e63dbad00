"""report: what to paste into a bug report, as Markdown on standard output.

Builds and installs nothing: what is missing or broken is what a report is for. Nothing leaves this
machine, and what would name its owner is left out: paths below the home folder, the host's name,
the environment, git's remotes and branches.
"""

import os
import platform
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from . import deps, qemu
from .common import BASE_IMAGE, BUILD, PRESETS, ROOT, ToolError, kernel_elf

BOOT_LIMIT_S = 60
SECTION_LINES = 60
LINE_BYTES = 300
KSH_COMMANDS = "cpu;mem;irq;mounts;poweroff"
ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[^\[])")
# Programs that say their version, and how they are asked.
ASKED = {"x86_64-linux-gnu-gcc": "--version", "x86_64-linux-gnu-ld": "--version",
         "nasm": "--version", "cmake": "--version", "ninja": "--version",
         "python3": "--version", qemu.QEMU: "--version", "grub-mkrescue": "--version",
         "gdb": "--version", "git": "--version"}


def anonymous(text):
    """TEXT without the paths that say whose machine this is."""
    text = text.replace(str(ROOT), "TREE").replace(f"{Path.home()}/", "~/")
    return re.sub(r"/home/[^/\s'\"]+", "~", text)


def bounded(text):
    """The last lines of TEXT, for a block of Markdown: nothing in it ends the block."""
    lines = [ESCAPES.sub("", line).rstrip().replace("```", "'''") for line in text.splitlines()]
    lines = ["".join(c for c in line if c.isprintable())[:LINE_BYTES] for line in lines]
    left_out = len(lines) - SECTION_LINES
    return ([f"[{left_out} lines before these]"] if left_out > 0 else []) + lines[-SECTION_LINES:]


def block(text):
    print("\n".join(["```", *bounded(text), "```"]))


def output(command, limit_s=20):
    """What COMMAND says, or None if it cannot be run or fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=limit_s, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def tree():
    commit = output(["git", "log", "-1", "--format=%h of %cs"])
    if not commit:
        return "no git clone, or no git here"
    changed = output(["git", "status", "--porcelain"]) or ""
    count = len(changed.splitlines())
    return commit.strip() + (f", and {count} files differ from it" if count else ", unchanged")


def host():
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "unknown system")
    except OSError:
        name = "unknown system"
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    kvm = "usable" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "not usable"
    return (f"{name}, {platform.system()} {platform.release()} on {platform.machine()}, "
            f"{os.cpu_count()} CPUs, {pages >> 20} MiB of memory, KVM {kvm}")


def versions():
    """One line a tool: what it says of itself, or that it is missing."""
    lacking = deps.missing("test")
    for tool, option in ASKED.items():
        path = shutil.which(tool)
        said = (output([path, option]) or "").splitlines() if path else []
        yield tool, said[0] if said else "there, and does not say" if path else "missing"
    for tool in sorted(set(lacking) - set(ASKED)):
        yield tool, f"missing (Debian package {lacking[tool]})"


def flags(preset):
    """How the kernel of PRESET is compiled: the flags of its main file, without folders and
    warnings."""
    wanted = re.compile(r'"command": "(.*kernel/main\.c)"')
    try:
        database = (BUILD / preset / "compile_commands.json").read_text(encoding="utf-8")
    except OSError:
        return "never set up"
    found = wanted.search(database)
    if not found:
        return "its compile_commands.json has no kernel/main.c"
    words = shlex.split(found[1].replace('\\"', '"').replace("\\\\", "\\"))
    kept, skip = [], False
    for word in words[1:]:
        skip, skipped = word in ("-o", "-isystem", "-c"), skip
        if not skip and not skipped and not word.startswith(("-I", "-W", "-ffile-prefix-map")):
            kept.append(word)
    return " ".join(kept)


def boot(preset):
    """(how it ended, what the console said) of a boot that shows the machine and powers off."""
    kernel = kernel_elf(preset)
    for needed in (kernel, BASE_IMAGE):
        if not needed.exists():
            return f"not done: {needed} is not built", ""
    words = "console=ttyS0 loglevel=debug ksh.run=" + KSH_COMMANDS.replace(";", "%3B")
    command = qemu.machine(kernel, BASE_IMAGE, words) + ["-display", "none", "-serial", "stdio"]
    try:
        process = qemu.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    except ToolError as error:
        return f"not done: {error}", ""
    try:
        said, _ = process.communicate(timeout=BOOT_LIMIT_S)
        ended = f"QEMU ended with status {process.returncode}"
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        ended = f"still running after {BOOT_LIMIT_S} s, ended by force"
    return f"{' '.join(command)}\n{ended}", said.decode(errors="replace")


def main(args):
    print("## Fuselage report\n")
    print(f"- tree: {tree()}")
    print(f"- host: {host()}")
    for preset in PRESETS:
        built = "built" if kernel_elf(preset).exists() else "not built"
        print(f"- {preset}: {built}; {anonymous(flags(preset))}")
    print("\n### Tools\n")
    for tool, version in versions():
        print(f"- {tool}: {anonymous(version)}")
    preset = args.preset or "debug"
    print(f"\n### A boot of the {preset} kernel\n", flush=True)
    ended, said = boot(preset)
    block(anonymous(ended))
    if said:
        block(said)
    return 0
