"""What the tests of the user programs share: the programs are run on the host, being Linux's too."""

import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
PROGRAMS = TREE / "build" / "shared" / "user"
LOADER = TREE / "build" / "shared" / "sdk" / "lib" / "ld-musl-x86_64.so.1"
GUEST_TESTS = TREE / "build" / "shared" / "guest"


def is_dynamic(name):
    return bytes(LOADER.name, "ascii") in (PROGRAMS / name).read_bytes()


def command(name, *arguments):
    """How the host runs it: a dynamic program by the C library that it will have in the ramdisk."""
    loader = [LOADER] if is_dynamic(name) else []
    return [*loader, PROGRAMS / name, *map(str, arguments)]


@pytest.fixture
def run(tmp_path):
    """run("ls", "-l") -> CompletedProcess with text, in an empty folder of the test's own."""
    def run_program(name, *arguments, **options):
        options.setdefault("text", True)
        options.setdefault("cwd", tmp_path)
        options.setdefault("timeout", 30)
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        if options["stdin"] is None:
            del options["stdin"]
        return subprocess.run(command(name, *arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, **options)
    return run_program
