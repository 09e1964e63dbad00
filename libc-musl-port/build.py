#!/usr/bin/python3
"""Build the SDK: musl with our overlay and patches, Linux's ABI headers, and fuselage-cc.

Takes the unpacked packages of tools/fetch.py and leaves SDK/{bin,include,lib,share}. Does nothing
when everything that goes in is as it was: SDK/built-from holds a checksum over all of it.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PORT = Path(__file__).resolve().parent
TREE = PORT.parent
GCC = "x86_64-linux-gnu-gcc"
NATIVE_ABI = ("fuse_native.h", "fuse_ring.h", "spawn.h")   # of abi/include/abi: what the native calls take
STRIP = "x86_64-linux-gnu-strip"
LOADER = "ld-musl-x86_64.so.1"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, metavar="DIR",
                        help="where tools/fetch.py put musl and linux-libc-dev")
    parser.add_argument("--sdk", type=Path, required=True, metavar="DIR",
                        help="what to make; the work folder is DIR.work")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="compilers at once")
    return parser.parse_args()


def native_headers():
    """The headers of the calls that Linux does not have, by their names below include/fuselage."""
    with tempfile.TemporaryDirectory() as folder:
        header = Path(folder) / "syscall.h"
        subprocess.run([sys.executable, "-B", TREE / "tools" / "gensyscalls.py",
                        TREE / "abi" / "syscalls.def", "--libc", header], check=True)
        headers = {"syscall.h": header.read_bytes()}
    for name in NATIVE_ABI:
        headers[name] = (TREE / "abi" / "include" / "abi" / name).read_bytes()
    return headers


def ingredients(packages, headers):
    """A checksum over all that decides what the SDK will be."""
    digest = hashlib.sha256(repr(sorted(headers.items())).encode())
    for name in ("musl", "linux-libc-dev"):
        digest.update((packages / f"{name}.version").read_bytes())
    for path in sorted(PORT.rglob("*")):
        if path.is_file() and path.suffix not in (".md", ".pyc"):
            digest.update(f"{path.relative_to(PORT)}\0{path.stat().st_mode & 0o111}\0".encode())
            digest.update(path.read_bytes())
    digest.update(subprocess.check_output([GCC, "--version"]))
    return digest.hexdigest()


def run(command, cwd, log):
    """Run one step, its output to the log; a failure shows the log's end and stops."""
    done = subprocess.run(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        log.flush()
        tail = Path(log.name).read_text(errors="replace").splitlines()[-25:]
        sys.exit("\n".join(tail) + f"\nbuild.py: {command[0]} failed, all of it: {log.name}")


def prepare_source(packages, work, headers, log):
    """musl's tree with the overlay copied over it and the patches applied, in the order of names."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(packages / "musl", work, symlinks=True)
    shutil.copytree(PORT / "overlay", work, dirs_exist_ok=True)
    for name, text in headers.items():
        (work / "include" / "fuselage" / name).write_bytes(text)
    for patch in sorted((PORT / "patches").glob("*.patch")):
        run(["patch", "-p1", "--batch", "--forward", "-i", str(patch)], work, log)


def build_musl(work, sdk, jobs, log):
    configure = ["./configure", "--target=x86_64-linux-gnu", f"CC={GCC}", "--prefix=/",
                 "--includedir=/include", "--libdir=/lib", "--syslibdir=/lib", "--disable-wrapper"]
    run(configure, work, log)
    run(["make", f"-j{jobs}"], work, log)
    run(["make", "install", f"DESTDIR={sdk}"], work, log)
    # The library is its own loader. The linker finds it by the one name, programs by the other.
    loader = sdk / "lib" / LOADER
    loader.unlink()
    run([STRIP, "-o", str(loader), str(sdk / "lib" / "libc.so")], work, log)


def add_kernel_headers(packages, sdk):
    """Debian keeps <asm/...> in a folder of the architecture; here they stand beside <linux/...>."""
    headers = packages / "linux-libc-dev" / "usr" / "include"
    for folder in sorted(headers.iterdir()):
        if folder.is_dir() and folder.name != "x86_64-linux-gnu":
            shutil.copytree(folder, sdk / "include" / folder.name, dirs_exist_ok=True)
    shutil.copytree(headers / "x86_64-linux-gnu" / "asm", sdk / "include" / "asm")


def add_compiler(sdk):
    for name, folder in (("fuselage-cc", "bin"), ("fuselage.specs", "lib"),
                         ("fuselage-toolchain.cmake", "share")):
        (sdk / folder).mkdir(exist_ok=True)
        shutil.copy(PORT / name, sdk / folder / name)


def build(arguments, headers, mark):
    sdk, work = arguments.sdk, Path(f"{arguments.sdk}.work")
    fresh = work / "sdk"
    work.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(fresh, ignore_errors=True)
    with open(work / "log", "w") as log:
        prepare_source(arguments.packages, work / "musl", headers, log)
        build_musl(work / "musl", fresh, arguments.jobs, log)
    add_kernel_headers(arguments.packages, fresh)
    add_compiler(fresh)
    (fresh / "built-from").write_text(mark)
    # The old SDK stays whole until the new one is.
    shutil.rmtree(sdk, ignore_errors=True)
    os.rename(fresh, sdk)
    shutil.rmtree(work / "musl")


def main():
    arguments = parse_arguments()
    arguments.sdk = arguments.sdk.resolve()
    arguments.packages = arguments.packages.resolve()
    headers = native_headers()
    mark = ingredients(arguments.packages, headers)
    arguments.sdk.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{arguments.sdk}.lock", "w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        built_from = arguments.sdk / "built-from"
        if built_from.exists() and built_from.read_text() == mark:
            return
        print("building musl", flush=True)
        build(arguments, headers, mark)


if __name__ == "__main__":
    main()
