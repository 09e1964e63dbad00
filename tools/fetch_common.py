"""What tools/fetch.py and its apt share: the control format, failing, running programs."""

import os
import subprocess

# Which Debian package has a program that may be missing.
PROGRAM_PACKAGES = {"apt-get": "apt", "apt-cache": "apt", "dpkg-source": "dpkg-dev",
                    "dpkg-deb": "dpkg"}


class FetchError(Exception):
    """Something the user has to know or do; the text is the whole message."""


def read_stanzas(text):
    """Debian's control format: stanzas of "Field: value", with continuation lines, as dicts."""
    stanzas, fields, last = [], {}, None
    for line in text.splitlines() + [""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if fields:
                stanzas.append(fields)
            fields, last = {}, None
        elif line[0] in " \t" and last:
            fields[last] += "\n" + line
        elif ":" in line:
            last, value = line.split(":", 1)
            fields[last] = value.strip()
    return stanzas


def run(command, cwd=None):
    """A program's standard output; failing ends in a FetchError with what it said."""
    environment = dict(os.environ, LC_ALL="C.UTF-8", DEBIAN_FRONTEND="noninteractive")
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)
    except FileNotFoundError:
        package = PROGRAM_PACKAGES.get(command[0], command[0])
        raise FetchError(f"{command[0]} is not installed (Debian package {package})") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise FetchError(f"{' '.join(command)} failed:\n{said}")
    return done.stdout
