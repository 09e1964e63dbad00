"""Mutants: a patch that breaks one promise of the tree, and the test that must notice it.

tests/mutants/NAME.patch begins with what it breaks and which tests must fail, one each line:

    Breaks: a copy to a program never reaches kernel memory
    Caught-by: selftest/user_copy_never_reaches_the_kernel
    --- a/arch/x86_64/user.c
    ...

A line `Needs: release` has the release kernel built as well, for tests that boot that one.

The tree as it is now is copied to build/mutants/tree, with a build folder of its own, and only
there anything is changed. A named test must pass there before, and fail with the patch. One mutant
after the other, and the files of the last are put back together with the change of the next, so
that each costs the compilation of a file or two. With --nightly what came of each is kept in
docs/results/mutants.tsv.
"""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from . import results
from .common import BUILD, ROOT, say
from .testunits import Result, is_nightly

PATCHES = ROOT / "tests" / "mutants"
TREE = BUILD / "mutants" / "tree"
TEST_LIMIT_S = 420
# What a build of the copy need not fetch or make again.
KEEP = ("packages", "sdk")
FIELD = re.compile(r"^(Breaks|Caught-by|Needs): (.+)$")
TARGET = re.compile(r"^\+\+\+ b/(\S+)", re.MULTILINE)


class MutantError(Exception):
    """What is wrong with a patch, in a sentence."""


def chosen(text):
    """The patches whose names, or whose tests' names, hold TEXT."""
    return [path for path in sorted(PATCHES.glob("*.patch"))
            if any(text in name for name in (f"mutants/{path.stem}", *fields(path)["Caught-by"]))]


def fields(path):
    """{field: [texts]} of what stands before the patch itself."""
    found = {"Breaks": [], "Caught-by": [], "Needs": [], "else": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("--- "):
            break
        match = FIELD.match(line)
        found[match[1] if match else "else"].append(match[2] if match else line)
    return found


def header(path):
    """(promise, [names of tests]) of a patch."""
    found = fields(path)
    if found["else"]:
        raise MutantError(f"neither Breaks: nor Caught-by: nor the patch: {found['else'][0]}")
    if found["Needs"] not in ([], ["release"]):
        raise MutantError("Needs: knows nothing but release")
    if len(found["Breaks"]) != 1 or not found["Caught-by"]:
        raise MutantError("it must have one line `Breaks:` and at least one `Caught-by:`")
    return found["Breaks"][0], found["Caught-by"]


def targets(path):
    """The files that a patch changes."""
    return TARGET.findall(path.read_text(encoding="utf-8"))


def apply(path, tree):
    """Changes TREE, or raises MutantError and leaves it as it was."""
    command = ["patch", "-p1", "--batch", "--forward", "--no-backup-if-mismatch",
               "--reject-file=-", "-d", str(tree), "-i", str(path)]
    for words in (["--dry-run"], []):
        done = subprocess.run(command + words, stdin=subprocess.DEVNULL, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise MutantError("the patch no longer applies; the code that it breaks has changed:\n"
                              + done.stdout)


# --- the copy ------------------------------------------------------------------------------------

def files_of_tree():
    out = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True,
                         stdout=subprocess.PIPE).stdout
    return [name for name in out.decode().split("\0")
            if name and ((ROOT / name).is_file() or (ROOT / name).is_symlink())]


def put(name):
    """Brings one file of the copy to what it is in the tree; a changed one gets the time of now."""
    source, copy = ROOT / name, TREE / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        if not copy.is_symlink() or os.readlink(copy) != os.readlink(source):
            copy.unlink(missing_ok=True)
            copy.symlink_to(os.readlink(source))
        return
    if copy.exists() and copy.read_bytes() == source.read_bytes():
        return
    if copy.exists():
        shutil.copyfile(source, copy)
    else:
        shutil.copy2(source, copy)
    shutil.copymode(source, copy)


def synchronise():
    """Makes the copy like the tree, deletions as well. Its build folder stays."""
    names = files_of_tree()
    TREE.mkdir(parents=True, exist_ok=True)
    for name in names:
        put(name)
    wanted = set(names)
    for folder, folders, files in os.walk(TREE):
        if Path(folder) == TREE:
            folders[:] = [name for name in folders if name not in ("build", ".git")]
        for name in files:
            path = Path(folder, name)
            if str(path.relative_to(TREE)) not in wanted and name != ".git" \
                    and path.suffix != ".pyc":
                path.unlink()
    if not (TREE / ".git").exists():    # some tests ask git which files there are
        subprocess.run(["git", "init", "-q", str(TREE)], check=True)
    subprocess.run(["git", "add", "-A"], cwd=TREE, check=True)
    shared = TREE / "build" / "shared"
    for name in KEEP:
        if (BUILD / "shared" / name).exists() and not (shared / name).exists():
            shared.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", str(BUILD / "shared" / name), str(shared / name)],
                           check=True)


