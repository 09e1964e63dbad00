"""Results: a row with the figure of each kernel, the anchor (the cheapest Linux) and the ratio."""

import datetime
import json
import math
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .. import qemu
from .. import results as kept_results
from ..common import ROOT, ToolError
from . import chart

OURS = "fuselage"
CHANGED = 0.01                  # what compare calls a change


def mean(ratios):
    """The geometric mean, None of nothing."""
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None


def figure(value):
    """A count as a person reads it; '-' where there is none."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"


def ratio_text(value):
    return "-" if value is None else f"{value:.2f}"


@dataclass
class ResultRow:
    family: str
    name: str
    values: dict                # kernel: figure or None
    reasons: dict               # kernel: why it has none

    @property
    def anchor(self):
        there = [v for kernel, v in self.values.items() if kernel != OURS and v is not None]
        return min(there) if there else None

    @property
    def ratio(self):
        ours = self.values.get(OURS)
        return ours / self.anchor if ours is not None and self.anchor else None


@dataclass
class Results:
    rows: list
    kernels: dict               # name: {"title", "words"}
    facts: dict = field(default_factory=dict)

    @classmethod
    def of(cls, runs, duration_s):
        """From {kernel: machines.Run}, in the order of our own rows."""
        rows = {}
        for kernel, run in runs.items():
            for row in run.rows:
                result = rows.setdefault((row.family, row.name),
                                         ResultRow(row.family, row.name, {}, {}))
                result.values[kernel] = row.value
                if row.reason:
                    result.reasons[kernel] = row.reason
        kernels = {name: {"title": run.title, "words": run.words} for name, run in runs.items()}
        return cls(list(rows.values()), kernels, facts(duration_s))

    def families(self):
        """{family: its rows}, in order."""
        families = {}
        for row in self.rows:
            families.setdefault(row.family, []).append(row)
        return families

    def text(self):
        """The table that a person reads."""
        names = list(self.kernels)
        titles = [self.kernels[name]["title"] for name in names]
        width = max([len(title) for title in titles] + [10])
        lines = [f"{'':24}" + "".join(f"  {title:>{width}}" for title in titles) + "   ratio"]
        for family, rows in self.families().items():
            average = mean([row.ratio for row in rows if row.ratio is not None])
            lines.append(f"{family:24}" + f"  {'':>{width}}" * len(names)
                         + f"  {ratio_text(average):>6}")
            for row in rows:
                cells = "".join(f"  {figure(row.values.get(name)):>{width}}" for name in names)
                lines.append(f"  {row.name:22}{cells}  {ratio_text(row.ratio):>6}")
                lines += [f"    {self.kernels[name]['title']}: {reason}"
                          for name, reason in row.reasons.items()]
        lines.append("instructions for one operation; ratio: Fuselage / the cheapest Linux; a "
                     "family's is the geometric mean")
        return "\n".join(lines) + "\n"

    def tsv(self):
        names = list(self.kernels)
        lines = [f"# {key}: {value}" for key, value in self.facts.items()]
        lines += [f"# {name}: {kernel['title']}; {kernel['words']}"
                  for name, kernel in self.kernels.items()]
        lines.append("\t".join(["family", "row", *names, "anchor", "ratio", "lacks"]))
        for row in self.rows:
            numbers = [row.values.get(name) for name in names] + [row.anchor]
            cells = ["" if number is None else f"{number:.2f}" for number in numbers]
            ratio = "" if row.ratio is None else f"{row.ratio:.4f}"
            lacks = "; ".join(f"{name}: {reason}" for name, reason in row.reasons.items())
            lines.append("\t".join([row.family, row.name, *cells, ratio, lacks]))
        return "\n".join(lines) + "\n"

    def json(self):
        return json.dumps({
            "facts": self.facts, "kernels": self.kernels,
            "rows": [{"family": row.family, "row": row.name, "values": row.values,
                      "anchor": row.anchor, "ratio": row.ratio, "lacks": row.reasons}
                     for row in self.rows]}, indent=1) + "\n"

    def figures(self):
        """{what: value} for docs/results: every figure, ratio and mean by a name of its own."""
        found = {}
        for row in self.rows:
            for kernel, value in row.values.items():
                if value is not None:
                    found[f"{row.family}-{row.name}-{kernel}"] = f"{value:.2f}"
            if row.ratio is not None:
                found[f"{row.family}-{row.name}-ratio"] = ratio_text(row.ratio)
        for family, rows in self.families().items():
            ratios = [row.ratio for row in rows if row.ratio is not None]
            if ratios:
                found[f"{family}-mean"] = ratio_text(mean(ratios))
        for kernel, about in self.kernels.items():
            if kernel != OURS:
                found[f"{kernel}-version"] = about["title"].removeprefix("Linux ")
        return found

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.tsv").write_text(self.tsv(), encoding="utf-8")
        (folder / "results.json").write_text(self.json(), encoding="utf-8")
        (folder / "chart.svg").write_text(chart.svg(self), encoding="utf-8")


def facts(duration_s):
    emulator = subprocess.run([qemu.QEMU, "--version"], capture_output=True, text=True,
                              check=True).stdout.splitlines()[0]
    return {"commit": kept_results.commit(),
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
            "seconds": f"{duration_s:.0f}", "emulator": emulator,
            "seed": str(qemu.ICOUNT_SEED),
            "unit": "guest instructions under QEMU TCG, not hardware time"}


# --- compare -----------------------------------------------------------------------------------

def read_tsv(path):
    """{(family, row): Fuselage's figure or None} of a results.tsv."""
    try:
        lines = [line.split("\t") for line in Path(path).read_text(encoding="utf-8").splitlines()
                 if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(f"bench compare: {path}: {error}") from None
    try:
        ours = lines[0].index(OURS)
        return {(line[0], line[1]): float(line[ours]) if line[ours] else None
                for line in lines[1:]}
    except (IndexError, ValueError) as error:
        raise ToolError(f"bench compare: {path} is no results.tsv of ours: {error}") from None


def compare(paths):
    """What changed from one results.tsv to another. 1 if a row became dearer or went missing."""
    if len(paths) != 2:
        raise ToolError("bench compare OLD NEW: two files of results (results.tsv)")
    old, new = map(read_tsv, paths)
    worse = 0
    for key in list(old) + [key for key in new if key not in old]:
        before, after = old.get(key), new.get(key)
        name = "/".join(key)
        if before is None or after is None:
            if before != after:
                print(f"  {name:32} {figure(before):>12} -> {figure(after):>12}")
                worse += after is None
        elif abs(after / before - 1) > CHANGED:
            print(f"{'+' if after > before else '-'} {name:32} {figure(before):>12} -> "
                  f"{figure(after):>12}  {(after / before - 1) * 100:+.1f} %")
            worse += after > before
    ratios = [new[key] / old[key] for key in old if old[key] and new.get(key)]
    if not ratios:
        raise ToolError("bench compare: no row has a figure in both files")
    print(f"{len(ratios)} rows, geometric mean of new / old: {mean(ratios):.3f}; "
          f"{worse} dearer or gone")
    return 1 if worse else 0
