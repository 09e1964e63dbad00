"""The command line of ./fuselage."""

import argparse
import sys

from .common import PRESETS, ToolError, say

HELP = """\
Fuselage: a hybrid x86-64 kernel.

  ./fuselage run                 build, and boot into ksh in this terminal (Ctrl-] x leaves);
                                 --screen: in a window, with keyboard and pixels
  ./fuselage exec -- CMD ARGS    boot without a screen, run CMD, pass its output and status on
  ./fuselage test [FILTER]       every test whose name holds FILTER; --list prints the names;
                                 --quick runs some minutes of them, --mutants and
                                 --nightly what takes longer
  ./fuselage debug               boot with gdb attached and symbols loaded; --user PROG: gdb for a
                                 program or driver in the machine
  ./fuselage new-driver NAME     a folder with a small filesystem driver to begin from, and its test
  ./fuselage test-driver DIR     build such a driver and test it on Linux, under ASan, and here
  ./fuselage build               build the kernel and the ramdisk
  ./fuselage iso                 a bootable CD and stick image, for BIOS and UEFI
  ./fuselage ramdisk DIR         a ramdisk image from DIR: boot it with run --ramdisk
  ./fuselage bench               measure beside Linux, in instructions; compare OLD NEW
  ./fuselage report              what to paste into a bug report
  ./fuselage sources             all sources of an image, and how to build it again, beside it

-y installs missing packages without asking. Each command has --help.
"""

EXEC_STATUSES = """\
exit status: CMD's own; 128+N killed by signal N; 127 no such program; 126 not executable;
125 the tool failed; 124 --timeout; 123 the machine hung; 122 the kernel panicked or died.
"""

BENCH_WORDS = """\
The same static programs (bench/) run on Fuselage and on Debian's Linux kernels, which are fetched
and unpacked, not installed. Figures are guest instructions under QEMU TCG, not hardware time.
All rows are also written to build/bench: results.tsv, results.json and chart.svg.
"""


def machine_options(parser, mem_default=512):
    parser.add_argument("--smp", type=int, default=1, metavar="N", help="CPUs (1)")
    parser.add_argument("--mem", type=int, default=mem_default, metavar="MIB",
                        help=f"memory ({mem_default})")
    parser.add_argument("--cpu", default="max", metavar="MODEL", help="QEMU's CPU model (max)")
    parser.add_argument("--append", default="", metavar="ARGS",
                        help="more words for the kernel's command line")
    parser.add_argument("--preset", choices=PRESETS, help="which build to boot (debug)")
    parser.add_argument("--kernel", metavar="ELF", help="boot this kernel; builds nothing")
    parser.add_argument("--ramdisk", metavar="IMG", help="boot with this ramdisk image")


def add_option(parser):
    parser.add_argument("--add", action="append", default=[], metavar="HOST[:GUEST]",
                        help="put a file or directory of this machine into the ramdisk "
                             "(without GUEST: into /tmp)")


def icount_option(parser):
    parser.add_argument("--icount", action="store_true",
                        help="the measuring machine: it counts instructions, and repeats")