# --- running -------------------------------------------------------------------------------------

def run_test(name, both_builds=False):
    """Runs one test in the copy: "passed", "failed", or what kept it from running, and the text."""
    preset = [] if both_builds else ["--preset", "debug"]
    done = subprocess.Popen([str(TREE / "fuselage"), "-y", "test", *preset, name],
                            cwd=TREE, text=True, errors="replace", stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            start_new_session=True,
                            env={key: value for key, value in os.environ.items()
                                 if key != "FUSELAGE_NIGHTLY"})
    try:
        text, _ = done.communicate(timeout=TEST_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(done.pid, 9)
        text, _ = done.communicate()
        return "failed", text + f"\nended after {TEST_LIMIT_S} s"
    ends = re.findall(r"^(ok  |FAIL) (\S+)", text, re.MULTILINE)
    if any(end == "FAIL" and test.startswith("build/") for end, test in ends):
        return "it does not build", text
    ours = [end for end, test in ends if test.startswith(name.partition("[")[0])]
    if not ours:
        return f"no test is called {name}", text
    return "failed" if "FAIL" in ours else "passed", text


def judge(path, healthy):
    """Applies one patch and looks what its tests say. HEALTHY: tests that pass without it."""
    _, tests = header(path)
    apply(path, TREE)
    for name in tests:
        if not healthy[name]:
            return False, f"{name} does not pass without the patch either"
        end, text = run_test(name, bool(fields(path)["Needs"]))
        if end != "failed":
            return False, f"{name}: {end}" if end != "passed" else \
                f"it survives: {name} passes in spite of it\n{text}"
    return True, ""


def test_healthy(paths, score):
    """Every named test once without a patch: {name: whether it passed}."""
    healthy = {}
    for path in paths:
        try:
            names = header(path)[1]
        except MutantError:
            continue                    # told when its turn comes
        for name in names:
            if name not in healthy:
                end, text = run_test(name, bool(fields(path)["Needs"]))
                healthy[name] = end == "passed"
                if end != "passed":
                    score.add(Result(f"mutants/without/{name}", False, 0, f"{end}\n{text}"))
    return healthy


def keep_result(name, killed, took_s):
    """A row of docs/results/mutants.tsv; the rows of patches that are gone leave it."""
    results.note_all("mutants", {name: "killed" if killed else "survives"}, "-", took_s,
                     only={path.stem for path in PATCHES.glob("*.patch")})


def run(paths, score):
    say(f"{len(paths)} mutants; their copy of the tree is {os.path.relpath(TREE)}")
    synchronise()
    healthy = test_healthy(paths, score)
    touched = []
    for path in paths:
        started_s = time.monotonic()
        for name in touched:
            put(name)
        touched = [name for name in targets(path) if (ROOT / name).exists()]
        try:
            killed, text = judge(path, healthy)
        except MutantError as error:
            killed, text = False, str(error)
        took_s = time.monotonic() - started_s
        score.spent("mutants", took_s)
        score.add(Result(f"mutants/{path.stem}", killed, took_s, text))
        if is_nightly():
            keep_result(path.stem, killed, took_s)
    for name in touched:
        put(name)
