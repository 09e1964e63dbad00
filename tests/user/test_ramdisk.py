"""Ramdisk images: the same bytes from the same tree, root's, checked clean, everything in them."""

import os
import random
import subprocess
import sys

import pytest
from conftest import TREE

sys.path.insert(0, str(TREE / "initrd"))
import mkimage  # noqa: E402

BASE = TREE / "build" / "shared" / "ramdisk"
ENVIRONMENT = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")


def fsck(image):
    done = subprocess.run(["e2fsck", "-fn", image], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def superblock(image):
    done = subprocess.run(["dumpe2fs", "-h", image], env=ENVIRONMENT, capture_output=True,
                          text=True, check=True)
    lines = (line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    return {name: value.strip() for name, value in lines}


def debugfs(image, request):
    return subprocess.run(["debugfs", "-R", request, image], env=ENVIRONMENT, capture_output=True,
                          text=True, check=True).stdout


def make_tree(root):
    random.seed(7)
    for i in range(300):
        folder = root / f"folder{i % 17}" / f"below {i % 5}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file {'x' * (i % 200)} {i}").write_bytes(random.randbytes(i * 37))
    (root / "large").write_bytes(random.randbytes(9 << 20))
    (root / "link").symlink_to("large")
    (root / "long link").symlink_to("x" * 200)
    os.link(root / "large", root / "hard link")
    for folder, _, names in os.walk(root, topdown=False):
        for name in names + ["."]:
            os.utime(os.path.join(folder, name), (1700000000, 1700000000), follow_symlinks=False)


def test_a_tree_comes_back(tmp_path):
    tree, image, out = tmp_path / "tree", tmp_path / "image", tmp_path / "out"
    tree.mkdir()
    out.mkdir()
    make_tree(tree)
    mkimage.make_image(tree, image)
    fsck(image)
    debugfs(image, f'rdump / "{out}"')
    (out / "lost+found").rmdir()
    assert subprocess.run(["diff", "-r", "--no-dereference", tree, out]).returncode == 0
    fields = superblock(image)
    assert fields["Block size"] == "4096"
    assert int(fields["Free blocks"]) <= 16
    assert fields["Filesystem features"].split() == ["filetype", "sparse_super", "large_file"]


def test_the_same_tree_gives_the_same_bytes(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        make_tree(tmp_path / name)
    # Nothing of the second tree's own may get in: owners, access times, the order of making.
    if os.getuid() == 0:
        for path in (tmp_path / "second").rglob("*"):
            os.chown(path, 1234, 5678, follow_symlinks=False)
    os.utime(tmp_path / "second" / "large", (1, 1700000000))
    mkimage.make_image(tmp_path / "first", tmp_path / "first.img")
    mkimage.make_image(tmp_path / "second", tmp_path / "second.img")
    assert (tmp_path / "first.img").read_bytes() == (tmp_path / "second.img").read_bytes()


def test_everything_belongs_to_root(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "f").write_text("x")
    (tmp_path / "tree" / "f").chmod(0o4755)
    if os.getuid() == 0:
        os.chown(tmp_path / "tree" / "f", 70000, 70000)
        (tmp_path / "tree" / "f").chmod(0o4755)
    mkimage.make_image(tmp_path / "tree", tmp_path / "image")
    text = debugfs(tmp_path / "image", "stat f")
    assert "User:     0   Group:     0" in text and "Mode:  04755" in text


@pytest.mark.parametrize("extra", [-300, -40, 0, 40])
def test_sizes_about_a_block_group(tmp_path, extra):
    """A group's end is where counting goes wrong: mke2fs leaves out a last group that is too small."""
    (tmp_path / "tree").mkdir()
    with open(tmp_path / "tree" / "f", "wb") as file:
        for _ in range(32700 + extra):
            file.write(b"\1" * 4096)
    mkimage.make_image(tmp_path / "tree", tmp_path / "image")
    fsck(tmp_path / "image")
    assert int(superblock(tmp_path / "image")["Free blocks"]) <= 500


def test_the_limit_names_the_largest_files(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "whale").write_bytes(bytes(300000))
    (tmp_path / "tree" / "shrimp").write_bytes(b"x")
    with pytest.raises(mkimage.ImageError, match=r"(?s)limit is 200,000.*300,000 whale"):
        mkimage.make_image(tmp_path / "tree", tmp_path / "image", limit=200000)
    assert not list(tmp_path.glob("image*"))


def test_the_source_date_is_the_newest_time(tmp_path, monkeypatch):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "new").write_text("x")
    (tmp_path / "tree" / "old").write_text("x")
    os.utime(tmp_path / "tree" / "old", (1000, 1000))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    mkimage.make_image(tmp_path / "tree", tmp_path / "image")
    assert f"mtime: {1600000000:#x}" in debugfs(tmp_path / "image", "stat new")
    assert f"mtime: {1000:#010x}" in debugfs(tmp_path / "image", "stat old")


def test_the_base_image_is_whole_and_small():
    image = BASE / "base.img"
    fsck(image)
    assert image.stat().st_size <= 4 << 20 and image.stat().st_size % 4096 == 0
    programs = debugfs(image, "ls -p /bin")
    for name in ("hello", "ls", "crash", "pack"):
        assert f"/100755/0/0/{name}/" in programs
    root = debugfs(image, "ls -p /")
    for name in ("dev", "proc", "sys", "mnt", "var", "run", "home"):
        assert f"/040755/0/0/{name}/" in root
    assert "/041777/0/0/tmp/" in root and "/040700/0/0/root/" in root
    assert "root:x:0:0" in debugfs(image, "cat /etc/passwd")
