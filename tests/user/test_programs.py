"""Each program of user/src does what its help says, and complains like a good one."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import time

import pytest
from conftest import LOADER, PROGRAMS, command, is_dynamic

NAMES = sorted(path.name for path in PROGRAMS.glob("*") if path.is_file())


def on_terminal(tmp_path, columns, name, *arguments):
    """What a program writes to a terminal that is so wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command(name, *arguments), stdin=slave, stdout=slave,
                               stderr=slave, cwd=tmp_path, env={"TERM": "xterm"})
    os.close(slave)
    output = b""
    try:
        while piece := os.read(master, 65536):
            output += piece
    except OSError:
        pass    # EIO: the last user of the terminal has gone
    os.close(master)
    return process.wait(timeout=10), output.decode().replace("\r\n", "\n")


def test_programs_were_built():
    assert {"hello", "ls", "cat", "echo", "primes", "mandelbrot", "sysinfo", "spin",
            "crash", "pack"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_help_names_the_program(run, name):
    done = run(name, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"usage: {name}")


@pytest.mark.parametrize("name", NAMES)
def test_is_small_and_knows_its_loader(name):
    headers = subprocess.check_output(["readelf", "-lW", PROGRAMS / name], text=True)
    assert ("INTERP" in headers) == is_dynamic(name)
    assert not is_dynamic(name) or f"interpreter: /lib/{LOADER.name}]" in headers
    assert "GNU_STACK" in headers and " RWE " not in headers
    assert (PROGRAMS / name).stat().st_size < (20 if is_dynamic(name) else 80) << 10


def test_a_full_disk_is_not_success(run):
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAMS / "hello"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "No space left" in done.stderr


def test_hello(run):
    assert run("hello").stdout == "Hello, world!\n"
    assert run("hello", "Ada", "Alan").stdout == "Hello, Ada!\nHello, Alan!\n"


def test_echo(run):
    assert run("echo", "a", "b").stdout == "a b\n"
    assert run("echo", "-n", "a").stdout == "a"
    assert run("echo", "-ne", r"a\tb\0101\\\q").stdout == "a\tbA\\\\q"
    assert run("echo", "-nothing", "-").stdout == "-nothing -\n"


def test_cat_passes_bytes_through(run, tmp_path):
    data = os.urandom(300000)
    (tmp_path / "f").write_bytes(data)
    assert run("cat", "f", "-", "f", input=b"\0x", text=False).stdout == data + b"\0x" + data


def test_cat_goes_on_after_a_missing_file(run, tmp_path):
    (tmp_path / "f").write_text("here\n")
    done = run("cat", "nope", "f")
    assert (done.returncode, done.stdout) == (1, "here\n")
    assert done.stderr == "cat: nope: No such file or directory\n"


def test_ls_of_files_and_folders(run, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "inner").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "f").touch()
    assert run("ls").stdout == "d\nf\n"
    assert run("ls", "-a").stdout == ".\n..\n.hidden\nd\nf\n"
    assert run("ls", "d", "f").stdout == "f\n\nd:\ninner\n"
    assert run("ls", "-d", "d").stdout == "d\n"
    done = run("ls", "nope", "f")
    assert (done.returncode, done.stdout) == (1, "f\n")
    assert done.stderr == "ls: nope: No such file or directory\n"


def test_ls_long_form(run, tmp_path):
    (tmp_path / "f").write_bytes(b"12345")
    (tmp_path / "f").chmod(0o4751)
    os.utime(tmp_path / "f", (0, 86400 * 400))
    (tmp_path / "l").symlink_to("f")
    file, link = run("ls", "-l", env={"TZ": "UTC"}).stdout.splitlines()
    assert file.split()[0] == "-rwsr-x--x" and file.split()[4] == "5"
    assert file.endswith("Feb  5  1971 f")
    assert link.startswith("lrwxrwxrwx") and link.endswith(" l -> f")


