"""The guest tests test the Linux ABI, so they have to pass on Linux."""

import subprocess
import sys

import pytest
from conftest import GUEST_TESTS, TREE

NAMES = sorted(path.name for path in GUEST_TESTS.glob("*") if path.is_file())
NO_TAP = {"both_streams"}


def test_guest_tests_were_built():
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NO_TAP | {"job_control"}])
def test_passes_on_linux(name, tmp_path):
    done = subprocess.run([GUEST_TESTS / name], stdout=subprocess.PIPE, text=True, cwd=tmp_path,
                          timeout=60)
    results = [line for line in done.stdout.splitlines() if line.startswith(("ok ", "not ok "))]
    assert not [line for line in results if line.startswith("not")]
    assert done.returncode == 0 and results


def test_show_what_the_reference_page_says():
    """Each error and flag that docs/syscalls.md lists of a call was seen by whoever watched."""
    done = subprocess.run([sys.executable, "-B", TREE / "tools" / "syscalls_shown.py", GUEST_TESTS,
                           TREE / "tests" / "guest", "--check", TREE / "tests" / "guest" / "SHOWN"],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["startup", "startup_pie"])
def test_arguments_arrive(name):
    subprocess.run([GUEST_TESTS / name, "one", "two words", ""], check=True,
                   stdout=subprocess.DEVNULL)
    wrong = subprocess.run([GUEST_TESTS / name, "one", "two"], stdout=subprocess.PIPE, text=True)
    assert wrong.returncode == 1 and "not ok arguments_arrive_unchanged" in wrong.stdout


def sequence(seed, count):
    data, state = bytearray(count), seed
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        data[i] = state >> 24
    return bytes(data)


def test_both_streams_writes_what_it_says():
    done = subprocess.run([GUEST_TESTS / "both_streams", "300", "5"], capture_output=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout == sequence(5, 300 << 10)
    assert done.stderr == sequence(6, 300 << 10)
