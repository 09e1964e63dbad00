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

static inline bool reads(int fd, const char *expected)
{
	char text[128] = {0};
	size_t wanted = strlen(expected);
	size_t done = 0;

	while (done < wanted) {
		ssize_t got = read(fd, text + done, wanted - done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return memcmp(text, expected, wanted) == 0;
}

static inline short ready(int fd)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI};

	poll(&entry, 1, 0);
	return entry.revents;
}

#endif
