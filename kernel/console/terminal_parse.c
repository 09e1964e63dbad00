/*
 * From bytes to characters and sequences: UTF-8, control characters, and the states of a VT500's
 * parser (Paul Williams, "A parser for DEC's ANSI-compatible video terminals"). Control characters
 * act inside sequences as well; CAN and SUB end one, ESC begins another.
 */
#include "terminal_priv.h"

#include <lib/string.h>
#include <lib/utf8.h>

#define PARAMETER_MAX 16383
#define C1_FIRST      0x80
#define C1_LAST       0x9f

/* ---- characters ---- */

/* DEC's special graphics, 0x5f to 0x7e (VT220 Programmer Reference, table 2-4); h is a board of
 * squares instead of the picture of NL, as terminfo's acsc and Linux have it. */
static const uint16_t line_drawing[] = {
	0x00a0, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2591, 0x240b,
	0x2518, 0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c,
	0x2524, 0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7,
};

/* What else acsc names for `linux`. */
static uint32_t arrow(uint32_t character)
{
	switch (character) {
	case '+':
		return 0x2192;
	case ',':
		return 0x2190;
	case '-':
		return 0x2191;
	case '.':
		return 0x2193;
	case '0':
		return 0x2588;
	default:
		return character;
	}
}

static uint32_t translate(const struct terminal *t, uint32_t character)
{
	switch (t->place.charsets[t->place.shift]) {
	case CHARSET_LINES:
		if (character >= 0x5f && character <= 0x7e)
			return line_drawing[character - 0x5f];
		return character < 0x80 ? arrow(character) : character;
	case CHARSET_UK:
		return character == '#' ? 0xa3 : character;
	case CHARSET_CODEPAGE:
		return character < 0x100 ? codepage_character((uint8_t)character) : character;
	case CHARSET_ASCII:
		break;
	}
	return character;
}

/* ---- control characters ---- */

static void line_feed(struct terminal *t)
{
	cursor_index(t);
	if (t->modes & MODE_NEWLINE)
		t->place.column = 0;
}

static void control(struct terminal *t, uint8_t byte)
{
	switch (byte) {
	case '\b':
		cursor_left(t, 1);
		break;
	case '\t':
		cursor_tab(t, 1);
		break;
	case '\n':
	case '\v':
	case '\f':
		line_feed(t);
		break;
	case '\r':
		cursor_move(t, t->place.row, 0);
		break;
	case 0x0e:
	case 0x0f:
		t->place.shift = byte == 0x0e;
		break;
	case 0x18:
	case 0x1a:
		t->state = STATE_GROUND;
		break;
	case 0x1b:
		t->state = STATE_ESCAPE;
		t->intermediate = 0;
		break;
	default: /* NUL, BEL (there is no bell), and those that mean nothing */
		break;
	}
}

/* ---- escape sequences ---- */

static void enter_csi(struct terminal *t)
{
	t->state = STATE_CSI;
	t->private = 0;
	t->intermediate = 0;
	t->nparameters = 1;
	t->parameters[0] = 0;
	t->sub_parameter[0] = false;
}

static void enter_string(struct terminal *t, bool keep)
{
	t->state = keep ? STATE_STRING : STATE_STRING_IGNORE;
	t->string_count = 0;
}

static void designate(struct terminal *t, unsigned which, uint8_t final)
{
	enum terminal_charset *charset = &t->place.charsets[which];

	switch (final) {
	case '0':
		*charset = CHARSET_LINES;
		break;
	case 'A':
		*charset = CHARSET_UK;
		break;
	case 'U':
		*charset = CHARSET_CODEPAGE;
		break;
	default: /* B, and national sets that nobody uses any more */
		*charset = CHARSET_ASCII;
	}
}

/* DECALN: the screen full of E, to adjust a picture tube by. */
static void alignment(struct terminal *t)
{
	cells_erase_rows(t, 0, t->rows - 1);
	for (unsigned row = 0; row < t->rows; row++) {
		for (unsigned column = 0; column < t->columns; column++)
			t->lines[row][column] = (struct cell){.character = 'E'};
	}
	t->top = 0;
	t->bottom = t->rows - 1;
	cursor_move(t, 0, 0);
}

