#!/usr/bin/python3
# needs: debug
"""docs/licences.md is what tools/licences.py makes of the pins, and these say of each package what its
own copyright file says."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE  # noqa: E402

sys.exit(subprocess.run([sys.executable, "-B", TREE / "tools" / "licences.py", "--check"],
                        check=False).returncode)
