"""What is different at every start: where the kernel's areas lie."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import RAMDISK, kernel, measuring_machine, on_this_terminal
from fuselage import qemu

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
    with ThreadPoolExecutor(2) as pool:
        starts = list(pool.map(lambda _: start(cpu=cpu), range(BOOTS)))
    for area in ("text", "memory", "kva", "frames"):
        assert len({found[area] for found in starts}) >= DIFFERENT, (area, starts)


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
    machine = boot("--append", "seed=cafe ksh.run=dmesg")
    machine.wait_for_prompt()
    assert "seed=cafe" not in machine.text()
