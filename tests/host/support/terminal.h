/*
 * A model of a terminal: as xterm behaves, as far as ksh's line editor uses it. A sequence that it
 * does not know fails the test.
 */
#ifndef TESTS_TERMINAL_H
#define TESTS_TERMINAL_H

#include <lib/types.h>

#define SCREEN_MAX 128

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

void terminal_init(struct terminal *terminal, unsigned rows, unsigned columns);
/* One byte from the program. */
void terminal_byte(struct terminal *terminal, char byte);
/* A character where the cursor stands, which moves behind it. */
void terminal_put(struct terminal *terminal, uint32_t code);

#endif
