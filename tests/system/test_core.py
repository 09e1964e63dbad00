"""A core file that came out of the machine, in the host's debugger."""

import re
import subprocess

CRASH = r"""
#include <pthread.h>
#include <unistd.h>

struct point { int x, y; };
static struct point at = {3, 4};
static int ready[2];

static void *wait_for_ever(void *argument)
{
	for (write(ready[1], "", 1);;)
		pause();
	return argument;
}

static int inner(int depth, struct point *point)
{
	if (depth)
		return inner(depth - 1, point) + 1;
	point->x = 42;
	*(volatile int *)8 = 1;
	return 0;
}

int main(void)
{
	pthread_t thread;
	char byte;

	pipe(ready);
	pthread_create(&thread, NULL, wait_for_ever, NULL);
	read(ready[0], &byte, 1);
	return inner(2, &at);
}
"""


def test_the_hosts_debugger_reads_it(fexec, tmp_path):
    (tmp_path / "crash.c").write_text(CRASH)
    subprocess.run(["gcc", "-g", "-O0", "-static", "-o", "crash", "crash.c"],
                   cwd=tmp_path, check=True)
    ended = fexec("sh", "-c", "cd /tmp; ulimit -c unlimited; ./crash; echo $?",
                  options=["--smp", "4", "--add", tmp_path / "crash", "--get", "/tmp/core"])
    assert ended.stdout == b"139\n"
    shown = subprocess.run(["gdb", "-nx", "-batch", "-ex", "bt", "-ex", "info threads", "-ex", "print at",
                            "-ex", "info registers rip", "-ex", "print $_siginfo._sifields._sigfault.si_addr",
                            "crash", "core"], cwd=tmp_path, check=True, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True).stdout
    frames = re.findall(r"^#\d+ .*", shown, re.MULTILINE)
    for depth in range(3):
        assert f"inner (depth={depth}, " in frames[depth + 1], shown     # the first is shown twice
    assert "main ()" in frames[4], shown
    threads = re.findall(r"^[* ] +\d+ +Thread .*", shown, re.MULTILINE)
    assert len(threads) == 2 and "inner" in threads[0] and "pause" in threads[1], shown
    assert "SIGSEGV" in shown
    assert "$1 = {x = 42, y = 4}" in shown
    assert "<inner+" in shown
    assert "$2 = (void *) 0x8" in shown
