/*
 * Follows a terminal's output byte by byte: characters, UTF-8, and escape sequences as ECMA-48 has
 * them (CSI, and the strings of OSC and DCS). A sequence that does not end within SEQUENCE_MAX
 * bytes is none, so garbage cannot hold log lines back for ever.
 */
#include "console_row.h"

#include <lib/fmt.h>
#include <lib/string.h>

#define SEQUENCE_MAX  256
#define PARAMETER_MAX 9999
#define TAB_COLUMNS   8

#define ENQ 0x05 /* who are you? */

/* A row is drawn again under the log's lock: so many sequences that may touch every cell, or as
 * many times a thousand repeated characters, are the most. */
#define ROW_EFFORT_MAX 8
#define TOUCHES_ALL    "JLMST"
#define REPEATED_BYTES 1000

/* CSI sequences that draw, or say how to (ECMA-48 8.3), by their last byte. */
#define DRAWS         "@ABCDEFGHIJKLMPSTXZ`abdefghlmrsu"
#define DRAWS_PRIVATE "JK" /* with '?' */

/* The second half's control characters (C1), as UTF-8: each is ESC and the character 0x40 below. */
#define C1_LEAD 0xc2
#define C1_END  0xa0

static void forget(struct console_row *row)
{
	if (row->state == ROW_UTF8)
		row->state = ROW_GROUND; /* it broke off */
	row->len_bytes = 0;
	row->started = 0;
	/* The rest of a sequence would be text without its beginning. */
	row->unwanted = row->state != ROW_GROUND;
	row->too_long = false;
	row->effort = 0;
	row->column = 0;
}

static void keep(struct console_row *row, uint8_t byte)
{
	if (row->len_bytes < sizeof(row->bytes))
		row->bytes[row->len_bytes++] = byte;
	else
		row->too_long = true;
}

static void enter(struct console_row *row, enum console_row_state state)
{
	row->state = state;
	row->sequence = 0;
	row->parameter = 0;
	row->parameter_done = false;
	row->mark = 0;
}

static unsigned utf8_following(uint8_t byte)
{
	if ((byte & 0xe0) == 0xc0)
		return 1;
	if ((byte & 0xf0) == 0xe0)
		return 2;
	if ((byte & 0xf8) == 0xf0)
		return 3;
	return 0;
}

static void feed_ground(struct console_row *row, uint8_t byte)
{
	switch (byte) {
	case 0x1b:
		enter(row, ROW_ESCAPE);
		break;
	case '\b':
		row->column -= row->column > 0;
		break;
	case '\t':
		row->column += TAB_COLUMNS - row->column % TAB_COLUMNS;
		break;
	default:
		if (byte < 0x20 || byte == 0x7f)
			break;
		row->column++;
		row->utf8_lead = byte;
		row->utf8_left = utf8_following(byte);
		if (row->utf8_left > 0)
			row->state = ROW_UTF8;
	}
}

static void work(struct console_row *row, unsigned effort)
{
	row->effort += effort;
	row->too_long |= row->effort > ROW_EFFORT_MAX;
}

static void feed_escape(struct console_row *row, uint8_t byte)
{
	row->unwanted |= byte == '%'; /* which character set? */
	if (byte == '#')
		work(row, 1); /* ESC # 8 fills the screen */
	if (byte == '[') {
		enter(row, ROW_CSI);
	} else if (byte == ']' || byte == 'P' || byte == '_' || byte == '^' || byte == 'X') {
		enter(row, ROW_STRING);
		row->unwanted = true; /* titles, palettes, questions: nothing in a row */
	} else if (byte >= 0x30) {
		row->state = ROW_GROUND;      /* ESC 7, ESC c ...; 0x20..0x2f take one more */
		row->unwanted |= byte == 'Z'; /* what are you? */
	}
}

static void feed_utf8(struct console_row *row, uint8_t byte)
{
	if ((byte & 0xc0) != 0x80) {
		row->state = ROW_GROUND; /* it broke off; this byte is one of its own */
		feed_ground(row, byte);
	} else if (row->utf8_lead == C1_LEAD && byte < C1_END) {
		row->column--;
		enter(row, ROW_ESCAPE);
		feed_escape(row, byte - 0x40);
	} else if (--row->utf8_left == 0) {
		row->state = ROW_GROUND;
	}
}

