/*
 * Pixels: the linear framebuffer that a loader left, or the one that a virtual machine's adapter
 * was asked for (bochs.c). Owns the mapping of video memory, which is written and never read.
 *
 * Cells are drawn from the console's font, each pixel row of a glyph as one run of stores. On very
 * fine screens a pixel of the font is a square of `scale` pixels.
 */
#define LOG_SUBSYSTEM "screen"

#include "framebuffer.h"

#include <lib/log.h>
#include <lib/string.h>
#include <mm/kva.h>

#include "bochs.h"
#include "font.h"
#include "palette.h"
#include "screen_priv.h"

#define FINE_WIDTH     2560 /* from here on the font would be too small to read */
#define SCALE_MAX      2
#define ROWS_MAX       256
#define COLUMNS_MAX    256
#define PIXEL_BYTES    4 /* the most that a pixel has */
#define UNDERLINE_FROM 2 /* rows from a glyph's bottom */

static struct boot_framebuffer shape; /* constant after framebuffer_find() */
static uint8_t *pixels;               /* constant after framebuffer_find() */
static unsigned scale;                /* constant after framebuffer_find() */

static const struct display_ops framebuffer_ops;
static struct display framebuffer = {.ops = &framebuffer_ops, .name = "framebuffer"};

/* ---- pixels ---- */

/* The value of a colour in this framebuffer's form. */
static uint32_t pixel_value(uint32_t rgb)
{
	uint32_t red = (rgb >> 16 & 0xff) >> (8 - shape.red_bits);
	uint32_t green = (rgb >> 8 & 0xff) >> (8 - shape.green_bits);
	uint32_t blue = (rgb & 0xff) >> (8 - shape.blue_bits);

	return red << shape.red_shift | green << shape.green_shift | blue << shape.blue_shift;
}

static uint8_t *pixel_at(unsigned x, unsigned y)
{
	return pixels + (size_t)y * shape.pitch_bytes + x * (shape.bits / 8);
}

/* A row of a cell, `count` pixels, in the framebuffer's own size. */
static void put_row_32(uint8_t *to, const uint32_t *values, unsigned count)
{
	volatile uint64_t *pairs = (volatile uint64_t *)to;

	for (unsigned i = 0; i < count / 2; i++)
		pairs[i] = (uint64_t)values[2 * i + 1] << 32 | values[2 * i];
}

static void put_row_bytes(uint8_t *to, const uint32_t *values, unsigned count, unsigned nbytes)
{
	volatile uint8_t *at = to;

	for (unsigned i = 0; i < count; i++) {
		for (unsigned byte = 0; byte < nbytes; byte++)
			*at++ = (uint8_t)(values[i] >> (8 * byte));
	}
}

static void put_row_16(uint8_t *to, const uint32_t *values, unsigned count)
{
	volatile uint16_t *at = (volatile uint16_t *)to;

	for (unsigned i = 0; i < count; i++)
		at[i] = (uint16_t)values[i];
}

static void put_row(uint8_t *to, const uint32_t *values, unsigned count)
{
	if (shape.bits == 32)
		put_row_32(to, values, count);
	else if (shape.bits == 24)
		put_row_bytes(to, values, count, 3);
	else
		put_row_16(to, values, count);
}

/* ---- cells ---- */

/* Eight pixels of a glyph's row, with what attributes draw over it. */
static uint8_t glyph_row(const struct cell *cell, const uint8_t *glyph, unsigned row)
{
	unsigned height = console_font.height;
	uint8_t bits = glyph[row];

	if (cell->attributes & CELL_ITALIC && row < height / 2)
		bits >>= 1;
	if (cell->attributes & CELL_UNDERLINE && row == height - UNDERLINE_FROM)
		bits = 0xff;
	if (cell->attributes & CELL_STRIKE && row == height / 2)
		bits = 0xff;
	return bits;
}

/* The cursor: a block exchanges the colours, a line at the bottom or the left draws over them. */
static uint8_t with_cursor(uint8_t bits, enum terminal_cursor style, unsigned row)
{
	switch (style) {
	case CURSOR_UNDERLINE:
		return row >= console_font.height - UNDERLINE_FROM ? 0xff : bits;
	case CURSOR_BAR:
		return bits | 0xc0;
	case CURSOR_BLOCK:
		break;
	}
	return (uint8_t)~bits;
}

/* The usual case: two pixels a store. */
static void put_bits_32(uint8_t *to, uint8_t bits, const uint32_t values[2])
{
	volatile uint64_t *pairs = (volatile uint64_t *)to;

	for (unsigned i = 0; i < FONT_WIDTH / 2; i++, bits = (uint8_t)(bits << 2))
		pairs[i] = (uint64_t)values[bits >> 6 & 1] << 32 | values[bits >> 7];
}

