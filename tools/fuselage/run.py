"""run: boots into ksh in this terminal.

QEMU owns the terminal; the tool stays as its parent to pass the window's size on (frames on COM2,
once the guest has said that it listens) and to put the terminal back in order at the end.
"""

import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios

from . import qemu
from .build import boot_files
from .channel import FrameReader, ProtocolError, frame
from .common import ToolError, say

ESCAPE = 29                     # Ctrl-]
SCREEN_SIZE = "1024x768"
VNC_FIRST = 5900                # VNC counts displays from this port on
BANNER = "Ctrl-] x leaves the machine, Ctrl-] c opens QEMU's monitor (and goes back)."


class Terminal:
    """The terminal's state, put back however the machine ends."""

    def __init__(self):
        self.descriptor = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else None
        self.saved = termios.tcgetattr(self.descriptor) if self.descriptor is not None else None

    def restore(self):
        if self.saved:
            # Being in the background must not stop us here.
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, self.saved)

    @staticmethod
    def size():
        """(rows, columns), or None where there is no terminal."""
        try:
            size = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return None
        return (size.lines, size.columns) if size.lines and size.columns else None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def screen_options(screen):
    """QEMU's display: none, a window, or where there is nowhere to show one, VNC."""
    if not screen:
        return ["-display", "none"]
    there = subprocess.run([qemu.QEMU, "-display", "help"], stdout=subprocess.PIPE, text=True,
                           stderr=subprocess.DEVNULL,  # which packages have the others
                           check=False).stdout.split()
    windows = [kind for kind in ("gtk", "sdl") if kind in there]
    if windows and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return ["-vga", "std", "-display", windows[0]]
    port = free_port()
    why = "no display here" if windows else "QEMU has no windows (Debian: qemu-system-gui)"
    say(f"{why}: the screen is at a VNC viewer's reach, 127.0.0.1:{port}")
    if port < VNC_FIRST:
        raise ToolError(f"no free port above {VNC_FIRST} for VNC")
    return ["-vga", "std", "-display", f"vnc=127.0.0.1:{port - VNC_FIRST}"]


def command_line(args, kernel, ramdisk, com2, status):
    words = ["video=" + SCREEN_SIZE] if args.screen else ["console=ttyS0"]
    size = Terminal.size()
    if size:
        words.append("rows=%d cols=%d" % size)
    if args.append:
        words.append(args.append)
    accel, cpu = ("kvm", "host") if args.kvm else ("tcg", args.cpu)
    if args.icount:
        command = qemu.measuring_machine(kernel, ramdisk, " ".join(words), args.mem)
    else:
        command = qemu.machine(kernel, ramdisk, " ".join(words), smp=args.smp, mem_mib=args.mem,
                               cpu=cpu, accel=accel)
    return command + [
        *screen_options(args.screen), "-echr", str(ESCAPE),
        "-chardev", "stdio,id=com1,mux=on,signal=off", "-serial", "chardev:com1",
        "-mon", "chardev=com1",
        "-chardev", f"socket,id=com2,fd={com2.fileno()}", "-serial", "chardev:com2",
    ] + qemu.debug_port(qemu.STATUS_PORT, "status", status)


def serve(process, status, com2):
    """Passes the window's size on until QEMU ends."""
    frames = FrameReader()
    ready = False
    changed, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGWINCH, lambda *_: None)

    def send_size():
        size = Terminal.size()
        if ready and size:
            com2.sendall(frame("W", struct.pack("<HH", *size)))

    while True:
        readable, _, _ = select.select([status, changed], [], [])
        if changed in readable:
            os.read(changed, 4096)
            send_size()
        if status in readable:
            data = os.read(status, 65536)
            if not data:
                return process.wait()
            try:
                for kind, _ in frames.feed(data):
                    if kind == "R":
                        ready = True
                        send_size()
            except ProtocolError as error:
                say(f"the window's size is not passed on any more: {error}")
                frames = FrameReader()


def boot(args, kernel, ramdisk):
    terminal = Terminal()
    com2, com2_guest = socket.socketpair()
    status, status_guest = os.pipe()
    command = command_line(args, kernel, ramdisk, com2_guest, status_guest)
    say(BANNER)

    def stop(number, _frame):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)    # the guest's, not ours

    process = qemu.start(command, pass_fds=(com2_guest.fileno(), status_guest))
    os.close(status_guest)
    com2_guest.close()
    try:
        return serve(process, status, com2)
    finally:
        process.kill()
        process.wait()
        terminal.restore()


def main(args):
    if args.kvm and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise ToolError("--kvm: /dev/kvm is not there or not ours to open")
    if args.kvm and args.icount:
        raise ToolError("--icount counts emulated instructions: leave --kvm out")
    if args.screen and args.icount:
        raise ToolError("--icount counts on a machine without a screen: leave --screen out")
    # A person may want to see what only a larger machine holds, a million live frames for one.
    qemu.check_icount(args, any_memory=True)
    kernel, ramdisk = boot_files(args, args.preset or ("release" if args.icount else "debug"))
    if not args.add:
        return boot(args, kernel, ramdisk)
    from .execute import split_pair
    from .ramdisk import with_files
    with with_files([split_pair(text, "--add") for text in args.add], args.ramdisk) as image:
        return boot(args, kernel, image)
