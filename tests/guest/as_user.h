/*
 * Tests as somebody who is no administrator: in a child, whose exit status says where it failed.
 */
#ifndef AS_USER_H
#define AS_USER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0, or what `body` returned; -1 - signal. As root unless `uid` says otherwise. */
static inline int in_child_as(unsigned uid, int (*body)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (uid && syscall(SYS_setresuid, uid, uid, uid))
			_exit(255);
		_exit(body());
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
}

static inline int as_user(int (*body)(void))
{
	return in_child_as(1000, body);
}

static inline bool set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) == 0 &&
	       (limit.rlim_cur = value, setrlimit(resource, &limit) == 0);
}

/* In `body`: its status tells the line. */
#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ % 250 + 1;                                                 \
	} while (0)

#endif
