#!/usr/bin/python3
"""Fuzzes the ext2 reader and measures how much of it the fuzzer reaches.

ext2.py [--runs N] [--seconds S] [--coverage PERCENT] [--build DIR]

Makes the images with mke2fs, the seed inputs, the harness (clang, libFuzzer, ASan, UBSan), lets it
run and then counts the lines of fusek/ext2 that the corpus reaches. The corpus stays in the build
folder: the next run goes on where this one ended. Exit status 1: a finding, or too few lines.
"""

import argparse
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = ["super.c", "inode.c", "directory.c"]

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


def compile_harness(output, *flags):
    includes = [f"-I{TOP / path}" for path in ("lib/include", "abi/include")]
    sources = [TOP / "fusek/ext2" / name for name in SOURCES]
    subprocess.run(["clang", "-std=gnu17", "-g", "-O1", "-DFUSELAGE_HOST=1", "-DFUSELAGE_DEBUG=1",
                    "-fno-omit-frame-pointer", *flags, *includes, TOP / "tests/fuzz/ext2.c",
                    *sources, "-o", output], check=True)


def covered(binary, profile):
    """Lines of the reader that ran, in percent, and those that did not."""
    raw = subprocess.run(["llvm-cov", "export", "-format=text", f"-instr-profile={profile}",
                          binary, *[str(TOP / "fusek/ext2" / name) for name in SOURCES]],
                         check=True, stdout=subprocess.PIPE).stdout
    total = json.loads(raw)["data"][0]["totals"]["lines"]
    return total["percent"], total["covered"], total["count"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20000, help="executions (default %(default)s)")
    parser.add_argument("--seconds", type=int, default=3600, help="stop after so long")
    parser.add_argument("--coverage", type=float, default=90, help="least percent of lines")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/fuzz/ext2")
    options = parser.parse_args()

    build = options.build
    make_images(build / "images")
    make_seeds(build / "seeds")
    (build / "corpus").mkdir(exist_ok=True)
    environment = dict(os.environ, FUSELAGE_FUZZ_IMAGES=str(build / "images"))

    fuzzer = build / "fuzzer"
    compile_harness(fuzzer, "-fsanitize=fuzzer,address,undefined",
                    "-fno-sanitize-recover=undefined")
    result = subprocess.run([fuzzer, f"-runs={options.runs}", f"-max_total_time={options.seconds}",
                             "-max_len=20000", "-timeout=10", "-print_final_stats=1",
                             "-verbosity=1", f"-artifact_prefix={build}/finding-",
                             build / "corpus", build / "seeds"],
                            env=environment, stderr=subprocess.PIPE, text=True)
    lines = result.stderr.splitlines()
    if result.returncode:
        print("\n".join(lines[-60:]))
        print("ext2: a finding; the input is in", build)
        return 1
    stats = [line for line in lines if line.startswith("stat::number_of_executed_units")]
    executed = int(stats[0].split()[-1])

    counter = build / "counter"
    compile_harness(counter, "-fsanitize=fuzzer", "-fprofile-instr-generate", "-fcoverage-mapping")
    environment["LLVM_PROFILE_FILE"] = str(build / "raw.profile")
    subprocess.run([counter, "-runs=0", build / "corpus", build / "seeds"], env=environment,
                   stderr=subprocess.DEVNULL, check=True)
    subprocess.run(["llvm-profdata", "merge", "-o", build / "profile", build / "raw.profile"],
                   check=True)
    percent, hit, count = covered(counter, build / "profile")
    print(f"ext2: {executed} executions, no finding; {hit} of {count} lines ({percent:.1f} %)")
    if percent < options.coverage:
        print(f"ext2: less than the {options.coverage} % of lines that were asked for")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
