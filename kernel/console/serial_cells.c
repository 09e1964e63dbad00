/*
 * Single cells for a terminal at the other end of a line. The text is made of what terminfo's
 * xterm-256color and linux have in common, but for true colours.
 *
 * The pen is written anew with each cell that looks other than the one before in the same piece.
 */
#include "serial_cells.h"

#include <lib/fmt.h>
#include <lib/utf8.h>

struct out {
	char *to;
	size_t room_bytes;
	size_t len_bytes;
};

static void put(struct out *out, const char *format, ...) PRINTF(2, 3);
static void put(struct out *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	out->len_bytes += kernel_format_list(out->to + out->len_bytes,
					     out->room_bytes - out->len_bytes, format, arguments);
	va_end(arguments);
	out->len_bytes = MIN(out->len_bytes, out->room_bytes - 1);
}

static void put_colour(struct out *out, colour_t colour, unsigned base)
{
	unsigned value = COLOUR_VALUE(colour);

	if (COLOUR_IS_RGB(colour))
		put(out, ";%u;2;%u;%u;%u", base + 8, value >> 16, value >> 8 & 0xff, value & 0xff);
	else if (COLOUR_IS_INDEXED(colour) && value < 8)
		put(out, ";%u", base + value);
	else if (COLOUR_IS_INDEXED(colour))
		put(out, ";%u;5;%u", base + 8, value);
}

static void put_pen(struct out *out, colour_t foreground, colour_t background, unsigned attributes)
{
	static const uint8_t numbers[] = {1, 2, 3, 4, 5, 7, 8, 9}; /* enum cell_attribute's order */

	put(out, "\033[0");
	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (attributes >> i & 1)
			put(out, ";%u", numbers[i]);
	}
	put_colour(out, foreground, 30);
	put_colour(out, background, 40);
	put(out, "m");
}

static void put_character(struct out *out, uint32_t character)
{
	char text[4];
	size_t len = utf8_encode(character, text);

	put(out, "%.*s", (int)len, text);
}

static bool same_pen(const struct cell *a, const struct cell *b)
{
	return a->foreground == b->foreground && a->background == b->background &&
	       ((a->attributes ^ b->attributes) & ~(unsigned)(CELL_WIDE | CELL_TAIL)) == 0;
}

static bool draws_lines(const struct terminal *now)
{
	return now->place.charsets[now->place.shift] != CHARSET_ASCII;
}

size_t serial_cells_begin(const struct terminal *now, unsigned row, unsigned column, char *to,
			  size_t room_bytes)
{
	struct out out = {.to = to, .room_bytes = room_bytes};

	if (now->modes & MODE_ORIGIN)
		put(&out, "\033[?6l");
	if (now->modes & MODE_INSERT)
		put(&out, "\033[4l");
	if (draws_lines(now))
		put(&out, "\033(B\017");
	if (!now->utf8)
		put(&out, "\033%%G");
	put(&out, "\033[%u;%uH", row + 1, column + 1);
	return out.len_bytes;
}

size_t serial_cells(const struct cell *cells, unsigned count, char *to, size_t room_bytes,
		    unsigned *taken)
{
	struct out out = {.to = to, .room_bytes = room_bytes};
	unsigned i;

	for (i = 0; i < count && out.len_bytes + SERIAL_CELL_BYTES <= room_bytes; i++) {
		if (i == 0 || !same_pen(&cells[i], &cells[i - 1]))
			put_pen(&out, cells[i].foreground, cells[i].background,
				cells[i].attributes);
		if (!(cells[i].attributes & CELL_TAIL))
			put_character(&out, cells[i].character);
	}
	*taken = i;
	return out.len_bytes;
}

static char designator(enum terminal_charset charset)
{
	static const char finals[] = {
		[CHARSET_ASCII] = 'B',
		[CHARSET_LINES] = '0',
		[CHARSET_UK] = 'A',
		[CHARSET_CODEPAGE] = 'U',
	};

	return finals[charset];
}

size_t serial_cells_end(const struct terminal *now, char *to, size_t room_bytes)
{
	struct out out = {.to = to, .room_bytes = room_bytes};
	const struct terminal_place *place = &now->place;
	const struct cell *under = &now->lines[place->row][place->column];
	unsigned row = place->row;

	if (now->modes & MODE_ORIGIN) {
		put(&out, "\033[?6h");
		row -= now->top; /* it is in the region */
	}
	put(&out, "\033[%u;%uH", row + 1, place->column + 1);
	if (place->wrap_pending) {
		/* Only a character in the last column brings that state back. */
		put_pen(&out, under->foreground, under->background, under->attributes);
		put_character(&out, under->character);
	}
	put_pen(&out, place->pen.foreground, place->pen.background, place->pen.attributes);
	if (draws_lines(now))
		put(&out, "\033(%c%s", designator(place->charsets[0]), place->shift ? "\016" : "");
	if (now->modes & MODE_INSERT)
		put(&out, "\033[4h");
	if (!now->utf8)
		put(&out, "\033%%@");
	return out.len_bytes;
}
