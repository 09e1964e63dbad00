"""Drivers on Debian's libfuse 3, unchanged: the examples of its source, built by the SDK."""

import re
import shutil
from pathlib import Path

import pytest

from test_shells import BUSYBOX

SCRIPT = Path(__file__).parent / "fuse" / "libfuse.sh"
EXAMPLES = Path(__file__).resolve().parents[2] / "build" / "shared" / "ports" / "libfuse3"
GUEST = EXAMPLES.parents[1] / "guest"
SECTIONS = [
    ("hello", """\
hello
Hello World!
cat: can't open '/tmp/m/nothing': No such file or directory
ended with 0
"""),
    ("hello_ll", "Hello World!\nended with 0\n"),
    ("hello", "ended with 8\n"),            # as on Linux: a signal ended the loop
    ("ioctl", "0\n5\nended with 0\n"),
    ("passthrough", """\
text
b
text
2
640
981173106
tex
3145728
ended with 0
"""),
    ("passthrough_ll", """\
text
b
text
2
tex
d
h
l
255
3145728
22
ended with 0
"""),
    ("passthrough", "5 1\n5 2\n5 3\n5 4\nended with 0\n"),
]


@pytest.mark.parametrize("transport", ["stream", "native"])
def test_libfuse_s_examples_serve(fexec, transport):
    programs = {name for name, _ in SECTIONS} | {"ioctl_client"}
    add = [f"{SCRIPT}:/tmp/script", f"{BUSYBOX}:/bin/busybox", f"{GUEST / 'storage'}:/tmp/storage"]
    folder = {"stream": EXAMPLES, "native": EXAMPLES / "native"}[transport]
    add += [f"{(EXAMPLES if name == 'ioctl_client' else folder) / name}:/tmp/drivers/{name}"
            for name in sorted(programs)]
    ended = fexec("/bin/busybox", "sh", "/tmp/script",
                  options=["--smp", "2", *(word for path in add for word in ("--add", path))])
    said = ended.stdout.decode()
    found = re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", said, re.M | re.S)
    assert found == SECTIONS, said + ended.stderr.decode()


EXAMPLES_SAY = """\
== null
382
ended with 0
== printcap
22
== cuse
0
19
.....some test data
""" + "".join(f"== {driver}\ntext\nended with 0\n" for driver in (
    "passthrough", "passthrough --plus", "passthrough_fh", "passthrough_ll",
    "passthrough_ll -o writeback")) + """\
== test_setattr
ended with 134
setattr with fi == NULL
Assertion failed: got_fh == 1 (test/test_setattr.c: main: 176)
Aborted
== test_write_cache
ended with 0
Test completed successfully.
== test_write_cache -owriteback_cache
ended with 0
Test completed successfully.
== test_write_cache --delay_ms=200
ended with 0
Test completed successfully.
== notify_inval_inode
changed
ended with 0
== invalidate_path
changed
ended with 0
== notify_store_retrieve
changed
ended with 0
== expires1
gone
ended with 0
== expires2
gone
ended with 0
== polled
16
ended with 0
"""


def fusermount(folder):
    """Debian's, as it is installed: it runs as root."""
    program = folder / "fusermount3"
    shutil.copy(EXAMPLES.parents[1] / "sdk" / "drivers" / "fusermount3", program)
    program.chmod(0o4755)
    return program


# Linux too gives test_setattr's fchmod no handle, and libfuse does not run it.
@pytest.mark.parametrize("syscalls", ["one", pytest.param("all", marks=pytest.mark.nightly)])
def test_all_of_libfuse_s_examples_and_tests(fexec, tmp_path, syscalls):
    add = [f"{SCRIPT.with_name('examples.sh')}:/tmp/script", f"{BUSYBOX}:/bin/busybox",
           f"{fusermount(tmp_path)}:/bin/fusermount3"]
    add += [f"{path}:/tmp/drivers/{path.name}" for path in EXAMPLES.iterdir() if path.is_file()]
    ended = fexec("/bin/busybox", "sh", "/tmp/script", syscalls,
                  options=["--smp", "2", *(word for path in add for word in ("--add", path))])
    assert ended.stdout.decode() == EXAMPLES_SAY, ended.stderr.decode()


FUSERMOUNT = """\
== -s
Hello World!
hello /home/user/m fuse.hello rw,nosuid,nodev,relatime,user_id=1000,group_id=1000 0 0
cat: can't open '/home/user/m/hello': Permission denied
umount: can't unmount /home/user/m: Operation not permitted
fusermount3: entry for /home/user/m not found in /etc/mtab
ended with 0
== -s -o allow_other
ended with 4
fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf
== -s -o allow_other,default_permissions
Hello World!
Hello World!
hello /home/user/m fuse.hello rw,nosuid,nodev,relatime,user_id=1000,group_id=1000,\
default_permissions,allow_other 0 0
ended with 0
== -s -o auto_unmount,allow_other
Hello World!
ended with 137
fusermount3: entry for /home/user/m not found in /etc/mtab
ended with 0
"""


def test_fusermount3_mounts_for_who_is_not_root(fexec, tmp_path):
    add = [f"{SCRIPT.with_name('fusermount.sh')}:/tmp/script", f"{BUSYBOX}:/bin/busybox",
           f"{fusermount(tmp_path)}:/bin/fusermount3", f"{EXAMPLES / 'hello'}:/tmp/drivers/hello"]
    ended = fexec("/bin/busybox", "sh", "/tmp/script",
                  options=["--smp", "2", *(word for path in add for word in ("--add", path))])
    assert ended.stdout.decode() == FUSERMOUNT, ended.stderr.decode()
