"""The kernels under test: how each is started with the programs, and what comes back.

Both get the same machine (qemu.measuring_machine) and print to its serial port. Fuselage runs the
programs from ksh; Linux from bench/linux_init.c in an initramfs of its own.
"""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from .. import qemu
from ..common import BUILD, ROOT, SHARED, ToolError, say
from ..ramdisk import with_files
from . import split

PROGRAMS = SHARED / "bench"
PACKAGES = SHARED / "packages"
FAMILIES = ("calls", "paths", "memory", "tmpfs", "pipes", "processes", "fuse",
            "fuse_native", "libfuse")
FUSE = {"fuse", "fuse_native", "libfuse"}
# Families whose driver is a program of its own. What that does for itself is told from what the
# kernel does: see split.py.
DRIVERS = {"libfuse": SHARED / "sdk" / "drivers" / "memfs"}
SILENCE_LIMIT_S = 240           # a family prints nothing until it is done

# Linux at its leanest. What each group leaves out stands in docs/performance.md.
LINUX_WORDS = " ".join((
    "console=ttyS0 quiet",
    "mitigations=off",
    "lsm= apparmor=0 selinux=0 audit=0",
    "cgroup_disable=memory psi=0",
    "init_on_alloc=0 init_on_free=0 hardened_usercopy=off randomize_kstack_offset=off",
    "cryptomgr.notests nowatchdog nokaslr norandmaps tsc=reliable"))


@dataclass
class Row:
    """What one kernel says of one row: a value, or why there is none."""
    family: str
    name: str
    value: float = None
    reason: str = ""


@dataclass
class Run:
    """One boot of one kernel."""
    rows: list = field(default_factory=list)
    lines: list = field(default_factory=list)   # all that it printed
    title: str = ""
    words: str = ""                             # its command line


def read_row(line):
    """A Row if LINE is one (see bench/common/bench.h)."""
    kind, _, rest = line.partition(" ")
    parts = rest.split(" ", 2)
    if kind not in ("row", "lacks") or len(parts) != 3:
        return None
    if kind == "lacks":
        return Row(parts[0], parts[1], reason=parts[2])
    try:
        return Row(parts[0], parts[1], float(parts[2]))
    except ValueError:
        return None


def watch(command, run, limit_s=SILENCE_LIMIT_S):
    """Runs QEMU to its end; what it prints goes into RUN, line by line."""
    command = command + ["-display", "none", "-serial", "stdio"]
    process = qemu.start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    held, shown = b"", sys.stderr.isatty()
    try:
        while True:
            readable, _, _ = select.select([process.stdout], [], [], limit_s)
            if not readable:
                raise ToolError(f"bench: {run.title} said nothing for {limit_s} s; "
                                "its last lines:\n" + "\n".join(run.lines[-15:]))
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                break
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                text = line.decode(errors="replace").strip("\r")
                run.lines.append(text)
                row = read_row(text)
                if row:
                    run.rows.append(row)
                    if shown:
                        print(f"\r\x1b[K{run.title}: {row.family} {row.name}", end="",
                              file=sys.stderr, flush=True)
    finally:
        process.kill()
        process.wait()
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return run


def check_release(run):
    """Debug builds check what release builds need not. The kernel says itself what it is."""
    if "release build" not in "\n".join(run.lines):
        raise ToolError("bench: this is no release build of Fuselage; its figures mean nothing")


def asked(chosen, smp):
    """[(family, the words of its program)]: by the clock, nanoseconds are asked for."""
    def words(family):
        if smp:
            return ["--wall"]
        return ["--marked"] if family in DRIVERS else []
    return [(family, [*rows, *words(family)]) for family, rows in chosen.items()]


def measured(machine, chosen, run, smp):
    """RUN with the rows of CHOSEN families; those with drivers of their own also by who spent it."""
    if smp or not DRIVERS.keys() & chosen.keys():
        return watch(machine, run)
    with split.counted() as (options, stretches):
        watch(machine + options, run)
        for family in DRIVERS.keys() & chosen.keys():
            of_family = [row for row in run.rows if row.family == family]
            run.rows += split.rows(of_family, stretches())
    return run


def a_machine(kernel, ramdisk, words, smp):
    """The one that counts instructions, or one of SMP CPUs."""
    if smp:
        return qemu.machine(kernel, ramdisk, words, smp=smp, cpu=qemu.ICOUNT_CPU)
    return qemu.measuring_machine(kernel, ramdisk, words)


def files(programs):
    """What lies in /bench for PROGRAMS to run."""
    return [PROGRAMS / name for name in programs] + \
        [DRIVERS[name] for name in programs if name in DRIVERS]


