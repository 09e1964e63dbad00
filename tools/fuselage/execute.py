"""exec: boots the machine for one program and stands in for its terminal.

One loop over descriptors and clocks, in Session. Standard input is only read when the guest can
take more, so nothing piles up here; output is written as it comes. How a run ended is decided in
Session.verdict() from what the guest said on the status port and from how QEMU ended.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import deque

from . import qemu
from .archive import Unpacker
from .build import boot_files
from .channel import (CONSUMER_WAITS, DATA_MAX, PROTOCOL_VERSION, PRODUCER_WAITS, FrameReader,
                      ProtocolError, SharedMemory, frame)
from .common import ToolError, say

FAILED, TIMED_OUT, HUNG, PANICKED = 125, 124, 123, 122
NOT_FOUND, NOT_EXECUTABLE, SIGNALLED = 127, 126, 128

READ_SIZE = 1 << 18
PIPE_SIZE = 1 << 20
PING_EVERY_S = 2
BOOT_LIMIT_S = 60               # without a word from the kernel
POWER_OFF_LIMIT_S = 10          # from "all is said" to QEMU's end
PANIC_LINGER_S = 1.0            # the log goes on for a moment after the panic record
LOG_LINES_SHOWN = 30
F_SETPIPE_SZ = 1031


class Ending(Exception):
    """The run ends now, before QEMU does."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status
        self.text = text


