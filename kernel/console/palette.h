/*
 * Colours as numbers: the palette at power-on, and the nearest of the 16 that text modes have.
 */
#ifndef KERNEL_CONSOLE_PALETTE_H
#define KERNEL_CONSOLE_PALETTE_H

#include "cell.h"

/* The default colours' places among the first 16. */
#define PALETTE_FOREGROUND 7
#define PALETTE_BACKGROUND 0

/* 0xrrggbb of entry `index` (0 to 255) at power-on: 16 of our own, xterm's cube of 216, 24 greys.
 */
uint32_t palette_initial(unsigned index);

/* What a cell looks like, all attributes but the pictures of its character applied: 0xrrggbb.
 * `reverse_screen`: DECSCNM is set. */
struct cell_look {
	uint32_t foreground;
	uint32_t background;
};
struct cell_look palette_look(const uint32_t palette[256], const struct cell *cell,
			      bool reverse_screen);

/* The same in 16 colours: the low four bits foreground, the next four background. */
uint8_t palette_look_16(const uint32_t palette[256], const struct cell *cell, bool reverse_screen);

/* ANSI counts colours red, green, blue from the lowest bit, the PC blue, green, red: the other
 * one's number for one of 16 colours. */
unsigned palette_pc_order(unsigned colour);

/* The entry among the first 16 that comes nearest. */
unsigned palette_nearest_16(const uint32_t palette[256], uint32_t rgb);

#endif
