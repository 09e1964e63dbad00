#!/usr/bin/python3
"""Every patch of tests/mutants says what it breaks and which tests must see it, still applies to the
tree as it is, and names tests that are there. That they fail is shown by ./fuselage test --mutants;
of those whose result is kept in docs/results, none survived.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))
from sources import TREE, report  # noqa: E402

sys.path.insert(0, str(TREE / "tools"))
from fuselage import mutants, results, testunits  # noqa: E402

MUTANTS_MIN = 25


def problems(patch, names):
    try:
        _, tests = mutants.header(patch)
        with tempfile.TemporaryDirectory(prefix="mutant.") as scratch:
            for name in mutants.targets(patch):
                if not (TREE / name).is_file():
                    raise mutants.MutantError(f"there is no {name}")
                copy = Path(scratch, name)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(TREE / name, copy)
            mutants.apply(patch, scratch)
    except mutants.MutantError as error:
        yield str(error)
        return
    yield from (f"no test is called {name}" for name in tests
                if name.partition("[")[0] not in names)


patches = mutants.chosen("")
known = {name for unit in testunits.units("selftest/") for name in unit.names}
complaints = [f"{patch.relative_to(TREE)}: {problem}"
              for patch in patches for problem in problems(patch, known)]
kept = results.RESULTS / "mutants.tsv"
complaints += [f"tests/mutants/{name}.patch: docs/results/mutants.tsv says that it {row['value']}"
               for name, row in (results.read(kept) if kept.exists() else {}).items()
               if row["value"] != "killed"]
if len(patches) < MUTANTS_MIN:
    complaints.append(f"tests/mutants: only {len(patches)} of at least {MUTANTS_MIN}")
report(complaints)
