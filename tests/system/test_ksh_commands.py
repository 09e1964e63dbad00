"""ksh's commands, and what it says when they are typed wrong."""

import re

import pytest

COMMANDS = """help demo ls cd pwd cat echo clear history ps jobs wait kill nice time trace mem vm irq
cpu sched locks tasks mounts dmesg selftest bench panic reboot poweroff exit""".split()


@pytest.fixture
def machine(shared_machine):
    return shared_machine


def test_help_lists_each_command_with_an_example(machine):
    lines = machine.run("help")
    for command in COMMANDS:
        line = next((line for line in lines if line.startswith(command + " ")), "")
        assert line.count(command) >= 2, f"{command}: no line with an example in\n{lines}"
    for command in COMMANDS:
        first, example = machine.run(f"help {command}")
        assert first.startswith(command)
        assert example.startswith("  for example: ")


@pytest.mark.parametrize("command,output", [
    ("echo one 'two  three' \"four\\\"\" five\\ six", ["one two  three four\" five six"]),
    ("echo hi > /tmp/f; echo ho >> /tmp/f; cat /tmp/f", ["hi", "ho"]),
    ("echo hi > /tmp/f; cat < /tmp/f; wc < /tmp/f", None),
    ("/bin/ls /nope 2> /tmp/e", ["[exit status 1]"]),
    ("cd /tmp; pwd; cd /; pwd", ["/tmp", "/"]),
    ("false", ["[exit status 1]"]),
    ("crash null", None),
    ("true # nothing to say", []),
])
def test_what_commands_print(machine, command, output):
    lines = machine.run(command)
    if output is not None:
        assert lines == output
    elif command.startswith("crash"):
        assert lines[-1] == "[SIGSEGV: invalid memory access, status 139]"
        assert any("crash" in line and "0x" in line for line in lines[:-1])
    else:
        assert lines[0] == "hi" and lines[1].split()[:3] == ["1", "1", "3"]


def test_a_core_is_told(machine):
    lines = machine.run("cd /tmp; sh -c 'ulimit -c unlimited; exec crash null'; rm core; cd /")
    assert lines[-1] == "[SIGSEGV: invalid memory access (core dumped), status 139]"


@pytest.mark.parametrize("command,says", [
    ("hepl", "Did you mean `help'?"),
    ("mandlebrot", "Did you mean `mandelbrot'?"),
    ("xyzzy", "`help' lists them"),
    ("ls | wc", "no pipes"),
    ("ls && pwd", "use ;"),
    ("echo 'open", "quote is not closed"),
    ("echo >", "wants a file"),
    ("echo x > /bin/x", "read-only"),
    ("cat /nope", "no such file"),
    ("cd /etc/motd", "not a directory"),
    ("/etc/motd", "permission denied"),
    ("/tmp", "is a directory"),
    ("vm", "usage: vm PID"),
    ("vm 4711", "no such process"),
    ("kill 4711", "no such process"),
    ("kill -NOPE 1", "no such signal"),
    ("kill %7", "no such job"),
    ("nice high spin", "is no niceness"),
    ("panic nul", "Did you mean `panic null'?"),
    ("help vn", "Did you mean `vm'?"),
    ("ls &", "/bin/ls &"),
    ("selftest no-such-test", "no such name"),
    ("bench", "release"),
])
def test_errors_say_what_was_wrong_and_what_to_type(machine, command, says):
    assert says in " ".join(machine.run(command))


def test_ls_shows_details(machine):
    lines = machine.run("ls -l /bin")
    assert any(re.fullmatch(r"-rwxr-xr-x +\d+ 0:0 +\d+ \d{4}-\d\d-\d\d \d\d:\d\d hello", line)
               for line in lines)
    assert any(re.match(r"crw-rw-rw- +\d+ 0:0 +1,3 .* null", line)
               for line in machine.run("ls -l /dev"))
    names = " ".join(machine.run("ls /")).split()
    assert {"bin", "dev", "etc", "tmp"} <= set(names) and names == sorted(names) or len(names) > 4


def test_the_machine_is_shown(machine):
    memory = machine.run("mem")
    assert any(re.search(r"free +\d+ MiB", line) for line in memory)
    assert any("ramdisk" in line for line in memory)
    assert any(line.startswith("kmalloc-64") for line in machine.run("mem -s"))
    assert any("timer" in line for line in machine.run("irq"))
    assert any("clock" in line for line in machine.run("cpu"))
    assert any(re.match(r" *0 +0 +\d+ +\d+ ", line) for line in machine.run("sched"))
    assert machine.run("locks")[-1].startswith("spinning: ")
    assert any(re.fullmatch(r"ttyS0 +(waits|polled) +0 +\d+ +bytes", line)
               for line in machine.run("tasks"))
    mounts = machine.run("mounts")
    assert any(re.match(r"ext2 .* / +ro ", line) for line in mounts)
    assert any(re.match(r"tmpfs .* /tmp +rw,relatime ", line) for line in mounts)
    assert any("Fuselage" in line for line in machine.run("dmesg"))
    assert len(machine.run("dmesg 3")) >= 2
    assert any(re.search(r"\bksh$", line) for line in machine.run("ps -t"))


def test_vm_shows_regions_and_page_walks(machine):
    machine.run("spin &")
    pid = next(line.split()[0] for line in machine.run("ps") if line.endswith("spin"))
    regions = machine.run(f"vm {pid}")
    text = next(line for line in regions if " r-xp " in line)
    assert any("[stack]" in line for line in regions)
    walk = machine.run(f"vm {pid} 0x{text.split('-')[0]}")
    assert [line.split()[0] for line in walk[:-1]] == ["PML4", "PDPT", "PD", "PT"]
    assert "user" in walk[-2] and "executable" in walk[-2] and "writable" not in walk[-2]
    assert "physical" in walk[-1]
    walk = machine.run("vm 0 text")
    assert "physical 0x100000" in walk[-1] and "executable" in walk[-2] and "user" not in walk[-2]
    start = next(line.split("-")[0] for line in machine.run("vm 0") if line.endswith(" memory"))
    assert "physical 0x100000" in machine.run(f"vm 0 {int(start, 16) + 0x100000:#x}")[-1]
    assert "not mapped" in machine.run("vm 0 0xffff800000000000")[-1]
    machine.run("kill %1")


def test_trace_shows_calls_as_strace_does(machine):
    lines = machine.run("trace hello")
    assert any(re.search(r'write?v?\(1, .*\) = 14', line) for line in lines)
    assert any("exit_group(0)" in line for line in lines)
    machine.run("trace on")
    assert any("exit_group(0)" in line for line in machine.run("true"))
    machine.run("trace off")
    assert machine.run("true") == []


def test_asking_for_the_time_is_no_system_call(machine):
    """musl finds the vDSO by itself."""
    calls = machine.run("trace date")
    assert any("write" in call for call in calls)
    assert not any("clock_gettime" in call or "time(" in call for call in calls), calls


def test_time_tells_real_and_cpu_time(machine):
    assert re.fullmatch(r"real [\d.]+ m?s, CPU [\d.]+ (us|m?s)", machine.run("time primes 1000")[-1])


def test_commands_from_the_boot_line_run_once(boot):
    machine = boot("--append", "ksh.run=echo%20from%20the%20boot%20line")
    machine.wait_for(lambda lines: "from the boot line" in lines)