class Pipe:
    """A pipe from QEMU to us. QEMU opens its end by path, so ours is kept open until it started."""

    def __init__(self):
        self.reader, self.writer = os.pipe()
        try:
            fcntl.fcntl(self.writer, F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            pass                # the limit of this user: slower, not wrong


class Session:
    """One boot for one program."""

    def __init__(self, args, kernel, ramdisk, unpacker):
        self.args = args
        self.unpacker = unpacker
        self.pipes = {name: Pipe() for name in ("stdout", "stderr", "status", "log", "qemu")}
        self.com2, self.com2_guest = socket.socketpair()
        self.com2.setblocking(False)
        shared = not args.icount and not args.ports_only
        self.shared = SharedMemory(args.mem) if shared else None
        self.frames = FrameReader()
        self.command = self._command(kernel, ramdisk)

        self.outbox = bytearray()       # bytes for COM2
        self.credit = 0                 # stdin bytes the guest can take
        self.ready = False
        self.stdin_open = True
        self.stdin_waits = False        # the stdin ring is full
        self.ending = None              # (status, what to tell the user) by the guest's record
        self.archive_status = None
        self.all_said = False
        self.panic = None
        self.failure = None             # Ending that we decided on
        self.log_tail = deque(maxlen=LOG_LINES_SHOWN)
        self.log_line = b""
        self.log_file = open(args.log, "wb") if args.log else None
        self.qemu_text = b""
        self.ping_token = 0
        self.ping_sent_s = None         # when the unanswered ping was sent
        self.sign_of_life_s = 0.0
        self.timeout_asked = False

    # --- start -------------------------------------------------------------------------------

    def _command(self, kernel, ramdisk):
        args = self.args
        words = ["console=ttyS0", "exec=" + qemu.encode_arguments(args.argv)]
        if args.get:
            words.append("get=" + qemu.encode_arguments([guest for guest, _ in args.get]))
        if sys.stdout.isatty():
            size = os.get_terminal_size(sys.stdout.fileno())
            words += [f"exec.cols={size.columns}", f"exec.rows={size.lines}"]
        if self.shared:
            words.append("exec.shared=1")
        if args.append:
            words.append(args.append)
        cmdline = " ".join(words)

        if args.icount:
            command = qemu.measuring_machine(kernel, ramdisk, cmdline)
        else:
            command = qemu.machine(kernel, ramdisk, cmdline, smp=args.smp, mem_mib=args.mem,
                                   cpu=args.cpu)
        if self.shared:
            command += self.shared.qemu_options()
        command += ["-display", "none",
                    "-chardev", f"file,id=log,path=/dev/fd/{self.pipes['log'].writer}",
                    "-serial", "chardev:log",
                    "-chardev", f"socket,id=com2,fd={self.com2_guest.fileno()}",
                    "-serial", "chardev:com2"]
        for name, port in (("stdout", qemu.STDOUT_PORT), ("stderr", qemu.STDERR_PORT),
                           ("status", qemu.STATUS_PORT)):
            command += qemu.debug_port(port, name, self.pipes[name].writer)
        return command

    def run(self):
        """Returns the exit status for the user."""
        passed = [pipe.writer for name, pipe in self.pipes.items() if name != "qemu"]
        passed.append(self.com2_guest.fileno())
        if self.shared:
            passed.append(self.shared.descriptor)
        self.started_s = self.sign_of_life_s = time.monotonic()
        self.process = qemu.start(self.command, pass_fds=passed, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL,
                                  stderr=self.pipes["qemu"].writer)
        for pipe in self.pipes.values():
            os.close(pipe.writer)
        self.com2_guest.close()
        try:
            self._loop()
        except Ending as ending:
            self.failure = ending
        except ProtocolError as error:
            self.failure = Ending(PANICKED, f"the guest broke the channel's rules: {error}")
        finally:
            self.process.kill()
            self.process.wait()
        self._drain()
        return self.verdict()

    # --- the loop ----------------------------------------------------------------------------

    def _loop(self):
        readers = {pipe.reader: name for name, pipe in self.pipes.items()}
        poll = select.poll()
        for descriptor in readers:
            poll.register(descriptor, select.POLLIN)
        while readers:
            wants = self._stdin_wanted()
            self._watch(poll, sys.stdin.fileno() if sys.stdin else -1, select.POLLIN, wants > 0)
            self._watch(poll, self.com2.fileno(), select.POLLOUT, bool(self.outbox))
            for descriptor, events in poll.poll(self._clocks() * 1000):
                if descriptor == self.com2.fileno():
                    self._send()
                elif descriptor in readers:
                    data = os.read(descriptor, READ_SIZE)
                    if data:
                        self._received(readers[descriptor], data)
                    else:
                        poll.unregister(descriptor)
                        del readers[descriptor]
                elif wants > 0:
                    self._read_stdin(wants)

    @staticmethod
    def _watch(poll, descriptor, events, wanted):
        if descriptor < 0:
            return
        if wanted:
            poll.register(descriptor, events)
        else:
            try:
                poll.unregister(descriptor)
            except KeyError:
                pass

    def _clocks(self):
        """Looks at the clocks; returns the seconds until one needs a look again."""
        now_s = time.monotonic()
        args = self.args
        if self.panic is not None:
            if now_s - self.sign_of_life_s > PANIC_LINGER_S:
                raise Ending(PANICKED, f"the kernel panicked: {self.panic}")
            return 0.1
        if self.all_said:
            if now_s - self.said_s > POWER_OFF_LIMIT_S:
                raise Ending(HUNG, "the machine did not power off after all was said")
            return 0.5
        if args.timeout and now_s - self.started_s > args.timeout:
            return self._time_is_up(now_s)
        if not self.ready:
            limit_s = max(BOOT_LIMIT_S, args.hang_limit) if args.hang_limit >= 20 \
                else args.hang_limit
            if now_s - self.sign_of_life_s > limit_s:
                raise Ending(HUNG, "the kernel said nothing more and did not start the program")
        elif not args.icount:
            self._ping_when_due(now_s)
        return 0.25

    def _ping_when_due(self, now_s):
        if self.ping_sent_s is None:
            if now_s - self.sign_of_life_s > PING_EVERY_S:
                self._ping(now_s)
        elif now_s - self.ping_sent_s > self.args.hang_limit:
            raise Ending(HUNG, f"the machine hangs: no answer for {self.args.hang_limit:g} s")

    def _ping(self, now_s):
        self.ping_token = (self.ping_token + 1) & 0xffffffff
        self.ping_sent_s = now_s
        self.outbox += frame("P", struct.pack("<I", self.ping_token))

    def _time_is_up(self, now_s):
        """Told apart here: a program that takes long, and a machine that is gone."""
        if not self.ready:
            raise Ending(TIMED_OUT, f"not done after {self.args.timeout:g} s: still booting")
        if not self.timeout_asked:
            self.timeout_asked = True
            self._ping(now_s)
        elif self.ping_sent_s is None:
            raise Ending(TIMED_OUT, f"not done after {self.args.timeout:g} s")
        elif now_s - self.ping_sent_s > min(self.args.hang_limit, 5):
            raise Ending(HUNG, f"not done after {self.args.timeout:g} s, and the machine hangs")
        return 0.1

    # --- standard input ----------------------------------------------------------------------

    def _stdin_wanted(self):
        """How many bytes of standard input the guest can take now."""
        if not self.stdin_open or not self.ready:
            return 0
        if not self.shared or not self.shared.rings:
            return 0 if len(self.outbox) >= 16 * DATA_MAX else min(self.credit, READ_SIZE)
        ring = self.shared.rings["stdin"]
        space = ring.space()
        if space == 0 and not self.stdin_waits:
            self.stdin_waits = True
            ring.ask_wake(PRODUCER_WAITS)
            space = ring.space()
        if space:
            self.stdin_waits = False
        return min(space, READ_SIZE)

    def _read_stdin(self, wanted):
        data = os.read(sys.stdin.fileno(), wanted)
        if not data:
            self._stdin_ends()
        elif self.shared and self.shared.rings:
            ring = self.shared.rings["stdin"]
            ring.put(data)
            if ring.must_wake(CONSUMER_WAITS):
                self.outbox += frame("F")
        else:
            self.credit -= len(data)
            for start in range(0, len(data), DATA_MAX):
                self.outbox += frame("D", data[start:start + DATA_MAX])

    def _stdin_ends(self):
        self.stdin_open = False
        self.outbox += frame("E")

    def _send(self):
        try:
            del self.outbox[:self.com2.send(self.outbox[:65536])]
        except BlockingIOError:
            pass
        except OSError:
            self.outbox.clear()         # QEMU is gone; its pipes say the rest

    # --- what comes --------------------------------------------------------------------------

    def _received(self, name, data):
        if name == "stdout":
            self._write(1, data)
        elif name == "stderr":
            self._write(2, data)
        elif name == "log":
            self._logged(data)
        elif name == "qemu":
            self.qemu_text += data
        else:
            for kind, payload in self.frames.feed(data):
                self._frame(kind, payload)
        if name != "qemu":
            self.sign_of_life_s = time.monotonic()

    def _write(self, descriptor, data):
        """Writes all of DATA; the time that our reader makes us wait is not the guest's fault."""
        before_s = time.monotonic()
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view):]
        except BlockingIOError:
            select.select([], [descriptor], [])
            self._write(descriptor, bytes(view))
            return
        except BrokenPipeError:
            raise Ending(SIGNALLED + signal.SIGPIPE, "") from None
        if self.ping_sent_s is not None:
            self.ping_sent_s += time.monotonic() - before_s

    def _logged(self, data):
        if self.log_file:
            self.log_file.write(data)
            self.log_file.flush()
        lines = (self.log_line + data).split(b"\n")
        self.log_line = lines.pop()
        self.log_tail.extend(lines)

    def _frame(self, kind, payload):
        if kind == "R":
            self._check_version(payload)
            self.ready = True
            if not sys.stdin or self._stdin_is_closed():
                self._stdin_ends()
        elif kind == "C":
            self.credit += self._number(payload)
        elif kind == "O":
            if self._number(payload) == self.ping_token:
                self.ping_sent_s = None
        elif kind == "M":
            if not self.shared:
                raise ProtocolError("shared memory was not offered")
            self.shared.attach(self._number(payload))
        elif kind == "K":
            self._drain_rings()
        elif kind == "X":
            self.ending = (self._number(payload) & 0xff, "")
        elif kind == "S":
            number = self._number(payload)
            self.ending = (SIGNALLED + number, f"{self._program()}: killed by signal {number}"
                           + signal_name(number))
        elif kind == "N":
            self.ending = (NOT_FOUND, f"{self._program()}: {payload.decode(errors='replace')}")
        elif kind == "A":
            self.ending = (NOT_EXECUTABLE,
                           f"{self._program()}: cannot execute: {payload.decode(errors='replace')}")
        elif kind == "P":
            self.panic = payload.decode(errors="replace")
        elif kind == "G":
            self._archive(payload)
        elif kind == "g":
            self._drain_rings()
            self.archive_status = self._number(payload)
        elif kind == "Z":
            self.all_said = True
            self.said_s = time.monotonic()
        else:
            raise ProtocolError(f"unknown frame {kind!r}")

    def _program(self):
        return self.args.argv[0]

    @staticmethod
    def _stdin_is_closed():
        try:
            os.fstat(sys.stdin.fileno())
            return False
        except OSError:
            return True

    @staticmethod
    def _number(payload):
        if len(payload) != 4:
            raise ProtocolError(f"{len(payload)} bytes where a number of four should be")
        return struct.unpack("<I", payload)[0]

    def _check_version(self, payload):
        version = self._number(payload)
        if version != PROTOCOL_VERSION:
            raise ProtocolError(f"the guest speaks version {version} of the channel, "
                                f"the tool speaks {PROTOCOL_VERSION}")

    def _archive(self, data):
        if not self.unpacker:
            raise ProtocolError("an archive that nobody asked for")
        self.unpacker.feed(data)

    def _drain_rings(self):
        """Takes what lies in the rings; tells a guest that waits for space."""
        if not self.shared or not self.shared.rings:
            return
        for name, sink in (("stdout", lambda data: self._write(1, data)),
                           ("stderr", lambda data: self._write(2, data)),
                           ("archive", self._archive)):
            ring = self.shared.rings[name]
            while data := ring.take():
                sink(data)
                ring.took(len(data))
                if ring.must_wake(PRODUCER_WAITS):
                    self.outbox += frame("T")

    # --- the end -----------------------------------------------------------------------------

    def _drain(self):
        """What lay in the pipes and rings when the loop ended early."""
        for name, pipe in self.pipes.items():
            os.set_blocking(pipe.reader, False)
            try:
                while data := os.read(pipe.reader, READ_SIZE):
                    self._received(name, data)
            except (BlockingIOError, ProtocolError, Ending):
                pass
        try:
            self._drain_rings()
        except (ProtocolError, Ending):
            pass
        if self.log_line:
            self.log_tail.append(self.log_line)
        if self.log_file:
            self.log_file.close()

    def verdict(self):
        """The exit status, and what to tell the user about it."""
        failed_get = self._finish_archive()
        if self.failure:
            if self.failure.text:
                self._tell_log()
                say(self.failure.text)
            return self.failure.status
        if self.panic is not None:
            self._tell_log()
            say(f"the kernel panicked: {self.panic}")
            return PANICKED
        if not self.ready:
            return self._no_start()
        if not self.all_said or self.ending is None:
            self._tell_log()
            say("the machine stopped without saying how the program ended")
            return PANICKED
        status, text = self.ending
        if text:
            say(text)
        return status or (FAILED if failed_get else 0)

    def _finish_archive(self):
        """True if --get was asked for and did not work; says so."""
        if not self.unpacker:
            return False
        problems = self.unpacker.finish()
        if self.archive_status is None and not self.failure and self.panic is None:
            problems.append("--get: the guest sent no archive")
        elif self.archive_status:
            problems.append("--get: the guest could not read all that was asked for")
        for problem in problems:
            say(problem)
        return bool(problems)

    def _no_start(self):
        text = self.qemu_text.decode(errors="replace").strip()
        self._tell_log()
        if self.process.returncode and text:
            say("QEMU ended: " + text)
            return FAILED
        say("the machine stopped before it could start the program")
        return PANICKED

    def _tell_log(self):
        if not self.log_tail:
            return
        say("the kernel's last lines:")
        for line in self.log_tail:
            print("  " + line.decode(errors="replace").rstrip("\r"), file=sys.stderr)


