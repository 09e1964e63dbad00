/*
 * Looking up glyphs. The data is made by tools/genfont.py.
 */
#include "font.h"

#include <lib/utf8.h>

#include "codepage.h"
#include "terminal.h"

#define NO_GLYPH UINT16_MAX

static unsigned find(uint32_t character)
{
	unsigned low = 0;
	unsigned high = console_font.ncharacters;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (console_font.characters[middle].character == character)
			return console_font.characters[middle].glyph;
		if (console_font.characters[middle].character < character)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_GLYPH;
}

const uint8_t *font_glyph(uint32_t character, bool bold)
{
	const uint8_t *glyphs = bold ? console_font.bold : console_font.regular;
	unsigned glyph = find(character);

	if (glyph == NO_GLYPH && codepage_byte(character) != '?')
		glyph = find(codepage_character(codepage_byte(character)));
	if (glyph == NO_GLYPH)
		glyph = find(UTF8_REPLACEMENT);
	if (glyph == NO_GLYPH)
		glyph = find('?');
	return glyphs + (glyph == NO_GLYPH ? 0 : glyph * console_font.height);
}
