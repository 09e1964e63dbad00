"""What gdb should know of the kernel: threads, their backtraces, the log. Sourced by ./fuselage debug.

    threads          every thread: number, state, name, CPU time
    thread-bt TID    where a thread that does not run waits, from its saved stack
    dmesg [N]        the last N lines of the kernel's log (all)
    go               to kernel_main(), from the machine's first instruction

Reads the same structures as the kernel; a field that was renamed there breaks a test here
(tests/system/test_debug.py).
"""

import gdb

# What context_switch_stacks() pushed, lowest address first, below the return address.
SAVED_REGISTERS = ("r15", "r14", "r13", "r12", "rbx", "rbp")
FRAMES_MAX = 40


def container_of(pointer, type_name, member):
    """The object of TYPE_NAME whose MEMBER lies at POINTER."""
    kind = gdb.lookup_type(type_name)
    offset = next(field for field in kind.fields() if field.name == member).bitpos // 8
    return (pointer.cast(gdb.lookup_type("char").pointer()) - offset).cast(kind.pointer())


def listed(head, type_name, member):
    """The objects of a `struct list` whose head is HEAD."""
    link = head["next"]
    while link and link != head.address:
        yield container_of(link, type_name, member)
        link = link["next"]


def all_threads():
    head = gdb.lookup_static_symbol("threads") or gdb.lookup_symbol("threads")[0]
    return listed(head.value(), "struct thread", "all_link")


def state_name(thread):
    return str(thread["state"].cast(gdb.lookup_type("enum thread_state"))).removeprefix("THREAD_")


def symbol_at(address):
    """`function+offset`, as the kernel itself prints it."""
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    return "?" if text.startswith("No symbol") else text.split(" in section")[0].replace(" ", "")


def word_at(address):
    return int(gdb.Value(address).cast(gdb.lookup_type("unsigned long").pointer()).dereference())


class Threads(gdb.Command):
    """threads: every thread of the kernel."""

    def __init__(self):
        super().__init__("threads", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        print(f"{'TID':>5} {'STATE':<8} {'CPU MS':>8}  NAME")
        for thread in all_threads():
            print(f"{int(thread['tid']):>5} {state_name(thread).lower():<8} "
                  f"{int(thread['cpu_time_ns']) // 1_000_000:>8}  {thread['name'].string()}")


class ThreadBacktrace(gdb.Command):
    """thread-bt TID: the functions that a thread which does not run is in."""

    def __init__(self):
        super().__init__("thread-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        number = int(gdb.parse_and_eval(argument))
        found = [thread for thread in all_threads() if int(thread["tid"]) == number]
        if not found:
            raise gdb.GdbError(f"there is no thread {number}")
        if state_name(found[0]) == "RUNNING":
            raise gdb.GdbError("it runs: its registers are the CPU's, use bt")
        stack = int(found[0]["context"]["sp"])
        frame = word_at(stack + 8 * SAVED_REGISTERS.index("rbp"))
        address = word_at(stack + 8 * len(SAVED_REGISTERS))
        low, high = int(found[0]["context"]["stack_base"]), int(found[0]["context"]["stack_top"])
        for _ in range(FRAMES_MAX):
            print(f"  {address:#018x} {symbol_at(address)}")
            if not low <= frame <= high - 16:
                return
            address, frame = word_at(frame + 8), word_at(frame)


class Dmesg(gdb.Command):
    """dmesg [N]: the last lines of the kernel's log, oldest first."""

    def __init__(self):
        super().__init__("dmesg", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        ring = gdb.parse_and_eval("'log.c'::ring")
        low, high = ring.type.range()
        count = high - low + 1
        end = int(gdb.parse_and_eval("'log.c'::next_sequence"))
        wanted = min(int(argument) if argument else count, count, end)
        for sequence in range(end - wanted, end):
            line = ring[sequence % count]
            print(f"[{int(line['time_ns']) / 1e9:12.6f}] {line['text'].string(errors='replace')}")


class Go(gdb.Command):
    """go: runs to kernel_main(). A hardware breakpoint: the code is not in memory yet."""

    def __init__(self):
        super().__init__("go", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        gdb.execute("thbreak kernel_main")
        gdb.execute("continue")


for command in (Threads, ThreadBacktrace, Dmesg, Go):
    command()
gdb.execute("set pagination off")