def signal_name(number):
    """Linux's name of a signal, which is also Fuselage's."""
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""


def split_pair(text, option):
    """HOST[:GUEST] or GUEST[:HOST]; a name with a colon is taken whole if such a file exists."""
    if ":" not in text or (option == "--add" and os.path.lexists(text)):
        return text, None
    first, second = text.rsplit(":", 1)
    if not first or not second:
        raise ToolError(f"{option} {text}: something is missing beside the colon")
    return first, second


def end_on_signals():
    """A signal that ends us ends QEMU as well: SystemExit runs the clean-up."""
    def stop(number, _frame):
        raise SystemExit(SIGNALLED + number)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)


def main(args):
    argv = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
    if not argv:
        raise ToolError("exec: which program? As in: ./fuselage exec -- hello")
    args.argv = argv
    args.get = [split_pair(text, "--get") for text in args.get]
    qemu.check_icount(args)
    added = [split_pair(text, "--add") for text in args.add]
    end_on_signals()
    kernel, ramdisk = boot_files(args, args.preset or ("release" if args.icount else "debug"))
    unpacker = Unpacker(args.get) if args.get else None
    if not args.add:
        return Session(args, kernel, ramdisk, unpacker).run()
    from .ramdisk import with_files
    with with_files(added, args.ramdisk) as image:
        return Session(args, kernel, image, unpacker).run()
