"""QEMU's gdb stub, as far as tests need it: stop the machine at an instruction, and look at its
clock there. While it is stopped its time stands still, so what is read has no host time in it."""

import re
import socket
import time

LIMIT_S = 60
# ACPI 5.0, 4.8.3.3: the power management timer. QEMU's runs on the machine's virtual clock.
PM_TIMER_PORT = 0x608       # where SeaBIOS puts it on q35 and QEMU's firmware tables say it is
PM_TIMER_HZ = 3579545
PM_TIMER_BITS = 24


class Stub:
    """A connection to the stub of a machine that was started with -gdb unix:PATH,server=on."""

    def __init__(self, path):
        deadline_s = time.monotonic() + LIMIT_S
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT_S)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                if time.monotonic() > deadline_s:
                    raise
                time.sleep(0.05)
        self.pending = b""
        self.ask("?")
        self.drain()

    def drain(self):
        """The machine stops because we come, and says so when it pleases."""
        self.socket.settimeout(0.3)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            pass
        self.socket.settimeout(LIMIT_S)
        self.pending = b""

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def receive(self):
        """The next packet's contents; the acknowledgements around it are done here."""
        while True:
            packet = re.search(rb"\$([^#]*)#..", self.pending, re.DOTALL)
            if packet:
                self.pending = self.pending[packet.end():]
                self.socket.sendall(b"+")
                return packet[1].decode()
            data = self.socket.recv(65536)
            if not data:
                raise EOFError("the machine has ended")
            self.pending += data

    def ask(self, text):
        self.send(text)
        return self.receive()

    def interrupt(self):
        """Stops a running machine."""
        self.socket.sendall(b"\x03")
        return self.receive()

    def go(self):
        self.send("c")

    def wait_for_stop(self):
        reply = self.receive()
        assert reply.startswith("T05"), reply

    def set_breakpoint(self, address):
        assert self.ask(f"Z1,{address:x},1") == "OK"

    def clear_breakpoint(self, address):
        assert self.ask(f"z1,{address:x},1") == "OK"

    def monitor(self, command):
        """What QEMU's monitor answers to a command."""
        reply, text = self.ask("qRcmd," + command.encode().hex()), ""
        while reply != "OK":
            assert reply.startswith("O"), reply
            text += bytes.fromhex(reply[1:]).decode()
            reply = self.receive()
        return text

    def clock_ticks(self):
        """The power management timer of the stopped machine."""
        return int(re.search(r"= 0x([0-9a-f]+)", self.monitor(f"i /w {PM_TIMER_PORT:#x}"))[1], 16)


def milliseconds_between(before_ticks, after_ticks):
    """Between two readings less than 4.6 s apart."""
    ticks = (after_ticks - before_ticks) % (1 << PM_TIMER_BITS)
    return ticks * 1000 / PM_TIMER_HZ
