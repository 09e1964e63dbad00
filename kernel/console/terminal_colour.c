/*
 * Colours and attributes of the pen (SGR), and the palette (OSC 4, OSC 104, Linux's ESC ] P).
 */
#include "palette.h"
#include "terminal_priv.h"

#include <lib/string.h>

/* ---- SGR ---- */

/* Attributes that one parameter switches on. */
static const struct {
	unsigned number;
	unsigned attribute;
} attributes_on[] = {
	{1, CELL_BOLD},   {2, CELL_DIM},        {3, CELL_ITALIC},  {4, CELL_UNDERLINE},
	{5, CELL_BLINK},  {6, CELL_BLINK},      {7, CELL_REVERSE}, {8, CELL_INVISIBLE},
	{9, CELL_STRIKE}, {21, CELL_UNDERLINE},
};

static const struct {
	unsigned number;
	unsigned attributes;
} attributes_off[] = {
	{22, CELL_BOLD | CELL_DIM}, {23, CELL_ITALIC},    {24, CELL_UNDERLINE}, {25, CELL_BLINK},
	{27, CELL_REVERSE},         {28, CELL_INVISIBLE}, {29, CELL_STRIKE},
};

static bool is_sub(const struct terminal *t, unsigned i)
{
	return i < t->nparameters && t->sub_parameter[i];
}

static colour_t rgb(unsigned red, unsigned green, unsigned blue)
{
	return COLOUR_RGB((red & 0xff) << 16 | (green & 0xff) << 8 | (blue & 0xff));
}

/*
 * 38 or 48 stands at `i`: 38;5;N and 38;2;R;G;B, or with colons, where ISO 8613-6 puts an (empty)
 * colour space before red. Returns the parameters that were taken.
 */
static unsigned extended(struct terminal *t, unsigned i, colour_t *colour)
{
	const unsigned *p = t->parameters + i;
	unsigned have = t->nparameters - i;
	unsigned subs = 0;

	while (is_sub(t, i + 1 + subs))
		subs++;
	if (subs > 0)
		have = 1 + subs;
	if (have >= 3 && p[1] == 5) {
		if (p[2] < TERMINAL_PALETTE)
			*colour = COLOUR_INDEXED(p[2]);
		return subs > 0 ? have : 3;
	}
	if (have >= 6 && subs > 0 && p[1] == 2) {
		*colour = rgb(p[3], p[4], p[5]);
		return have;
	}
	if (have >= 5 && p[1] == 2) {
		*colour = rgb(p[2], p[3], p[4]);
		return subs > 0 ? have : 5;
	}
	return have; /* what it means is not known, so neither is what follows */
}

/* One of 30-37, 40-47, 90-97, 100-107, 39, 49. */
static void plain_colour(struct pen *pen, unsigned number)
{
	if (number >= 30 && number <= 37)
		pen->foreground = COLOUR_INDEXED(number - 30);
	else if (number == 39)
		pen->foreground = COLOUR_DEFAULT;
	else if (number >= 40 && number <= 47)
		pen->background = COLOUR_INDEXED(number - 40);
	else if (number == 49)
		pen->background = COLOUR_DEFAULT;
	else if (number >= 90 && number <= 97)
		pen->foreground = COLOUR_INDEXED(number - 90 + 8);
	else if (number >= 100 && number <= 107)
		pen->background = COLOUR_INDEXED(number - 100 + 8);
}

static void one_attribute(struct terminal *t, unsigned number)
{
	struct pen *pen = &t->place.pen;

	for (unsigned i = 0; i < ARRAY_SIZE(attributes_on); i++) {
		if (attributes_on[i].number == number)
			pen->attributes |= attributes_on[i].attribute;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(attributes_off); i++) {
		if (attributes_off[i].number == number)
			pen->attributes &= ~attributes_off[i].attributes;
	}
	if (number == 0)
		*pen = (struct pen){0};
	else if (number >= 10 && number <= 12)
		t->place.codepage = number > 10;
	else
		plain_colour(pen, number);
}

