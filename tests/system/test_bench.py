"""./fuselage bench: small runs of it, on the machine that counts instructions."""

import subprocess

import pytest

from conftest import TOOL, kernel


def bench(*arguments):
    return subprocess.run([TOOL, "bench", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)


def table(text):
    """{row: the cells after its name}."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines()
            if line.startswith("  ") and not line.startswith("    ")}


def test_the_same_programs_are_measured_on_both_kernels():
    ended = bench("--linux", "stable", "calls/null_syscall", "processes/fork_exit_wait")
    assert ended.returncode == 0, ended.stderr
    rows = table(ended.stdout)
    ours, linux, ratio = (float(cell) for cell in rows["null_syscall"])
    # Linux's is known well: had it started with its mitigations on, or its tracing, it would show.
    assert 50 < ours < 300 and 250 < linux < 400
    assert ratio == pytest.approx(ours / linux, abs=0.01)
    assert float(rows["fork_exit_wait"][1].replace(",", "")) > 10000


def test_two_runs_print_the_same():
    first, second = (bench("--linux", "none", "calls", "memory/anon_write_fault") for _ in "12")
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert len(table(first.stdout)) == 11


def test_what_a_driver_does_for_itself_is_told_from_the_kernel_s_part():
    ended = bench("--linux", "none", "libfuse/fstat", "libfuse/read_4k_direct")
    assert ended.returncode == 0, ended.stderr
    rows = [(line.split()[0], float(line.split()[1].replace(",", "")))
            for line in ended.stdout.splitlines() if line.startswith("  ") and line.strip()[0] in "fr"]
    whole, user, kernel = rows[:2], rows[2:4], rows[4:]
    assert [name for name, _ in kernel] == ["fstat", "read_4k_direct"], ended.stdout
    for (_, all_of_it), (_, of_programs), (_, of_kernel) in zip(whole, user, kernel):
        assert of_programs + of_kernel == pytest.approx(all_of_it, abs=2)
        assert of_programs > 500 and of_kernel > 1000


def test_a_debug_build_is_refused():
    for arguments in (["--preset", "debug"], ["--kernel", kernel("debug")]):
        ended = bench("--linux", "none", *arguments, "calls/null_syscall")
        assert ended.returncode == 1 and ended.stdout == ""
        assert "mean nothing" in ended.stderr


def test_what_is_not_there_is_named():
    assert "no family 'nonsense'" in bench("nonsense").stderr
    ended = bench("--linux", "none", "calls/null_syscall", "calls/nonsense")
    assert ended.returncode == 1
    assert "fuselage: no row calls/nonsense" in ended.stderr


# Its machine writes down every instruction from power-on to the end.
@pytest.mark.nightly
def test_a_profile_names_the_functions_of_the_kernel():
    ended = bench("--profile", "calls/null_syscall")
    assert ended.returncode == 0, ended.stderr
    head, *lines = ended.stdout.splitlines()
    functions = {line.split()[-1]: float(line.split()[0]) for line in lines}
    assert functions["syscall_dispatch"] > 0 and functions["sys_getppid"] > 0
    # All of it is accounted for, and it is the same as without the trace.
    assert sum(functions.values()) == pytest.approx(float(head.split()[1]), rel=0.02)
    assert "mean nothing" not in ended.stderr
    assert bench("--profile", "calls/nonsense").returncode == 1
