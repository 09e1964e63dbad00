/*
 * Bytes from one descriptor to another.
 */
#include "common/copy.h"

#include <errno.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

static char chunk[CHUNK_BYTES];

int write_all(int fd, const void *bytes, size_t len)
{
	const char *next = bytes;

	while (len) {
		ssize_t put = write(fd, next, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		next += put;
		len -= (size_t)put;
	}
	return 0;
}

enum copy_result copy_bytes(int from, int to)
{
	for (;;) {
		ssize_t got = read(from, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return COPY_READ_FAILED;
		if (got == 0)
			return COPY_DONE;
		if (write_all(to, chunk, (size_t)got) < 0)
			return COPY_WRITE_FAILED;
	}
}