class Fuselage:
    """Our own kernel. ksh runs the programs."""
    name = "fuselage"
    title = "Fuselage"

    def __init__(self, kernel):
        self.kernel = kernel

    def run(self, chosen, more_words="", more_options=(), *, smp=None):
        """The rows of CHOSEN families, on the measuring machine; on SMP CPUs, by the clock."""
        commands = [" ".join([f"/bench/{family}", *rows]) for family, rows in asked(chosen, smp)]
        with self.started(";".join(commands), chosen, more_words) as (image, words):
            machine = a_machine(self.kernel, image, words, smp)
            run = Run(title=self.title, words=words)
            if more_options:    # a log of their own, in which nothing else may stand
                return watch(machine + list(more_options), run)
            return measured(machine, chosen, run, smp)

    def work(self, works, smp):
        """All WORKS (lists of arguments of bench/work.c) at once, by the clock; then what the
        kernel counted the while."""
        commands = "".join(" ".join(["/bench/work", *work]) + " & " for work in works) \
            + "wait;sched;locks"
        with self.started(commands, ["work"], "") as (image, words):
            return watch(a_machine(self.kernel, image, words, smp),
                         Run(title=self.title, words=words))

    @staticmethod
    @contextlib.contextmanager
    def started(commands, programs, more_words):
        words = " ".join(filter(None, (
            "console=ttyS0", more_words, "ksh.run=" + quote(commands + ";poweroff", safe="/"))))
        with with_files([(path, f"/bench/{path.name}") for path in files(programs)],
                        None) as image:
            yield image, words


class Linux:
    """A Linux kernel of Debian's. bench/linux_init.c runs the programs."""

    def __init__(self, name, image, version):
        self.name = name
        self.image = image
        self.version = version
        self.title = f"Linux {version}"

    def run(self, chosen, *, smp=None):
        """The rows of CHOSEN families, on the measuring machine; on SMP CPUs, by the clock."""
        commands = [",".join([f"/bench/{family}", *rows]) for family, rows in asked(chosen, smp)]
        modules = self.modules("fuse") if FUSE & chosen.keys() else []
        with self.started(commands, chosen, modules) as (initramfs, words):
            return measured(a_machine(self.image, initramfs, words, smp), chosen,
                            Run(title=self.title, words=words), smp)

    def work(self, works, smp):
        """All WORKS at once, by the clock."""
        commands = [",".join(["/bench/work", *work]) + "&" for work in works]
        with self.started(commands, ["work"]) as (initramfs, words):
            return watch(a_machine(self.image, initramfs, words, smp),
                         Run(title=self.title, words=words))

    def modules(self, name):
        """[(file, content)] of the kernel's module NAME; none where it is part of the kernel."""
        return [(path.name, path.read_bytes())
                for path in (PACKAGES / self.name).rglob(f"{name}.ko")]

    @staticmethod
    @contextlib.contextmanager
    def started(commands, programs, modules=()):
        with tempfile.TemporaryDirectory(prefix="bench.", dir=BUILD) as scratch:
            initramfs = Path(scratch) / "initramfs"
            initramfs.write_bytes(archive(
                {"init": (PROGRAMS / "linux_init").read_bytes(),
                 **{f"bench/{path.name}": path.read_bytes() for path in files(programs)},
                 **{f"modules/{name}": data for name, data in modules}}))
            yield initramfs, f"{LINUX_WORDS} -- {' '.join(commands)}"


def archive(files):
    """An initramfs: a cpio archive (newc) of FILES {name: data}, and the folders a start needs."""
    out = bytearray()

    def member(name, mode, data=b"", device=(0, 0)):
        nonlocal out
        encoded = name.encode() + b"\0"
        numbers = (member.count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        member.count += 1
        out += b"070701" + b"".join(b"%08x" % number for number in numbers) + encoded
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)

    member.count = 1
    for folder in ("dev", "proc", "tmp", "bench", "modules"):
        member(folder, 0o040755)
    member("dev/console", 0o020600, device=(5, 1))
    for name, data in files.items():
        member(name, 0o100755, data)
    member("TRAILER!!!", 0)
    return bytes(out)


def fetched(name):
    """The Linux of the lock file's package NAME, or None where it cannot be had."""
    done = subprocess.run([sys.executable, "-B", str(ROOT / "tools" / "fetch.py"), name],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        say(done.stdout.strip())
        return None
    if done.stdout:
        say(done.stdout.strip())
    image = next((PACKAGES / name).rglob("vmlinuz*"))
    version = (PACKAGES / f"{name}.version").read_text(encoding="ascii").splitlines()[1]
    return Linux(name, image, version)


def peers(which):
    """The kernels to measure beside ours; the newest one only where it can be had."""
    names = {"none": [], "all": ["linux-stable", "linux-newest"]}.get(which, [f"linux-{which}"])
    found = [fetched(name) for name in names]
    if names and not any(found):
        raise ToolError("bench: no Linux kernel to measure beside (--linux none: do without)")
    return [linux for linux in found if linux]
