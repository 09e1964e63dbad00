"""Drivers on Debian's libfuse 3, unchanged: the examples of its source, built by the SDK."""

import re
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
