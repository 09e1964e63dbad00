#!/usr/bin/python3
"""What the programs of tests/guest show of each system call, by tracing them on Linux.

    syscalls_shown.py PROGRAMS SOURCES [--write FILE | --check FILE]

PROGRAMS is the folder of the built programs, SOURCES that of their source. FILE has a line for each
call that some program names and that succeeded in it: the programs, the errors and the flags, as far
as their sources name them too, so that what the C library does by itself does not count. The page
docs/syscalls.md lists them. --check fails for what FILE has and this run did not see. Who traces
cannot be traced: of ptrace() the sources alone say what they expect.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

Row = collections.namedtuple("Row", "programs errors flags")

LONGEST_S = 30
NOT_ALONE = {"both_streams", "job_control"}     # they want arguments, a terminal
WORD = re.compile(r"\b[A-Za-z_]\w*\b")
CALL = re.compile(r"^\d+ +(\w+)\((.*?)(\) += (.*)| <unfinished \.\.\.>)$")
RESUMED = re.compile(r"^\d+ +<\.\.\. (\w+) resumed>(.*?)\) += (.*)$")
FLAG = re.compile(r"\b(?!S_IF)[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")
TRACES = re.compile(r"EXPECT_ERRNO\((E\w+),\s*(?:syscall\(SYS_)?ptrace\b")
ERROR = re.compile(r"^-1 (E\w+) ")
INTERRUPTED = re.compile(r"^\? ERESTART")
ONLY_INTERRUPTED = {"pause", "rt_sigsuspend", "restart_syscall"}     # there is no other end
NEVER_RETURN = {"exit", "exit_group", "rt_sigreturn"}
ENDS_CALLER = {"reboot"}     # where it succeeds: in a PID namespace
# What a program calls it by, where that is neither the call's name nor SYS_ and its name.
LIBRARY_NAMES = {
    "arch_prctl": {"ARCH_GET_FS"}, "clone": {"fork"}, "exit_group": {"exit", "main"},
    "exit": {"pthread_exit", "pthread_create"}, "futex": {"pthread_join", "sem_wait"},
    "newfstatat": {"fstatat"}, "pselect6": {"pselect"}, "prlimit64": {"prlimit", "setrlimit"},
    "rt_sigreturn": {"sigaction"}, "rt_sigqueueinfo": {"sigqueue"}, "wait4": {"waitpid"},
    "set_robust_list": {"pthread_mutexattr_setrobust"}, "set_tid_address": {"pthread_create"},
    "umount2": {"umount"}, "uname": {"may_be_restricted"}, "getdents64": {"readdir", "getdents"},
    "restart_syscall": {"SIGCONT"}, "rt_sigtimedwait": {"sigwaitinfo"},
    "sched_getaffinity": {"CPU_SET"}, "syslog": {"klogctl"},
}


def names_of(call):
    plain = call.removeprefix("rt_")
    return {call, plain, "SYS_" + call, re.sub(r"(64|\d)$", "", plain)} | LIBRARY_NAMES.get(call, set())


def source(sources, name):
    """A program's source and the headers beside it that it includes, without comments."""
    texts, queue, seen = [], [sources / f"{name}.c"], set()
    while queue:
        path = queue.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        text = path.read_text(encoding="utf-8")
        texts.append(re.sub(r"/\*.*?\*/", "", text, flags=re.S))
        queue += [sources / header for header in re.findall(r'#include "([^"]+)"', text)]
    return "\n".join(texts)


