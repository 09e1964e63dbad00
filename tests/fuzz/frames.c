/* sources: kernel/frame_parser.c */
/*
 * Fuzzes what the kernel reads from COM2. The first byte says how the stream is cut into pieces.
 * Checked: no data beyond what a frame may have, nothing called twice for one frame, and the result
 * does not depend on the cut.
 */
#include "frame_parser.h"

#include <stdlib.h>
#include <string.h>

struct result {
	uint64_t hash;
	size_t ndata;
	size_t nframes;
};

static void mix(struct result *result, uint64_t value)
{
	result->hash = (result->hash ^ value) * UINT64_C(0x100000001b3);
}

static void got_data(void *argument, const uint8_t *bytes, size_t len_bytes)
{
	struct result *result = argument;

	if (len_bytes == 0 || len_bytes > FRAME_DATA_BYTES)
		abort();
	for (size_t i = 0; i < len_bytes; i++)
		mix(result, bytes[i]);
	result->ndata += len_bytes;
}

static void got_end(void *argument)
{
	mix(argument, 0x100);
	((struct result *)argument)->nframes++;
}

static void got_size(void *argument, uint16_t rows, uint16_t columns)
{
	mix(argument, UINT64_C(0x1000000000) | (uint64_t)rows << 16 | columns);
	((struct result *)argument)->nframes++;
}

static void got_ping(void *argument, uint32_t token)
{
	mix(argument, UINT64_C(0x2000000000) | token);
	((struct result *)argument)->nframes++;
}

static void got_filled(void *argument)
{
	mix(argument, 0x101);
	((struct result *)argument)->nframes++;
}

static void got_space(void *argument)
{
	mix(argument, 0x102);
	((struct result *)argument)->nframes++;
}

static void got_unknown(void *argument, const uint8_t *header)
{
	uint32_t value;

	memcpy(&value, header, sizeof(value));
	mix(argument, UINT64_C(0x3000000000) | value);
}

static const struct frame_sink sink = {
	.data = got_data,
	.end = got_end,
	.size = got_size,
	.ping = got_ping,
	.filled = got_filled,
	.space = got_space,
	.unknown = got_unknown,
};

static struct result feed(const uint8_t *bytes, size_t len_bytes, size_t piece)
{
	struct frame_parser parser = {0};
	struct result result = {0};

	for (size_t at = 0; at < len_bytes; at += piece) {
		/* A copy of its own, so that the sanitizer sees a read beyond the piece. */
		size_t n = MIN(piece, len_bytes - at);
		uint8_t *copy = malloc(n);

		if (!copy)
			abort();
		memcpy(copy, bytes + at, n);
		frame_parser_feed(&parser, &sink, &result, copy, n);
		free(copy);
	}
	if (result.ndata > len_bytes || result.nframes * FRAME_HEADER_BYTES > len_bytes)
		abort();
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
	struct result whole;
	struct result cut;

	if (len_bytes < 2)
		return 0;
	whole = feed(bytes + 1, len_bytes - 1, len_bytes - 1);
	cut = feed(bytes + 1, len_bytes - 1, (size_t)bytes[0] % 64 + 1);
	if (memcmp(&whole, &cut, sizeof(whole)) != 0)
		abort();
	return 0;
}
