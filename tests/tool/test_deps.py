"""What happens on machines that lack something, without changing this one."""

import shutil
import subprocess
import sys

import pytest

from conftest import TOOL

STUBS = {"sudo": 'exec "$@"', "env": 'shift; exec "$@"'}


@pytest.fixture
def bare(tmp_path):
    """bare("run", apt=True) -> ./fuselage on a machine without cmake or QEMU, as its output.

    PATH holds only what the tool itself starts. apt-get, where there is one, writes down how it was
    called and "installs" nothing.
    """
    bin_path = tmp_path / "bin"
    bin_path.mkdir()
    for name in ("sh", "dirname", "id", "python3"):
        (bin_path / name).symlink_to(sys.executable if name == "python3" else shutil.which(name))

    def run(*arguments, apt):
        calls = tmp_path / "calls"
        if apt:
            for name, body in {**STUBS, "apt-get": f'echo "$@" >> {calls}'}.items():
                (bin_path / name).write_text(f"#!/bin/sh\n{body}\n")
                (bin_path / name).chmod(0o755)
        ended = subprocess.run([TOOL, *arguments], env={"PATH": str(bin_path)},
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=60, check=False)
        return ended, calls.read_text() if calls.exists() else ""
    return run


def test_another_distribution_gets_the_names(bare):
    ended, _ = bare("run", apt=False)
    assert ended.returncode == 1
    for name in ("cmake", "ninja", "nasm", "qemu-system-x86_64"):
        assert name in ended.stderr


def test_yes_installs_what_the_command_needs_and_no_more(bare):
    ended, calls = bare("-y", "build", apt=True)
    assert ended.returncode == 1                # the stub installed nothing, which is noticed
    assert "still missing" in ended.stderr
    update, install = calls.splitlines()
    assert "update" in update
    for package in ("cmake", "ninja-build", "nasm", "make"):
        assert package in install.split()
    assert "qemu-system-x86" not in install and "spin" not in install


def test_help_needs_nothing(bare):
    ended, _ = bare(apt=False)
    assert ended.returncode == 0
    assert "./fuselage run" in ended.stdout


def test_without_python_there_is_one_question_and_it_holds_for_all(tmp_path):
    """The real wrapper beside a stand-in for the tool: Python "appears" when apt-get is called."""
    wrapper = tmp_path / "fuselage"
    found = f"{tmp_path}/installed-python"
    wrapper.write_text(TOOL.read_text().replace("/usr/bin/python3", found))
    wrapper.chmod(0o755)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "cat", "chmod"):
        (tools / name).symlink_to(shutil.which(name))
    for name, body in {"id": "echo 1000", "sudo": 'exec "$@"', "apt-get":
                       f"printf '#!/bin/sh\\necho ran \"$@\"\\n' > {found}; "
                       f"chmod +x {found}"}.items():
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)

    def answer(text):
        return subprocess.run([wrapper, "run"], env={"PATH": str(tools)}, input=text,
                              capture_output=True, text=True, timeout=60, check=False)
    refused = answer("n\n")
    assert refused.returncode == 1 and "not installed" in refused.stderr
    agreed = answer("\n")
    assert agreed.stderr.count("?") == 1
    assert agreed.stdout.split()[-2:] == ["-y", "run"]