static void escape_with_intermediate(struct terminal *t, uint8_t final)
{
	switch (t->intermediate) {
	case '(':
	case ')':
		designate(t, t->intermediate == ')', final);
		break;
	case '#':
		if (final == '8')
			alignment(t);
		break;
	case '%':
		t->utf8 = final != '@';
		break;
	default:
		break;
	}
}

static void escape(struct terminal *t, uint8_t final)
{
	t->state = STATE_GROUND;
	switch (final) {
	case '7':
		terminal_place_save(t);
		break;
	case '8':
		terminal_place_restore(t);
		break;
	case '=':
		t->modes |= MODE_KEYPAD;
		break;
	case '>':
		t->modes &= ~(unsigned)MODE_KEYPAD;
		break;
	case 'D':
		cursor_index(t);
		break;
	case 'E':
		cursor_index(t);
		t->place.column = 0;
		break;
	case 'H':
		tab_set(t, t->place.column, true);
		break;
	case 'M':
		cursor_reverse_index(t);
		break;
	case 'Z':
		terminal_answer(t, "\033[?62;22c");
		break;
	case 'c':
		terminal_reset(t);
		break;
	case '[':
		enter_csi(t);
		break;
	case ']':
		enter_string(t, true);
		break;
	case 'P':
	case 'X':
	case '^':
	case '_':
		enter_string(t, false);
		break;
	default: /* also the backslash that ended a string */
		break;
	}
}

static void feed_escape(struct terminal *t, uint8_t byte)
{
	if (byte >= 0x20 && byte <= 0x2f) {
		t->intermediate = byte;
		t->state = STATE_ESCAPE_MORE;
		return;
	}
	if (t->state == STATE_ESCAPE) {
		escape(t, byte);
		return;
	}
	t->state = STATE_GROUND;
	escape_with_intermediate(t, byte);
}

/* ---- control sequences ---- */

static void next_parameter(struct terminal *t, bool sub)
{
	if (t->nparameters == TERMINAL_PARAMETERS) {
		t->state = STATE_CSI_IGNORE;
		return;
	}
	t->parameters[t->nparameters] = 0;
	t->sub_parameter[t->nparameters++] = sub;
}

static void feed_csi(struct terminal *t, uint8_t byte)
{
	unsigned *parameter = &t->parameters[t->nparameters - 1];

	if (byte >= '0' && byte <= '9') {
		*parameter = MIN(*parameter * 10 + (byte - '0'), (unsigned)PARAMETER_MAX);
	} else if (byte == ';' || byte == ':') {
		next_parameter(t, byte == ':');
	} else if (byte >= 0x3c && byte <= 0x3f) {
		t->private = byte;
	} else if (byte >= 0x20 && byte <= 0x2f) {
		t->intermediate = byte;
	} else if (byte >= 0x40 && byte <= 0x7e) {
		t->state = STATE_GROUND;
		csi_execute(t, byte);
	}
}

/* ---- strings ---- */

static void end_string(struct terminal *t)
{
	if (t->state == STATE_STRING)
		colour_string(t);
	t->state = STATE_GROUND;
}

static void keep(struct terminal *t, uint8_t byte)
{
	/* What does not fit is no string that means anything here: a window's title. */
	if (t->string_count < TERMINAL_STRING)
		t->string[t->string_count++] = byte;
	else
		t->state = STATE_STRING_IGNORE;
}

static bool is_hexadecimal(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
	       (byte >= 'A' && byte <= 'F');
}

/* Linux's own: ESC ] P has seven digits and no end, ESC ] R none. */
static bool is_linux_palette(struct terminal *t, uint8_t byte)
{
	if (t->state != STATE_STRING || t->string_count > 0)
		return false;
	if (byte == 'R') {
		terminal_palette_reset(t);
		cells_dirty(t, 0, t->rows - 1);
		t->state = STATE_GROUND;
		return true;
	}
	if (byte == 'P')
		t->state = STATE_PALETTE;
	return byte == 'P';
}

