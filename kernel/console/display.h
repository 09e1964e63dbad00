/*
 * What shows cells: text mode, pixels, or a terminal at the other end of a line. The operations do
 * not sleep where it is not said, take no lock, and are called by one thread at a time.
 */
#ifndef KERNEL_CONSOLE_DISPLAY_H
#define KERNEL_CONSOLE_DISPLAY_H

#include "terminal.h"

/* Beside enum cell_attribute, for `draw`: the cursor stands here and the display has none of its
 * own. */
#define CELL_CURSOR (1 << 10)

struct display;

struct display_cursor {
	unsigned row;
	unsigned column;
	bool shown;
	enum terminal_cursor style;
};

struct display_ops {
	/* `count` cells of `row` from `column` on; they lie within the display. */
	void (*draw)(struct display *display, unsigned row, unsigned column,
		     const struct cell *cells, unsigned count);
	/* Puts the cursor. NULL: the display has none, it is drawn by CELL_CURSOR. `cursor` is NULL
	 * for displays that know themselves where it belongs. */
	void (*cursor)(struct display *display, const struct display_cursor *cursor);
	/* The palette in `colours` is another one: for those that have one of their own. May be
	 * NULL. */
	void (*palette)(struct display *display);
	/* Makes all of it dark, also what no cell covers. NULL: the cells are all there is. */
	void (*clear)(struct display *display);
};

/* What cells are drawn with; the caller of `draw` owns it. */
struct display_colours {
	uint32_t palette[TERMINAL_PALETTE];
	bool reverse;                /* DECSCNM */
	enum terminal_cursor cursor; /* how CELL_CURSOR looks */
};

struct display {
	const struct display_ops *ops; /* constant */
	const char *name;              /* constant: for the log */
	unsigned rows;                 /* constant */
	unsigned columns;              /* constant */
	struct display_colours colours;
};

#endif
