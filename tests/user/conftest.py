"""What the tests of the user programs share: the programs are run on the host, being Linux's too."""

import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
PROGRAMS = TREE / "build" / "shared" / "user"
GUEST_TESTS = TREE / "build" / "shared" / "guest"


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
        return subprocess.run([PROGRAMS / name, *map(str, arguments)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    return run_program
