"""The calls that musl and busybox make are in the table as done, or it is said here why not."""

import re
import subprocess
import sys

from conftest import TREE

sys.path.insert(0, str(TREE / "tools"))
import gensyscalls  # noqa: E402

PACKAGES = TREE / "build" / "shared" / "packages"
MUSL = PACKAGES / "musl" / "src"
BUSYBOX = PACKAGES / "busybox-static" / "bin" / "busybox"

# ENOSYS, as of a Linux that is built without the thing.
NOT_THERE = {
    "accounting of ended processes": {"acct"},
    "modules": {"init_module", "delete_module"},
    "fanotify": {"fanotify_init", "fanotify_mark"},
    "ports for programs": {"ioperm", "iopl"},
    "quotas": {"quotactl"},
    "swap": {"swapon", "swapoff"},
    "segments, which 64-bit programs have on no Linux": {"set_thread_area"},
    "non-linear mappings": {"remap_file_pages"},
}
# What is partial: docs/syscalls.md says what of it is not served.
PARTIAL = {
    "namespaces and control groups": {"clone", "clone3", "unshare", "setns"},
    "others": {"open_by_handle_at", "ptrace", "reboot"},
}


def names_of_musl(known):
    """By its sources, which name calls of other machines too."""
    words = set()
    for path in MUSL.rglob("*"):
        if path.suffix in (".c", ".h", ".s", ".S"):
            words |= set(re.findall(r"\bSYS_(\w+)", path.read_text(errors="replace")))
    return words & known


def numbers_of(program):
    """By its code: the last number that went into eax before a syscall."""
    code = subprocess.run(["x86_64-linux-gnu-objdump", "-d", "--no-show-raw-insn", program],
                          capture_output=True, text=True, check=True).stdout
    numbers, last = set(), None
    for line in code.splitlines():
        if move := re.search(r"mov +\$0x([0-9a-f]+),%eax", line):
            last = int(move[1], 16)
        elif "xor    %eax,%eax" in line:
            last = 0
        elif re.search(r"\tsyscall\b", line):
            numbers |= {last} - {None}
            last = None
    return numbers


def test_what_musl_and_busybox_call_is_done():
    table = {call.name: call for call in gensyscalls.parse(TREE / "abi" / "syscalls.def")}
    of_busybox = numbers_of(BUSYBOX)
    used = names_of_musl(set(table)) | {call.name for call in table.values()
                                        if call.number in of_busybox}
    assert len(used) > 250 and {"execve", "sendfile", "openat"} <= used, "the list is not whole"
    missing = {name for name in used if table[name].state == "missing"}
    partial = {name for name in used if table[name].state == "partial"}
    assert missing <= set().union(*NOT_THERE.values())
    assert partial <= set().union(*PARTIAL.values())