def test_ls_columns_fit_the_terminal(tmp_path):
    for i in range(40):
        (tmp_path / f"name{i:02}").touch()
    status, text = on_terminal(tmp_path, 50, "ls")
    lines = text.splitlines()
    assert status == 0 and len(lines) == 7
    assert max(map(len, lines)) <= 50
    assert lines[0].split()[:2] == ["name00", "name07"]


def test_ls_colours_and_control_characters(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "evil\033[31m").touch()
    _, text = on_terminal(tmp_path, 80, "ls", "-1")
    assert text == "\033[1;34md\033[0m\nevil?[31m\n"


@pytest.mark.parametrize("top, count", [(0, 0), (1, 0), (2, 1), (10, 4), (1000, 168), (1001, 168),
                                        (65536, 6542), (1000000, 78498)])
def test_primes(run, top, count):
    assert run("primes", top).stdout.splitlines()[-1] == f"{count} primes up to {top}"


def test_primes_reports_ten_times(run):
    lines = run("primes", 1000).stdout.splitlines()
    assert lines[0] == "25 primes up to 100" and len(lines) == 10


def test_mandelbrot_is_as_large_as_the_terminal(run, tmp_path):
    lines = run("mandelbrot").stdout.splitlines()
    assert len(lines) == 23 and all(len(line) == 80 for line in lines)
    # The set is its own mirror image in the real axis, and the origin is inside.
    assert "@" in lines[11] and lines[5] == lines[18]
    _, text = on_terminal(tmp_path, 61, "mandelbrot")
    assert all(line.count("\u2580") == 61 for line in text.splitlines())
    assert "\033[38;5;" in text


def test_sysinfo_agrees_with_the_system(run):
    text = run("sysinfo").stdout
    assert os.uname().release in text and os.uname().nodename in text
    assert f"{len(os.sched_getaffinity(0))} that this program may use" in text


def test_spin_and_sleep_take_as_long_as_told(run):
    for name in ("spin", "sleep"):
        start = time.monotonic()
        assert run(name, "0.3").returncode == 0
        assert 0.3 <= time.monotonic() - start < 30
    start = os.times()
    run("spin", "0.3")
    end = os.times()
    assert end.children_user - start.children_user > 0.1
    for wrong in ("x", "1x", "", "-1", "99999999999999999999"):
        done = run("sleep", wrong)
        assert done.returncode == 2 and "seconds" in done.stderr


def test_true_and_false(run):
    assert run("true").returncode == 0
    assert run("false").returncode == 1


def test_env(run):
    assert run("env", env={"A": "1", "B": ""}).stdout == "A=1\nB=\n"
    assert run("env", "-i", "C=d").stdout == "C=d\n"
    done = run("env", "X=y", PROGRAMS / "env", env={})
    assert done.stdout == "X=y\n"
    assert run("env", "./nope").returncode == 127


@pytest.mark.parametrize("kind, status", [
    ("null", 139), ("divide", 136), ("privileged", 139), ("kernel-read", 139),
    ("kernel-write", 139), ("non-canonical", 139), ("read-only", 139), ("stack", 139), ("smash", 139),
    ("badptr", 0), ("illegal", 132), ("breakpoint", 133), ("step", 133),
    ("step-gs", 133), ("abort", 134), ("jump", 139), ("noexec-stack", 139)])
def test_crash_kinds(run, kind, status):
    code = run("crash", kind).returncode
    assert (128 - code if code < 0 else code) == status
    row = next(line for line in run("crash").stdout.splitlines() if line.startswith(kind + " "))
    assert row.split()[1] == str(status)


def test_crash_other_ways(run):
    assert run("crash", "exit", "7").returncode == 7
    done = run("crash", "nonsense")
    assert done.returncode == 2 and "nonsense" in done.stderr


def test_wc(run, tmp_path):
    (tmp_path / "f").write_text("one two\nthree")
    assert run("wc", "f").stdout.split() == ["1", "3", "13", "f"]
    assert run("wc", "-l", input="a\nb\n").stdout.split() == ["2"]
    assert run("wc", "f", "f").stdout.splitlines()[-1].split() == ["2", "6", "26", "total"]


