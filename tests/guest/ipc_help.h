/*
 * What the tests of System V's and POSIX's message queues, semaphores and memory share: children
 * that wait for something, and knowing that they do.
 */
#ifndef IPC_HELP_H
#define IPC_HELP_H

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns when the process sleeps in a call. */
static inline void until_asleep(pid_t pid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (;;) {
		int fd = open(path, O_RDONLY);
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		close(fd);
		if (len <= 0)
			return;
		text[len] = '\0';
		if (strrchr(text, ')')[2] == 'S')
			return;
		sched_yield();
	}
}

/* A child that does `body` and ends with what it returns. */
static inline pid_t child_of(int (*body)(void))
{
	pid_t child = fork();

	if (child == 0)
		_exit(body());
	return child;
}

/* The same, and it sleeps by now. */
static inline pid_t sleeping_child(int (*body)(void))
{
	pid_t child = child_of(body);

	until_asleep(child);
	return child;
}

/* How it ended; -1 - signal. */
static inline int end_of(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
}

/* A list of /proc/sysvipc has a line that begins so, but for the key. */
static inline bool is_listed(const char *kind, int id)
{
	char path[64], line[512];
	bool found = false;
	int key, its_id;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sysvipc/%s", kind);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		found |= sscanf(line, "%d %d", &key, &its_id) == 2 && its_id == id;
	if (file)
		fclose(file);
	return found;
}

#endif
