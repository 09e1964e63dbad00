/*
 * A pair of a pseudo terminal, master and slave, and looks at it.
 */
#ifndef PTY_HELP_H
#define PTY_HELP_H

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

static int master;
static int slave;
static char slave_name[32];

static inline void open_pair(void)
{
	unsigned number;
	int unlocked = 0;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	ioctl(master, TIOCGPTN, &number);
	snprintf(slave_name, sizeof(slave_name), "/dev/pts/%u", number);
	ioctl(master, TIOCSPTLCK, &unlocked);
	slave = open(slave_name, O_RDWR | O_NOCTTY);
}

static inline void make_raw(void)
{
	struct termios termios;

	tcgetattr(slave, &termios);
	cfmakeraw(&termios);
	tcsetattr(slave, TCSANOW, &termios);
}

static inline void close_pair(void)
{
	close(slave);
	close(master);
}

static inline bool read_whole(int fd, char *text, size_t wanted)
{
	size_t done = 0;

	while (done < wanted) {
		ssize_t got = read(fd, text + done, wanted - done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static inline bool reads(int fd, const char *expected)
{
	char text[128] = {0};

	return read_whole(fd, text, strlen(expected)) && strcmp(text, expected) == 0;
}

/* Whichever comes first: the echo of a key, or what the key's signal made somebody write. */
static inline bool reads_both(int fd, const char *one, const char *other)
{
	char text[128] = {0}, expected[128], turned[128];

	snprintf(expected, sizeof(expected), "%s%s", one, other);
	snprintf(turned, sizeof(turned), "%s%s", other, one);
	return read_whole(fd, text, strlen(expected)) &&
	       (strcmp(text, expected) == 0 || strcmp(text, turned) == 0);
}

static inline short ready(int fd)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI};

	poll(&entry, 1, 0);
	return entry.revents;
}

#endif
