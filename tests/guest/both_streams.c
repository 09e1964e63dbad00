/*
 * both_streams [KIB [SEED]]: writes so many KiB of binary data to each of standard output and
 * standard error, alternating in pieces of odd sizes. Whoever runs it compares: byte n of a stream
 * is byte n of the sequence below, with SEED for standard output and SEED + 1 for standard error.
 */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

struct stream {
	int fd;
	uint32_t state;
	size_t left;
};

/* A linear congruential generator modulo 2^32; its upper byte is the sequence. */
static unsigned char next_byte(struct stream *stream)
{
	stream->state = stream->state * 1664525u + 1013904223u;
	return (unsigned char)(stream->state >> 24);
}

static bool put_piece(struct stream *stream, size_t len)
{
	static unsigned char piece[70000];

	if (len > stream->left)
		len = stream->left;
	for (size_t i = 0; i < len; i++)
		piece[i] = next_byte(stream);
	for (size_t at = 0; at < len;) {
		ssize_t put = write(stream->fd, piece + at, len - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += (size_t)put;
	}
	stream->left -= len;
	return true;
}

int main(int argc, char **argv)
{
	static const size_t lengths[] = {1, 4097, 13, 65536, 511, 30000, 70000, 2};
	size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) * 1024;
	uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
	struct stream out = {STDOUT_FILENO, seed, bytes}, err = {STDERR_FILENO, seed + 1, bytes};

	for (unsigned turn = 0; out.left || err.left; turn++) {
		if (!put_piece(&out, lengths[turn % 8]) || !put_piece(&err, lengths[turn * 3 % 8]))
			return 1;
	}
	return 0;
}
