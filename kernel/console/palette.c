/*
 * Colours. The first 16 are our own, chosen to be read on black: the blue is not as dark as the
 * VGA's. Bold characters in one of the first eight take its bright sister, as terminals do.
 */
#include "palette.h"

#define CUBE_FIRST  16
#define GREYS_FIRST 232
#define BRIGHT      8

static const uint32_t first_16[] = {
	0x000000, 0xc8443c, 0x4fa84a, 0xc99a2e, 0x4b78d2, 0xa85cc0, 0x34a5ad, 0xc6c6c6,
	0x6e6e6e, 0xff7468, 0x84de74, 0xf7d86a, 0x86adff, 0xdb94f2, 0x74e2e6, 0xffffff,
};

uint32_t palette_initial(unsigned index)
{
	static const uint8_t steps[] = {0, 95, 135, 175, 215, 255};
	unsigned grey;

	if (index < CUBE_FIRST)
		return first_16[index];
	if (index < GREYS_FIRST) {
		index -= CUBE_FIRST;
		return (uint32_t)steps[index / 36] << 16 | (uint32_t)steps[index / 6 % 6] << 8 |
		       steps[index % 6];
	}
	grey = 8 + 10 * (index - GREYS_FIRST);
	return grey << 16 | grey << 8 | grey;
}

/* ---- what a cell looks like ---- */

/* The colour with the bright sister for bold, the default one named. */
static colour_t effective(colour_t colour, unsigned otherwise, bool bold)
{
	if (colour == COLOUR_DEFAULT)
		colour = COLOUR_INDEXED(otherwise);
	if (bold && COLOUR_IS_INDEXED(colour) && COLOUR_VALUE(colour) < BRIGHT)
		colour += BRIGHT;
	return colour;
}

static uint32_t to_rgb(const uint32_t palette[256], colour_t colour)
{
	return COLOUR_IS_RGB(colour) ? COLOUR_VALUE(colour) : palette[COLOUR_VALUE(colour) & 0xff];
}

static uint32_t half_way(uint32_t a, uint32_t b)
{
	return ((a & 0xfefefe) >> 1) + ((b & 0xfefefe) >> 1);
}

/* Foreground and background with what exchanges them. */
static void choose(const struct cell *cell, bool reverse_screen, colour_t *foreground,
		   colour_t *background)
{
	colour_t front =
		effective(cell->foreground, PALETTE_FOREGROUND, cell->attributes & CELL_BOLD);
	colour_t back = effective(cell->background, PALETTE_BACKGROUND, false);
	bool reverse = ((cell->attributes & CELL_REVERSE) != 0) != reverse_screen;

	*foreground = reverse ? back : front;
	*background = reverse ? front : back;
	if (cell->attributes & CELL_INVISIBLE)
		*foreground = *background;
}

struct cell_look palette_look(const uint32_t palette[256], const struct cell *cell,
			      bool reverse_screen)
{
	struct cell_look look;
	colour_t foreground;
	colour_t background;

	choose(cell, reverse_screen, &foreground, &background);
	look.foreground = to_rgb(palette, foreground);
	look.background = to_rgb(palette, background);
	if (cell->attributes & CELL_DIM)
		look.foreground = half_way(look.foreground, look.background);
	return look;
}

/* ---- sixteen colours ---- */

unsigned palette_pc_order(unsigned colour)
{
	return (colour & 0xa) | (colour & 1) << 2 | (colour >> 2 & 1);
}

/* Squares of the differences, weighted as the eye does it, roughly. */
static uint32_t distance(uint32_t a, uint32_t b)
{
	int32_t red = (int32_t)(a >> 16 & 0xff) - (int32_t)(b >> 16 & 0xff);
	int32_t green = (int32_t)(a >> 8 & 0xff) - (int32_t)(b >> 8 & 0xff);
	int32_t blue = (int32_t)(a & 0xff) - (int32_t)(b & 0xff);

	return (uint32_t)(3 * red * red + 4 * green * green + 2 * blue * blue);
}

unsigned palette_nearest_16(const uint32_t palette[256], uint32_t rgb)
{
	unsigned best = 0;

	for (unsigned i = 1; i < 16; i++) {
		if (distance(palette[i], rgb) < distance(palette[best], rgb))
			best = i;
	}
	return best;
}

static unsigned to_16(const uint32_t palette[256], colour_t colour)
{
	if (COLOUR_IS_INDEXED(colour) && COLOUR_VALUE(colour) < 16)
		return COLOUR_VALUE(colour);
	return palette_nearest_16(palette, to_rgb(palette, colour));
}

uint8_t palette_look_16(const uint32_t palette[256], const struct cell *cell, bool reverse_screen)
{
	colour_t foreground;
	colour_t background;
	unsigned front;
	unsigned back;

	choose(cell, reverse_screen, &foreground, &background);
	front = to_16(palette, foreground);
	back = to_16(palette, background);
	/* Something that is there must not vanish because both became the same colour. */
	if (front == back && foreground != background)
		front = back == 0 ? BRIGHT : back ^ BRIGHT;
	return (uint8_t)(back << 4 | front);
}
