"""sources: everything that an image was made of, beside the image.

    FOLDER/image/           the image, or kernel and ramdisk
    FOLDER/fuselage/        this tree, as git has it (or as it is, where there is no git)
    FOLDER/packages/NAME/   the archive's own files of each pinned source package, the original
                            tarball checked against the lock file; of a binary package the .deb
    FOLDER/README           how to build the same again
    FOLDER/SHA256SUMS       of all files

What only runs beside us (`Fetch: asked` in tools/packages.lock) is left out.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from . import build
from .common import BASE_IMAGE, BUILD, ROOT, SHARED, ToolError, kernel_elf, relative, say

README = """\
Fuselage, with the sources of everything in it
==============================================

image/      what was built{commit}
fuselage/   the kernel, its programs and tools: MIT, see fuselage/LICENSE
packages/   what the build takes from Debian's archive, exactly these versions:
{packages}

To build it again, on Debian 12:

    cd fuselage
    ./fuselage build         # fetches the packages by itself, as long as Debian's archive has them

Where the archive has moved on, the files of packages/ take its place: unpack each source package into
build/shared/packages/NAME (dpkg-source -x packages/NAME/*.dsc build/shared/packages/NAME), each .deb by
dpkg-deb -x, and write into build/shared/packages/NAME.version two lines:
{stamps}

Then ./fuselage build finds them there. fuselage/docs/licences.md says what each of them is used for.
"""


def fetcher():
    sys.path.insert(0, str(ROOT / "tools"))
    import fetch
    import fetch_apt
    return fetch, fetch_apt


def version_of(package):
    """The archive's version of what the build has unpacked."""
    stamp = SHARED / "packages" / f"{package.key}.version"
    try:
        return stamp.read_text(encoding="utf-8").splitlines()[1]
    except (OSError, IndexError):
        raise ToolError(f"{package.key} has not been fetched: ./fuselage build first") from None


def add_packages(folder):
    """Fetches the files of each package, and checks them. Returns [(package, version)]."""
    fetch, fetch_apt = fetcher()
    packages = [package for package in fetch.read_lock().values() if not package.only_when_asked]
    taken = [(package, version_of(package)) for package in packages]
    try:
        apt = fetch_apt.PrivateApt(BUILD / "sources.apt", packages)
        for package, version in taken:
            say(f"fetching {package.name} {version}")
            files = apt.download(package, *fetch.behind(package, version, apt))
            add_package(folder / "packages" / package.key, package, files)
            apt.forget_downloads(package)
    except fetch.FetchError as error:
        raise ToolError(str(error)) from None
    finally:
        shutil.rmtree(BUILD / "sources.apt", ignore_errors=True)
    return taken


def add_package(folder, package, files):
    folder.mkdir(parents=True)
    for path in files:
        shutil.copy2(path, folder / path.name)
    originals = [path for path in files if ".orig.tar." in path.name and path.suffix != ".asc"]
    if package.is_source and (len(originals) != 1 or hashlib.sha256(
            originals[0].read_bytes()).hexdigest() != package.orig_sha256):
        raise ToolError(f"{package.name}: the archive's tarball is not the one that is pinned")


def git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode() if done.returncode == 0 else ""


def add_tree(folder):
    """The tree's own files; without git, all but what was built."""
    names = [name for name in git("ls-files", "-z").split("\0") if name]
    names = names or [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                      if BUILD not in path.parents and path.is_file()]
    for name in names:
        source, copy = ROOT / name, folder / "fuselage" / name
        if not source.is_file() and not source.is_symlink():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy, follow_symlinks=False)


def add_image(folder, images):
    (folder / "image").mkdir(parents=True)
    for image in images:
        if not Path(image).is_file():
            raise ToolError(f"--image: cannot read {image}")
        shutil.copy2(image, folder / "image")


def add_readme(folder, taken):
    commit = git("rev-parse", "HEAD").strip()
    changed = git("status", "--porcelain", "--untracked-files=no").strip()
    said = f", from commit {commit}" + (" with changes" if changed else "") if commit else ""
    (folder / "README").write_text(README.format(
        commit=said,
        packages="\n".join(f"              {package.key}  {version}  ({package.licence})"
                           for package, version in taken),
        stamps="\n".join(f"\n    {package.key}.version:\n      {package.pin()}\n      {version}"
                         for package, version in taken)), encoding="utf-8")


def add_sums(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    (folder / "SHA256SUMS").write_text("".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n"
        for path in files), encoding="utf-8")


def collect(folder, images):
    add_image(folder, images)
    add_tree(folder)
    taken = add_packages(folder)
    add_readme(folder, taken)
    add_sums(folder)


def main(args):
    output = Path(args.output or BUILD / "sources")
    packed = "".join(output.suffixes[-2:]) if output.suffix in (".xz", ".gz") else output.suffix
    modes = {".tar": "w", ".tar.gz": "w:gz", ".tar.xz": "w:xz"}
    if output.exists() and (packed in modes or any(output.iterdir()) and args.output):
        raise ToolError(f"{output} is there already")
    images = args.image
    if not images:
        build.ensure("release", "image")
        images = [kernel_elf("release"), BASE_IMAGE]
    folder = BUILD / "sources.new" if packed in modes else output
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        collect(folder, images)
        if packed in modes:
            with tarfile.open(output, modes[packed]) as tar:
                tar.add(folder, output.name.removesuffix(packed))
    finally:
        if packed in modes:
            shutil.rmtree(folder, ignore_errors=True)
    say(f"{relative(output)} has the image and all that it was made of; its README says how to "
        "build it again")
    return 0
