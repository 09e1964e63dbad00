"""Shells from Debian's packages, as they are: what they print here is what they print on Linux."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "shells"
BUSYBOX = Path(shutil.which("busybox") or "/bin/busybox").resolve()
BASH = Path(shutil.which("bash-static") or "/bin/bash-static").resolve()
ZSH = Path(shutil.which("zsh-static") or "/bin/zsh-static").resolve()
# The script's name: what runs it, and what else it needs.
SHELLS = {
    "pipes.sh": (BUSYBOX, "sh"), "files.sh": (BUSYBOX, "sh"), "bash.sh": (BASH,),
    "zsh.sh": (ZSH,),
}


@pytest.mark.parametrize("name", sorted(SHELLS))
def test_script_prints_what_it_prints_on_linux(fexec, tmp_path, name):
    program, *applet = SHELLS[name]
    script = SCRIPTS / name
    folder = tmp_path / "linux"
    folder.mkdir()
    linux = subprocess.run([program, *applet, script], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, cwd=folder, timeout=60, check=False,
                           env={"PATH": "/bin", "BUSYBOX": str(BUSYBOX)})
    add = [f"{script}:/tmp/script"]
    add += [f"{path}:/bin/{path.name}" for path in {program, BUSYBOX}]
    ended = fexec("/bin/env", "BUSYBOX=/bin/busybox", "PATH=/bin", f"/bin/{program.name}", *applet,
                  "/tmp/script", options=[word for path in add for word in ("--add", path)])
    assert ended.stdout.decode() == linux.stdout.decode().replace(str(script), "/tmp/script")
    assert ended.returncode == linux.returncode
