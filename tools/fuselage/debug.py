"""debug: the machine stopped before its first instruction, gdb attached, symbols loaded.

With --user PROG the machine runs, and gdb speaks with Debian's gdbserver inside it, over the second
serial line: `run ARGS` starts the program there, `attach PID` takes one that runs.

The console is a pseudo terminal, whose name is told, and is kept in build/<preset>/console.log.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import qemu
from .build import boot_files
from .common import ROOT, SHARED, ToolError, kernel_debug, relative, say

GDB_SCRIPT = ROOT / "tools" / "gdb" / "fuselage.py"
START_LIMIT_S = 10
SERVER_LIMIT_S = 60             # until the machine has booted and gdbserver listens
SERVER_READY = b"Remote debugging using /dev/ttyS1"
# Where programs of ours lie with their symbols.
OURS = [SHARED / "sdk" / "drivers", SHARED / "ports" / "libfuse3"]
# Those of the ramdisk lie there without, and their symbols apart.
SYMBOLS = SHARED / "user" / "symbols"
SOURCES = [ROOT / "drivers", ROOT / "user" / "src"]


def start_machine(args, kernel, ramdisk, words, gdb_socket, console_log):
    """QEMU with its end of the line to gdb; returns it and the name of the console's terminal."""
    cmdline = " ".join(filter(None, ["console=ttyS0", *words, args.append]))
    command = qemu.machine(kernel, ramdisk, cmdline, smp=args.smp, mem_mib=args.mem, cpu=args.cpu)
    command += ["-display", "none",
                "-chardev", f"socket,id=gdb,path={gdb_socket},server=on,wait=off",
                "-chardev", f"pty,id=com1,logfile={console_log}", "-serial", "chardev:com1"]
    command += ["-serial", "chardev:gdb"] if args.user else ["-gdb", "chardev:gdb", "-S"]
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


def with_libraries(program):
    """(host, guest) of a dynamic program of this machine and of what it is linked with."""
    listed = subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    libraries = re.findall(r"(/\S+) \(0x", listed)
    return [(program, "/bin/" + os.path.basename(program))] + \
           [(os.path.realpath(library), library) for library in libraries]


def program_with_symbols(name):
    """The file with symbols that --user names, and whether it must be brought into the machine."""
    if "/" not in name and (SYMBOLS / name).is_file():
        return SYMBOLS / name, False
    for place in [Path(name)] + ([] if "/" in name else [folder / name for folder in OURS]):
        if place.is_file():
            return place, True
    raise ToolError(f"debug: --user {name}: no such file" +
                    ("" if "/" in name else ", and none of our programs"))


def main(args):
    preset = args.preset or "debug"
    kernel, ramdisk = boot_files(args, preset)
    pairs = []
    if args.add:
        from .execute import split_pair
        pairs = [split_pair(text, "--add") for text in args.add]
    if args.user:
        program, is_added = program_with_symbols(args.user)
        pairs += with_libraries(shutil.which("gdbserver"))
        pairs += [(program, f"/bin/{program.name}")] if is_added else []
    if pairs:
        from .ramdisk import with_files
        with with_files(pairs, args.ramdisk) as image:
            return session(args, preset, kernel, image)
    return session(args, preset, kernel, ramdisk)


def wait_for_server(process, console_log):
    """Until gdbserver inside says that it listens."""
    deadline_s = time.monotonic() + SERVER_LIMIT_S
    while SERVER_READY not in Path(console_log).read_bytes():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise ToolError(f"debug: gdbserver did not start; see {relative(console_log)}")
        time.sleep(0.05)


def kernel_session(args, preset, gdb_socket):
    """gdb's arguments for the kernel."""
    commands = [f"source {GDB_SCRIPT}"] if GDB_SCRIPT.exists() else []
    return str(args.kernel or kernel_debug(preset)), [*commands, f"target remote {gdb_socket}"]


def user_session(args, gdb_socket):
    """gdb's arguments for a program: `run` starts it."""
    program, _ = program_with_symbols(args.user)
    # Nothing of the machine is loaded over the line: the program here has all that gdb wants.
    return str(program), ["set remotetimeout 30", "set sysroot", "set startup-with-shell off",
                          "directory " + ":".join(map(str, SOURCES)),
                          f"target extended-remote {gdb_socket}",
                          f"set remote exec-file /bin/{program.name}"]


def session(args, preset, kernel, ramdisk):
    # Symbols stand where the kernel is linked to run, so it must not move itself.
    words = ["ksh.run=gdbserver%20--multi%20/dev/ttyS1%20%26"] if args.user else ["nokaslr"]
    with tempfile.TemporaryDirectory(prefix="fuselage.") as scratch:
        gdb_socket = os.path.join(scratch, "gdb")
        console_log = os.path.join(ROOT, "build", preset, "console.log")
        os.makedirs(os.path.dirname(console_log), exist_ok=True)
        process, terminal = start_machine(args, kernel, ramdisk, words, gdb_socket, console_log)
        try:
            say(f"console: {terminal} (as in: screen {terminal}), log: {relative(console_log)}")
            if args.user:
                wait_for_server(process, console_log)
            program, commands = user_session(args, gdb_socket) if args.user else \
                kernel_session(args, preset, gdb_socket)
            return run_gdb(program, ["set confirm off", *commands, *args.gdb_command],
                           bool(args.gdb_command))
        finally:
            process.kill()
            process.wait()


def run_gdb(program, commands, is_batch):
    gdb = ["gdb", "-q", *(["-batch"] if is_batch else []), program]
    for line in commands:
        gdb += ["-ex", line]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Ctrl-C reaches gdb, which must not inherit that it is ignored.
    return subprocess.run(gdb, check=False, preexec_fn=lambda: signal.signal(
        signal.SIGINT, signal.SIG_DFL)).returncode