/* 4:0 is no underline, 4:1 to 4:5 are kinds of it. Returns the parameters that were taken. */
static unsigned underline(struct terminal *t, unsigned i)
{
	unsigned taken = 1;

	if (is_sub(t, i + 1) && t->parameters[i + 1] == 0)
		t->place.pen.attributes &= ~(unsigned)CELL_UNDERLINE;
	else
		t->place.pen.attributes |= CELL_UNDERLINE;
	while (is_sub(t, i + taken))
		taken++;
	return taken;
}

void colour_execute(struct terminal *t)
{
	struct pen *pen = &t->place.pen;
	unsigned i = 0;

	while (i < t->nparameters) {
		switch (t->parameters[i]) {
		case 4:
			i += underline(t, i);
			break;
		case 38:
			i += extended(t, i, &pen->foreground);
			break;
		case 48:
			i += extended(t, i, &pen->background);
			break;
		default:
			one_attribute(t, t->parameters[i++]);
		}
	}
}

/* ---- the palette ---- */

void terminal_palette_reset(struct terminal *t)
{
	for (unsigned i = 0; i < TERMINAL_PALETTE; i++)
		t->palette[i] = palette_initial(i);
}

static unsigned digit(uint8_t byte)
{
	return byte <= '9' ? byte - '0' : (byte | 0x20) - 'a' + 10;
}

void colour_palette_entry(struct terminal *t)
{
	uint32_t value = 0;

	for (unsigned i = 1; i < 7; i++)
		value = value << 4 | digit(t->string[i]);
	t->palette[digit(t->string[0])] = value;
	cells_dirty(t, 0, t->rows - 1);
}

/* Reads over the string kept; every step checks that something is left. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

static bool accept(struct reader *reader, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, text, len) != 0)
		return false;
	reader->at += len;
	return true;
}

static bool number(struct reader *reader, unsigned *out)
{
	const uint8_t *start = reader->at;

	for (*out = 0; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
	     reader->at++)
		*out = MIN(*out * 10 + (*reader->at - '0'), 9999u);
	return reader->at > start;
}

static bool is_hexadecimal(uint8_t byte)
{
	return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

/* XParseColor(3)'s rgb:R/G/B with one to four digits each: the most significant eight bits. */
static bool component(struct reader *reader, uint32_t *colour)
{
	unsigned value = 0;
	unsigned digits = 0;

	for (; reader->at < reader->end && is_hexadecimal(*reader->at) && digits < 4; digits++)
		value = value << 4 | digit(*reader->at++);
	if (!digits)
		return false;
	value = value * 255 / ((1u << (4 * digits)) - 1);
	*colour = *colour << 8 | value;
	return true;
}

static bool rgb_text(struct reader *reader, uint32_t *colour)
{
	*colour = 0;
	if (accept(reader, "#") && reader->end - reader->at >= 6) {
		for (unsigned i = 0; i < 6; i++) {
			if (!is_hexadecimal(*reader->at))
				return false;
			*colour = *colour << 4 | digit(*reader->at++);
		}
		return true;
	}
	return accept(reader, "rgb:") && component(reader, colour) && accept(reader, "/") &&
	       component(reader, colour) && accept(reader, "/") && component(reader, colour);
}

void colour_string(struct terminal *t)
{
	struct reader reader = {t->string, t->string + t->string_count};
	uint32_t colour;
	unsigned entry;

	if (accept(&reader, "104")) {
		if (!accept(&reader, ";"))
			terminal_palette_reset(t);
		else if (number(&reader, &entry) && entry < TERMINAL_PALETTE)
			t->palette[entry] = palette_initial(entry);
		cells_dirty(t, 0, t->rows - 1);
	} else if (accept(&reader, "4;") && number(&reader, &entry) && accept(&reader, ";") &&
		   rgb_text(&reader, &colour) && entry < TERMINAL_PALETTE) {
		t->palette[entry] = colour;
		cells_dirty(t, 0, t->rows - 1);
	}
}
