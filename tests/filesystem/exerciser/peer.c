/*
 * A second process, which does what it is asked to do by its own descriptors.
 */
#include "exerciser.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct order {
	enum { READ, WRITE, SIZE } what;
	unsigned name, offset, len;
};

static int ends[2];
static unsigned char shared_buffer[SIZE_MAX_];

static void all(ssize_t (*move)(int, void *, size_t), int fd, void *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t now = move(fd, (char *)bytes + done, len - done);

		if (now <= 0)
			_exit(3); /* the other one has gone */
		done += (size_t)now;
	}
}

static ssize_t send_some(int fd, void *bytes, size_t len)
{
	return write(fd, bytes, len);
}

static long carry_out(const struct order *order)
{
	int fd = open(name_of(order->name), order->what == WRITE ? O_WRONLY : O_RDONLY);
	struct stat status;
	long result;

	if (fd < 0)
		return -errno;
	if (order->what == READ)
		result = pread(fd, shared_buffer, order->len, order->offset);
	else if (order->what == WRITE)
		result = pwrite(fd, shared_buffer, order->len, order->offset);
	else
		result = fstat(fd, &status) ? -1 : status.st_size;
	if (result < 0)
		result = -errno;
	if (close(fd))
		result = -errno;
	return result;
}

static _Noreturn void serve(int end)
{
	struct order order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		long result;

		all(read, end, &order, sizeof(order));
		if (order.what == WRITE)
			all(read, end, shared_buffer, order.len);
		result = carry_out(&order);
		all(send_some, end, &result, sizeof(result));
		if (order.what == READ && result > 0)
			all(send_some, end, shared_buffer, (size_t)result);
	}
}

void peer_start(void)
{
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || (child = fork()) < 0) {
		perror("fsexercise: a second process");
		exit(2);
	}
	if (child == 0) {
		close(ends[0]);
		serve(ends[1]);
	}
	close(ends[1]);
}

static long ask(struct order order, const void *from, void *to)
{
	long result;

	all(send_some, ends[0], &order, sizeof(order));
	if (order.what == WRITE)
		all(send_some, ends[0], (void *)(uintptr_t)from, order.len);
	all(read, ends[0], &result, sizeof(result));
	if (order.what == READ && result > 0)
		all(read, ends[0], to, (size_t)result);
	return result;
}

long peer_read(unsigned name, unsigned offset, void *to, unsigned len)
{
	return ask((struct order){READ, name, offset, len}, NULL, to);
}

long peer_write(unsigned name, unsigned offset, const void *from, unsigned len)
{
	return ask((struct order){WRITE, name, offset, len}, from, NULL);
}

long peer_size(unsigned name)
{
	return ask((struct order){SIZE, name, 0, 0}, NULL, NULL);
}
