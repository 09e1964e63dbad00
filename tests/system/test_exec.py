"""exec with the real kernel: programs run, and what goes in and out is whole."""

import os
import subprocess
import time

import pytest

from conftest import TOOL, TREE

STATIC_C = """
#include <stdio.h>
int main(int argc, char **argv) { printf("%s has %d\\n", argv[0], argc); return 42; }
"""


def test_hello(fexec):
    ended = fexec("hello")
    assert (ended.returncode, ended.stdout) == (0, b"Hello, world!\n")
    # The tool says that it looks at the build where that takes long, as on a busy host.
    assert not [line for line in ended.stderr.splitlines()
                if not line.startswith(b"fuselage: building ")], ended.stderr


def test_hello_takes_less_than_four_seconds(fexec):
    """The best of a few: what else runs on this host is not the tool's fault."""
    fexec("hello")
    took_s = []
    while not took_s or min(took_s) >= 4 and len(took_s) < 5:
        started_s = time.monotonic()
        fexec("hello")
        took_s.append(time.monotonic() - started_s)
    assert min(took_s) < 4, took_s


@pytest.mark.parametrize("kind,status", [
    ("null", 139), ("divide", 136), ("privileged", 139), ("kernel-read", 139),
    ("kernel-write", 139), ("stack", 139), ("badptr", 0), ("illegal", 132), ("breakpoint", 133),
    ("step", 133), ("step-gs", 133), ("abort", 134), ("jump", 139), ("noexec-stack", 139)])
def test_crash(fexec, kind, status):
    assert fexec("crash", kind).returncode == status


def test_exit_status_is_the_programs(fexec):
    assert fexec("crash", "exit", "77").returncode == 77
    assert fexec("no-such-program").returncode == 127
    assert fexec("/etc").returncode == 126


@pytest.mark.parametrize("preset", ["debug", "release"])
def test_a_fault_names_program_address_and_reason(fexec, tmp_path, preset):
    ended = fexec("crash", "null", options=["--preset", preset, "--log", tmp_path / "log"])
    assert ended.returncode == 139
    log = (tmp_path / "log").read_text()
    assert "crash" in log and "0x" in log


@pytest.mark.parametrize("way", [[], ["--ports-only"]], ids=["shared", "ports"])
def test_binary_comes_back_whole(fexec, way):
    data = os.urandom(30_000)
    ended = fexec("cat", options=way, input=data)
    assert ended.returncode == 0
    assert ended.stdout == data


def test_100_mb_go_through_unharmed(fexec, tmp_path):
    source, target = tmp_path / "in", tmp_path / "out"
    with open(source, "wb") as out:
        for _ in range(100):
            out.write(os.urandom(1_000_000))
    with open(source, "rb") as stdin, open(target, "wb") as stdout:
        ended = fexec("cat", stdin=stdin, stdout=stdout)
    assert ended.returncode == 0
    assert subprocess.run(["cmp", source, target], check=False).returncode == 0


def test_both_streams_are_unharmed(fexec):
    """tests/guest/both_streams.c; its output is what it is on Linux."""
    program = TREE / "build" / "shared" / "guest" / "both_streams"
    linux = subprocess.run([program], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    ours = fexec("/bin/both_streams", options=["--add", f"{program}:/bin/both_streams"])
    assert ours.returncode == linux.returncode
    assert ours.stdout == linux.stdout
    assert ours.stderr == linux.stderr


def test_a_program_of_debians_musl_gcc_runs(fexec, tmp_path):
    (tmp_path / "p.c").write_text(STATIC_C)
    subprocess.run(["musl-gcc", "-static", "-o", tmp_path / "p", tmp_path / "p.c"], check=True)
    ended = fexec("/bin/p", "x", options=["--add", f"{tmp_path / 'p'}:/bin/p"])
    assert (ended.returncode, ended.stdout) == (42, b"/bin/p has 2\n")


def test_a_64_mib_file_comes_out_identical(fexec, tmp_path):
    content = os.urandom(64 << 20)
    (tmp_path / "big").write_bytes(content)
    ended = fexec("true", options=["--add", tmp_path / "big", "--get", "/tmp/big:out"])
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out").read_bytes() == content


def test_a_tree_comes_out_as_it_went_in(fexec, tmp_path):
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "file").write_bytes(os.urandom(70_000))
    (tree / "a" / "b" / "empty").touch()
    (tree / "link").symlink_to("a/file")
    (tree / "dangling").symlink_to("/nowhere")
    os.chmod(tree / "a" / "file", 0o741)
    os.chmod(tree / "a" / "b", 0o750)
    os.utime(tree / "a" / "file", (1_600_000_000, 1_600_000_000))
    # A failing program's files come out as well.
    ended = fexec("false", options=["--add", tree, "--get", "tree:out"])
    assert ended.returncode == 1, ended.stderr
    subprocess.run(["diff", "-r", "--no-dereference", tree, tmp_path / "out"], check=True)
    for path in ("a/file", "a/b", "a/b/empty", "a"):
        before, after = os.lstat(tree / path), os.lstat(tmp_path / "out" / path)
        assert after.st_mode == before.st_mode, path
        assert int(after.st_mtime) == int(before.st_mtime), path
    assert os.lstat(tmp_path / "out" / "link").st_mtime_ns // 10 ** 9 \
        == os.lstat(tree / "link").st_mtime_ns // 10 ** 9


def test_arguments_arrive_as_they_were(fexec):
    words = ["two words", "per%cent", "new\nline", "ü", "=,;'\"\\$"]
    assert fexec("echo", *words).stdout.decode() == " ".join(words) + "\n"


def test_timeout_ends_a_program_that_runs_on(fexec):
    ended = fexec("spin", "60", options=["--timeout", "4"])
    assert ended.returncode == 124
    assert b"not done after 4 s" in ended.stderr


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
@pytest.mark.parametrize("mem", ["24", "512", "4096"])
def test_runs_on_small_and_large_machines(fexec, cpu, mem):
    assert fexec("hello", options=["--cpu", cpu, "--mem", mem]).stdout == b"Hello, world!\n"


def test_two_runs_under_icount_are_the_same(fexec, tmp_path):
    logs = []
    for run in ("first", "second"):
        ended = fexec("hello", options=["--icount", "--log", tmp_path / run])
        assert ended.returncode == 0, ended.stderr
        logs.append((tmp_path / run).read_text())
    assert logs[0] and logs[0] == logs[1]


def test_a_ramdisk_that_is_none_is_an_error(tmp_path):
    (tmp_path / "junk").write_bytes(os.urandom(100_000))
    ended = subprocess.run([TOOL, "exec", "--ramdisk", tmp_path / "junk", "--timeout", "20", "--",
                            "hello"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                           check=False)
    assert ended.returncode in (122, 123, 124)
    assert b"ramdisk" in ended.stderr
