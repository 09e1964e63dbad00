"""exec's promises, kept against a guest that plays every way in which a kernel can end."""

import os
import signal
import subprocess
import time

import pytest

from conftest import TOOL

PORTS = ["--ports-only"]
WAYS = pytest.mark.parametrize("way", [[], PORTS], ids=["shared", "ports"])
LOG_LINE = b"fake guest: a line of the log"


@pytest.mark.parametrize("status", [0, 1, 3, 77, 255])
def test_status_is_the_programs(guest, status):
    assert guest("exit", str(status)).returncode == status


@pytest.mark.parametrize("number,name", [(8, b"SIGFPE"), (9, b"SIGKILL"), (11, b"SIGSEGV")])
def test_signal_is_128_and_its_number(guest, number, name):
    ended = guest("signal", str(number))
    assert ended.returncode == 128 + number
    assert name in ended.stderr


def test_no_such_program_is_127(guest):
    ended = guest("nothing-here")
    assert ended.returncode == 127
    assert b"nothing-here: no such program" in ended.stderr


def test_not_executable_is_126(guest):
    ended = guest("noexec")
    assert ended.returncode == 126
    assert b"not an ELF file" in ended.stderr


def test_a_good_run_prints_nothing_of_its_own(guest):
    ended = guest("exit", "0")
    assert (ended.stdout, ended.stderr) == (b"", b"")


@WAYS
@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 65536, 300_001])
def test_stdin_comes_back_whole(guest, way, size):
    data = os.urandom(size)
    ended = guest("echo", options=way, input=data)
    assert ended.returncode == 0
    assert ended.stdout == data


def test_100_mb_go_through_unharmed(guest, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    with open(source, "wb") as out:
        for _ in range(100):
            out.write(os.urandom(1_000_000))
    with open(source, "rb") as stdin, open(target, "wb") as stdout:
        ended = guest("echo", stdin=stdin, stdout=stdout)
    assert ended.returncode == 0
    assert subprocess.run(["cmp", source, target], check=False).returncode == 0


@WAYS
def test_both_streams_at_once_and_no_log_in_them(guest, way):
    data = os.urandom(150_000)
    ended = guest("both", options=way, input=data)
    assert ended.returncode == 0
    assert ended.stdout == data
    assert ended.stderr == data


def test_stdin_is_never_sent_beyond_the_credit(guest):
    assert guest("overrun", options=PORTS, input=bytes(5000)).returncode == 0


def test_stdin_is_taken_only_as_far_as_the_guest_takes_it(guest):
    """A program that reads nothing makes the tool read no more than the guest's window."""
    reader, writer = os.pipe()
    os.write(writer, bytes(60_000))
    ended = guest("overrun", options=PORTS, stdin=reader)
    os.close(writer)
    with open(reader, "rb") as rest:
        assert len(rest.read()) == 60_000 - 1000
    assert ended.returncode == 0


def test_input_that_never_ends_does_not_keep_the_tool(guest):
    reader, writer = os.pipe()
    try:
        assert guest("exit", "5", stdin=reader).returncode == 5
    finally:
        os.close(reader)
        os.close(writer)


def test_output_streams_while_the_program_runs(fake_guest):
    with subprocess.Popen([TOOL, "exec", "--kernel", fake_guest, "--", "echo"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        for word in (b"one\n", b"two\n"):
            child.stdin.write(word)
            child.stdin.flush()
            assert child.stdout.readline() == word
        child.stdin.close()
        assert child.wait(20) == 0


def test_arguments_arrive_as_they_were(guest):
    words = ["plain", "two words", "", "per%cent", "new\nline", "tab\t", "~", "ü", "=,;'\"\\$"]
    ended = guest("argv", *words)
    assert ended.stdout.decode() == "".join(word + "\n" for word in words)


def test_append_reaches_the_command_line(guest):
    ended = guest("cmdline", options=["--append", "loglevel=7 nokaslr"])
    assert b" loglevel=7 nokaslr" in ended.stdout


def test_panic_is_122_with_the_last_lines(guest):
    ended = guest("panic")
    assert ended.returncode == 122
    assert b"the kernel panicked: the fake guest was told to" in ended.stderr
    assert LOG_LINE in ended.stderr
    assert ended.stdout == b""


def test_a_death_without_a_word_is_122(guest):
    ended = guest("reset")
    assert ended.returncode == 122
    assert b"without saying" in ended.stderr


@pytest.mark.parametrize("how", ["hang", "silent"])
def test_hang_is_123_with_the_last_lines(guest, how):
    ended = guest(how, options=["--hang-limit", "2"])
    assert ended.returncode == 123
    assert b"the last line before silence" in ended.stderr


def test_a_program_that_runs_on_does_not_hang(guest):
    """Its pongs keep it alive past the limit; only --timeout ends it."""
    started_s = time.monotonic()
    ended = guest("spin", options=["--hang-limit", "1", "--timeout", "6"])
    assert time.monotonic() - started_s >= 6
    assert ended.returncode == 124


def test_timeout_of_a_machine_that_hangs_is_123(guest):
    ended = guest("hang", options=["--timeout", "1", "--hang-limit", "1"])
    assert ended.returncode == 123


def test_a_machine_that_cannot_start_is_125(guest):
    ended = guest("exit", "0", options=["--cpu", "no-such-cpu"])
    assert ended.returncode == 125
    assert b"no-such-cpu" in ended.stderr


def test_icount_ends_and_refuses_other_machines(guest):
    assert guest("exit", "4", options=["--icount"]).returncode == 4
    for wrong in (["--smp", "2"], ["--mem", "64"], ["--cpu", "qemu64"]):
        assert guest("exit", "0", options=["--icount", *wrong]).returncode == 125


def test_the_log_can_be_kept(guest, tmp_path):
    assert guest("exit", "0", options=["--log", "log"]).returncode == 0
    assert LOG_LINE in (tmp_path / "log").read_bytes()


def test_a_reader_that_goes_away_ends_the_machine(fake_guest):
    with subprocess.Popen([TOOL, "exec", "--kernel", fake_guest, "--", "flood", "4000"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
        child.stdout.read(10)
        child.stdout.close()
        assert child.wait(20) == 128 + signal.SIGPIPE


def qemu_children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return children.read().split()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_qemu_never_outlives_the_tool(fake_guest, number):
    with subprocess.Popen([TOOL, "exec", "--kernel", fake_guest, "--", "spin"],
                          stdin=subprocess.DEVNULL) as child:
        deadline_s = time.monotonic() + 20
        while not (machines := qemu_children(child.pid)):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        time.sleep(0.5)
        child.send_signal(number)
        status = child.wait(20)
    assert status == (-number if number == signal.SIGKILL else 128 + number)
    for _ in range(100):
        if not any(os.path.exists(f"/proc/{machine}") for machine in machines):
            return
        time.sleep(0.05)
    pytest.fail("QEMU still runs")


def test_what_is_missing_is_told(tmp_path):
    for arguments, words in ((["exec"], b"which program"),
                             (["exec", "--kernel", "/nothing", "--", "x"], b"/nothing"),
                             (["exec", "--add", "a:", "--", "x"], b"colon")):
        ended = subprocess.run([TOOL, *arguments], cwd=tmp_path, stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=60, check=False)
        assert ended.returncode == 125
        assert words in ended.stderr
