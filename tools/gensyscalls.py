#!/usr/bin/python3
"""Makes what follows from abi/syscalls.def.

    gensyscalls.py TABLE --kernel DIR     DIR/syscall_table.h and DIR/syscall_table.c
    gensyscalls.py TABLE --libc FILE      <fuselage/syscall.h>: our own calls, for programs
    gensyscalls.py TABLE --fuzz FILE      what each call takes, for the fuzzer of system calls
    gensyscalls.py TABLE --docs FILE --shown SHOWN     the reference page
    gensyscalls.py TABLE --check FILE --shown SHOWN    fails unless FILE is what --docs would write

SHOWN is what syscalls_shown.py wrote. A call of Linux that the table has as done and SHOWN does not
have is an error as well.

A table that does not parse, names a call twice or leaves the numbers out of order is an error that
names the line.
"""
import argparse
import pathlib
import re
import sys

REGISTERS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
CASTS = {
    "int": "(int){}",
    "unsigned": "(unsigned){}",
    "size_t": "{}",
    "uint64_t": "{}",
    "int64_t": "(int64_t){}",
    "uptr_t": "uptr({})",
}
RESULTS = ("int", "ssize_t", "int64_t")
NATIVE = 1024  # calls from here on are our own
ATTRIBUTES = ("SLEEPS", "RESTARTS", "RESUMES")

# How the tracer shows an argument (kernel/trace.c knows the letters): by name first, then by type.
KIND_OF_NAME = {
    "open_flags": "o", "prot": "P", "map_flags": "M", "at_flags": "A", "whence": "w",
    "clock": "c", "signal": "S", "mode": "m", "target": "s", "data": "b", "set_bytes": "u",
    "base": "B", "clone_flags": "C", "strings": "V", "futex_op": "U",
    "how": "H", "wait_options": "W",
}
KIND_OF_TYPE = {
    "int": "d", "unsigned": "u", "size_t": "u", "int64_t": "l", "uint64_t": "x", "uptr_t": "x",
}


class Call:
    def __init__(self, number, name):
        self.number = number
        self.name = name
        self.attributes = []
        self.result = None  # None: missing
        self.arguments = []  # of (type, name)
        self.note = None

    @property
    def state(self):
        if self.result is None:
            return "missing"
        return "partial" if self.note else "done"


def fail(text):
    sys.exit(f"gensyscalls: {text}")


def parse_arguments(call, text):
    if text == "void":
        return []
    arguments = []
    for piece in text.split(","):
        match = re.fullmatch(r"\s*(\w+) (\w+)\s*", piece)
        if not match or match[1] not in CASTS:
            fail(f"{call.name}: cannot pass '{piece.strip()}'")
        arguments.append((match[1], match[2]))
    if len(arguments) > len(REGISTERS):
        fail(f"{call.name}: more than {len(REGISTERS)} arguments")
    return arguments


