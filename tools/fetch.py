#!/usr/bin/python3
"""Fetch the Debian packages that the build needs, as tools/packages.lock pins them.

Needs no root and leaves the system's apt alone: apt-get and apt-cache run with a state of their own
below DIR (default build/shared/packages). Only the mirror's address, the keyrings that sign it and
settings like proxies are taken from the system, so packages come from wherever this machine gets
its own, and apt verifies the signatures.

DIR/NAME/ is an unpacked package: a source tree with Debian's patches, or a binary one's files.
DIR/NAME.version says which version lies there. Written last: an interrupted run starts over.
"""

import argparse
import fcntl
import fnmatch
import hashlib
import re
import shutil
import sys
from pathlib import Path

from fetch_common import FetchError, read_stanzas, run

TREE = Path(__file__).resolve().parent.parent
LOCK = TREE / "tools" / "packages.lock"
KNOWN_FIELDS = {"Source", "Package", "Suite", "Upstream", "Orig-SHA256", "Architecture", "Fetch",
                "As", "Through", "Keep", "Debian", "Licence", "Used"}


class Package:
    """One stanza of the lock file."""

    def __init__(self, fields):
        unknown = set(fields) - KNOWN_FIELDS
        if unknown or ("Source" in fields) == ("Package" in fields):
            raise FetchError(f"{LOCK}: a stanza needs either Source or Package and has "
                             f"{', '.join(sorted(fields))}")
        self.is_source = "Source" in fields
        self.name = fields.get("Source") or fields["Package"]
        self.key = fields.get("As", self.name)
        self.through = fields.get("Through", "").split()
        self.keep = fields.get("Keep", "").split()
        for needed in ["Suite", "Upstream"] + ["Orig-SHA256"] * self.is_source:
            if needed not in fields:
                raise FetchError(f"{LOCK}: {self.name} has no {needed}")
        self.suite = fields["Suite"]
        self.upstream = fields["Upstream"]
        self.orig_sha256 = fields.get("Orig-SHA256")
        self.architecture = fields.get("Architecture", "amd64")
        self.licence = fields.get("Licence")
        self.used = fields.get("Used")
        self.with_debian = fields.get("Debian") != "not used"
        self.only_when_asked = fields.get("Fetch") == "asked"

    def accepts(self, version):
        upstream = upstream_of(version)
        if self.upstream.endswith(".*"):
            return (upstream + ".").startswith(self.upstream[:-1])
        return upstream == self.upstream

    def pin(self):
        """What must not have changed for an unpacked package to be still the right one."""
        return " ".join(filter(None, (self.name, self.suite, self.upstream,
                                      self.orig_sha256 or self.architecture,
                                      *self.through, *self.keep)))


def upstream_of(version):
    """The upstream part of a Debian version: without the epoch and the Debian revision."""
    return version.split(":", 1)[-1].rsplit("-", 1)[0]


def read_lock():
    packages = [Package(fields) for fields in read_stanzas(LOCK.read_text())]
    return {package.key: package for package in packages}


def is_there(package, into):
    """True if the package is unpacked and the lock file has not changed its mind since."""
    try:
        pin = (into / f"{package.key}.version").read_text().splitlines()[0]
    except (OSError, IndexError):
        return False
    return pin == package.pin()


def unpack_source(package, archive_files, into):
    """Check the original tarball against the lock file, then unpack with Debian's patches."""
    orig = [path for path in archive_files if ".orig.tar." in path.name and path.suffix != ".asc"]
    if len(orig) != 1:
        raise FetchError(f"{package.name}: expected one original tarball, got {len(orig)}")
    found = hashlib.sha256(orig[0].read_bytes()).hexdigest()
    if found != package.orig_sha256:
        raise FetchError(f"{orig[0].name} has the SHA-256 checksum\n  {found}, but "
                         f"tools/packages.lock wants\n  {package.orig_sha256}.\n"
                         "The archive's signature was right. If the tarball was meant to change: "
                         f"tools/fetch.py --move {package.name}")
    if not package.with_debian:
        into.mkdir()
        run(["tar", "-x", "--strip-components=1", "-f", str(orig[0]), "-C", str(into)])
        return
    dsc = next(path for path in archive_files if path.suffix == ".dsc")
    # apt has verified the .dsc through the signed index, which also holds for an uploader's key
    # that this machine does not have: hence --no-check.
    run(["dpkg-source", "--no-check", "--no-copy", "-x", str(dsc), str(into)])


def unpack_binary(archive_files, into):
    deb = next(path for path in archive_files if path.suffix == ".deb")
    run(["dpkg-deb", "-x", str(deb), str(into)])


