"""What is different at every start: where the kernel's areas lie, and a program's parts."""

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import RAMDISK, TREE, kernel, measuring_machine, on_this_terminal
from fuselage import qemu, results

# The nightly run starts the machine so often that a base which is drawn from too few shows.
BOOTS = 100 if os.environ.get("FUSELAGE_NIGHTLY") else 4
DIFFERENT = BOOTS * 9 // 10


def areas(command):
    """What `vm 0` of a machine says: the start of each area of the kernel's half."""
    done = subprocess.run(command, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          check=False)
    found = re.findall(r"^([0-9a-f]{16})-[0-9a-f]{16} ....\s.* (\w+)\r?$",
                       done.stdout.decode(errors="replace"), re.MULTILINE)
    assert found, done.stdout.decode(errors="replace")
    return {name: int(start, 16) for start, name in found}


def start(options="", cpu="max"):
    return areas(on_this_terminal(qemu.machine(
        kernel("release"), RAMDISK, f"console=ttyS0 ksh.run=vm%200%3Bpoweroff {options}",
        cpu=cpu)))


@pytest.mark.parametrize("cpu", ["max", "qemu64"], ids=["rdrand", "no-rdrand"])
def test_every_start_has_other_bases(cpu):
    start_s = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        starts = list(pool.map(lambda _: start(cpu=cpu), range(BOOTS)))
    bases = {area: len({found[area] for found in starts})
             for area in ("text", "memory", "kva", "frames")}
    assert min(bases.values()) >= DIFFERENT, (bases, starts)
    if os.environ.get("FUSELAGE_NIGHTLY"):
        results.note_all("random", {f"{area}-bases-{cpu}": count for area, count in bases.items()},
                         "-", time.monotonic() - start_s)


def test_nokaslr_keeps_everything_where_it_is_linked():
    found = start("nokaslr")
    assert found["text"] == 0xffffffff80100000
    assert found["memory"] == 0xffff888000000000
    assert found["kva"] == 0xffffc90000000000
    assert found["frames"] == 0xffffea0000000000


def test_the_measuring_machine_repeats_itself():
    command = measuring_machine(append="console=ttyS0 ksh.run=vm%200%3Bpoweroff")
    first = areas(command)
    assert first == areas(command)
    assert first["text"] != 0xffffffff80100000


def test_a_seed_counts_and_is_blanked(boot):
    """Two measuring machines differ in nothing but the seed."""
    def with_seed(seed):
        return areas(measuring_machine(
            append=f"console=ttyS0 seed={seed} ksh.run=vm%200%3Bpoweroff"))

    assert with_seed("0123") != with_seed("0124")
    machine = boot("--append", "seed=cafe loglevel=7")
    words = machine.run("cat /proc/cmdline")[-1].split()
    assert "loglevel=7" in words and "seed=xxxx" in words, words
    assert "cafe" not in "\n".join(machine.run("dmesg"))


# ---- programs ----

# How many bits of an address are drawn, as on Linux. The heap's are above the image's, so there it
# is the bits that differ between both.
BITS = {"stack": 30, "mapping": 28, "image": 28, "vdso": 22}
SPAWNS = 48


def layouts(boot, *options):
    """The addresses of SPAWNS programs, one after the other: a list for each part."""
    machine = boot("--add", TREE / "build/shared/guest/layout", *options)
    machine.wait_for_prompt()
    lines = []
    for _ in range(SPAWNS // 8):
        lines += machine.run(";".join(["/tmp/layout -"] * 8))
    rows = [dict(re.findall(r"(\w+) ([0-9a-f]+)", line)) for line in lines]
    assert len(rows) == SPAWNS, lines
    return {part: [int(row[part], 16) for row in rows] for part in rows[0]}


def drawn_bits(addresses):
    """How many bits of the addresses were not the same in all."""
    different = 0
    for address in addresses:
        different |= address ^ addresses[0]
    return different.bit_count()


def test_every_program_has_other_addresses(boot):
    found = layouts(boot)
    for part, bits in BITS.items():
        assert drawn_bits(found[part]) >= bits, (part, list(map(hex, found[part])))
        assert len(set(found[part])) == SPAWNS
    gaps = [heap - image for heap, image in zip(found["heap"], found["image"])]
    assert drawn_bits(gaps) >= 18 and max(gaps) < 1 << 31


def test_norandmaps_gives_all_the_same(boot):
    found = layouts(boot, "--append", "norandmaps")
    assert all(len(set(addresses)) == 1 for addresses in found.values()), found
