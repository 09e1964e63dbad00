"""What tests/BUDGET and tests/QUICK mean."""

import pytest

from fuselage import budget, testing
from fuselage.testunits import Unit


@pytest.fixture
def minutes(tmp_path, monkeypatch):
    """A machine that is busy or not, and a budget of a minute for `host`."""
    (tmp_path / "BUDGET").write_text("# of all\nhost 1\nlint 2.5  # these too\n")
    monkeypatch.setattr(budget, "FILE", tmp_path / "BUDGET")

    def set_busy(busy):
        monkeypatch.setattr(budget, "is_busy", lambda: busy)
    set_busy(False)
    return set_busy


def test_a_suite_over_its_minutes_has_failed(minutes):
    assert budget.read() == {"host": 1, "lint": 2.5}
    assert not list(budget.check({"host": 59, "lint": 149, "no such": 1e6}))
    (failed,) = budget.check({"host": 61, "lint": 149})
    assert failed.name == "budget/host" and not failed.passed and "1.0 minutes" in failed.text


def test_the_quick_tests_have_five_minutes_without_builds(minutes):
    assert not list(budget.check_quick({"build": 1000, "host": 100, "system": 199}))
    (failed,) = budget.check_quick({"build": 1, "host": 102, "system": 199})
    assert failed.name == "budget/quick" and not failed.passed


def test_nothing_is_judged_on_a_busy_machine(minutes):
    minutes(True)
    assert not list(budget.check({"host": 1000}))
    assert not list(budget.check_quick({"system": 1000}))


@pytest.mark.parametrize("name, quick", [
    ("host/lib/list", True), ("lint/format", True), ("lint/cppcheck", False),
    ("system/boot/run", True), ("system/bootmore/run", False), ("fuzz/elf", False)])
def test_the_last_line_that_fits_says_what_is_quick(tmp_path, monkeypatch, name, quick):
    (tmp_path / "QUICK").write_text("# some\nhost/\nlint/\n-lint/cpp\nsystem/boot/  # a machine\n")
    monkeypatch.setattr(testing, "QUICK", tmp_path / "QUICK")
    assert testing.is_quick(Unit([name], None)) is quick
