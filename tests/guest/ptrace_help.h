/*
 * What the tests of ptrace share: tracees, and what comes of waiting for them.
 */
#ifndef PTRACE_HELP_H
#define PTRACE_HELP_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOPPED_BY(signal)  ((signal) << 8 | 0x7f)
#define STOPPED_AT(event)   ((SIGTRAP | (event) << 8) << 8 | 0x7f)
#define EXITED_WITH(status) ((status) << 8)

/* Nobody's number, where there is none: kill(-1) would reach all that runs on a host. */
#define NO_PROCESS 0x7fffffff

/* A child that is traced from its beginning, stops, calls body() and ends with what that returns.
 * NO_PROCESS: something else came. */
static inline pid_t traced_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(90);
		raise(SIGSTOP);
		_exit(body());
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == STOPPED_BY(SIGSTOP))
		return pid;
	return NO_PROCESS;
}

/* What the tracee does next, after this request; -1: an error. */
static inline int next_of(pid_t pid, int request, long signal)
{
	int status;

	if (ptrace(request, pid, 0, signal))
		return -1;
	return waitpid(pid, &status, __WALL) == pid ? status : -1;
}

static inline void end_of(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
}

static inline int do_nothing(void)
{
	return 7;
}

static inline pid_t sleeping_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20); /* should nobody end it */
		for (;;)
			pause();
	}
	return pid > 0 ? pid : NO_PROCESS;
}

#endif
