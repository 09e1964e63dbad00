"""debug: gdb knows the kernel's symbols, threads and log."""

import re
import subprocess

from conftest import TOOL


def test_gdb_is_attached_and_knows_the_kernel():
    commands = ["go", "bt 1", "hbreak ksh_thread", "continue", "threads", "dmesg"]
    arguments = [word for command in commands for word in ("--gdb-command", command)]
    ended = subprocess.run([TOOL, "debug", *arguments], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=120, check=False)
    assert "kernel_main" in ended.stdout
    assert "running" in ended.stdout and "ksh" in ended.stdout
    assert "boot: Fuselage (debug build)" in ended.stdout
    assert ended.returncode == 0, ended.stderr


def test_a_waiting_thread_has_a_backtrace():
    """The executor is the first thread that is started, and waits for tasks by then."""
    commands = ["hbreak ksh_thread", "continue", "thread-bt 2"]
    arguments = [word for command in commands for word in ("--gdb-command", command)]
    ended = subprocess.run([TOOL, "debug", *arguments], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=120, check=False)
    for function in ("context_switch+", "thread_block+", "executor_main+", "context_start+"):
        assert function in ended.stdout, ended.stdout + ended.stderr


def test_gdb_debugs_a_driver_by_symbol():
    commands = ["break do_read", "break do_init", "run /home", "bt 3", "info symbol $pc", "kill"]
    arguments = [word for command in commands for word in ("--gdb-command", command)]
    ended = subprocess.run([TOOL, "debug", "--user", "hellofs", *arguments], timeout=120, check=False,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"^Breakpoint 2, .*do_init .*hellofs.c:\d+$", ended.stdout, re.MULTILINE), ended.stdout
    assert re.search(r"^#1 .*serve .*hellofs.c:\d+$", ended.stdout, re.MULTILINE), ended.stdout


def test_a_program_that_is_not_there_is_named():
    ended = subprocess.run([TOOL, "debug", "--user", "nothing-of-ours"], timeout=120, check=False,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "--user nothing-of-ours: no such file, and none of our programs" in ended.stderr
