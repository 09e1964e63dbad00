/*
 * The logo is text: with pixels of characters that the font has for it alone (logo.txt, cut into
 * tiles by tools/genfont.py), in text mode of blocks. So it scrolls away as all text does.
 */
#include "logo.h"

#include <lib/fmt.h>
#include <lib/utf8.h>

#include "font.h"

/* A colour a row of tiles: the fin, the hull, its shadow. */
static const char *const tile_colours[] = {"255;116;72", "236;240;246", "150;176;214"};

static const char *const in_text_mode[] = {
	"\033[1;31m  \u2588\u2588\u2584\033[0m\r\n",
	"\033[37m \u2580\u2588\u2588\u2588\033[7m\u2584 \u2584 \u2584 \u2584 \u2584 \u2584 "
	"\u2584\033[27m\u2588\u2588\u2584\033[0m    \033[1mFuselage\033[0m\r\n",
	"\033[1;34m    "
	"\u2580\u2580\u2580\u2584\u2588\u2588\u2588\u2588\u2580\u2580\u2580\u2580\u2580"
	"\u2580\u2580\u2580\u2580\u2580\033[0m   a hybrid kernel\r\n\r\n",
};

static void write(struct terminal *terminal, const char *format, ...) PRINTF(2, 3);
static void write(struct terminal *terminal, const char *format, ...)
{
	char text[160];
	va_list arguments;
	size_t len;

	va_start(arguments, format);
	len = kernel_format_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	terminal_feed(terminal, text, MIN(len, sizeof(text) - 1));
}

static void write_tiles(struct terminal *terminal, unsigned row)
{
	char character[4];

	for (unsigned column = 0; column < console_font.logo_columns; column++) {
		uint32_t tile = console_font.logo_first + row * console_font.logo_columns + column;

		terminal_feed(terminal, character, utf8_encode(tile, character));
	}
}

static void draw_tiles(struct terminal *terminal)
{
	static const char *const beside[] = {"", "\033[1mFuselage\033[0m", "a hybrid kernel"};

	for (unsigned row = 0; row < console_font.logo_rows; row++) {
		write(terminal, "\033[38;2;%sm ", tile_colours[row % ARRAY_SIZE(tile_colours)]);
		write_tiles(terminal, row);
		write(terminal, "\033[0m   %s\r\n", row < ARRAY_SIZE(beside) ? beside[row] : "");
	}
	write(terminal, "\r\n");
}

void logo_draw(struct terminal *terminal, bool pixels)
{
	if (pixels) {
		draw_tiles(terminal);
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(in_text_mode); i++)
		write(terminal, "%s", in_text_mode[i]);
}
