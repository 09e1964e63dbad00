"""Filesystem drivers that are programs: mounted, used, killed, unmounted."""

import re

import pytest

from conftest import TREE

AT = "/tmp/m"


@pytest.fixture
def hello(machine):
    """A machine on which hellofs serves AT."""
    machine.run(f"mkdir {AT}; hellofs {AT} &")
    wait_for_mount(machine)
    return machine


def wait_for_mount(machine):
    for _ in range(50):
        if any(AT in line for line in machine.run("mounts")):
            return
    raise AssertionError("hellofs did not mount")


def test_a_driver_serves_a_file(hello):
    assert hello.run(f"cat {AT}/hello") == ["Hello, world!"]
    assert any(re.search(r"-r--r--r--.* 14 .*hello", line) for line in hello.run(f"ls -l {AT}"))
    assert hello.run(f"cat {AT}/nope")[0].endswith("no such file or directory")
    mounts = hello.run("mounts")
    assert any("fuse.hellofs" in line for line in mounts)
    assert any(re.match(r"  READ +\d+ +14 B +half of them below \d+ us", line) for line in mounts)
    top = hello.run("fusetop -1")
    assert top[0] == f"{AT} (fuse.hellofs)"
    assert any(re.match(r"  READ +\d+ +14 B ", line) for line in top)
    # Not known to it, and so refused: it has no WRITE, no CREATE.
    assert "not permitted" in hello.run(f"echo x > {AT}/new")[0]


def test_trace_shows_requests_by_name(hello):
    """As it shows calls: the filesystem's number, the request's, what was asked, what came of it.
    What is asked for last is in the log when its caller goes on."""
    number = hello.run("ls /sys/fs/fuse/connections")[-1].split()[-1].rstrip("/")
    assert hello.run("trace fuse on") == []
    hello.run(f"cat {AT}/hello; cat {AT}/nope")
    assert hello.run("trace fuse off") == []
    hello.run(f"cat {AT}/other")
    log = "\n".join(hello.run("dmesg"))
    for what in (r'LOOKUP\(1, "hello"\) = node 2', r"OPEN\(2, 0\d*\) = -1 ENOSYS",
                 r"READ\(2, fh 0, \d+, 0\) = 14", r'LOOKUP\(1, "nope"\) = -1 ENOENT'):
        assert re.search(rf"fuse: {number}: \d+ {what} <0\.\d{{6}}>", log), log
    assert "other" not in log
    hello.run(f"trace fuse {number}; cat {AT}/third")
    assert 'LOOKUP(1, "third")' in "\n".join(hello.run("dmesg"))
    assert "no number" in hello.run("trace fuse x")[0]


def test_a_mount_goes_when_nobody_uses_it(hello):
    hello.run(f"sleep 1000 < {AT}/hello &")
    assert "busy" in hello.run(f"umount {AT}")[0]
    hello.run("kill %2; wait %2")
    assert not any("umount" in line for line in hello.run(f"umount {AT}"))
    hello.run("wait")                               # its read says ENODEV: it ends
    assert hello.run(f"ls {AT}") == []
    assert hello.run("jobs") == ["no jobs: `CMD &' starts one"]


def test_a_mount_in_use_can_be_detached(hello):
    hello.run(f"sleep 1000 < {AT}/hello &")
    assert hello.run(f"umount -l {AT}") == []
    assert hello.run(f"ls {AT}") == []
    assert "hellofs" in hello.run("jobs")[0]        # it serves who is inside
    hello.run("kill %2; wait")
    assert hello.run("jobs") == ["no jobs: `CMD &' starts one"]


def test_a_driver_may_die(hello):
    assert hello.run(f"cat {AT}/hello") == ["Hello, world!"]
    hello.run("kill -KILL %1; wait")
    lines = hello.run(f"cat {AT}/other")
    assert "not connected" in lines[0]
    assert hello.run(f"umount {AT}") == []
    hello.run(f"hellofs {AT} &")                # and may be started again
    wait_for_mount(hello)
    assert hello.run(f"cat {AT}/hello") == ["Hello, world!"]


def test_a_driver_that_hangs_holds_nobody(hello):
    hello.run("kill -STOP %1")
    hello.run(f"/bin/cat {AT}/unknown &")
    lines = hello.run("kill -KILL %2; wait %2")
    assert any("SIGKILL" in line for line in lines)
    hello.run("kill -CONT %1")
    assert hello.run(f"cat {AT}/hello") == ["Hello, world!"]


def test_mount_s_errors_say_what_was_wrong(machine):
    assert "No such device" in machine.run("mount -t ext9 none /tmp")[0]
    assert "Invalid argument" in machine.run("mount -t fuse none /tmp")[0]
    assert "No such file" in machine.run("mount -t tmpfs none /nowhere")[0]
    assert "Invalid argument" in machine.run("umount /bin")[0]
    assert machine.run("mount -t tmpfs none /home; echo x > /home/x; ls /home; umount /home") == ["x"]


@pytest.mark.nightly
def test_a_million_pages_are_copied_while_memory_goes(fexec):
    """In tests/guest there are a few thousand of them."""
    program = TREE / "build" / "shared" / "guest" / "fuse_copying"
    ended = fexec("/bin/fuse_copying", "1000000", timeout=3600,
                  options=["--preset", "release", "--smp", "2", "--add",
                           f"{program}:/bin/fuse_copying"])
    assert ended.returncode == 0 and b"not ok" not in ended.stdout, ended.stdout
