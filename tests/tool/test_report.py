"""./fuselage report where nothing is as it should be. With a machine that boots: tests/system."""

import shutil
import subprocess
import sys

from conftest import TOOL, TREE

OWNER = "/home/hildegard"


def test_report_works_where_all_tools_are_missing_and_names_no_one(tmp_path):
    for name in ("sh", "dirname", "id", "python3"):
        (tmp_path / name).symlink_to(sys.executable if name == "python3" else shutil.which(name))
    secret = "hunter2hunter2"
    ended = subprocess.run([TOOL, "report"], cwd=tmp_path, stdin=subprocess.DEVNULL, timeout=60,
                           env={"PATH": str(tmp_path), "HOME": OWNER, "TOKEN": secret},
                           capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    text = ended.stdout
    assert text.startswith("## Fuselage report\n")
    assert "- tree: no git clone, or no git here" in text
    for line in ("- nasm: missing", "- qemu-system-x86_64: missing",
                 "- spin: missing (Debian package spin)"):
        assert line in text.splitlines()
    assert "not done: " in text
    assert text.count("```") == 2
    for private in (str(TREE), OWNER, secret):
        assert private not in text
