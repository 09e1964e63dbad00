"""Drivers that are programs of others, from Debian's sources: on images that the host's tools make,
and look at afterwards."""
# needs: drivers

import hashlib
import re

from test_drivers import DRIVERS, SCRIPTS, SHARED, tool
from test_shells import BUSYBOX

LIBFUSE2 = SHARED / "ports" / "libfuse2"
EXAMPLES = SHARED / "ports" / "libfuse3"
DEMO_FILES = {"empty": 0, "one byte": 1, "folder/page": 4096, "folder/page and more": 4097,
              "folder/deeper/some pages": 70000,
              "folder/deeper/A long name, of more than one entry in an old directory": 131072,
              "large": 1500000}


def demo_contents(number, nbytes):
    """What fuse-demo writes: numbered lines."""
    lines = (f"file {number:02}, line {line:010} ......\n" for line in range(nbytes // 32 + 1))
    return "".join(lines).encode()[:nbytes]


def compare_demo_files(folder):
    wanted = {name: demo_contents(number, nbytes)
              for number, (name, nbytes) in enumerate(DEMO_FILES.items())}
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
             if path.is_file()}
    assert found.keys() == wanted.keys()
    assert [name for name in wanted if found[name] != wanted[name]] == []


def test_fuse_demo_s_files_are_on_the_disks(fexec, tmp_path):
    ext4, fat = tmp_path / "ext4.img", tmp_path / "fat.img"
    tool("mke2fs", "-q", "-t", "ext4", ext4, "12M")
    tool("mkfs.fat", "-F", "16", "-s", "2", "-C", fat, "8192")
    drivers = [DRIVERS / name for name in ("fuse-demo", "memfs", "fatfs", "fuse2fs")]
    drivers += [EXAMPLES / name for name in ("hello", "passthrough_ll")]
    add = [f"{ext4}:/tmp/ext4.img", f"{fat}:/tmp/fat.img",
           *(f"{path}:/tmp/drivers/{path.name}" for path in drivers)]
    ended = fexec("/tmp/drivers/fuse-demo",
                  options=["--smp", "2", *(word for path in add for word in ("--add", path)),
                           "--get", f"/tmp/ext4.img:{ext4}.out", "--get", f"/tmp/fat.img:{fat}.out"])
    rows = ended.stdout.decode().splitlines()
    assert ended.returncode == 0, (rows, ended.stderr.decode())
    assert [row.split()[0] for row in rows[1:]] == ["hello", "passthrough_ll", "memfs", "fatfs",
                                                    "fuse2fs"]
    assert all(row.endswith("  all is there") for row in rows[1:]), rows

    tool("e2fsck", "-fn", f"{ext4}.out")
    assert len(tool("fsck.fat", "-n", f"{fat}.out").splitlines()) == 2
    (tmp_path / "ext4").mkdir()
    (tmp_path / "fat").mkdir()
    tool("debugfs", "-R", f"rdump / {tmp_path / 'ext4'}", f"{ext4}.out")
    tool("mcopy", "-s", "-i", f"{fat}.out", "::*", tmp_path / "fat")
    compare_demo_files(tmp_path / "ext4")
    compare_demo_files(tmp_path / "fat")


# What a script prints about each driver, as it does on Linux.
FUSEXMP = """\
b
text
2
640
same
ended with 0
"""
SAID = {
    "erofsfuse": """\
/tmp/m:
folder
link
text

/tmp/m/folder:
random
{random}  -
{text}  -
folder/random
644 300000
ended with 0
""",
    "ntfs-3g": """\
same
2 10
41
some\x20
ended with 0
.
./folder
./folder/Random bytes
./folder/größe.txt
./second
same
ended with 0
""",
    "bindfs": """\
1000 1001 640
text
0 0 600
more
same
ended with 0
touch: /tmp/m/a: Read-only file system
ended with 0
""",
    "libfuse 2": "hello\nHello World!\nended with 0\nHello World!\nended with 0\n" + 2 * FUSEXMP,
}


def sections(text):
    """What stands between lines of "== NAME", by name."""
    return dict(re.findall(r"^== ([^\n]+)\n(.*?)(?=^== |\Z)", text, re.M | re.S))


def test_others_drivers_serve(fexec, tmp_path):
    erofs, ntfs, files = tmp_path / "erofs.img", tmp_path / "ntfs.img", tmp_path / "files"
    (files / "folder").mkdir(parents=True)
    # Half of it can be packed.
    random = b"".join(hashlib.sha256(bytes([number >> 8, number & 255])).digest() + bytes(68)
                      for number in range(3000))
    text = "".join(f"{number}\n" for number in range(20000)).encode()
    (files / "folder" / "random").write_bytes(random)
    (files / "folder" / "random").chmod(0o644)
    (files / "text").write_bytes(text)
    (files / "link").symlink_to("folder/random")
    tool("mkfs.erofs", "-zlz4", erofs, files)
    assert erofs.stat().st_size < len(random)       # it is packed
    with open(ntfs, "wb") as file:
        file.truncate(8 << 20)
    tool("mkntfs", "-q", "-F", "-s", "512", "-p", "0", "-H", "0", "-S", "0", ntfs)
    add = [f"{SCRIPTS / 'packaged.sh'}:/tmp/script", f"{SCRIPTS / 'serve.sh'}:/tmp/serve.sh",
           f"{BUSYBOX}:/bin/busybox", f"{erofs}:/tmp/erofs.img", f"{ntfs}:/tmp/ntfs.img",
           f"{files / 'folder' / 'random'}:/tmp/random",
           f"{LIBFUSE2 / 'hello'}:/tmp/drivers/hello2",
           f"{LIBFUSE2 / 'hello_ll'}:/tmp/drivers/hello2_ll",
           *(f"{LIBFUSE2 / name}:/tmp/drivers/{name}" for name in ("fusexmp", "fusexmp_fh")),
           *(f"{DRIVERS / name}:/tmp/drivers/{name}" for name in ("bindfs", "erofsfuse", "ntfs-3g"))]
    ended = fexec("/bin/busybox", "sh", "/tmp/script",
                  options=["--smp", "2", *(word for path in add for word in ("--add", path)),
                           "--get", f"/tmp/ntfs.img:{ntfs}.out"])
    said = sections(ended.stdout.decode())
    md5 = {"random": hashlib.md5(random).hexdigest(), "text": hashlib.md5(text).hexdigest()}
    wanted = {name: text.format(**md5) for name, text in SAID.items()}
    assert said == wanted, ended.stderr.decode()

    tool("ntfsfix", "-n", f"{ntfs}.out")
    assert tool("ntfscat", "-q", f"{ntfs}.out", "folder/Random bytes") == random
    assert tool("ntfscat", "-q", f"{ntfs}.out", "second") == b"some "
