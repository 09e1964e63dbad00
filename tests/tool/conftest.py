"""What the tests of the host tool share: the fake guest, and running ./fuselage with it."""

import subprocess
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TOOL = TREE / "fuselage"


@pytest.fixture(scope="session")
def fake_guest(tmp_path_factory):
    """A kernel that speaks the exec channel and does as it is told, see fakeguest.asm."""
    folder = tmp_path_factory.mktemp("fakeguest")
    elf = folder / "fakeguest.elf"
    subprocess.run(["nasm", "-f", "elf32", f"-I{HERE}/", "-o", folder / "fakeguest.o",
                    HERE / "fakeguest.asm"], check=True)
    subprocess.run(["x86_64-linux-gnu-ld", "-m", "elf_i386", "--no-warn-rwx-segments",
                    "-T", HERE / "fakeguest.ld", "-o", elf, folder / "fakeguest.o"], check=True)
    return elf


@pytest.fixture
def guest(fake_guest, tmp_path):
    """guest("exit", "3", options=[...], input=b"...") -> CompletedProcess, in an empty folder."""
    def run(*argv, options=(), **keywords):
        if "input" not in keywords and "stdin" not in keywords:
            keywords["stdin"] = subprocess.DEVNULL
        return subprocess.run([TOOL, "exec", "--kernel", fake_guest, *options, "--", *argv],
                              cwd=keywords.pop("cwd", tmp_path), timeout=120,
                              stdout=keywords.pop("stdout", subprocess.PIPE),
                              stderr=subprocess.PIPE, check=False, **keywords)
    return run