static bool csi_draws(const struct console_row *row, uint8_t final)
{
	if (row->mark)
		return row->mark == '?' && strchr(DRAWS_PRIVATE, final);
	return strchr(DRAWS, final);
}

/* ECMA-48 8.3: what moves the cursor inside its row. */
static void finish_csi(struct console_row *row, uint8_t final)
{
	unsigned n = row->parameter > 0 ? row->parameter : 1;

	row->state = ROW_GROUND;
	row->unwanted |= !csi_draws(row, final);
	if (final == 'b')
		work(row, 1 + n / REPEATED_BYTES);
	else if (strchr(TOUCHES_ALL, final))
		work(row, 1);
	if (final == 'C')
		row->column += n;
	else if (final == 'D')
		row->column -= MIN(row->column, n);
	else if (final == 'G')
		row->column = n - 1;
}

static void feed_csi(struct console_row *row, uint8_t byte)
{
	if (byte >= 0x40 && byte <= 0x7e)
		finish_csi(row, byte);
	else if (byte == ';')
		row->parameter_done = true;
	else if ((byte >= 0x3c && byte <= 0x3f) || (byte >= 0x20 && byte <= 0x2f))
		row->mark = byte;
	else if (byte >= '0' && byte <= '9' && !row->parameter_done)
		row->parameter = MIN(row->parameter * 10 + (byte - '0'), (unsigned)PARAMETER_MAX);
}

/* What acts inside of a sequence: CAN and SUB end it, ESC begins another, with which it goes. */
static bool breaks_off(struct console_row *row, uint8_t byte)
{
	if (byte != 0x1b && byte != 0x18 && byte != 0x1a)
		return false;
	row->unwanted = true;
	if (byte == 0x1b)
		enter(row, ROW_ESCAPE);
	else
		row->state = ROW_GROUND;
	return true;
}

static void feed_sequence(struct console_row *row, uint8_t byte)
{
	if (++row->sequence > SEQUENCE_MAX) {
		row->unwanted = true;
		row->state = ROW_GROUND;
	} else if (breaks_off(row, byte)) {
		return;
	} else if (row->state == ROW_ESCAPE) {
		feed_escape(row, byte);
	} else if (row->state == ROW_CSI) {
		feed_csi(row, byte);
	} else if (byte == '\a') {
		row->state = ROW_GROUND; /* a string's end */
	}
}

static void feed_byte(struct console_row *row, uint8_t byte)
{
	if (byte == '\r' || byte == '\n') {
		/* Also inside a sequence: terminals execute them there and go on. */
		forget(row);
		return;
	}
	if (row->state == ROW_GROUND)
		row->started = row->len_bytes;
	keep(row, byte);
	row->unwanted |= byte == ENQ;
	if (row->state == ROW_GROUND)
		feed_ground(row, byte);
	else if (row->state == ROW_UTF8)
		feed_utf8(row, byte);
	else
		feed_sequence(row, byte);
	if (row->state == ROW_GROUND && row->unwanted) {
		row->len_bytes = row->started;
		row->unwanted = false;
	}
}

void console_row_feed(struct console_row *row, const uint8_t *bytes, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		feed_byte(row, bytes[i]);
}

size_t console_row_erase(const struct console_row *row, unsigned columns, char *to)
{
	unsigned rows_up;

	if (row->too_long)
		return kernel_format(to, CONSOLE_ROW_ERASE_BYTES, "\r\n");
	if (row->len_bytes == 0)
		return 0;
	/* A cursor behind the last column still stands in that row. */
	rows_up = row->column > 0 && columns > 0 ? (row->column - 1) / columns : 0;
	if (rows_up > 0)
		return kernel_format(to, CONSOLE_ROW_ERASE_BYTES, "\033[%uA\r\033[J", rows_up);
	return kernel_format(to, CONSOLE_ROW_ERASE_BYTES, "\r\033[J");
}

size_t console_row_redraw_bytes(struct console_row *row)
{
	if (row->too_long)
		forget(row);
	return row->len_bytes;
}
