"""run: the terminal belongs to the guest, its size is passed on, and it comes back as it was."""

import os
import signal
import termios

import pexpect
import pytest

from conftest import TOOL


@pytest.fixture
def terminal(fake_guest):
    """./fuselage run with the fake guest, in a terminal of 30 by 90."""
    child = pexpect.spawn(str(TOOL), ["run", "--kernel", str(fake_guest),
                                      "--append", "exec=window"], dimensions=(30, 90), timeout=60)
    yield child
    child.close(force=True)


def test_banner_says_how_to_leave_and_escape_leaves(terminal):
    terminal.expect("Ctrl-] x leaves")
    terminal.expect("fake guest: a line of the log")
    terminal.send("\x1dx")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0


def test_size_is_passed_on_and_follows(terminal):
    terminal.expect("window 30 90\r")
    terminal.setwinsize(41, 123)
    terminal.expect("window 41 123\r")


def test_interrupt_keys_belong_to_the_guest(terminal):
    terminal.expect("window 30 90\r")
    terminal.send("\x03\x1a\x1c\x01")
    terminal.setwinsize(10, 20)
    terminal.expect("window 10 20\r")
    assert terminal.isalive()


def test_terminal_is_restored_when_the_tool_is_ended(fake_guest):
    """QEMU makes the terminal raw; it must be as before even if the tool is told to end."""
    child = pexpect.spawn("/bin/sh", ["-i"], timeout=60, echo=True, dimensions=(30, 90))
    before = termios.tcgetattr(child.child_fd)[:4]
    child.sendline(f"{TOOL} run --kernel {fake_guest} --append exec=window")
    child.expect("window 30 90\r")
    assert termios.tcgetattr(child.child_fd)[:4] != before
    group = os.tcgetpgrp(child.child_fd)
    os.kill(group, signal.SIGTERM)
    child.sendline("echo do''ne")
    child.expect("done")
    assert termios.tcgetattr(child.child_fd)[:4] == before
    child.close(force=True)


def test_kvm_is_refused_where_there_is_none(fake_guest):
    if os.access("/dev/kvm", os.R_OK | os.W_OK):
        return
    child = pexpect.spawn(str(TOOL), ["run", "--kvm", "--kernel", str(fake_guest)], timeout=60)
    child.expect("/dev/kvm is not there")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 1