def keep_only(patterns, folder):
    """Throws away all files of FOLDER but those that match one of PATTERNS, of which each must."""
    kept = set()
    for pattern in patterns:
        found = set(folder.glob(pattern))
        if not found:
            raise FetchError(f"{folder.name} has no {pattern}")
        kept |= found
    for path in sorted(folder.rglob("*"), reverse=True):    # a folder after what is in it
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif path not in kept:
            path.unlink()


def pick_version(package, apt):
    """The newest version in the archive that the lock file allows."""
    versions = apt.versions(package)
    for version in versions:
        if package.accepts(version):
            return version
    there = ", ".join(versions) if versions else "no version of it at all"
    raise FetchError(
        f"{package.name} {package.upstream} is not in Debian {package.suite} any more; "
        f"the archive has: {there}.\nTo move to it: tools/fetch.py --move {package.key}, "
        "then build and run the tests.\n"
        "To stay: FUSELAGE_DEBIAN_MIRROR=URL names an archive that still has the old one.")


def behind(package, version, apt):
    """(name, version) of the package that an empty one stands for: what it depends on, step by
    step along the patterns of its Through."""
    name = package.name
    for pattern in package.through:
        depends = apt.depends(name, package.architecture, version)
        for name, version in re.findall(r"(\S+) \(= ([^)\s]+)\)", depends):
            if fnmatch.fnmatchcase(name, pattern):
                break
        else:
            raise FetchError(f"{package.name} {package.upstream}: nothing called {pattern} among "
                             f"its dependencies: {depends}")
    return name, version


def fetch(package, apt, into):
    version = pick_version(package, apt)
    print(f"fetching {package.name} {version} from Debian {package.suite}", flush=True)
    archive_files = apt.download(package, *behind(package, version, apt))
    target = into / package.key
    stamp = into / f"{package.key}.version"
    stamp.unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    if package.is_source:
        unpack_source(package, archive_files, target)
    else:
        unpack_binary(archive_files, target)
    if package.keep:
        keep_only(package.keep, target)
    stamp.write_text(f"{package.pin()}\n{version}\n")
    apt.forget_downloads(package)


def move(package, apt):
    """Rewrite the package's pins in the lock file to the newest version that its suite has."""
    versions = apt.versions(package)
    if not versions:
        raise FetchError(f"Debian {package.suite} has no {package.name} to move to")
    upstream = upstream_of(versions[0])
    if package.upstream.endswith(".*"):
        upstream = upstream.rsplit(".", 1)[0] + ".*"
    fields = {"Upstream": upstream}
    if package.is_source:
        files = apt.download(package, package.name, versions[0])
        orig = next(path for path in files if ".orig.tar." in path.name and path.suffix != ".asc")
        fields["Orig-SHA256"] = hashlib.sha256(orig.read_bytes()).hexdigest()
    lines, inside = [], False
    for line in LOCK.read_text().splitlines():
        field, _, value = line.partition(":")
        if field in ("Source", "Package"):
            inside = value.strip() == package.name
        if field == "Suite" and value.strip() != package.suite:
            inside = False
        if inside and field in fields:
            line = f"{field}: {fields[field]}"
        lines.append(line)
    LOCK.write_text("\n".join(lines) + "\n")
    print(f"{package.name}: {package.upstream} -> {upstream}; now build and run the tests")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="packages of tools/packages.lock; "
                        "without any: all but those marked 'Fetch: asked'")
    parser.add_argument("--into", type=Path, default=TREE / "build" / "shared" / "packages",
                        metavar="DIR", help="where they go (default: build/shared/packages)")
    parser.add_argument("--move", action="store_true", help="follow the archive: pin the version "
                        "that it has now, in tools/packages.lock")
    return parser.parse_args()


def choose(lock, names):
    for name in names:
        if name not in lock:
            raise FetchError(f"{name} is not in tools/packages.lock, which has: "
                             f"{', '.join(sorted(lock))}")
    return [lock[name] for name in names] or [p for p in lock.values() if not p.only_when_asked]


def main():
    arguments = parse_arguments()
    wanted = choose(read_lock(), arguments.names)
    into = arguments.into.resolve()
    if not arguments.move and all(is_there(package, into) for package in wanted):
        return
    into.mkdir(parents=True, exist_ok=True)
    with open(into / ".lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        # Another build may have fetched them while this one waited.
        wanted = [p for p in wanted if arguments.move or not is_there(p, into)]
        if not wanted:
            return
        # Imported late: the usual run has nothing to do and should not pay for it.
        from fetch_apt import PrivateApt
        # A state for each suite: a package is not to come from another one that has a newer revision.
        for suite in sorted({package.suite for package in wanted}):
            members = [package for package in wanted if package.suite == suite]
            apt = PrivateApt(into / "apt" / suite, members)
            for package in members:
                if arguments.move:
                    move(package, apt)
                else:
                    fetch(package, apt, into)


if __name__ == "__main__":
    try:
        main()
    except (FetchError, OSError) as error:
        sys.exit(f"fetch.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
