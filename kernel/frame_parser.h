/*
 * The frames that the host sends: `u8 type, u8 0, u16 length (little endian), payload`, cut out of
 * a stream that arrives in pieces of any size. Pure logic over what the caller hands in. Believes
 * nothing: lengths are bounded by their type, unknown types are skipped by their length, and a
 * header that cannot be one (second byte not 0, too long for its type) is reported once and the
 * stream searched for the next header that can.
 */
#ifndef KERNEL_FRAME_PARSER_H
#define KERNEL_FRAME_PARSER_H

#include <lib/types.h>

#define FRAME_HEADER_BYTES 4
#define FRAME_DATA_BYTES   4096 /* of one D frame */

enum frame_type {
	FRAME_DATA = 'D',   /* of standard input */
	FRAME_END = 'E',    /* of standard input */
	FRAME_SIZE = 'W',   /* u16 rows, u16 columns */
	FRAME_PING = 'P',   /* u32 token */
	FRAME_FILLED = 'F', /* the shared ring of standard input has something */
	FRAME_SPACE = 'T',  /* shared rings of output have space */
};

/* What was found; which calls come is in the order of the stream. */
struct frame_sink {
	/* Part of a D frame: pieces in order, `len_bytes` > 0. */
	void (*data)(void *argument, const uint8_t *bytes, size_t len_bytes);
	void (*end)(void *argument);
	void (*size)(void *argument, uint16_t rows, uint16_t columns);
	void (*ping)(void *argument, uint32_t token);
	void (*filled)(void *argument);
	void (*space)(void *argument);
	/* Something that is no frame of ours; `header` as it came. Once for each run of garbage. */
	void (*unknown)(void *argument, const uint8_t *header);
};

struct frame_parser {
	uint8_t header[FRAME_HEADER_BYTES];
	unsigned nheader;
	uint8_t payload[4]; /* of the short frames */
	unsigned npayload;
	uint32_t left_bytes; /* of the payload, still to come */
	bool lost;           /* in garbage: `unknown` was called for it */
};

void frame_parser_feed(struct frame_parser *parser, const struct frame_sink *sink, void *argument,
		       const uint8_t *bytes, size_t len_bytes);

#endif
