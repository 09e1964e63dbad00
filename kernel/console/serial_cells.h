/*
 * Single cells as a terminal's escape sequences. Pure.
 */
#ifndef KERNEL_CONSOLE_SERIAL_CELLS_H
#define KERNEL_CONSOLE_SERIAL_CELLS_H

#include "terminal.h"

/* The longest that one cell takes with its colours, or beginning or end take. */
#define SERIAL_CELL_BYTES 96

/* What goes before cells at `row`, `column` of a terminal that looks as `now`: what would keep them
 * from being drawn there is switched off. Returns the bytes; room for SERIAL_CELL_BYTES. */
size_t serial_cells_begin(const struct terminal *now, unsigned row, unsigned column, char *to,
			  size_t room_bytes);
/* As many of the cells as fit, at least one where SERIAL_CELL_BYTES do; *taken says how many. */
size_t serial_cells(const struct cell *cells, unsigned count, char *to, size_t room_bytes,
		    unsigned *taken);
/* Puts everything back to what `now` says. */
size_t serial_cells_end(const struct terminal *now, char *to, size_t room_bytes);

#endif
