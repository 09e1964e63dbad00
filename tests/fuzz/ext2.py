#!/usr/bin/python3
"""Images for the fuzzer of the ext2 reader, made by mke2fs, and inputs that change them where the
reader looks."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

SCRIPTS = {
    # Small, with one of everything.
    "tree": ("echo hello > file; mkdir -p a/b/c; echo x > a/b/c/deep; ln -s a/b fast;"
             "ln -s $(printf 'x%.0s' $(seq 100)) slow; mkfifo pipe; : > empty; ln file hard",
             ["-N", "32"], "256k"),
    "old_inodes": ("echo hello > file; mkdir d; echo y > d/file; ln -s file link",
                   ["-N", "32", "-I", "128"], "256k"),
    # Every level of indirect blocks.
    "indirect": ("dd if=/dev/urandom of=data bs=4096 count=30 status=none;"
                 "truncate -s 5G sparse; echo end >> sparse; echo mid | dd of=sparse bs=1M seek=8 "
                 "conv=notrunc status=none",
                 ["-N", "16"], "512k"),
    # A directory of several blocks, with an index.
    "many": ("for i in $(seq 150); do : > a-name-that-takes-some-room-$i; done; mkdir d",
             ["-N", "256"], "512k"),
}


def make_images(folder):
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    for name, (script, options, size) in SCRIPTS.items():
        image = folder / f"{name}.img"
        if image.exists():
            continue
        with tempfile.TemporaryDirectory() as place:
            tree = pathlib.Path(place, "tree")
            tree.mkdir()
            subprocess.run(["sh", "-ec", script], cwd=tree, check=True)
            part = pathlib.Path(place, "image")
            subprocess.run(["mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-m", "0", *options,
                            "-U", "00000000-0000-0000-0000-000000000001",
                            "-d", tree, part, size], check=True, env=environment)
            shutil.copyfile(part, image)


def record(where, width, unit, offset, value):
    return struct.pack("<BBHHI", where, width, unit, offset, value & 0xffffffff)


def make_seeds(folder):
    """One input for each image as it is, and some that point at what is checked."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = {"raw": b"\xff" + bytes(9000)}
    for image in range(len(SCRIPTS)):
        seeds[f"plain{image}"] = bytes([image])
        for field in range(0, 104, 4):
            seeds[f"super{image}_{field}"] = bytes([image]) + record(0, 2, 0, field, 0x7fffffff)
        for bit in range(20):
            seeds[f"feature{image}_{bit}"] = bytes([image]) + record(0, 2, 0, 96, 1 << bit)
        for size in (0, 1, 3, 4):
            seeds[f"block_size{image}_{size}"] = bytes([image]) + record(0, 2, 0, 24, size)
        for field in range(0, 12, 4):
            seeds[f"group{image}_{field}"] = bytes([image]) + record(1, 2, 0, field, 1)
        for inode in list(range(1, 4)) + list(range(10, 18)):
            for field, value in ((0, 0x9000), (0, 0xa1ff), (0, 0x21ff), (0, 0x41ff), (4, 0xfffff000),
                                 (26, 0), (40, 0), (40, 0x12345), (40 + 48, 9), (40 + 52, 9),
                                 (40 + 56, 9), (108, 0x7fffffff), (128, 4), (28, 8)):
                width = 1 if field in (0, 26, 128) else 2
                seeds[f"inode{image}_{inode}_{field}_{value:x}"] = \
                    bytes([image]) + record(2, width, inode, field, value)
        seeds[f"cut{image}"] = bytes([image]) + record(4, 0, 9, 0, 0)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)


place = pathlib.Path(sys.argv[1])
make_images(place / "images")
make_seeds(place / "seeds")
