/*
 * The console's font and logo, made at build time (tools/genfont.py). Constant data.
 */
#ifndef KERNEL_CONSOLE_FONT_H
#define KERNEL_CONSOLE_FONT_H

#include <lib/types.h>

#define FONT_WIDTH 8 /* pixels: one byte a row of a glyph, the leftmost in the highest bit */

struct font_character {
	uint16_t character;
	uint16_t glyph;
};

struct font {
	unsigned height;        /* of a glyph, in pixels, and so in bytes */
	const uint8_t *regular; /* glyph after glyph */
	const uint8_t *bold;
	const struct font_character *characters; /* sorted */
	unsigned ncharacters;
	uint32_t logo_first; /* the logo's tiles are characters from here on, row by row */
	unsigned logo_rows;
	unsigned logo_columns;
};

extern const struct font console_font;

/* The picture of a character, or of the nearest that the font has: `height` bytes. */
const uint8_t *font_glyph(uint32_t character, bool bold);

#endif
