/* sources: kernel/frame_parser.c */
/*
 * The host's frames, cut out of streams that come in all pieces, and of garbage.
 */
#include "frame_parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What the sink was told, as text. */
static char told[1 << 16];
static size_t ntold;

static void tell(const char *text, size_t len)
{
	assert_true(ntold + len < sizeof(told));
	memcpy(told + ntold, text, len);
	ntold += len;
	told[ntold] = '\0';
}

static void got_data(void *argument, const uint8_t *bytes, size_t len)
{
	(void)argument;
	assert_true(len > 0);
	tell((const char *)bytes, len);
}

static void got_end(void *argument)
{
	(void)argument;
	tell("<end>", 5);
}

static void got_size(void *argument, uint16_t rows, uint16_t columns)
{
	char text[32];

	(void)argument;
	tell(text, (size_t)snprintf(text, sizeof(text), "<%ux%u>", rows, columns));
}

static void got_ping(void *argument, uint32_t token)
{
	char text[32];

	(void)argument;
	tell(text, (size_t)snprintf(text, sizeof(text), "<ping %x>", token));
}

static void got_filled(void *argument)
{
	(void)argument;
	tell("<filled>", 8);
}

static void got_space(void *argument)
{
	(void)argument;
	tell("<space>", 7);
}

static void got_unknown(void *argument, const uint8_t *header)
{
	(void)argument;
	(void)header;
	tell("<?>", 3);
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

/* In pieces of every size up to the whole, the stream says `expected`. */
static void assert_told(const char *stream, size_t len, const char *expected)
{
	for (size_t piece = 1; piece <= len; piece++) {
		struct frame_parser parser = {0};

		ntold = 0;
		for (size_t at = 0; at < len; at += piece)
			frame_parser_feed(&parser, &sink, NULL, (const uint8_t *)stream + at,
					  MIN(piece, len - at));
		assert_string_equal(told, expected);
	}
}

#define STREAM(text) (text), sizeof(text) - 1

static void every_frame_in_every_split(void **state)
{
	(void)state;
	assert_told(STREAM("D\0\5\0hello"
			   "W\0\4\0\x18\0\x50\0"
			   "P\0\4\0\x78\x56\x34\x12"
			   "F\0\0\0T\0\0\0"
			   "D\0\1\0!"
			   "E\0\0\0"),
		    "hello<24x80><ping 12345678><filled><space>!<end>");
}

static void empty_data_is_nothing(void **state)
{
	(void)state;
	assert_told(STREAM("D\0\0\0D\0\1\0x"), "x");
}

static void unknown_types_are_skipped_by_their_length(void **state)
{
	(void)state;
	assert_told(STREAM("Q\0\3\0abcD\0\1\0x"), "<?>x");
}

static void wrong_lengths_are_garbage_and_the_next_frame_is_found(void **state)
{
	(void)state;
	/* A P frame of five bytes, an E frame of one, a W frame of three. */
	assert_told(STREAM("P\0\5\0\1\2\3\4\5E\0\1\0\1W\0\3\0\1\2\3D\0\1\0x"), "<?>x");
}

static void too_long_data_is_garbage(void **state)
{
	(void)state;
	assert_told(STREAM("D\0\1\x10\xff\xff\xff\xff\xff\xff"
			   "E\0\0\0"),
		    "<?><end>");
}

static void garbage_is_told_once_a_run(void **state)
{
	(void)state;
	assert_told(STREAM("\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			   "E\0\0\0\xff\xff\xff\xff\xff"
			   "E\0\0\0"),
		    "<?><end><?><end>");
}

static void longest_data_frame_comes_whole(void **state)
{
	static uint8_t stream[FRAME_HEADER_BYTES + FRAME_DATA_BYTES];
	struct frame_parser parser = {0};

	(void)state;
	memcpy(stream, "D\0\0\x10", FRAME_HEADER_BYTES);
	memset(stream + FRAME_HEADER_BYTES, 'x', FRAME_DATA_BYTES);
	ntold = 0;
	frame_parser_feed(&parser, &sink, NULL, stream, sizeof(stream));
	assert_int_equal(ntold, FRAME_DATA_BYTES);
	assert_int_equal(parser.nheader, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_in_every_split),
		cmocka_unit_test(empty_data_is_nothing),
		cmocka_unit_test(unknown_types_are_skipped_by_their_length),
		cmocka_unit_test(wrong_lengths_are_garbage_and_the_next_frame_is_found),
		cmocka_unit_test(too_long_data_is_garbage),
		cmocka_unit_test(garbage_is_told_once_a_run),
		cmocka_unit_test(longest_data_frame_comes_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
