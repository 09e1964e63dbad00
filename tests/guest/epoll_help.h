/*
 * What the tests of epoll share: short names for its calls, and for a pipe's ends.
 */
#ifndef GUEST_EPOLL_H
#define GUEST_EPOLL_H

#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MANY 100

static struct epoll_event got[MANY];

static inline int control(int ep, int operation, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = (uint64_t)fd | UINT64_C(7) << 40};

	return epoll_ctl(ep, operation, fd, &event);
}

static inline int add(int ep, int fd, uint32_t events)
{
	return control(ep, EPOLL_CTL_ADD, fd, events);
}

static inline int change(int ep, int fd, uint32_t events)
{
	return control(ep, EPOLL_CTL_MOD, fd, events);
}

/* How many are told at once. */
static inline int look(int ep)
{
	memset(got, 0, sizeof(got));
	return epoll_wait(ep, got, MANY, 0);
}

/* The events of the only one that is told; 0: none; -1: it is not `fd` or not the only one. */
static inline long long events_for(int ep, int fd)
{
	int n = look(ep);

	if (n == 0)
		return 0;
	return n == 1 && got[0].data.u64 == ((uint64_t)fd | UINT64_C(7) << 40)
		       ? (long long)got[0].events
		       : -1;
}

static inline int put(int fd)
{
	return (int)write(fd, "x", 1);
}

static inline int take(int fd)
{
	char byte;

	return (int)read(fd, &byte, 1);
}

static inline int events_of(int fd)
{
	struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT};

	return poll(&item, 1, 0) < 0 ? -1 : item.revents;
}

#endif
