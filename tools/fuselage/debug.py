"""debug: the machine stopped before its first instruction, gdb attached, symbols loaded.

The console is a pseudo terminal, whose name is told, and is kept in build/<preset>/console.log.
"""

import os
import re
import select
import signal
import subprocess
import tempfile
import time

from . import qemu
from .build import boot_files
from .common import ROOT, ToolError, kernel_debug, relative, say

GDB_SCRIPT = ROOT / "tools" / "gdb" / "fuselage.py"
START_LIMIT_S = 10


def start_machine(args, kernel, ramdisk, gdb_socket, console_log):
    """QEMU, waiting for gdb; returns it and the name of the console's terminal."""
    # Symbols stand where the kernel is linked to run, so it must not move itself.
    cmdline = " ".join(filter(None, ["console=ttyS0 nokaslr", args.append]))
    command = qemu.machine(kernel, ramdisk, cmdline, smp=args.smp, mem_mib=args.mem, cpu=args.cpu)
    command += ["-display", "none", "-S",
                "-chardev", f"socket,id=gdb,path={gdb_socket},server=on,wait=off",
                "-gdb", "chardev:gdb",
                "-chardev", f"pty,id=com1,logfile={console_log}", "-serial", "chardev:com1"]
    # A session of its own: Ctrl-C is gdb's, and stops the guest rather than QEMU.
    process = qemu.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, start_new_session=True)
    said = b""
    deadline_s = time.monotonic() + START_LIMIT_S
    while not os.path.exists(gdb_socket) or b"\n" not in said:
        if process.poll() is not None or time.monotonic() > deadline_s:
            process.kill()
            raise ToolError("QEMU did not start: " + said.decode(errors="replace").strip())
        if select.select([process.stdout], [], [], 0.05)[0]:
            said += os.read(process.stdout.fileno(), 4096)
    terminal = re.search(rb"/dev/pts/\d+", said)
    return process, terminal[0].decode() if terminal else "(none)"


def main(args):
    preset = args.preset or "debug"
    kernel, ramdisk = boot_files(args, preset)
    if args.add:
        from .execute import split_pair
        from .ramdisk import with_files
        pairs = [split_pair(text, "--add") for text in args.add]
        with with_files(pairs, args.ramdisk) as image:
            return session(args, preset, kernel, image)
    return session(args, preset, kernel, ramdisk)


def session(args, preset, kernel, ramdisk):
    symbols = args.kernel or kernel_debug(preset)
    with tempfile.TemporaryDirectory(prefix="fuselage.") as scratch:
        gdb_socket = os.path.join(scratch, "gdb")
        console_log = os.path.join(ROOT, "build", preset, "console.log")
        os.makedirs(os.path.dirname(console_log), exist_ok=True)
        process, terminal = start_machine(args, kernel, ramdisk, gdb_socket, console_log)
        say(f"console: {terminal} (as in: screen {terminal}), log: {relative(console_log)}")
        commands = ["set confirm off", f"target remote {gdb_socket}"]
        if GDB_SCRIPT.exists():
            commands.insert(0, f"source {GDB_SCRIPT}")
        gdb = ["gdb", "-q", *(["-batch"] if args.gdb_command else []), str(symbols)]
        for line in commands + args.gdb_command:
            gdb += ["-ex", line]
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            # Ctrl-C reaches gdb, which must not inherit that it is ignored.
            return subprocess.run(gdb, check=False, preexec_fn=lambda: signal.signal(
                signal.SIGINT, signal.SIG_DFL)).returncode
        finally:
            process.kill()
            process.wait()
