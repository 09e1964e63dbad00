/*
 * For tests of user namespaces: files of /proc, and a child that waits in a namespace of its own.
 */
#ifndef IN_USER_NAMESPACE_H
#define IN_USER_NAMESPACE_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define fails_with(reason, call) (errno = 0, (call) == -1 && errno == (reason))

/* 0, or -1 with errno. */
static inline int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t written;
	int error;

	if (fd < 0)
		return -1;
	written = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return written < 0 ? -1 : 0;
}

static inline int write_of(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return write_text(path, text);
}

/* The bytes; -1. */
static inline int read_text(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, text, bytes - 1);
	close(fd);
	text[len < 0 ? 0 : len] = 0;
	return (int)len;
}

static inline long number_in(const char *path)
{
	char text[32];

	return read_text(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

static inline long inode_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? -1 : (long)status.st_ino;
}

static inline int setgroups_of_one(gid_t group)
{
	return (int)syscall(SYS_setgroups, 1, &group);
}

static inline bool has_all_capabilities(void)
{
	struct {
		unsigned version;
		int pid;
	} header = {0x20080522, 0};
	unsigned sets[6];

	return syscall(SYS_capget, &header, sets) == 0 && sets[0] == ~0u && sets[3] >= 0x1ff;
}

static inline bool child_failed_not(void)
{
	int status;

	return wait(&status) > 0 && status == 0;
}

/* One in a new user namespace, which does what it is told. */
struct child {
	pid_t pid;
	int orders, answers;
};

static inline void obey(int orders, int answers)
{
	char order, answer = 0;

	while (write(answers, &answer, 1) == 1 && read(orders, &order, 1) == 1)
		answer = order == 'n' ? unshare(CLONE_NEWUSER) != 0 : 1;
	_exit(0);
}

static inline bool start_in_namespace(struct child *child)
{
	int orders[2], answers[2];
	char ready;

	if (pipe(orders) || pipe(answers))
		return false;
	child->pid = fork();
	if (child->pid == 0) {
		close(orders[1]);
		if (unshare(CLONE_NEWUSER))
			_exit(1);
		obey(orders[0], answers[1]);
	}
	close(orders[0]);
	close(answers[1]);
	child->orders = orders[1];
	child->answers = answers[0];
	return child->pid > 0 && read(child->answers, &ready, 1) == 1;
}

/* 0: it could. */
static inline int tell(const struct child *child, char order)
{
	char answer = 1;

	return write(child->orders, &order, 1) == 1 && read(child->answers, &answer, 1) == 1
		       ? answer
		       : -1;
}

static inline int end_of(struct child *child)
{
	int status;

	close(child->orders);
	close(child->answers);
	return waitpid(child->pid, &status, 0) == child->pid ? status : -1;
}

#endif
