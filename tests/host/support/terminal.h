/*
 * A model of a terminal for tests of what is drawn on one: xterm's behaviour, as far as ksh's line
 * editor uses it.
 */
#ifndef SUPPORT_TERMINAL_H
#define SUPPORT_TERMINAL_H

#include <lib/types.h>

#define SCREEN_MAX       128
#define CELL_SECOND_HALF 1 /* of a wide character */

struct terminal {
	unsigned rows, columns;
	unsigned row, column;
	bool wrap_pending; /* the last column was written, the next character wraps */
	unsigned scrolled; /* rows that left at the top */
	unsigned bells;
	uint32_t cells[SCREEN_MAX][SCREEN_MAX];
	/* bytes that did not make a whole sequence yet */
	char pending[32];
	size_t npending;
};

/* A blank screen with the cursor in the corner. */
void terminal_init(struct terminal *t, unsigned rows, unsigned columns);
/* One character, where the cursor stands. */
void terminal_put(struct terminal *t, uint32_t code);
/* One byte that a program writes. */
void terminal_byte(struct terminal *t, char byte);

#endif
