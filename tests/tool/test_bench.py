"""What ./fuselage bench makes of figures, without a machine."""

import json
import subprocess
import sys
import xml.dom.minidom

import pytest

from conftest import TOOL, TREE

sys.path.insert(0, str(TREE / "tools"))
from fuselage.bench import machines, profile, results  # noqa: E402

LINES = {
    "fuselage": ["row calls null_syscall 100.00", "row calls yield 300.00",
                 "row paths stat 50.00", "lacks processes fork Function not implemented",
                 "[    1.000000] calls: a line of the kernel's", "row calls broken x"],
    "linux-stable": ["row calls null_syscall 400.00", "row calls yield 300.00",
                     "row paths stat 500.00", "row processes fork 9000.00"],
    "linux-newest": ["row calls null_syscall 200.00", "row calls yield 900.00",
                     "row paths stat 400.00", "row processes fork 9500.50"],
}


@pytest.fixture
def measured():
    runs = {name: machines.Run(rows=list(filter(None, map(machines.read_row, lines))),
                               lines=lines, title=name)
            for name, lines in LINES.items()}
    return results.Results.of(runs, 12.3)


def test_the_anchor_is_the_cheapest_linux_and_families_have_a_geometric_mean(measured):
    ratios = {row.name: row.ratio for row in measured.rows}
    assert ratios == {"null_syscall": 0.5, "yield": 1.0, "stat": 0.125, "fork": None}
    lines = measured.text().splitlines()
    assert next(line for line in lines if line.startswith("calls")).split() == ["calls", "0.71"]
    assert next(line for line in lines if line.startswith("processes")).split()[1] == "-"
    assert "    fuselage: Function not implemented" in lines


def test_files_hold_all_of_it(measured, tmp_path):
    measured.write(tmp_path)
    tsv = (tmp_path / "results.tsv").read_text()
    rows = [line.split("\t") for line in tsv.splitlines() if not line.startswith("#")]
    assert rows[0] == ["family", "row", *LINES, "anchor", "ratio", "lacks"]
    assert rows[1] == ["calls", "null_syscall", "100.00", "400.00", "200.00", "200.00", "0.5000", ""]
    assert rows[4][2] == "" and rows[4][-1] == "fuselage: Function not implemented"
    for fact in ("commit", "date", "seconds", "emulator", "seed"):
        assert f"# {fact}: " in tsv
    held = json.loads((tmp_path / "results.json").read_text())
    assert held["rows"][2]["ratio"] == 0.125
    chart = (tmp_path / "chart.svg").read_text()
    xml.dom.minidom.parseString(chart)
    assert "guest instructions under QEMU TCG, not hardware time" in chart
    assert "calls yield" in chart and "fork" not in chart


def test_compare_names_what_changed(measured, tmp_path):
    measured.write(tmp_path)
    old = tmp_path / "results.tsv"
    new = tmp_path / "new.tsv"
    new.write_text(old.read_text().replace("null_syscall\t100.00", "null_syscall\t150.00")
                   .replace("stat\t50.00", "stat\t25.00"))

    def compare(*files):
        return subprocess.run([TOOL, "bench", "compare", *files], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=False)
    same = compare(old, old)
    assert same.returncode == 0 and "mean of new / old: 1.000; 0 dearer" in same.stdout
    ended = compare(old, new)
    assert ended.returncode == 1
    assert [line.split()[:2] for line in ended.stdout.splitlines()[:2]] == \
        [["+", "calls/null_syscall"], ["-", "paths/stat"]]
    assert "+50.0 %" in ended.stdout and "-50.0 %" in ended.stdout
    for files in ((old,), (old, tmp_path / "none"), (old, TOOL)):
        refused = compare(*files)
        assert refused.returncode == 1 and "fuselage: bench compare" in refused.stderr


def test_what_is_kept_has_a_name_for_each_figure(measured):
    figures = measured.figures()
    assert figures["calls-null_syscall-linux-newest"] == "200.00"
    assert figures["paths-stat-ratio"] == "0.12" and figures["calls-mean"] == "0.71"
    assert "processes-fork-fuselage" not in figures and "processes-mean" not in figures


def test_a_profile_counts_the_last_batch_and_names_its_functions(tmp_path, monkeypatch):
    kernel, program = 0xffffffff80100000, 0x401000
    batch = [program, program + 4, kernel, kernel + 2, kernel + 0x20]
    addresses = [kernel, *batch, program + 0x100, kernel, *batch, kernel, program + 0x100, kernel]
    trace = tmp_path / "trace"
    trace.write_text("a line of QEMU's own\n" + "".join(
        f"Trace 0: 0x7f00 [0000000000000000/{address:016x}/00c0/ff000a00] \n"
        for address in addresses))
    stretch = profile.Stretch(b"%016x" % program, b"%016x" % (program + 0x100))
    stretch.read(trace)
    assert sum(stretch.last.values()) == 6     # the second batch alone, without its end
    monkeypatch.setattr(profile, "symbols",
                        lambda _: ([kernel, kernel + 0x10], ["syscall_entry", "sys_getppid"]))
    assert profile.by_function(stretch.last, None) == \
        {"(the program)": 2, "syscall_entry": 3, "sys_getppid": 1}
