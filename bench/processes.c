/*
 * processes: making one and waiting for its end. What is started is this program itself, which ends
 * at once when it is called `nothing`; it must have been started by its full path.
 */
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/bench.h"

static const char *self;
static char nothing_name[] = "nothing";
static char *const nothing[] = {nothing_name, NULL};
static char *const no_environment[] = {NULL};

/* What could not be started ends with its errno as its status. */
static long wait_for(long pid)
{
	int status = 0;

	if (call6(SYS_wait4, pid, (long)&status, 0, 0, 0, 0) != pid)
		return -ECHILD;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPROTO;
}

static long fork_exit_wait(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		long pid = call0(SYS_fork);

		if (pid == 0)
			call1(SYS_exit_group, 0);
		error = pid < 0 ? pid : wait_for(pid);
	}
	return error;
}

static long fork_exec_wait(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		long pid = call0(SYS_fork);

		if (pid == 0) {
			call1(SYS_exit_group,
			      -call3(SYS_execve, (long)self, (long)nothing, (long)no_environment));
		}
		error = pid < 0 ? pid : wait_for(pid);
	}
	return error;
}

static long spawn_wait(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		pid_t pid;

		error = -posix_spawn(&pid, self, NULL, NULL, nothing, no_environment);
		if (!error)
			error = wait_for(pid);
	}
	return error;
}

static const struct bench_row rows[] = {
	{"fork_exit_wait", 50, NULL, fork_exit_wait, NULL},
	{"fork_exec_wait", 20, NULL, fork_exec_wait, NULL},
	{"posix_spawn_wait", 20, NULL, spawn_wait, NULL},
};

int main(int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], nothing_name) == 0)
		return 0;
	self = argv[0];
	return bench_main("processes", rows, LENGTH(rows), argc, argv);
}