def parse(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
    entry = re.compile(
        r"\s*(?:"
        r"SYSCALL\(\s*(?P<nr>\d+),\s*(?P<name>\w+),\s*(?P<attributes>[^,]+),\s*(?P<result>\w+),"
        r"\s*\((?P<arguments>[^()]*)\)\)"
        r"|MISSING\(\s*(?P<mnr>\d+),\s*(?P<mname>\w+)\)"
        r"|NOTE\(\s*(?P<nname>\w+),\s*\"(?P<note>[^\"]*)\"\))")
    calls = []
    at = 0
    while text[at:].strip():
        match = entry.match(text, at)
        if not match:
            fail(f"{path}: cannot read: {text[at:].strip().splitlines()[0]}")
        at = match.end()
        if match["nname"]:
            if not calls or calls[-1].name != match["nname"] or calls[-1].result is None:
                fail(f"{path}: NOTE({match['nname']}) does not follow its call")
            calls[-1].note = match["note"]
            continue
        call = Call(int(match["nr"] or match["mnr"]), match["name"] or match["mname"])
        if calls and call.number <= calls[-1].number:
            fail(f"{path}: {call.name} ({call.number}) is out of order")
        if any(other.name == call.name for other in calls):
            fail(f"{path}: {call.name} is there twice")
        if match["name"]:
            if match["attributes"].strip() != "0":
                call.attributes = [word.strip() for word in match["attributes"].split("|")]
            for word in call.attributes:
                if word not in ATTRIBUTES:
                    fail(f"{path}: {call.name}: what is {word}?")
            if match["result"] not in RESULTS:
                fail(f"{path}: {call.name}: cannot return {match['result']}")
            call.result = match["result"]
            call.arguments = parse_arguments(call, match["arguments"].strip())
        calls.append(call)
    return calls


def kind(call, argument):
    of_type, name = argument
    if of_type == "int" and name.endswith("dirfd"):
        return "F"
    if of_type == "int" and name.endswith("fd"):
        return "f"
    if of_type == "uptr_t" and name.endswith("path"):
        return "s"
    if name == "pieces" and call.name.endswith("writev"):
        return "v"
    if name == "command" and call.name == "ioctl":
        return "i"
    if name in ("buf",):
        return "x"
    return KIND_OF_NAME.get(name) or KIND_OF_TYPE[of_type]


def prototype(call):
    arguments = ", ".join(f"{of_type} {name}" for of_type, name in call.arguments) or "void"
    return f"{call.result} sys_{call.name}({arguments});"


def linux_limit(calls):
    return max((call.number for call in calls if call.number < NATIVE), default=-1) + 1


def kernel_header(calls):
    lines = [
        "/* Made by tools/gensyscalls.py from abi/syscalls.def: the handler of each system call. */",
        "#ifndef SYSCALL_TABLE_H",
        "#define SYSCALL_TABLE_H",
        "",
        "#include <lib/types.h>",
        "",
        f"#define SYSCALL_LIMIT {calls[-1].number + 1}u /* numbers are below */",
        f"#define SYSCALL_LINUX_LIMIT {linux_limit(calls)}u /* those of Linux are below */",
        f"#define SYSCALL_NATIVE {NATIVE}u /* our own begin here */",
        "",
    ]
    lines += [prototype(call) for call in calls if call.result]
    lines += ["", "#endif", ""]
    return "\n".join(lines)


def thunk(call):
    values = []
    for (of_type, _), register in zip(call.arguments, REGISTERS):
        values.append(CASTS[of_type].format(f"frame->{register}"))
    unused = "" if call.arguments else "UNUSED "
    return (f"static int64_t thunk_{call.name}(const struct trap_frame *frame {unused})\n".replace(" )", ")")
            + f"{{\n\treturn sys_{call.name}({', '.join(values)});\n}}\n")


def kernel_source(calls):
    by_number = {call.number: call for call in calls}
    lines = [
        "/* Made by tools/gensyscalls.py from abi/syscalls.def: the way from a number to a handler, and",
        " * what the tracer knows of each. */",
        '#include "syscall_table.h"',
        "",
        '#include "syscall.h"',
        "",
        "#include <arch/trap.h>",
        "",
    ]
    lines += [thunk(call) for call in calls if call.result]
    lines.append("const syscall_handler_t syscall_handlers[SYSCALL_LIMIT] = {")
    for number in range(calls[-1].number + 1):
        call = by_number.get(number)
        lines.append(f"\t[{number}] = " +
                     (f"thunk_{call.name}," if call and call.result else "syscall_missing,"))
    lines += ["};", "", "const struct syscall_info syscall_infos[] = {"]
    for call in calls:
        at = call.number if call.number < NATIVE else call.number - NATIVE + linux_limit(calls)
        kinds = "".join(kind(call, argument) for argument in call.arguments)
        if call.result is None:
            kinds = "xxxxxx"
        # brk and mmap return addresses, which read better in hexadecimal.
        result = "x" if call.name in ("mmap", "brk", "mremap") else "d"
        flags = " | ".join(f"SYSCALL_{word}" for word in call.attributes) or "0"
        lines.append(f'\t[{at}] = {{"{call.name}", "{kinds}", \'{result}\', {flags}}},')
    lines += ["};", ""]
    return "\n".join(lines)


def check_shown(calls, shown):
    for call in calls:
        if call.state == "done" and call.name not in shown and call.number < NATIVE:
            fail(f"{call.name} is done, but no program of tests/guest shows it: one has to name it, and it "
                 f"has to succeed there (tools/syscalls_shown.py)")


def docs(calls, shown):
    check_shown(calls, shown)
    counts = {state: sum(call.state == state for call in calls)
              for state in ("done", "partial", "missing")}
    lines = [
        "# System calls",
        "",
        "Every system call of Linux on x86-64 and what becomes of it here. Made by",
        "`tools/gensyscalls.py` from `abi/syscalls.def` and `tests/guest/SHOWN`; do not edit.",
        "",
        f"{counts['done']} are done, {counts['partial']} are partial (the note says what is not served:",
        f"it returns an error), {counts['missing']} are missing: they return `ENOSYS`, and the log names",
        "the program, the call and its number once.",
        "",
        f"Numbers from {NATIVE} up are our own; programs find them in `<fuselage/syscall.h>`.",
        "",
        "Errors and flags are those that the programs of `tests/guest` show, which have to pass on Linux",
        "and here: a call is done only if it is among them.",
        "",
        "| number | call | state | arguments and notes | errors | flags |",
        "| ---: | --- | --- | --- | --- | --- |",
    ]
    for call in calls:
        text, errors, flags = "", "", ""
        if call.result:
            arguments = ", ".join(f"{of_type} {name}" for of_type, name in call.arguments) or "void"
            text = f"`{call.result} ({arguments})`"
            if call.name in shown:
                errors = " ".join(sorted(shown[call.name].errors))
                flags = " ".join(sorted(shown[call.name].flags))
        if call.note:
            text += f" {call.note}"
        row = f"| {call.number} | {call.name} | {call.state} | {text} | {errors} | {flags} |"
        lines.append(row.replace("|  |", "| |").replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


# How a program says what a call takes.
C_TYPES = {"uint64_t": "uint64_t", "int64_t": "int64_t", "uptr_t": "const void *"}


def stub(call):
    parameters = []
    for of_type, name in call.arguments:
        c_type = C_TYPES.get(of_type, of_type)
        parameters.append(c_type + ("" if c_type.endswith("*") else " ") + name)
    names = "".join(f", {name}" for _, name in call.arguments)
    return (f"static inline {call.result} fuselage_{call.name}({', '.join(parameters) or 'void'})\n"
            f"{{\n\treturn ({call.result})syscall(SYS_fuselage_{call.name}{names});\n}}\n")


def libc_header(calls):
    """What programs know of the native calls: each returns -1 and sets errno where it fails."""
    native = [call for call in calls if call.number >= NATIVE]
    lines = ["/* Made by tools/gensyscalls.py: the calls that Linux does not have. On Linux they fail",
             " * with ENOSYS. Other failures set errno as well; <fuselage/...> says what they take. */",
             "#ifndef FUSELAGE_SYSCALL_H", "#define FUSELAGE_SYSCALL_H", "",
             "#include <stddef.h>", "#include <stdint.h>", "#include <unistd.h>", ""]
    lines += [f"#define SYS_fuselage_{call.name} {call.number}" for call in native]
    lines += [""] + [stub(call) for call in native] + ["#endif", ""]
    return "\n".join(lines)


# What the fuzzer of system calls gives for an argument (tests/system/programs/fuzz_arguments.h): by
# its name, else by its type.
FUZZ_OF_NAME = {
    "path": "PATH", "target": "PATH", "strings": "STRINGS", "timeout": "TIME", "duration": "TIME",
    "source": "STRING", "name": "STRING", "signal": "SIGNAL", "pid": "PID", "tid": "PID",
    "tgid": "PID", "group": "PID", "pgid": "PID", "who": "PID", "address": "ADDRESS",
    "new_address": "ADDRESS", "id": "ID", "uid": "USER_ID", "gid": "USER_ID",
    "open_flags": "OPEN_FLAGS", "map_flags": "MAP_FLAGS", "clone_flags": "CLONE_FLAGS",
    "offset": "OFFSET",
}
FUZZ_OF_TYPE = {"size_t": "LENGTH", "int64_t": "OFFSET", "uptr_t": "POINTER"}


def fuzz_kind(argument):
    of_type, name = argument
    if of_type == "int" and name.endswith("fd"):
        return "FD"
    if of_type == "uptr_t" and name.endswith("path"):
        return "PATH"
    known = FUZZ_OF_NAME.get(name)
    if known and (of_type == "uptr_t") == (known in ("PATH", "STRING", "STRINGS", "TIME")):
        return known
    return FUZZ_OF_TYPE.get(of_type, "BITS")


def fuzz_header(calls):
    lines = ["/* Made by tools/gensyscalls.py from abi/syscalls.def: what each call takes. */",
             "#define FUZZ_TABLE \\"]
    for call in calls:
        if call.result:
            kinds = [fuzz_kind(argument) for argument in call.arguments]
            kinds += ["NONE"] * (6 - len(kinds))
            lines.append(f"\tCALL({call.number}, {call.name}, {', '.join(kinds)}) \\")
    return "\n".join(lines + ["", ""])


def write_if_changed(path, text):
    """Unchanged output keeps its time, so nothing that depends on it is built again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=pathlib.Path)
    parser.add_argument("--kernel", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--docs", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--check", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--shown", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--fuzz", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--libc", type=pathlib.Path, metavar="FILE")
    arguments = parser.parse_args()
    if (arguments.docs or arguments.check) and not arguments.shown:
        parser.error("the page needs --shown")

    calls = parse(arguments.table)
    if arguments.kernel:
        arguments.kernel.mkdir(parents=True, exist_ok=True)
        write_if_changed(arguments.kernel / "syscall_table.h", kernel_header(calls))
        write_if_changed(arguments.kernel / "syscall_table.c", kernel_source(calls))
    if arguments.libc:
        write_if_changed(arguments.libc, libc_header(calls))
    if arguments.fuzz:
        write_if_changed(arguments.fuzz, fuzz_header(calls))
    if not arguments.docs and not arguments.check:
        return
    import syscalls_shown  # not for a build: whatever that reads it would have to depend on
    page = docs(calls, syscalls_shown.read(arguments.shown))
    if arguments.docs:
        write_if_changed(arguments.docs, page)
    elif not arguments.check.exists() or arguments.check.read_text(encoding="utf-8") != page:
        fail(f"{arguments.check} is not up to date: tools/gensyscalls.py {arguments.table} "
             f"--docs {arguments.check} --shown {arguments.shown}")


if __name__ == "__main__":
    main()
