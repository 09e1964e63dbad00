#!/usr/bin/python3
"""Make a ramdisk image of a folder: ext2 with 4 KiB blocks and next to no free space.

The same tree gives the same bytes, on any machine and for any user: the image's UUID, hash seed and
time are fixed, everything belongs to root, and the three times of an inode are the file's mtime,
at most SOURCE_DATE_EPOCH where that is set. Nothing optional is switched on (no journal, no
resize inode, no directory index), so a reader needs to know little.
"""

import argparse
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

BLOCK_BYTES = 4096
BLOCKS_PER_GROUP = 8 * BLOCK_BYTES      # one bitmap block's worth
POINTERS_PER_BLOCK = BLOCK_BYTES // 4
DIRECT_BLOCKS = 12
INODE_BYTES = 256
RESERVED_INODES = 11                    # ten of ext2's own and lost+found
LOST_AND_FOUND_BLOCKS = 4
UUID = "f05e1a9e-0000-4000-8000-000000000001"
FIXED_TIME = 1767225600                 # 2026-01-01, where no SOURCE_DATE_EPOCH says otherwise


class ImageError(Exception):
    """What kept the image from being made; the text is the whole message."""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree", type=Path, metavar="TREE", help="the folder that becomes /")
    parser.add_argument("image", type=Path, metavar="IMAGE")
    parser.add_argument("--limit", type=int, metavar="BYTES", help="fail if it would be larger")
    parser.add_argument("--label", default="base", help="the volume's name (default: base)")
    return parser.parse_args()


