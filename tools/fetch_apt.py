"""apt with a state of its own, for tools/fetch.py.

Owns DIR: configuration, sources, package lists and downloads. The system's settings (proxy, TLS,
authentication) stay in force; its hooks, its sources and its dpkg database do not.
"""

import functools
import glob
import os
import re
import shutil
import subprocess
from pathlib import Path

from fetch_common import FetchError, read_stanzas, run

# Suites that only a Debian mirror has: an entry with any of them is a mirror that has all of them.
DEBIAN_SUITES = {"bullseye", "bookworm", "trixie", "forky", "sid",
                 "oldoldstable", "oldstable", "stable", "testing", "unstable"}
APT_HELPER = "/usr/lib/apt/apt-helper"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def read_one_line_entries(text):
    """A .list file's "deb [options] URI suite components" lines, as stanzas of a .sources file."""
    for line in text.splitlines():
        match = re.match(r"deb(?:-src)?\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.*)", line.strip())
        if match:
            options, uri, suite, components = match.groups()
            fields = {"URIs": uri, "Suites": suite, "Components": components.split("#")[0]}
            for option in (options or "").split():
                key, _, value = option.partition("=")
                if key.lower() == "signed-by":
                    fields["Signed-By"] = value
            yield fields


def system_entries():
    """Every archive that the system's own apt uses, as stanzas."""
    files = ["/etc/apt/sources.list"] + sorted(glob.glob("/etc/apt/sources.list.d/*"))
    for path in files:
        try:
            text = Path(path).read_text()
        except OSError:
            continue
        if path.endswith(".sources"):
            for fields in read_stanzas(text):
                if fields.get("Enabled", "yes").lower() not in ("no", "false"):
                    yield fields
        elif path.endswith(".list"):
            yield from read_one_line_entries(text)


def debian_mirror(suite):
    """The stanza of the mirror to take a suite from: one that has it, else any Debian mirror."""
    given = os.environ.get("FUSELAGE_DEBIAN_MIRROR")
    if given:
        return {"URIs": given, "Signed-By": KEYRING}
    entries = [fields for fields in system_entries()
               if "main" in fields.get("Components", "").split()]
    for acceptable in ({suite}, DEBIAN_SUITES):
        for fields in entries:
            if acceptable & set(fields.get("Suites", "").split()):
                return fields
    return None


class PrivateApt:
    """apt-get and apt-cache, confined to one folder."""

    def __init__(self, folder, packages):
        self.folder = folder
        self.downloads = folder / "downloads"
        for needed in ("sources.d", "preferences.d", "lists/partial", "cache/archives/partial"):
            (folder / needed).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        self.write_sources(packages)
        self.write_config(packages)
        self.run("apt-get", "update")

    def write_sources(self, packages):
        stanzas = []
        for suite in sorted({package.suite for package in packages}):
            mirror = debian_mirror(suite)
            if not mirror:
                raise FetchError(
                    f"this system's apt sources name no Debian mirror to take {suite} from.\n"
                    "Name one: FUSELAGE_DEBIAN_MIRROR=URL, and install debian-archive-keyring")
            kinds = {package.is_source for package in packages if package.suite == suite}
            stanza = {"Types": " ".join(["deb"] * (False in kinds) + ["deb-src"] * (True in kinds)),
                      "URIs": mirror["URIs"], "Suites": suite, "Components": "main",
                      "Targets": "Packages Sources"}
            if "Signed-By" in mirror:
                stanza["Signed-By"] = mirror["Signed-By"]
            stanzas.append("\n".join(f"{key}: {value}" for key, value in stanza.items()))
        (self.folder / "sources.d" / "debian.sources").write_text("\n\n".join(stanzas) + "\n")

    def write_config(self, packages):
        """Settings read after the system's own, through apt-get -c."""
        architectures = sorted({p.architecture for p in packages if p.architecture != "all"})
        lines = [
            # The system's hooks clean and announce the system's state.
            "#clear APT::Update;", "#clear DPkg;",
            f'Dir::State "{self.folder}";',
            f'Dir::State::lists "{self.folder}/lists";',
            f'Dir::State::status "{self.folder}/status";',
            f'Dir::Cache "{self.folder}/cache";',
            f'Dir::Cache::archives "{self.folder}/cache/archives";',
            'Dir::Etc::sourcelist "/dev/null";',
            f'Dir::Etc::sourceparts "{self.folder}/sources.d";',
            'Dir::Etc::preferences "/dev/null";',
            f'Dir::Etc::preferencesparts "{self.folder}/preferences.d";',
            # The sandbox user may not be able to reach into the build folder.
            f'APT::Sandbox::User "{"root" if os.getuid() == 0 else ""}";',
            '#clear APT::Architectures;',
            f'APT::Architecture "{(architectures or ["amd64"])[0]}";',
            *(f'APT::Architectures:: "{architecture}";' for architecture in architectures),
            'APT::Get::List-Cleanup "true";',
            'Acquire::Languages "none";',
            'Acquire::Retries "2";',
            'APT::Update::Error-Mode "any";',
        ]
        (self.folder / "apt.conf").write_text("\n".join(lines) + "\n")

    def run(self, program, *arguments, cwd=None):
        return run([program, "-q", "-c", str(self.folder / "apt.conf"), *arguments], cwd=cwd)

    def versions(self, package):
        """What the package's suite has, newest first."""
        if package.is_source:
            output = self.run("apt-cache", "showsrc", "--only-source", package.name)
            versions = {s["Version"] for s in read_stanzas(output) if "Version" in s}
        else:
            output = self.run("apt-cache", "show", f"{package.name}:{package.architecture}")
            versions = {s["Version"] for s in read_stanzas(output) if "Version" in s}
        return sorted(versions, key=functools.cmp_to_key(compare_versions), reverse=True)

    def depends(self, name, architecture, version):
        """What a version of a binary package depends on, as the archive writes it."""
        output = self.run("apt-cache", "show", f"{name}:{architecture}={version}")
        return next((s["Depends"] for s in read_stanzas(output) if "Depends" in s), "")

    def download(self, package, name, version):
        """The files of one version: .dsc and tarballs, or the .deb. NAME is PACKAGE's, or that of
        one that is taken in its place."""
        folder = self.downloads / package.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if package.is_source:
            for uri, file, checksum in self.source_files(package, name, version):
                self.run(APT_HELPER, "download-file", uri, str(folder / file), checksum)
        else:
            self.run("apt-get", "download", f"{name}:{package.architecture}={version}",
                     cwd=folder)
        return sorted(folder.iterdir())

    def source_files(self, package, name, version):
        """(address, name, checksum) of each file of a source package, as the signed index has them.
        Not its author's own signature of the tarball, which nobody here looks at, and which some
        mirrors lack; nor Debian's part where the lock file says `Debian: not used`."""
        output = self.run("apt-get", "source", "--print-uris", "--only-source", f"{name}={version}")
        for uri, file, checksum in re.findall(r"^'(\S+)' (\S+) \d+ (\S+)$", output, re.MULTILINE):
            if not file.endswith(".asc") and (package.with_debian or ".orig.tar." in file):
                yield uri, file, checksum

    def forget_downloads(self, package):
        shutil.rmtree(self.downloads / package.name, ignore_errors=True)


def compare_versions(left, right):
    for operator, result in (("lt", -1), ("gt", 1)):
        if subprocess.run(["dpkg", "--compare-versions", left, operator, right]).returncode == 0:
            return result
    return 0
