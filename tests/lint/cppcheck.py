#!/usr/bin/python3
"""cppcheck over the kernel, both presets' macros."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import KERNEL_FOLDERS, TREE, kernel_files, report  # noqa: E402

includes = [f"-I{path}" for folder in KERNEL_FOLDERS
            for path in (f"{folder}/include", f"{folder}/x86_64/include") if (TREE / path).is_dir()]
checked = subprocess.run(
    ["cppcheck", "--quiet", "-j2", "--std=c11", "--platform=unix64", "--error-exitcode=1",
     "--enable=warning,portability", "--inline-suppr", "--suppress=missingInclude",
     # Start and end of a table are two symbols of the linker script; cppcheck cannot know.
     "--suppress=comparePointers", "--suppress=internalAstError",
     # selftest_check() is a statement expression; what is set inside it is lost on cppcheck.
     "--suppress=uninitvar:*_selftest.c",
     "-D__GNUC__=12", "-D__x86_64__=1",
     # Not defined: cppcheck cannot expand IS_ON() of what is 1.
     "-UFUSELAGE_DEBUG", *includes,
     *map(str, kernel_files(".c"))],
    cwd=TREE, capture_output=True, text=True, check=False)
report([checked.stdout + checked.stderr] if checked.returncode else [])
