"""docs/results/NAME.tsv: what was measured, by which commit, when, with which seed, in what time.

One row a figure, sorted by its name; a new measurement takes the place of the old. A document
quotes a figure by a link whose text is the value and whose anchor is the row's name:

    [1,000,000](results/fuzz.tsv#elf-executions)

and lint/results compares them. A test in Python writes here by `note()`, and does so in a nightly
run alone: figures do not change because somebody ran the usual tests.
"""

import fcntl
import subprocess
import time

from .common import BUILD, ROOT

RESULTS = ROOT / "docs" / "results"
COLUMNS = ("what", "value", "commit", "date", "seed", "seconds")


def commit():
    """The commit that is measured; a plus where files differ from it."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/results")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + ("+" if changed else "")


def read(path):
    """{what: {column: text}}; raises ValueError where a file is not of this form."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != COLUMNS:
        raise ValueError("its first line does not name the columns " + ", ".join(COLUMNS))
    rows = {}
    for line in lines[1:]:
        cells = line.split("\t")
        if len(cells) != len(COLUMNS) or not all(cells):
            raise ValueError(f"not {len(COLUMNS)} cells: {line}")
        if cells[0] in rows:
            raise ValueError(f"two rows are called {cells[0]}")
        rows[cells[0]] = dict(zip(COLUMNS, cells))
    return rows


def note(name, what, value, seed, seconds):
    """Writes one figure into docs/results/NAME.tsv; SEED is `-` where nothing is random."""
    note_all(name, {what: value}, seed, seconds)


def note_all(name, figures, seed, seconds, replace=False, only=None):
    """FIGURES {what: value} of one measurement; REPLACE: what the file had before goes; ONLY: rows
    that are not called so go."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.tsv"
    same = (commit(), time.strftime("%Y-%m-%d"), str(seed), f"{seconds:.0f}")
    with open(BUILD / ".results.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = read(path) if path.exists() and not replace else {}
        if only is not None:
            rows = {what: row for what, row in rows.items() if what in only}
        for what, value in figures.items():
            rows[what] = dict(zip(COLUMNS, (what, str(value), *same)))
        path.write_text("".join("\t".join(row[column] for column in COLUMNS) + "\n"
                                for row in [dict(zip(COLUMNS, COLUMNS)), *map(rows.get,
                                                                             sorted(rows))]),
                        encoding="utf-8")