static void feed_palette(struct terminal *t, uint8_t byte)
{
	if (!is_hexadecimal(byte)) {
		t->state = STATE_GROUND;
		return;
	}
	t->string[t->string_count++] = byte;
	if (t->string_count == 7) {
		t->state = STATE_GROUND;
		colour_palette_entry(t);
	}
}

/* Inside a string control characters mean nothing but its end. */
static void feed_string(struct terminal *t, uint8_t byte)
{
	if (byte == '\a' || byte == 0x18 || byte == 0x1a) {
		end_string(t);
	} else if (byte == 0x1b) {
		end_string(
			t); /* the backslash that follows is an escape sequence without meaning */
		t->state = STATE_ESCAPE;
		t->intermediate = 0;
	} else if (byte >= 0x20 && !is_linux_palette(t, byte) && t->state == STATE_STRING) {
		keep(t, byte);
	}
}

/* ---- bytes ---- */

static bool in_string(const struct terminal *t)
{
	return t->state == STATE_STRING || t->state == STATE_STRING_IGNORE;
}

static void feed_sequence(struct terminal *t, uint8_t byte)
{
	if (in_string(t)) {
		feed_string(t, byte);
		return;
	}
	if (byte < 0x20) {
		control(t, byte);
		return;
	}
	if (byte >= 0x7f)
		return;
	switch (t->state) {
	case STATE_ESCAPE:
	case STATE_ESCAPE_MORE:
		feed_escape(t, byte);
		break;
	case STATE_CSI:
		feed_csi(t, byte);
		break;
	case STATE_CSI_IGNORE:
		if (byte >= 0x40)
			t->state = STATE_GROUND;
		break;
	case STATE_PALETTE:
		feed_palette(t, byte);
		break;
	default:
		break;
	}
}

/* A C1 control character is ESC and the character 0x40 below. */
static void feed_character(struct terminal *t, uint32_t character)
{
	if (character >= C1_FIRST && character <= C1_LAST &&
	    t->place.charsets[t->place.shift] != CHARSET_CODEPAGE)
		escape(t, (uint8_t)(character - 0x40));
	else if (character != 0x7f)
		terminal_print(t, translate(t, character));
}

/* The bytes that may follow in a sequence that has begun (Unicode, table 3-7). */
static bool continues(const struct terminal *t, uint8_t byte)
{
	if (t->utf8_count == 1) {
		switch (t->utf8_bytes[0]) {
		case 0xe0:
			return byte >= 0xa0 && byte <= 0xbf;
		case 0xed:
			return byte >= 0x80 && byte <= 0x9f;
		case 0xf0:
			return byte >= 0x90 && byte <= 0xbf;
		case 0xf4:
			return byte >= 0x80 && byte <= 0x8f;
		default:
			break;
		}
	}
	return (byte & 0xc0) == 0x80;
}

static void feed_utf8(struct terminal *t, uint8_t byte)
{
	size_t want = utf8_sequence_bytes(t->utf8_count ? t->utf8_bytes[0] : byte);
	uint32_t character = UTF8_REPLACEMENT;

	if (want > 1) {
		t->utf8_bytes[t->utf8_count++] = byte;
		if (t->utf8_count < want)
			return;
		utf8_decode((const char *)t->utf8_bytes, t->utf8_count, &character);
		t->utf8_count = 0;
	}
	feed_character(t, character);
}

static void feed_ground(struct terminal *t, uint8_t byte)
{
	if (t->utf8_count && !continues(t, byte)) {
		t->utf8_count = 0;
		feed_character(t, UTF8_REPLACEMENT);
	}
	if (byte < 0x20 || byte == 0x7f) {
		bool acts = byte == 0 || (byte >= 0x08 && byte <= 0x0f) || byte == 0x1b;

		if (t->place.codepage && !acts)
			terminal_print(t, codepage_character(byte));
		else
			control(t, byte);
	} else if (byte < 0x80) {
		terminal_print(t, translate(t, byte));
	} else if (t->utf8) {
		feed_utf8(t, byte);
	} else {
		feed_character(t, byte);
	}
}

void terminal_feed(struct terminal *t, const void *bytes, size_t len_bytes)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len_bytes; i++) {
		if (t->state == STATE_GROUND)
			feed_ground(t, from[i]);
		else
			feed_sequence(t, from[i]);
	}
}
