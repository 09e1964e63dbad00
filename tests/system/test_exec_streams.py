"""The standard streams of exec: nothing lost, nothing added, and ends where they end.

tests/guest/both_streams.c writes two known sequences at once; what it writes on Linux is what must
come out here.
"""

import os
import subprocess
import time

import pytest

from conftest import TOOL, TREE

WAYS = pytest.mark.parametrize("way", [[], ["--ports-only"]], ids=["shared", "ports"])
BOTH_STREAMS = TREE / "build" / "shared" / "guest" / "both_streams"


@pytest.fixture(scope="module", autouse=True)
def built():
    """The tool's words about building go to standard error: they shall be over before we look."""
    subprocess.run([TOOL, "exec", "--", "true"], check=True, stdin=subprocess.DEVNULL)


def both_streams(fexec, way, kib):
    options = [*way, "--add", f"{BOTH_STREAMS}:/bin/both_streams"]
    return fexec("both_streams", kib, options=options)


def expected_streams(kib):
    return subprocess.run([BOTH_STREAMS, str(kib)], capture_output=True, check=True,
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("way,kib", [([], 20_000), (["--ports-only"], 300)],
                         ids=["shared", "ports"])
def test_two_streams_at_once_are_what_linux_writes(fexec, way, kib):
    ours, linux = both_streams(fexec, way, kib), expected_streams(kib)
    assert ours.returncode == 0
    assert ours.stdout == linux.stdout
    assert ours.stderr == linux.stderr


@WAYS
def test_input_of_every_length_ends_exactly(fexec, way):
    for length in (0, 1, 4095, 4096, 4097, 65536, 65537):
        data = os.urandom(length)
        ended = fexec("cat", options=way, input=data)
        assert (ended.returncode, ended.stdout) == (0, data), length


@WAYS
def test_input_that_nobody_reads_is_no_obstacle(fexec, way):
    ended = fexec("hello", options=way, input=os.urandom(300_000))
    assert (ended.returncode, ended.stdout) == (0, b"Hello, world!\n")


def test_input_that_comes_in_drops_is_passed_on_at_once():
    """cat answers each line before the next one is sent."""
    with subprocess.Popen([TOOL, "exec", "--", "cat"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as running:
        for turn in range(20):
            line = f"line {turn}\n".encode()
            running.stdin.write(line)
            running.stdin.flush()
            assert running.stdout.readline() == line
        running.stdin.close()
        assert running.stdout.read() == b""
        assert running.wait(30) == 0


def test_a_slow_reader_of_the_output_loses_nothing():
    data = os.urandom(3_000_000)
    with subprocess.Popen([TOOL, "exec", "--", "cat"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as running:
        if os.fork() == 0:
            running.stdout.close()
            with running.stdin:
                running.stdin.write(data)
            os._exit(0)
        running.stdin.close()
        time.sleep(3)
        assert running.stdout.read() == data
        assert running.wait(30) == 0
    os.wait()


def test_log_lines_stay_out_of_the_streams(fexec, tmp_path):
    """A fault is a line of the log."""
    ended = fexec("crash", "null", options=["--log", tmp_path / "log"])
    assert ended.stdout == b""
    assert b"segmentation fault:" not in ended.stderr
    assert b"segmentation fault:" in (tmp_path / "log").read_bytes()


def test_an_argument_list_that_cannot_be_decoded_is_an_error(fexec):
    """The last exec= of the command line counts."""
    ended = fexec("hello", options=["--append", "exec=a%4"])
    assert ended.returncode == 126
    assert b"two hexadecimal digits" in ended.stderr