def make_parser():
    parser = argparse.ArgumentParser(prog="./fuselage", add_help=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-y", "--yes", action="store_true")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    run = commands.add_parser("run", help="boot into ksh")
    add_option(run)
    machine_options(run)
    run.add_argument("--kvm", action="store_true", help="use the CPU's virtualisation")
    icount_option(run)
    run.add_argument("--screen", action="store_true",
                     help="a machine with a screen and keyboard, in a window of its own")

    execute = commands.add_parser("exec", help="boot, run one program, end", epilog=EXEC_STATUSES,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    add_option(execute)
    machine_options(execute)
    execute.add_argument("--get", action="append", default=[], metavar="GUEST[:HOST]",
                         help="bring a file or directory out when CMD has ended")
    execute.add_argument("--timeout", type=float, metavar="S", help="end it after S seconds")
    icount_option(execute)
    execute.add_argument("--log", metavar="FILE", help="write the kernel's log to FILE")
    execute.add_argument("--hang-limit", type=float, default=20, metavar="S",
                         help="seconds without a sign of life that count as a hang (20)")
    execute.add_argument("--ports-only", action="store_true",
                         help="do not offer shared memory: all bytes go through the ports")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- CMD ARGS")

    test = commands.add_parser("test", help="run the tests")
    test.add_argument("filter", nargs="?", default="", metavar="FILTER")
    test.add_argument("--list", action="store_true", help="print the tests' names")
    test.add_argument("--mutants", action="store_true",
                      help="break each promise of tests/mutants in a copy: its test must fail")
    test.add_argument("--quick", action="store_true",
                      help="those of tests/QUICK: some minutes, for while one works")
    test.add_argument("--nightly", action="store_true",
                      help="all at full length, for hours, with results in docs/results")
    test.add_argument("--preset", choices=PRESETS,
                      help="build only this one, for tests that boot no other")

    debug = commands.add_parser("debug", help="boot with gdb attached")
    add_option(debug)
    machine_options(debug)
    debug.add_argument("--user", metavar="PROG",
                       help="debug a program instead of the kernel: a file of this machine with "
                            "symbols, or the name of one of ours")
    debug.add_argument("--gdb-command", action="append", default=[], metavar="CMD",
                       help="hand CMD to gdb and leave when all are done")

    build = commands.add_parser("build", help="build")
    build.add_argument("--preset", choices=PRESETS, help="only this build (both)")

    iso = commands.add_parser("iso", help="make an ISO image")
    iso.add_argument("--output", metavar="FILE", help="where to (build/fuselage.iso)")

    ramdisk = commands.add_parser("ramdisk", help="make a ramdisk image")
    ramdisk.add_argument("dir", metavar="DIR")
    ramdisk.add_argument("--output", metavar="FILE", help="where to (DIR's name with .img)")

    report = commands.add_parser("report", help="print what to paste into a bug report")
    report.add_argument("--preset", choices=PRESETS, help="which build to boot (debug)")

    bench = commands.add_parser("bench", help="measure beside Linux", epilog=BENCH_WORDS,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    bench.add_argument("what", nargs="*", metavar="FAMILY[/ROW]",
                       help="measure only these; or: compare OLD NEW, two results.tsv")
    bench.add_argument("--linux", choices=("all", "stable", "newest", "none"), default="all",
                       help="which of Debian's kernels to measure beside (all)")
    bench.add_argument("--record", action="store_true",
                       help="keep the results in docs/, where the documents take them from")
    bench.add_argument("--profile", metavar="FAMILY/ROW",
                       help="where the instructions of one operation go, by function")
    bench.add_argument("--wall", action="store_true",
                       help="by the clock instead, on --smp CPUs: work done a second, or the "
                            "rows that are named")
    bench.add_argument("--smp", type=int, default=2, metavar="N", help="CPUs, with --wall (2)")
    bench.add_argument("--preset", choices=PRESETS, help="release, and nothing else")
    bench.add_argument("--kernel", metavar="ELF", help="measure this kernel; builds nothing")

    new_driver = commands.add_parser("new-driver", help="begin a filesystem driver")
    new_driver.add_argument("name", metavar="NAME")
    new_driver.add_argument("--output", metavar="DIR", help="where to (a new folder NAME)")

    test_driver = commands.add_parser("test-driver", help="build and test a driver's folder")
    test_driver.add_argument("dir", metavar="DIR")
    test_driver.add_argument("--on", action="append", choices=("linux", "asan", "fuselage"),
                             help="only there (on all three)")
    test_driver.add_argument("--watch", action="store_true",
                             help="again whenever a source is saved, until Ctrl-C")

    sources = commands.add_parser("sources", help="collect the sources beside an image")
    sources.add_argument("--output", metavar="DIR|TAR",
                         help="a folder, or .tar, .tar.gz, .tar.xz (build/sources)")
    sources.add_argument("--image", action="append", default=[], metavar="FILE",
                         help="the image they are of (the release kernel and the ramdisk)")

    for command in commands.choices.values():
        command.add_argument("-y", "--yes", action="store_true", default=argparse.SUPPRESS,
                             help="install what is missing without asking")
    return parser


def main(argv):
    parser = make_parser()
    args = parser.parse_args(argv)
    if args.help or not args.command:
        print(HELP, end="")
        return 0
    try:
        return dispatch(args)
    except ToolError as error:
        say(str(error))
        return 125 if args.command == "exec" else 1
    except KeyboardInterrupt:
        return 130


def dispatch(args):
    """Each command is imported only when it is used: starting fast is a feature."""
    from . import deps
    if not (args.command == "test" and args.list):
        deps.ensure(args.command, args.yes)
    if args.command == "exec":
        from . import execute
        return execute.main(args)
    if args.command == "run":
        from . import run
        return run.main(args)
    if args.command == "test":
        from . import testing
        return testing.main(args)
    if args.command == "debug":
        from . import debug
        return debug.main(args)
    if args.command == "build":
        from . import build
        return build.main(args)
    if args.command == "iso":
        from . import iso
        return iso.main(args)
    if args.command == "bench":
        from . import bench
        return bench.main(args)
    if args.command == "report":
        from . import report
        return report.main(args)
    if args.command == "sources":
        from . import sources
        return sources.main(args)
    if args.command in ("new-driver", "test-driver"):
        from . import driver
        return driver.main(args)
    from . import ramdisk
    return ramdisk.main(args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
