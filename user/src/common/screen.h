/*
 * The terminal that standard output may be.
 */
#ifndef COMMON_SCREEN_H
#define COMMON_SCREEN_H

#include <stdbool.h>

struct screen {
	unsigned columns;
	unsigned rows;
	bool is_terminal;
	bool has_colours; /* a terminal, and neither NO_COLOR nor TERM=dumb says otherwise */
};

/* Asks for the size; 80 x 24 where there is no terminal or it does not know. */
struct screen screen_get(void);

#endif
