/*
 * One place on a screen: a character, two colours, attributes. What terminals keep, what backends
 * draw.
 */
#ifndef KERNEL_CONSOLE_CELL_H
#define KERNEL_CONSOLE_CELL_H

#include <lib/types.h>

enum cell_attribute {
	CELL_BOLD = 1 << 0,
	CELL_DIM = 1 << 1,
	CELL_ITALIC = 1 << 2,
	CELL_UNDERLINE = 1 << 3,
	CELL_BLINK = 1 << 4,
	CELL_REVERSE = 1 << 5,
	CELL_INVISIBLE = 1 << 6,
	CELL_STRIKE = 1 << 7,
	CELL_WIDE = 1 << 8, /* the character takes this cell and the next, which is its CELL_TAIL */
	CELL_TAIL = 1 << 9,
	CELL_ALL = (1 << 10) - 1,
};

/* A colour: the default one, one of a palette of 256, or red, green and blue. */
typedef uint32_t colour_t;
#define COLOUR_DEFAULT       0u
#define COLOUR_INDEXED(n)    (0x01000000u | (n))
#define COLOUR_RGB(rgb)      (0x02000000u | (rgb))
#define COLOUR_IS_INDEXED(c) ((c) >> 24 == 1)
#define COLOUR_IS_RGB(c)     ((c) >> 24 == 2)
#define COLOUR_VALUE(c)      ((c)&0xffffffu)

struct cell {
	uint32_t character : 21;  /* a code point; of a CELL_TAIL: ' ' */
	uint32_t attributes : 11; /* enum cell_attribute */
	colour_t foreground;
	colour_t background;
};

static inline bool cell_equal(const struct cell *a, const struct cell *b)
{
	return a->character == b->character && a->attributes == b->attributes &&
	       a->foreground == b->foreground && a->background == b->background;
}

#endif
