"""Our drivers on libfuse, fatfs and memfs, built by the SDK. The volume is made, and looked at
afterwards, by the host's tools."""

import os
import subprocess
from pathlib import Path

from test_shells import BUSYBOX

SCRIPTS = Path(__file__).parent / "fuse"
SHARED = Path(__file__).resolve().parents[2] / "build" / "shared"
DRIVERS = SHARED / "sdk" / "drivers"
SAID = """\
A long name from the host.text
short.txt
from the host
750 14
same
40
7
2001-02-03 04:05:06.000000000 +0000
ln: y: Operation not permitted
22
8 1
8 2
8 3
8 4
16384 0
ended with 0
ended with 0
"""


def tool(*command):
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", LC_ALL="C.UTF-8",
                       MTOOLS_SKIP_CHECK="1")
    done = subprocess.run(command, check=False, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, (command, done.stdout)
    return done.stdout


def test_fatfs_and_memfs_serve(fexec, tmp_path):
    volume, text = tmp_path / "volume", tmp_path / "text"
    text.write_text("from the host\n")
    tool("mkfs.fat", "-F", "16", "-s", "2", "-C", volume, "8192")
    tool("mcopy", "-i", volume, text, "::A long name from the host.text")
    tool("mcopy", "-i", volume, text, "::short.txt")
    add = [f"{SCRIPTS / 'drivers.sh'}:/tmp/script", f"{SCRIPTS / 'serve.sh'}:/tmp/serve.sh",
           f"{BUSYBOX}:/bin/busybox", f"{volume}:/tmp/volume", f"{SHARED / 'guest' / 'storage'}:/tmp/storage",
           *(f"{DRIVERS / name}:/tmp/drivers/{name}" for name in ("fatfs", "memfs"))]
    ended = fexec("/bin/busybox", "sh", "/tmp/script",
                  options=["--smp", "2", *(word for path in add for word in ("--add", path)),
                           "--get", f"/tmp/volume:{volume}.out",
                           "--get", f"/tmp/random.out:{tmp_path / 'random'}"])
    assert ended.stdout.decode() == SAID, ended.stderr.decode()

    after = f"{volume}.out"
    said = tool("fsck.fat", "-n", after).decode()
    assert len(said.splitlines()) == 2, said        # its version, and how much is used
    assert tool("mtype", "-i", after, "::A directory/größe.txt") == b"7\n"
    assert tool("mtype", "-i", after, "::moved/Random bytes") == (tmp_path / "random").read_bytes()
    assert tool("mtype", "-i", after, "::short.txt") == b"from the host\n" + bytes(986)
