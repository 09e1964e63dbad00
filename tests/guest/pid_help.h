/*
 * Processes in PID namespaces of their own.
 */
#ifndef PID_HELP_H
#define PID_HELP_H

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"

static inline int status_of(pid_t child)
{
	int status;

	return waitpid(child, &status, __WALL) == child ? status : -1;
}

/* The init of a new namespace, which ends with what `body` says. */
static inline pid_t begin_inside(int (*body)(void))
{
	pid_t child;

	fflush(stdout);
	child = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (!child)
		_exit(body());
	return child;
}

/* Its status, as wait4 has it. */
static inline int inside(int (*body)(void))
{
	pid_t child = begin_inside(body);

	return child > 0 ? status_of(child) : -1;
}

__attribute__((unused)) static int (*after_mount)(void);

/* In a mount namespace of its own, with the numbers of this one in /proc. */
__attribute__((unused)) static int mount_proc_and(void)
{
	NEED(unshare(CLONE_NEWNS) == 0);
	NEED(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	NEED(mount("proc", "/proc", "proc", 0, NULL) == 0);
	return after_mount ? after_mount() : 0;
}

#endif