def file_blocks(size_bytes):
    """Data blocks and the indirect blocks that lead to them."""
    blocks = -(-size_bytes // BLOCK_BYTES)
    total, left, span = blocks, blocks - DIRECT_BLOCKS, POINTERS_PER_BLOCK
    while left > 0:
        # One tree of this depth: span data blocks at most, below index blocks at each level.
        under = min(left, span)
        width = POINTERS_PER_BLOCK
        while width <= span:
            total += -(-under // width)
            width *= POINTERS_PER_BLOCK
        left -= under
        span *= POINTERS_PER_BLOCK
    return total


def directory_blocks(names):
    """An entry has 8 bytes and the name, padded to 4, and stays inside one block."""
    blocks, used = 1, 24
    for name in names:
        entry = (8 + len(os.fsencode(name)) + 3) & ~3
        if used + entry > BLOCK_BYTES:
            blocks, used = blocks + 1, 0
        used += entry
    return blocks


class Tree:
    """What there is to store: counted, with the regular files by size."""

    def __init__(self, root):
        if not root.is_dir():
            raise ImageError(f"{root} is not a folder")
        self.inodes, self.blocks, self.files = RESERVED_INODES + 1, LOST_AND_FOUND_BLOCKS, []
        seen = set()
        for folder, folders, files in os.walk(root, onerror=self.unreadable):
            self.inodes += 1
            self.blocks += directory_blocks(folders + files + ["lost+found"])
            for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
                self.add(os.path.join(folder, name), seen, root)

    @staticmethod
    def unreadable(error):
        raise ImageError(f"{error.filename}: {error.strerror}")

    def add(self, path, seen, root):
        status = os.lstat(path)
        if (status.st_dev, status.st_ino) in seen:
            return      # a further hard link
        seen.add((status.st_dev, status.st_ino))
        self.inodes += 1
        if stat.S_ISREG(status.st_mode):
            self.blocks += file_blocks(status.st_size)
            self.files.append((status.st_size, os.path.relpath(path, root)))
        elif stat.S_ISLNK(status.st_mode) and status.st_size >= 60:
            self.blocks += 1

    def image_blocks(self):
        """Blocks of the whole image: the tree's and the file system's own."""
        inode_table = -(-self.inodes * INODE_BYTES // BLOCK_BYTES)
        groups = 1
        while True:
            per_group = 3 + -(-groups * 32 // BLOCK_BYTES)    # superblock, bitmaps, descriptors
            total = self.blocks + inode_table + groups * (per_group + 1)
            if total <= groups * BLOCKS_PER_GROUP:
                return total
            groups += 1

    def check_limit(self, limit):
        size = self.image_blocks() * BLOCK_BYTES
        if limit is None or size <= limit:
            return
        largest = "\n".join(f"  {size_bytes:>12,} {name}"
                            for size_bytes, name in sorted(self.files, reverse=True)[:8])
        raise ImageError(f"the image would have {size:,} bytes, the limit is {limit:,}.\n"
                         f"The largest files:\n{largest}")


def fixed_time():
    return int(os.environ.get("SOURCE_DATE_EPOCH", FIXED_TIME))


def make_filesystem(tree_path, tree, image, blocks, label):
    """mke2fs's complaint, or None when it is done."""
    with open(image, "wb") as file:
        file.truncate(blocks * BLOCK_BYTES)
    environment = dict(os.environ, LC_ALL="C", MKE2FS_CONFIG="/dev/null",
                       E2FSPROGS_FAKE_TIME=str(fixed_time()),
                       PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    command = ["mke2fs", "-q", "-F", "-b", str(BLOCK_BYTES), "-I", str(INODE_BYTES),
               "-N", str(tree.inodes), "-m", "0", "-L", label, "-U", UUID,
               "-O", "none,filetype,sparse_super,large_file",
               "-E", f"hash_seed={UUID},root_owner=0:0,lazy_itable_init=0,nodiscard,"
               "no_copy_xattrs",
               "-d", str(tree_path), str(image), str(blocks)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    except FileNotFoundError:
        raise ImageError("mke2fs is not installed (Debian package e2fsprogs)") from None
    return None if done.returncode == 0 else done.stderr.strip()


def normalise_inodes(image, newest):
    """Everything belongs to root; no time but the file's mtime, seconds only, at most newest."""
    with open(image, "r+b") as file:
        file.seek(1024)
        superblock = file.read(1024)
        inode_count, block_count = struct.unpack_from("<II", superblock, 0)
        per_group = struct.unpack_from("<I", superblock, 40)[0]
        groups = -(-block_count // BLOCKS_PER_GROUP)
        assert inode_count == groups * per_group
        file.seek(BLOCK_BYTES)
        descriptors = file.read(groups * 32)
        for group in range(groups):
            table_at = struct.unpack_from("<I", descriptors, group * 32 + 8)[0] * BLOCK_BYTES
            file.seek(table_at)
            table = bytearray(file.read(per_group * INODE_BYTES))
            for at in range(0, len(table), INODE_BYTES):
                normalise_inode(table, at, newest)
            file.seek(table_at)
            file.write(table)


def normalise_inode(table, at, newest):
    """Offsets: the ext2 inode (uid 2, times 8..23, gid 24, high ids 120) and its extra fields."""
    mode, links = struct.unpack_from("<H", table, at)[0], struct.unpack_from("<H", table, at + 26)[0]
    if not mode or not links:
        return
    mtime = struct.unpack_from("<I", table, at + 16)[0]
    if newest is not None:
        mtime = min(mtime, newest)
    struct.pack_into("<H", table, at + 2, 0)
    struct.pack_into("<IIII", table, at + 8, mtime, mtime, mtime, 0)
    struct.pack_into("<H", table, at + 24, 0)
    struct.pack_into("<HH", table, at + 120, 0, 0)
    # i_ctime_extra, i_mtime_extra, i_atime_extra, i_crtime, i_crtime_extra
    struct.pack_into("<IIIII", table, at + 132, 0, 0, 0, mtime, 0)


def make_image(tree_path, image, limit=None, label="base"):
    tree = Tree(tree_path)
    tree.check_limit(limit)
    blocks = max(tree.image_blocks(), 64)
    scratch = image.with_name(image.name + ".new")
    image.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The count is exact for most trees. mke2fs leaves out a last group with little in it, and
        # so may need more; a failure for another reason is not cured by more, and ends it.
        for attempt in range(4):
            complaint = make_filesystem(tree_path, tree, scratch, blocks, label)
            if complaint is None:
                break
            blocks += 64 << (2 * attempt)
        else:
            raise ImageError(f"mke2fs: {complaint}")
        epoch = os.environ.get("SOURCE_DATE_EPOCH")
        normalise_inodes(scratch, int(epoch) if epoch else None)
        if limit is not None and scratch.stat().st_size > limit:
            raise ImageError(f"the image has {scratch.stat().st_size:,} bytes, the limit is "
                             f"{limit:,}")
        os.replace(scratch, image)
    finally:
        scratch.unlink(missing_ok=True)


def main():
    arguments = parse_arguments()
    make_image(arguments.tree, arguments.image, arguments.limit, arguments.label)


if __name__ == "__main__":
    try:
        main()
    except (ImageError, OSError) as error:
        sys.exit(f"mkimage.py: {error}")
