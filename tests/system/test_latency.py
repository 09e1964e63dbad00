"""Sharing one CPU: what is typed is answered at once whoever computes, nice divides the CPU as
sched/include/sched/entity.h says, and programs take turns.

All on the measuring machine: its time is instructions, so a busy host changes nothing.
"""

import re
import subprocess
import time

from conftest import TREE, measuring_machine
from gdbstub import Stub, milliseconds_between

PRESET = "release"
ECHO_LIMIT_MS = 20
NICE_5_SHARE = 0.247        # beside a spinner of nice 0
NICE_10_SHARE = 0.097
SHARE_TOLERANCE = 0.02
TYPED = "echo of what is typed now"
UNIT_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9}


def address_of(function):
    symbols = subprocess.run(
        ["x86_64-linux-gnu-nm", TREE / "build" / PRESET / "kernel.debug"], check=True,
        capture_output=True, text=True).stdout
    return int(re.search(rf"^([0-9a-f]+) \w {function}$", symbols, re.MULTILINE)[1], 16)


def cpu_times_ns(machine):
    """By PID, from ps: (command, CPU time)."""
    found = {}
    for line in machine.run("ps"):
        row = re.match(r"\s*(\d+)\s+\d+ \S\s+-?\d+\s+\d+\s+\d+\s+([\d.]+) (\w+)\s+\S+ \S+\s+(.*)",
                       line)
        if row:
            found[int(row[1])] = (row[4].strip(), float(row[2]) * UNIT_NS[row[3]])
    return found


def used_in_a_while(machine, real_s):
    """CPU time that each program used meanwhile, by PID."""
    before = cpu_times_ns(machine)
    end_s = time.monotonic() + real_s
    while time.monotonic() < end_s:
        machine.read()
    return {pid: used - before[pid][1] for pid, (_, used) in cpu_times_ns(machine).items()
            if pid in before}


def start(machine, command):
    """Starts a job; returns its PID."""
    return int(re.fullmatch(r"\[\d+\] (\d+)", machine.run(command)[0])[1])


def wait_until_received(stub):
    """Until the stopped machine's COM1 has the key: the line status register says so."""
    deadline_s = time.monotonic() + 10
    while not int(stub.monitor("i /b 0x3fd").split("=")[1], 16) & 1:
        assert time.monotonic() < deadline_s, "the port took no key"
        time.sleep(0.002)


def test_keys_echo_beside_four_spinners(boot, tmp_path):
    """From the key's arrival at the serial port to the kernel sending its echo."""
    machine = boot(command=measuring_machine(PRESET, append="nokaslr") + ["-gdb", f"unix:{tmp_path}/gdb,server=on,"
                                                                "wait=off"])
    machine.wait_for_prompt()
    spinners = [start(machine, "spin &") for _ in range(4)]
    machine.screen.reset()
    stub = Stub(tmp_path / "gdb")       # stops the machine
    send = address_of("serial_send")
    waits_ms = []
    for number, key in enumerate(TYPED):
        stub.go()
        time.sleep(0.003 * (number % 7))        # another point of the spinners' slices each time
        stub.interrupt()
        while True:         # what was on its way out is out
            before = machine.raw
            machine.read(0.02)
            if machine.raw == before:
                break
        before_ticks = stub.clock_ticks()
        stub.set_breakpoint(send)
        machine.send(key)
        wait_until_received(stub)
        stub.go()
        stub.wait_for_stop()
        waits_ms.append(milliseconds_between(before_ticks, stub.clock_ticks()))
        stub.clear_breakpoint(send)
        stub.go()
        machine.wait_for(TYPED[:number + 1].rstrip())
        stub.interrupt()
    stub.go()
    assert max(waits_ms) <= ECHO_LIMIT_MS, waits_ms
    machine.send("\r")
    machine.wait_for_prompt()
    used = used_in_a_while(machine, 2)
    # They were no idle company: all four went on.
    assert all(used[pid] > 0 for pid in spinners), used


def test_nice_divides_the_cpu_as_documented(boot):
    machine = boot(command=measuring_machine(PRESET))
    machine.wait_for_prompt()
    normal = start(machine, "spin &")
    for nice, expected in ((5, NICE_5_SHARE), (10, NICE_10_SHARE)):
        nicer = start(machine, f"nice {nice} spin &")
        used = used_in_a_while(machine, 6)
        share = used[nicer] / (used[nicer] + used[normal])
        assert abs(share - expected) <= SHARE_TOLERANCE, (nice, share, used)
        machine.run(f"kill {nicer}")


def test_primes_and_mandelbrot_take_turns(boot):
    """Lines of primes come between those of the picture."""
    machine = boot(command=measuring_machine(PRESET))
    machine.wait_for_prompt()
    machine.screen.reset()
    start_raw = len(machine.raw)
    machine.send("primes 1000000 & mandelbrot\r")
    machine.wait_for("78498 primes up to 1000000", 120)
    machine.send("\r")
    machine.wait_for_prompt()
    output = machine.raw[start_raw:].decode(errors="replace")
    # One letter a line: P of primes, M a row of the picture (coloured cells).
    rows = "".join("P" if "primes up to" in line else "M" if line.count("\x1b[38;5;") > 3 else ""
                   for line in output.splitlines())
    assert rows.count("P") >= 5 and rows.count("M") >= 10, output
    assert re.search("MP+M", rows), rows
