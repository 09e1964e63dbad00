"""Started by ./fuselage as `python3 tools/fuselage ARGS`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from fuselage.cli import main  # noqa: E402: the path above comes first

sys.exit(main(sys.argv[1:]))
