"""new-driver and test-driver: a filesystem driver from a template, built and tested in three places.

The template is drivers/template, with NAME put in. Its Makefile knows how to build and test; what is
here chooses the places, runs them one after the other, and says how long a saved edit took to reach
its result.
"""

import re
import subprocess
import time
from pathlib import Path

from .build import boot_files
from .common import ROOT, ToolError, relative, say

TEMPLATE = ROOT / "drivers" / "template"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}\Z")
PLACES = {"linux": "Linux", "asan": "Linux, ASan", "fuselage": "Fuselage"}
LOOK_EVERY_S = 0.1


def main(args):
    return new_driver(args) if args.command == "new-driver" else test_driver(args)


def new_driver(args):
    name = args.name
    if not NAME.match(name):
        raise ToolError(f"new-driver: {name}: a name is a small letter, then letters, digits, - "
                        "and _, 31 at most")
    folder = Path(args.output or name)
    try:
        folder.mkdir(parents=True)
        for path in sorted(TEMPLATE.iterdir()):
            text = path.read_text().replace("@NAME@", name).replace("@FUSELAGE@", str(ROOT))
            (folder / (f"{name}.c" if path.name == "driver.c" else path.name)).write_text(text)
    except OSError as error:
        raise ToolError(f"new-driver: {error.filename}: {error.strerror}") from error
    tool = Path(relative(ROOT)) / "fuselage"
    tool = tool if "/" in str(tool) else f"./{tool}"
    print(f"""{folder}/{name}.c is the driver, {folder}/test.c its test. Next:
  {tool} test-driver {folder}            build it and run its test in each place
  {tool} test-driver {folder} --watch    the same whenever you save
  {tool} run --add {folder}/build/fuselage/{name}:/bin/{name}""")
    return 0


def sources(folder):
    return [path for path in folder.iterdir() if path.suffix in (".c", ".h") or
            path.name == "Makefile"]


def newest(folder):
    """When a source was last saved."""
    return max(path.stat().st_mtime for path in sources(folder))


def unusable():
    """Why Linux cannot mount a driver here, if it cannot."""
    try:
        with open("/dev/fuse", "rb"):
            return None
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"


def test_in(folder, place):
    """Whether the test passed there; what it printed goes to the user."""
    why_not = unusable() if place != "fuselage" else None
    if why_not:
        print(f"-- {PLACES[place]}: not tested: {why_not}", flush=True)
        return None
    print(f"-- {PLACES[place]}", flush=True)
    return subprocess.run(["make", "-s", "-C", folder, f"check-{place}"], check=False,
                          stdin=subprocess.DEVNULL).returncode == 0


def once(folder, places, since, since_what):
    """All places once. Exit status."""
    results = {place: test_in(folder, place) for place in places}
    words = {True: "passed", False: "FAILED", None: "not tested"}
    say("; ".join(f"{PLACES[place]}: {words[passed]}" for place, passed in results.items()) +
        f"; {time.time() - since:.1f} s after {since_what}")
    return 1 if False in results.values() else 0


def test_driver(args):
    folder = Path(args.dir)
    if not (folder / "Makefile").is_file():
        raise ToolError(f"test-driver: {folder}: there is no Makefile; "
                        "new-driver makes a folder with one")
    places = [place for place in PLACES if not args.on or place in args.on]
    args.kernel = args.ramdisk = None
    boot_files(args, "debug")
    status = once(folder, places, time.time(), "the start")
    while args.watch:
        last = newest(folder)
        while newest(folder) == last:
            time.sleep(LOOK_EVERY_S)
        status = once(folder, places, newest(folder), "the edit was saved")
    return status