def trace(program):
    """The lines of the trace. Some that stop each other do not always go on when they are traced: of
    those the lines up to there."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder, "log")
        work = pathlib.Path(folder, "work")
        work.mkdir()
        ended = True
        with subprocess.Popen(["strace", "-f", "-qq", "-s", "0", "-e", "signal=none", "-o", log,
                               program.resolve()], cwd=work, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            try:
                child.wait(LONGEST_S)
            except subprocess.TimeoutExpired:
                ended = False
                child.kill()
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    for pid in set() if ended else {int(line.split(" ", 1)[0]) for line in lines}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return lines


def numbered(sources):
    """By numbers, what strace may be too old to know by name."""
    table = (sources.parent.parent / "abi" / "syscalls.def").read_text(encoding="utf-8")
    return {f"syscall_{int(number):#x}": name
            for number, name in re.findall(r"^(?:SYSCALL|MISSING)\((\d+), (\w+)", table, re.M)}


def shown_by(program, sources, names):
    """{call: (succeeded, errors, flags)} of one program."""
    text = source(sources, program.name)
    words = set(WORD.findall(text))
    shown, begun = {}, {}
    if "ptrace" in words:
        shown["ptrace"] = [True, set(TRACES.findall(text)),
                           {word for word in words if word.startswith("PTRACE_")}]
    for line in trace(program):
        match = CALL.match(line)
        resumed = RESUMED.match(line)
        pid = line.split(" ", 1)[0]
        if match and match[4] is None:
            begun[pid] = match[2]
            continue
        if not match and not resumed:
            continue
        name, result = (match[1], match[4]) if match else (resumed[1], resumed[3])
        name = names.get(name, name)
        arguments = match[2] if match else begun.pop(pid, "") + resumed[2]
        if not names_of(name) & words or name == "ptrace":
            continue
        succeeded, errors, flags = shown.setdefault(name, [False, set(), set()])
        if INTERRUPTED.match(result):
            result = "-1 EINTR "
        error = ERROR.match(result)
        if error and error[1] in words and name not in NEVER_RETURN:
            errors.add(error[1])
        if not result.startswith(("-1", "?")) or name in NEVER_RETURN or \
                (result == "?" and name in ENDS_CALLER) or \
                (error and error[1] == "EINTR" and name in ONLY_INTERRUPTED):
            shown[name][0] = True
            flags |= set(FLAG.findall(arguments)) & words
    return shown


def add(rows, name, program, errors, flags):
    row = rows.setdefault(name, Row(set(), set(), set()))
    row.programs.add(program)
    row.errors.update(errors)
    row.flags.update(flags)


def collect(programs, sources):
    """{call: Row} of those that succeeded in some program that names them."""
    paths = [path for path in sorted(programs.iterdir())
             if path.is_file() and path.name not in NOT_ALONE]
    names = numbered(sources.resolve())
    rows, succeeded = {}, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        traced = pool.map(lambda path: shown_by(path, sources, names), paths)
        for path, shown in zip(paths, traced):
            for name, (did_succeed, errors, flags) in shown.items():
                add(rows, name, path.name, errors, flags)
                if did_succeed:
                    succeeded.add(name)
    return {name: row for name, row in rows.items() if name in succeeded}


def read(path):
    rows = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 4:
            sys.exit(f"{path}:{number}: not a call, its programs, errors and flags")
        rows[cells[0]] = Row(*(set(cell.split()) for cell in cells[1:]))
    return rows


def write(path, rows):
    lines = ["# What the programs beside this show of each system call, on Linux as well: the call, the",
             "# programs, errors, flags. Made by tools/syscalls_shown.py; docs/syscalls.md lists it."]
    lines += ["\t".join([name, *(" ".join(sorted(cell)) for cell in rows[name])])
              for name in sorted(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def common(runs):
    """What all of them saw: some errors come by chance alone."""
    first = runs[0]
    return {name: Row(*(set.intersection(*(run[name][cell] for run in runs)) for cell in range(3)))
            for name in first if all(name in run for run in runs)}


def missing(wanted, seen):
    for name, row in sorted(wanted.items()):
        if name not in seen:
            yield f"{name}: no program shows it"
            continue
        for kind, cell in (("error", "errors"), ("flag", "flags")):
            # Whether a signal meets a call that waits is a matter of time.
            for word in sorted(getattr(row, cell) - getattr(seen[name], cell) - {"EINTR"}):
                yield f"{name}: {kind} {word} was not seen"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("sources", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--check", type=pathlib.Path, metavar="FILE")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.write, common([collect(arguments.programs, arguments.sources)
                                       for _ in range(2)]))
    if arguments.check:
        complaints = list(missing(read(arguments.check), collect(arguments.programs,
                                                                 arguments.sources)))
        if complaints:
            sys.exit("\n".join(complaints))


if __name__ == "__main__":
    main()
