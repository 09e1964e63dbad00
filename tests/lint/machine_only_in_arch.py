#!/usr/bin/python3
"""What is known of the machine is known in arch/ alone: no inline assembly, no #ifdef of it."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, kernel_files, report  # noqa: E402

# An empty asm is a barrier for the compiler and knows no machine; ksh's entry is arch's business.
ASM = re.compile(r'\b(?:__asm__|__asm|asm)\b(?!\s*(?:__volatile__|volatile)?\s*\(\s*"")')
MACHINE = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*__(?:x86_64|i386|amd64|aarch64)__")

complaints = []
for path in kernel_files(".c", ".h"):
    if path.parts[0] == "arch":
        continue
    for number, line in enumerate((TREE / path).read_text().splitlines(), 1):
        code = re.sub(r"/\*.*?\*/|//.*|^\s*\*.*", "", line)
        if ASM.search(code):
            complaints.append(f"{path}:{number}: inline assembly outside of arch/")
        if MACHINE.search(code):
            complaints.append(f"{path}:{number}: asks for the machine outside of arch/")
report(complaints)
