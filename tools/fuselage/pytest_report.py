"""A pytest plugin: tells ./fuselage test how each test ended, and runs only those it asked for.

FUSELAGE_REPORT names the file that gets one JSON line a test; FUSELAGE_SUITE is the first part of
the tests' names; FUSELAGE_FILTER is what a name must hold.
"""

import json
import os
import signal
from pathlib import Path

REPORT = os.environ["FUSELAGE_REPORT"]
SUITE = os.environ["FUSELAGE_SUITE"]
FILTER = os.environ["FUSELAGE_FILTER"]


def full_name(nodeid):
    """tests/tool/test_exec.py::test_it[x] -> tool/exec/it[x]"""
    path, _, test = nodeid.partition("::")
    return f"{SUITE}/{Path(path).stem.removeprefix('test_')}/{test.removeprefix('test_')}"


def unignore_signals():
    """What nohup or a shell's `&` made us ignore, our children would too, for ever (execve(2)); a
    handler that does nothing ignores for us alone."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_configure(config):
    unignore_signals()
    config.addinivalue_line("markers", "nightly: takes long; runs by ./fuselage test --nightly")


def pytest_collection_modifyitems(config, items):
    nightly = os.environ.get("FUSELAGE_NIGHTLY")
    wanted = [item for item in items if FILTER in full_name(item.nodeid)
              and (nightly or not item.get_closest_marker("nightly"))]
    config.hook.pytest_deselected(items=[item for item in items if item not in wanted])
    items[:] = wanted


def tell(nodeid, outcome, seconds, text):
    with open(REPORT, "a", encoding="utf-8") as out:
        out.write(json.dumps({"name": full_name(nodeid), "outcome": outcome, "seconds": seconds,
                              "text": text}) + "\n")


def pytest_collectreport(report):
    if report.failed:
        tell(report.nodeid + "::collect", "failed", 0, report.longreprtext)


_seconds = {}
_told = set()


def pytest_runtest_logreport(report):
    """A test is its set-up, its call and its clean-up; it passed if all three did."""
    if report.nodeid in _told:
        return
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0) + report.duration
    if report.when == "teardown" or not report.passed:
        _told.add(report.nodeid)
    if report.failed:
        # What went wrong first: who shows a part of this shows its begin.
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = f"{crash.message}\n" if crash else ""
        text = reason + report.longreprtext + "".join(f"\n--- {title}\n{content}"
                                                     for title, content in report.sections)
        tell(report.nodeid, "failed", _seconds[report.nodeid], text)
    elif report.skipped:
        # There is no skipping here: what can't run on this machine has not been shown to work.
        tell(report.nodeid, "failed", _seconds[report.nodeid], f"skipped: {report.longrepr}")
    elif report.when == "teardown":
        tell(report.nodeid, "passed", _seconds[report.nodeid], "")
