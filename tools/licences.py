#!/usr/bin/python3
"""docs/licences.md from tools/packages.lock: what of others the build takes, and on what terms.

licences.py writes the page; licences.py --check says whether it is stale, and compares the licences
with the copyright files of the packages that are unpacked.
"""

import argparse
import sys
from pathlib import Path

import fetch
from fetch_common import FetchError

PAGE = fetch.TREE / "docs" / "licences.md"
PACKAGES = fetch.TREE / "build" / "shared" / "packages"
# What stands in a copyright file that does not call its licence by name.
SAYS = {"MIT": "Permission is hereby granted", "GPL-2": "General Public License"}
HEAD = """\
# Licences

Fuselage is under the [MIT licence](../LICENSE): kernel, ksh, programs, tools, tests and documents, all written for it.
No code of others is in this tree. What the build takes from Debian's archive is pinned in
[tools/packages.lock](../tools/packages.lock), and is this:

| package | version | Debian | licence | used for |
| --- | --- | --- | --- | --- |
"""
TAIL = """
Compilers and tools of the machine that builds are used, and nothing of them is passed on; what they generate is ours.

Who passes an image on can pass the sources along: `./fuselage sources` collects the tarballs that were pinned, this
tree, and how to build it again, beside the image.

(Made by [tools/licences.py](../tools/licences.py).)
"""


def page():
    lines = []
    for package in fetch.read_lock().values():
        if not package.licence or not package.used:
            raise FetchError(f"tools/packages.lock: {package.key} has no Licence or no Used")
        kind = "source" if package.is_source else "binary"
        version = package.upstream + (f"<br>sha256 `{package.orig_sha256[:16]}...`"
                                      if package.orig_sha256 else "")
        lines.append(f"| {package.name} ({kind}) | {version} | {package.suite} | {package.licence} "
                     f"| {package.used} |")
    return HEAD + "\n".join(lines) + "\n" + TAIL


def contradictions():
    """Packages whose own copyright file does not name the licence that the lock file has."""
    for package in fetch.read_lock().values():
        folder = PACKAGES / package.key
        found = [folder / "debian" / "copyright",
                 *folder.glob("usr/share/doc/*/copyright")]
        for path in filter(Path.is_file, found):
            wanted = SAYS.get(package.licence.split()[0], package.licence.split()[0])
            if wanted not in path.read_text(encoding="utf-8", errors="replace"):
                yield f"{package.key}: its copyright file does not speak of {wanted}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    problems = list(contradictions())
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        problems.append("docs/licences.md is stale: tools/licences.py makes it anew")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FetchError as error:
        sys.exit(f"licences.py: {error}")
