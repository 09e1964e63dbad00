/*
 * Cuts frames out of the host's stream (see the header).
 */
#include "frame_parser.h"

#include <lib/string.h>

#define SKIP_MAX FRAME_DATA_BYTES /* the longest frame of a type that we do not know */

static uint16_t read_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t read_u32(const uint8_t *bytes)
{
	return read_u16(bytes) | (uint32_t)read_u16(bytes + 2) << 16;
}

static bool header_is_possible(const uint8_t *header)
{
	uint16_t len_bytes = read_u16(header + 2);

	if (header[1] != 0)
		return false;
	switch (header[0]) {
	case FRAME_DATA:
		return len_bytes <= FRAME_DATA_BYTES;
	case FRAME_END:
	case FRAME_FILLED:
	case FRAME_SPACE:
		return len_bytes == 0;
	case FRAME_SIZE:
	case FRAME_PING:
		return len_bytes == 4;
	default:
		return header[0] >= 'A' && header[0] <= 'z' && len_bytes <= SKIP_MAX;
	}
}

static bool is_known(uint8_t type)
{
	static const uint8_t known[] = {FRAME_DATA, FRAME_END,    FRAME_SIZE,
					FRAME_PING, FRAME_FILLED, FRAME_SPACE};

	return memchr(known, type, sizeof(known)) != NULL;
}

static void finish(struct frame_parser *parser, const struct frame_sink *sink, void *argument)
{
	switch (parser->header[0]) {
	case FRAME_END:
		sink->end(argument);
		break;
	case FRAME_SIZE:
		sink->size(argument, read_u16(parser->payload), read_u16(parser->payload + 2));
		break;
	case FRAME_PING:
		sink->ping(argument, read_u32(parser->payload));
		break;
	case FRAME_FILLED:
		sink->filled(argument);
		break;
	case FRAME_SPACE:
		sink->space(argument);
		break;
	default:
		break;
	}
	parser->nheader = 0;
}

/* A whole header is there. */
static void begin(struct frame_parser *parser, const struct frame_sink *sink, void *argument)
{
	if (!header_is_possible(parser->header)) {
		if (!parser->lost)
			sink->unknown(argument, parser->header);
		parser->lost = true;
		memmove(parser->header, parser->header + 1, FRAME_HEADER_BYTES - 1);
		parser->nheader = FRAME_HEADER_BYTES - 1;
		return;
	}
	if (!is_known(parser->header[0]))
		sink->unknown(argument, parser->header);
	parser->lost = false;
	parser->npayload = 0;
	parser->left_bytes = read_u16(parser->header + 2);
	if (parser->left_bytes == 0)
		finish(parser, sink, argument);
}

static void payload(struct frame_parser *parser, const struct frame_sink *sink, void *argument,
		    const uint8_t *bytes, size_t len_bytes)
{
	if (parser->header[0] == FRAME_DATA) {
		sink->data(argument, bytes, len_bytes);
	} else if (is_known(parser->header[0])) {
		/* header_is_possible(): all of it together is 4 bytes. */
		memcpy(parser->payload + parser->npayload, bytes, len_bytes);
		parser->npayload += (unsigned)len_bytes;
	}
	parser->left_bytes -= (uint32_t)len_bytes;
	if (parser->left_bytes == 0)
		finish(parser, sink, argument);
}

void frame_parser_feed(struct frame_parser *parser, const struct frame_sink *sink, void *argument,
		       const uint8_t *bytes, size_t len_bytes)
{
	while (len_bytes > 0) {
		size_t n = 1;

		if (parser->nheader < FRAME_HEADER_BYTES) {
			parser->header[parser->nheader++] = *bytes;
			if (parser->nheader == FRAME_HEADER_BYTES)
				begin(parser, sink, argument);
		} else {
			n = MIN(len_bytes, (size_t)parser->left_bytes);
			payload(parser, sink, argument, bytes, n);
		}
		bytes += n;
		len_bytes -= n;
	}
}
