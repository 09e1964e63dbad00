#!/usr/bin/python3
"""Volumes for the fuzzer of fatfs, made by mkfs.fat and mtools, and inputs that change them where the
driver looks and then use them."""

import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

FILL = """\
seq 1 3000 >n; : >e
mcopy -i $i n ::FILE; mcopy -i $i n '::A long name with an ending'; mcopy -i $i e ::file.txt
mmd -i $i ::dir ::dir/deep; mcopy -i $i n '::dir/deep/größe 日本'; mcopy -i $i e ::dir/x
"""
MANY = "; ".join(f"mcopy -i $i e '::dir/a name that takes three slots, {n}'" for n in range(12))
VOLUMES = {                     # of so many KiB, and how they are filled
    "12": (["-F", "12", "-s", "1"], 96, FILL + MANY),
    "12_large": (["-F", "12", "-s", "8", "-f", "1"], 160, FILL),
    "16": (["-F", "16", "-s", "1"], 2200, FILL),
    # Too few clusters to be one for mtools.
    "32": (["-F", "32", "-s", "1"], 200, ""),
    "32_one": (["-F", "32", "-s", "2", "-f", "1"], 300, ""),
}


def make_images(folder):
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin", i="image",
                       LC_ALL="C.UTF-8", SOURCE_DATE_EPOCH="1600000000")
    for name, (options, kib, script) in VOLUMES.items():
        image = folder / f"{name}.img"
        if image.exists():
            continue
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["mkfs.fat", *options, "-i", "12345678", "-C", "image", str(kib)],
                           cwd=place, check=True, env=environment, stdout=subprocess.DEVNULL)
            subprocess.run(["sh", "-ec", script], cwd=place, check=True, env=environment)
            shutil.copyfile(pathlib.Path(place, "image"), image)


def record(what, width, place, value):
    return struct.pack("<BBHI", what, width, place, value & 0xffffffff)


def change(kind, width, place, value):
    return record(kind, width, place, value)


def operation(kind, width, place, value):
    what = 0x80
    while what % 9 != kind:
        what += 1
    return record(what, width, place, value)


def life(seed):
    """Every kind of operation, on many nodes and names."""
    made = b""
    for n in range(40):
        value = (seed * 2654435761 + n * 40503) & 0x7fffffff
        made += operation(n % 7, (seed + n * 7) & 255, n // 7 + seed, value)
    return made


def make_seeds(folder):
    folder.mkdir(parents=True, exist_ok=True)
    seeds = {}
    for image in range(len(VOLUMES)):
        first = bytes([image])
        seeds[f"plain{image}"] = first
        for field in range(11, 52):
            for value in (0, 1, 0xff):
                seeds[f"boot{image}_{field}_{value}"] = first + change(0, 0, field, value)
        for field in (13, 17, 19, 22, 32, 36, 40, 44, 48):
            seeds[f"boot{image}_{field}_wide"] = first + change(0, 2, field, 0x7fffffff)
        seeds[f"signature{image}"] = first + change(1, 0, 510, 0)
        # Chains that lead astray, in both of the places where a small table may be.
        for base in (512, 2048, 16384):
            for place in range(base, base + 64, 5):
                seeds[f"table{image}_{place}"] = first + change(1, 1, place, 0x0303) + life(place)
        for number in range(8):
            seeds[f"life{image}_{number}"] = first + life(number)
            seeds[f"failing{image}_{number}"] = first + operation(7, 0, 0, number * 3) + life(number)
            seeds[f"unread{image}_{number}"] = first + operation(8, 0, 0, number * 9) + life(number)
        for entry in range(16 + image, 240, 9):
            seeds[f"entry{image}_{entry}"] = first + change(2, 2 + 26 * 4 & 255, entry, 5) + life(entry)
            seeds[f"over{image}_{entry}"] = first + change(3, 0, entry, entry + 3) + life(entry)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)


place = pathlib.Path(sys.argv[1])
make_images(place / "images")
make_seeds(place / "seeds")
