/*
 * pipes: both ends in one process, so that no switch is part of it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/bench.h"

#define LOAD_MAX 65536

static int ends[2] = {-1, -1};
static char bytes[LOAD_MAX];

static long open_pipe(unsigned count)
{
	(void)count;
	return pipe(ends) == 0 ? 0 : -errno;
}

static long close_pipe(unsigned count)
{
	(void)count;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

static long there_and_back(unsigned long length, unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		error = bench_whole(call3(SYS_write, ends[1], (long)bytes, (long)length), length);
		if (!error)
			error = bench_whole(call3(SYS_read, ends[0], (long)bytes, (long)length),
					    length);
	}
	return error;
}

static long one_byte(unsigned count)
{
	return there_and_back(1, count);
}

static long one_page(unsigned count)
{
	return there_and_back(PAGE_BYTES, count);
}

static long sixty_four_kib(unsigned count)
{
	return there_and_back(LOAD_MAX, count);
}

static long make_and_close(unsigned count)
{
	long error = 0;

	while (count-- > 0 && !error) {
		error = call1(SYS_pipe, (long)ends);
		if (!error) {
			call1(SYS_close, ends[0]);
			error = call1(SYS_close, ends[1]);
		}
	}
	return error;
}

static long poll_ready(unsigned count)
{
	struct pollfd wanted = {.fd = ends[1], .events = POLLOUT};
	long result = 1;

	while (count-- > 0 && result == 1)
		result = call3(SYS_poll, (long)&wanted, 1, -1);
	return result == 1 ? 0 : result < 0 ? result : -EPROTO;
}

static const struct bench_row rows[] = {
	{"write_read_1", 1000, open_pipe, one_byte, close_pipe},
	{"write_read_4k", 500, open_pipe, one_page, close_pipe},
	{"write_read_64k", 50, open_pipe, sixty_four_kib, close_pipe},
	{"pipe_close", 200, NULL, make_and_close, NULL},
	{"poll_ready", 1000, open_pipe, poll_ready, close_pipe},
};

int main(int argc, char **argv)
{
	return bench_main("pipes", rows, LENGTH(rows), argc, argv);
}
