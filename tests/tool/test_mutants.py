"""./fuselage test --mutants tells the caught from the survivors, and patches that no longer apply."""

import pytest

from fuselage import mutants, results

# What the runner needs of its own; the tests of a patch are not run here.
GOOD = """Breaks: nothing
Caught-by: host/lib/fmt
--- a/code.c
+++ b/code.c
@@ -1,3 +1,3 @@
 first
-second
+changed
 third
"""


class Score:
    def __init__(self):
        self.results = []

    def add(self, result):
        self.results.append(result)

    def spent(self, suite, seconds):
        assert suite == "mutants" and seconds >= 0


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A tree of one file, its copy, and one patch; run("passed", ...) with what its test says: once
    without the patch, then with it."""
    for place in ("tree", "copy"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "code.c").write_text("first\nsecond\nthird\n")
    patch = tmp_path / "it.patch"
    patch.write_text(GOOD)
    monkeypatch.setattr(mutants, "ROOT", tmp_path / "tree")
    monkeypatch.setattr(mutants, "TREE", tmp_path / "copy")
    monkeypatch.setattr(mutants, "synchronise", lambda: None)
    monkeypatch.delenv("FUSELAGE_NIGHTLY", raising=False)

    def run(*ends):
        says = list(ends)
        seen = []

        def run_test(name, both_builds):
            assert not both_builds
            seen.append((tmp_path / "copy" / "code.c").read_text().split()[1])
            return says.pop(0), "its output"

        monkeypatch.setattr(mutants, "run_test", run_test)
        score = Score()
        mutants.run([patch], score)
        assert (tmp_path / "copy" / "code.c").read_text() == "first\nsecond\nthird\n"
        assert (tmp_path / "tree" / "code.c").read_text() == "first\nsecond\nthird\n"
        return score.results, seen

    run.patch = patch
    return run


def test_a_patch_whose_test_fails_is_caught(world):
    results, seen = world("passed", "failed")
    assert [(result.name, result.passed) for result in results] == [("mutants/it", True)]
    assert seen == ["second", "changed"]


def test_a_patch_whose_test_passes_survives(world):
    results, _ = world("passed", "passed")
    assert not results[0].passed and "survives" in results[0].text


def test_a_patch_that_does_not_build_is_no_proof(world):
    results, _ = world("passed", "it does not build")
    assert not results[0].passed and "does not build" in results[0].text


def test_a_test_that_fails_anyway_is_no_proof(world):
    results, _ = world("failed")
    assert [result.name for result in results] == ["mutants/without/host/lib/fmt", "mutants/it"]
    assert not any(result.passed for result in results)


def test_a_patch_that_no_longer_applies_says_so(world):
    world.patch.write_text(GOOD.replace("-second", "-another"))
    results, _ = world("passed")
    assert not results[0].passed and "no longer applies" in results[0].text


def test_a_nightly_run_keeps_what_came_of_each(world, tmp_path, monkeypatch):
    table = tmp_path / "results" / "mutants.tsv"
    monkeypatch.setattr(results, "RESULTS", table.parent)
    monkeypatch.setattr(results, "BUILD", tmp_path)
    monkeypatch.setattr(mutants, "PATCHES", tmp_path)
    world("passed", "failed")
    assert not table.exists()
    monkeypatch.setenv("FUSELAGE_NIGHTLY", "1")
    world("passed", "passed")
    assert results.read(table)["it"]["value"] == "survives"
    results.note("mutants", "patch-that-is-gone", "killed", "-", 1)
    world("passed", "failed")
    assert {what: row["value"] for what, row in results.read(table).items()} == {"it": "killed"}


@pytest.mark.parametrize("line,instead,problem", [
    ("Breaks: nothing", "", "one line `Breaks:`"),
    ("Caught-by: host/lib/fmt", "", "at least one `Caught-by:`"),
    ("Breaks: nothing", "Bricks: nothing", "Bricks: nothing"),
])
def test_a_header_that_is_wrong_says_why(world, line, instead, problem):
    world.patch.write_text(GOOD.replace(line + "\n", instead + "\n" if instead else ""))
    with pytest.raises(mutants.MutantError, match=problem):
        mutants.header(world.patch)


def test_the_copy_follows_the_tree(tmp_path, monkeypatch):
    """Files that changed, came or went, links and rights; what is the same keeps its time."""
    monkeypatch.setattr(mutants, "TREE", tmp_path / "copy")
    monkeypatch.setattr(mutants, "ROOT", tmp_path / "tree")
    monkeypatch.setattr(mutants, "BUILD", tmp_path / "build")
    names = {"a": "one", "folder/b": "two"}
    for name, text in names.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "tree" / "link").symlink_to("folder")
    monkeypatch.setattr(mutants, "files_of_tree", lambda: [*names, "link"])
    mutants.synchronise()
    same_ns = (tmp_path / "copy" / "a").stat().st_mtime_ns
    assert (tmp_path / "copy" / "link" / "b").read_text() == "two"

    (tmp_path / "tree" / "folder" / "b").write_text("new")
    (tmp_path / "tree" / "folder" / "b").chmod(0o755)
    (tmp_path / "copy" / "stale").write_text("gone from the tree")
    (tmp_path / "copy" / "build").mkdir()
    (tmp_path / "copy" / "build" / "kept").write_text("")
    mutants.synchronise()
    assert (tmp_path / "copy" / "a").stat().st_mtime_ns == same_ns
    assert (tmp_path / "copy" / "folder" / "b").read_text() == "new"
    assert (tmp_path / "copy" / "folder" / "b").stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / "copy" / "stale").exists()
    assert (tmp_path / "copy" / "build" / "kept").exists()
