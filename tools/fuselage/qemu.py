"""The machine: QEMU's command line, and starting it so that it never outlives the tool."""

import ctypes
import os
import secrets
import signal
import subprocess
from urllib.parse import quote

from .common import ToolError

QEMU = "qemu-system-x86_64"
STDOUT_PORT, STDERR_PORT, STATUS_PORT = 0x5e0, 0x5e1, 0x5e2
PR_SET_PDEATHSIG = 1

# Two runs of the measuring machine see the same CPU, clock and random numbers.
ICOUNT_CPU = "max,-erms,-fsrm"
ICOUNT_MEM_MIB = 512
ICOUNT_SEED = 1
ICOUNT = ["-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off",
          "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", str(ICOUNT_SEED)]


def machine(kernel, ramdisk, cmdline, *, smp=1, mem_mib=512, cpu="max", accel="tcg"):
    """The part of the command line that every machine has: no devices but the chipset's.

    An emulated CPU may have no random numbers of its own, so the kernel gets some; it blanks them.
    Not the measuring machine (no ACCEL), which shall repeat itself.
    """
    if accel:
        cmdline += f" seed={secrets.token_hex(16)}"
    command = [QEMU, "-no-user-config", "-nodefaults", "-M", "q35", "-no-reboot",
               "-cpu", cpu, "-smp", str(smp), "-m", str(mem_mib),
               "-kernel", str(kernel), "-append", cmdline]
    if ramdisk:
        command += ["-initrd", str(ramdisk)]
    if accel:
        command += ["-accel", accel]
    return command


def check_icount(args, any_memory=False):
    """Refuses options that would make another machine of the measuring one."""
    if args.icount and args.smp != 1:
        raise ToolError("--icount measures on one CPU: leave --smp out")
    if args.icount and (args.cpu != "max" or args.mem != ICOUNT_MEM_MIB and not any_memory):
        raise ToolError("--icount is one fixed machine: leave --mem and --cpu out")


def measuring_machine(kernel, ramdisk, cmdline, mem_mib=ICOUNT_MEM_MIB):
    """--icount: one CPU, instructions counted."""
    return machine(kernel, ramdisk, cmdline, cpu=ICOUNT_CPU, mem_mib=mem_mib,
                   accel=None) + ICOUNT


def debug_port(port, name, descriptor):
    """A debug port whose bytes go to DESCRIPTOR (a pipe, which is faster here than a socket)."""
    return ["-chardev", f"file,id={name},path=/dev/fd/{descriptor}",
            "-device", f"isa-debugcon,iobase={port:#x},chardev={name}"]


def encode_arguments(arguments):
    """Arguments as one word of the kernel's command line: joined by zero bytes, then escaped."""
    return quote(b"\0".join(os.fsencode(a) for a in arguments), safe="/._-").replace("~", "%7E")


def start(command, pass_fds=(), **keywords):
    """Starts QEMU; the kernel of this host kills it should the tool die."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def die_with_parent():
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    try:
        return subprocess.Popen(command, pass_fds=pass_fds, preexec_fn=die_with_parent, **keywords)
    except FileNotFoundError:
        raise ToolError(f"{QEMU} is not installed") from None
