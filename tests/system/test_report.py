"""./fuselage report, whose last section is a boot of the machine."""

import os
import subprocess

from conftest import TOOL, TREE


def test_report_holds_commit_tools_flags_and_the_machines_own_summary(tmp_path):
    ended = subprocess.run([TOOL, "report"], cwd=tmp_path, stdin=subprocess.DEVNULL, timeout=120,
                           env=dict(os.environ, HOME=str(TREE.parent)),
                           capture_output=True, text=True, check=True)
    text = ended.stdout
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=TREE, text=True,
                            stdout=subprocess.PIPE, check=True).stdout.strip()
    assert f"- tree: {commit} of " in text
    assert "- debug: built; -DFUSELAGE_DEBUG=1 " in text and "-Og" in text
    assert "QEMU emulator version " in text
    assert "QEMU ended with status 0" in text
    assert "(debug build) by PVH on " in text       # the kernel's first words
    assert "\n  features  nx " in text              # ksh's cpu
    assert "-kernel TREE/build/debug/fuselage.elf" in text
    # Markdown, bounded, of nobody's machine.
    assert text.count("```") == 4 and "\x1b" not in text
    assert len(text.splitlines()) < 150 and max(map(len, text.splitlines())) <= 800
    assert f"{TREE.parent}/" not in text
