/*
 * Words on the screen without a terminal: before there is one, and in a panic, when nobody else may
 * be asked. Draws straight on the display. Takes no lock; two who speak at once overwrite each
 * other, which a panic prevents by stopping the other CPUs.
 *
 * In a panic the screen is cleared once and filled from the top; what no longer fits is left to the
 * serial port, since what comes first says what broke.
 */
#include <arch/console.h>
#include <lib/atomic.h>
#include <lib/string.h>

#include "screen.h"
#include "screen_priv.h"

#define TAB_COLUMNS 8
#define HEADLINE    "KERNEL PANIC"

static const struct cell plain = {.character = ' '};
static const struct cell headline = {
	.character = ' ',
	.attributes = CELL_BOLD,
	.foreground = COLOUR_INDEXED(15),
	.background = COLOUR_INDEXED(1),
};

static unsigned row;     /* who speaks */
static unsigned column;  /* who speaks */
static bool in_headline; /* who speaks: up to the end of the row */
static bool terminal;    /* atomic: a terminal has the screen */
static bool panicking;   /* atomic, never false again */

static void fill_row(struct display *display, unsigned from_column, const struct cell *cell)
{
	for (unsigned i = from_column; i < display->columns; i++)
		display->ops->draw(display, row, i, cell, 1);
}

static void clear(struct display *display)
{
	if (display->ops->clear)
		display->ops->clear(display);
	for (row = 0; row < display->rows && !display->ops->clear; row++)
		fill_row(display, 0, &plain);
	row = 0;
	column = 0;
}

static void next_row(struct display *display)
{
	if (in_headline)
		fill_row(display, column, &headline);
	in_headline = false;
	column = 0;
	row++;
	if (row < display->rows || read_once(&panicking))
		return;
	clear(display);
}

static void put(struct display *display, char character)
{
	struct cell cell = in_headline ? headline : plain;

	if (character == '\n') {
		/* The screen begins with words, not with the blank rows before them. */
		if (row > 0 || column > 0)
			next_row(display);
		return;
	}
	if (character == '\t') {
		column = ALIGN_UP(column + 1, (unsigned)TAB_COLUMNS);
		return;
	}
	if (column >= display->columns)
		next_row(display);
	if (row >= display->rows)
		return;
	cell.character = (unsigned char)character;
	display->ops->draw(display, row, column++, &cell, 1);
}

static bool begins_headline(const char *text, size_t len_bytes)
{
	return len_bytes >= sizeof(HEADLINE) - 1 &&
	       memcmp(text, HEADLINE, sizeof(HEADLINE) - 1) == 0;
}

void console_screen_raw(const char *text, size_t len_bytes)
{
	struct display *display = screen_display();

	if (!display || (read_once(&terminal) && !read_once(&panicking)))
		return;
	for (size_t i = 0; i < len_bytes; i++) {
		if (column == 0 && begins_headline(text + i, len_bytes - i))
			in_headline = true;
		put(display, text[i]);
	}
}

void screen_raw_end(void)
{
	write_once(&terminal, true);
}

void screen_enter_panic(void)
{
	struct display *display = screen_display();

	write_once(&panicking, true);
	if (!display)
		return;
	if (display->ops->cursor)
		display->ops->cursor(display, &(struct display_cursor){.shown = false});
	clear(display);
}