static void put_bits(unsigned x, unsigned y, uint8_t bits, const uint32_t values[2])
{
	uint32_t line[FONT_WIDTH * SCALE_MAX];

	for (unsigned i = 0; i < FONT_WIDTH * scale; i++)
		line[i] = values[bits >> (FONT_WIDTH - 1 - i / scale) & 1];
	for (unsigned copy = 0; copy < scale; copy++)
		put_row(pixel_at(x, y + copy), line, FONT_WIDTH * scale);
}

static void draw_cell(const struct display *display, unsigned row, unsigned column,
		      const struct cell *cell)
{
	struct cell_look look =
		palette_look(display->colours.palette, cell, display->colours.reverse);
	const uint32_t values[2] = {pixel_value(look.background), pixel_value(look.foreground)};
	const uint8_t *glyph = font_glyph(cell->character, cell->attributes & CELL_BOLD);
	unsigned x = column * FONT_WIDTH * scale;
	unsigned y = row * console_font.height * scale;

	for (unsigned i = 0; i < console_font.height; i++) {
		uint8_t bits = glyph_row(cell, glyph, i);

		if (cell->attributes & CELL_CURSOR)
			bits = with_cursor(bits, display->colours.cursor, i);
		if (shape.bits == 32 && scale == 1)
			put_bits_32(pixel_at(x, y + i), bits, values);
		else
			put_bits(x, y + i * scale, bits, values);
	}
}

static void draw(struct display *display, unsigned row, unsigned column, const struct cell *cells,
		 unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		draw_cell(display, row, column + i, &cells[i]);
}

/* ---- all of it ---- */

/* What lies beside the last row and column. */
static void clear_all(struct display *display)
{
	uint32_t line[FONT_WIDTH] = {0};

	(void)display;
	for (unsigned y = 0; y < shape.height; y++) {
		unsigned x = 0;

		for (; x + FONT_WIDTH <= shape.width; x += FONT_WIDTH)
			put_row(pixel_at(x, y), line, FONT_WIDTH);
		put_row_bytes(pixel_at(x, y), line, shape.width - x, shape.bits / 8);
	}
}

static const struct display_ops framebuffer_ops = {.draw = draw, .clear = clear_all};

const struct boot_framebuffer *framebuffer_shape(void)
{
	return pixels ? &shape : NULL;
}

uint8_t *framebuffer_pixels(void)
{
	return pixels;
}

/* ---- finding it ---- */

static bool channel_fits(unsigned shift, unsigned bits)
{
	return bits >= 1 && bits <= 8 && shift + bits <= shape.bits;
}

/* What the loader says is input. NULL, or what is wrong with it. */
static const char *problem(void)
{
	if (shape.bits != 32 && shape.bits != 24 && shape.bits != 16)
		return "16, 24 or 32 bits a pixel can be drawn";
	if (!channel_fits(shape.red_shift, shape.red_bits) ||
	    !channel_fits(shape.green_shift, shape.green_bits) ||
	    !channel_fits(shape.blue_shift, shape.blue_bits))
		return "its colours lie outside of a pixel";
	if (shape.width < 80 * FONT_WIDTH || shape.height < 24 * console_font.height)
		return "it is too small for 80 columns and 24 rows";
	if (shape.pitch_bytes < shape.width * (shape.bits / 8) ||
	    shape.pitch_bytes > 16 * shape.width * PIXEL_BYTES || shape.width > 16384 ||
	    shape.height > 16384)
		return "its rows make no sense";
	return NULL;
}

static bool choose_shape(void)
{
	if (boot_info->framebuffer.kind == FRAMEBUFFER_RGB) {
		shape = boot_info->framebuffer;
		return true;
	}
	return bochs_find(&shape);
}

struct display *framebuffer_find(void)
{
	const char *wrong;

	if (!choose_shape())
		return NULL;
	wrong = problem();
	if (wrong) {
		log_warn("the framebuffer (%u x %u, %u bits) is not used: %s", shape.width,
			 shape.height, shape.bits, wrong);
		return NULL;
	}
	pixels = kva_map_combining(shape.address, (size_t)shape.pitch_bytes * shape.height);
	if (!pixels)
		return NULL;
	scale = shape.width >= FINE_WIDTH ? SCALE_MAX : 1;
	framebuffer.rows = MIN(shape.height / (console_font.height * scale), (unsigned)ROWS_MAX);
	framebuffer.columns = MIN(shape.width / (FONT_WIDTH * scale), (unsigned)COLUMNS_MAX);
	clear_all(&framebuffer);
	return &framebuffer;
}
