/*
 * The terminal as a grid of cells, each a character and colours, written at x,y: through
 * /dev/vcsa*, which every console of Linux has, or by escape sequences where there is none.
 */
#ifndef COMMON_CELLS_H
#define COMMON_CELLS_H

#include <stdbool.h>
#include <termios.h>

/* Colours of a cell: the background times 16 and the foreground; VGA's. */
enum cell_colour {
	CELL_BLACK,
	CELL_BLUE,
	CELL_GREEN,
	CELL_CYAN,
	CELL_RED,
	CELL_MAGENTA,
	CELL_BROWN,
	CELL_GREY,
	CELL_BRIGHT = 8, /* of foregrounds only */
};

#define CELL_COLOURS(foreground, background) ((unsigned char)((background) << 4 | (foreground)))

/* Characters of code page 437 that we use. */
#define CELL_BLOCK       0xdb
#define CELL_HALF_BLOCK  0xdf
#define CELL_DIAMOND     0x04
#define CELL_LINE        0xcd
#define CELL_BAR         0xba
#define CELL_TOP_LEFT    0xc9
#define CELL_TOP_RIGHT   0xbb
#define CELL_LOWER_LEFT  0xc8
#define CELL_LOWER_RIGHT 0xbc

struct cell {
	unsigned char character; /* of code page 437 */
	unsigned char colours;
};

struct cells {
	unsigned columns, rows;
	struct cell *now;   /* what is to be seen, row by row */
	struct cell *shown; /* what is seen */
	int device;         /* of /dev/vcsa*; -1: escape sequences go to the terminal */
	struct cell *saved; /* what was there before, on a device */
	unsigned char saved_cursor[2];
};

/* Takes the terminal that is standard input; what it shows comes back in the end. False: it is no
 * terminal, or there is no memory (errno). */
bool cells_open(struct cells *cells);
void cells_close(struct cells *cells);

/* Outside of the grid: nothing. They change what is to be seen; cells_show() shows it. */
void cells_put(struct cells *cells, unsigned x, unsigned y, unsigned char character,
	       unsigned char colours);
void cells_text(struct cells *cells, unsigned x, unsigned y, unsigned char colours,
		const char *text);
void cells_clear(struct cells *cells, unsigned char colours);
void cells_show(struct cells *cells);

#endif