def test_hexdump(run):
    done = run("hexdump", input=bytes(range(16)) + b"A" * 64 + b"\n", text=False)
    assert done.stdout.decode().splitlines() == [
        "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|",
        "00000010  41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41  |AAAAAAAAAAAAAAAA|",
        "*",
        "00000050  0a " + " " * 47 + "|.|",
        "00000051"]


def test_folders_and_files_come_and_go(run, tmp_path):
    assert run("mkdir", "-p", "a/b/c").returncode == 0
    assert run("mkdir", "-p", "a/b/c").returncode == 0
    assert run("mkdir", "a").stderr == "mkdir: a: File exists\n"
    (tmp_path / "a" / "f").write_bytes(os.urandom(100000))
    (tmp_path / "a" / "f").chmod(0o640)
    (tmp_path / "a" / "l").symlink_to("f")
    assert run("cp", "a/f", "copy").returncode == 0
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "a" / "f").read_bytes()
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o640
    assert run("cp", "-r", "a", "z").returncode == 0
    assert os.readlink(tmp_path / "z" / "l") == "f"
    assert run("cp", "a", "y").returncode == 1
    assert run("cp", "copy", "copy").returncode == 1
    assert run("rm", "a").returncode == 1
    (tmp_path / "keep").mkdir()
    (tmp_path / "a" / "out").symlink_to(tmp_path / "keep")
    assert run("rm", "-r", "a", "z", "copy").returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["keep"]
    assert run("rm", "nope").returncode == 1
    assert run("rm", "-f", "nope").returncode == 0


def test_touch(run, tmp_path):
    (tmp_path / "old").touch()
    os.utime(tmp_path / "old", (0, 0))
    assert run("touch", "old", "new").returncode == 0
    assert time.time() - (tmp_path / "old").stat().st_mtime < 60
    assert (tmp_path / "new").read_bytes() == b""


def test_tree(run, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "l").symlink_to("a")
    assert run("tree").stdout == (".\n├─ a\n│  └─ f\n└─ l -> a\n1 folder, 2 files\n")


def test_uptime(run):
    assert " up " in run("uptime").stdout


def test_head(run, tmp_path):
    (tmp_path / "f").write_text("".join(f"{i}\n" for i in range(20)))
    assert run("head", "f").stdout == "".join(f"{i}\n" for i in range(10))
    assert run("head", "-n", "2", "f", "f").stdout == "==> f <==\n0\n1\n\n==> f <==\n0\n1\n"
    assert run("head", "-n", "x").returncode == 2


def test_pwd_uname_date(run, tmp_path):
    assert run("pwd").stdout == f"{tmp_path}\n"
    system = os.uname()
    assert run("uname").stdout == f"{system.sysname}\n"
    assert run("uname", "-rm").stdout == f"{system.release} {system.machine}\n"
    assert run("uname", "-a").stdout == " ".join(system) + "\n"
    assert abs(int(run("date", "+%s").stdout) - time.time()) < 5
    assert run("date", "-u", "+%Z").stdout == "UTC\n"
    assert run("date", "tomorrow").returncode == 2


def test_mv_and_ln(run, tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "d").mkdir()
    assert run("mv", "f", "g").returncode == 0
    assert run("mv", "g", "d").returncode == 0
    assert (tmp_path / "d" / "g").read_text() == "x"
    done = run("mv", "nope", "d")
    assert (done.returncode, done.stderr) == (1, "mv: nope to d/nope: No such file or directory\n")
    assert run("ln", "-s", "d/g", "l").returncode == 0
    assert os.readlink(tmp_path / "l") == "d/g"
    assert run("ln", "d/g", "hard").returncode == 0
    assert (tmp_path / "hard").stat().st_nlink == 2
    assert run("ln", "d/g").returncode == 0 and (tmp_path / "g").exists()
    assert run("ln", "d/g", "hard").returncode == 1
