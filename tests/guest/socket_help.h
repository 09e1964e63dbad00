/*
 * Names for unix sockets, and what the tests of sockets ask often.
 */
#ifndef SOCKET_HELP_H
#define SOCKET_HELP_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

static struct sockaddr_un name;

/* A name of a file, or with '@' in front an abstract one. */
static inline struct sockaddr *named(const char *text)
{
	memset(&name, 0, sizeof(name));
	name.sun_family = AF_UNIX;
	strcpy(name.sun_path, text);
	if (text[0] == '@')
		name.sun_path[0] = 0;
	return (struct sockaddr *)&name;
}

static inline socklen_t length(const char *text)
{
	return (socklen_t)(PATH_OFFSET + strlen(text) + (text[0] != '@'));
}

/* The two arguments. */
#define NAMED(text) named(text), length(text)

static inline int bound(int type, const char *text)
{
	int fd = socket(AF_UNIX, type, 0);

	if (fd >= 0 && bind(fd, NAMED(text))) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static inline int listening(int type, const char *text, int backlog)
{
	int fd = bound(type, text);

	if (fd < 0 || listen(fd, backlog))
		return -1;
	return fd;
}

static inline int connected(int type, const char *text)
{
	int fd = socket(AF_UNIX, type, 0);

	if (fd >= 0 && connect(fd, NAMED(text))) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static inline bool reads(int fd, const char *text)
{
	char bytes[64] = {0};

	return read(fd, bytes, sizeof(bytes)) == (ssize_t)strlen(text) && strcmp(bytes, text) == 0;
}

static inline int events_of(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	return poll(&item, 1, 0) < 0 ? -1 : item.revents;
}

static inline int option(int fd, int which)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, which, &value, &len) ? -1 : value;
}

/* What getsockname, or getpeername, says: as named() takes it; "" of no name. */
static inline const char *name_of(int fd, bool peer)
{
	static struct sockaddr_un got;
	static char text[120];
	socklen_t len = sizeof(got);

	memset(&got, 0, sizeof(got));
	if ((peer ? getpeername : getsockname)(fd, (struct sockaddr *)&got, &len))
		return strerror(errno);
	memset(text, 0, sizeof(text));
	memcpy(text, got.sun_path, len - PATH_OFFSET);
	if (len > PATH_OFFSET && !text[0])
		text[0] = '@';
	return text;
}

#endif
