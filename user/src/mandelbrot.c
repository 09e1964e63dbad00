/*
 * mandelbrot: the Mandelbrot set as wide and high as the terminal, two pixels to a character.
 *
 * A character is "upper half block": its foreground is the upper pixel, its background the lower
 * one.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/program.h"
#include "common/screen.h"

#define MAX_STEPS 200

static const char help[] = "usage: mandelbrot [--colours | --plain]\n"
			   "Draws the Mandelbrot set.\n"
			   "  --colours  in 256 colours even if standard output is no terminal\n"
			   "  --plain    in letters even if it is one\n";

/* Colours of xterm's 6x6x6 cube, from far outside to close by. */
static const unsigned char palette[] = {17,  18,  19,  20,  21,  27,  33,  39,  45,  51,
					50,  49,  48,  47,  46,  82,  118, 154, 190, 226,
					220, 214, 208, 202, 196, 197, 198, 199, 200, 201};

static const char shades[] = " .,:;-=+*#%@";

/* The part of the plane to be drawn. */
struct view {
	double left, top;
	double step_x, step_y;
};

/* The smaller of the two scales, so that the whole set is seen and is not distorted. */
static struct view view_fit(unsigned pixels_x, unsigned pixels_y, double pixel_aspect)
{
	double step = 3.2 / pixels_x;

	if (2.5 / pixels_y * pixel_aspect > step)
		step = 2.5 / pixels_y * pixel_aspect;
	return (struct view){
		.left = -0.7 - step * pixels_x / 2,
		.top = -step / pixel_aspect * pixels_y / 2,
		.step_x = step,
		.step_y = step / pixel_aspect,
	};
}

/* Steps until the point leaves the circle of radius 2; MAX_STEPS if it seems to stay. */
static unsigned escape_steps(double cx, double cy)
{
	double x = 0, y = 0, xx = 0, yy = 0;
	unsigned steps = 0;

	while (steps < MAX_STEPS && xx + yy <= 4) {
		y = 2 * x * y + cy;
		x = xx - yy + cx;
		xx = x * x;
		yy = y * y;
		steps++;
	}
	return steps;
}

static unsigned pixel(const struct view *view, unsigned column, unsigned row)
{
	return escape_steps(view->left + view->step_x * column, view->top + view->step_y * row);
}

/* Black inside; outside, colours that change quickly where steps are few and slowly near the edge.
 */
static unsigned colour_of(unsigned steps)
{
	unsigned index = 0;

	if (steps >= MAX_STEPS)
		return 16;
	for (unsigned bound = steps; bound > 12 && index < 18; bound = bound * 4 / 5)
		index++;
	index += steps < 12 ? steps : 11;
	return palette[index < sizeof(palette) ? index : sizeof(palette) - 1];
}

static void draw_colours(unsigned columns, unsigned rows)
{
	struct view view = view_fit(columns, rows * 2, 1.0);

	for (unsigned row = 0; row < rows; row++) {
		unsigned upper_before = 0, lower_before = 0;

		for (unsigned column = 0; column < columns; column++) {
			unsigned upper = colour_of(pixel(&view, column, row * 2));
			unsigned lower = colour_of(pixel(&view, column, row * 2 + 1));

			if (upper != upper_before || lower != lower_before)
				printf("\033[38;5;%u;48;5;%um", upper, lower);
			fputs("\u2580", stdout);
			upper_before = upper;
			lower_before = lower;
		}
		fputs("\033[0m\n", stdout);
		fflush(stdout);
	}
}

static void draw_plain(unsigned columns, unsigned rows)
{
	struct view view = view_fit(columns, rows, 0.5);
	const unsigned nshades = sizeof(shades) - 1;

	for (unsigned row = 0; row < rows; row++) {
		for (unsigned column = 0; column < columns; column++) {
			unsigned steps = pixel(&view, column, row);
			unsigned shade = steps >= MAX_STEPS ? nshades - 1 : steps / 2;

			putchar(shades[shade < nshades ? shade : nshades - 2]);
		}
		putchar('\n');
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct screen screen = screen_get();
	bool colours = screen.has_colours;
	unsigned rows = screen.rows > 2 ? screen.rows - 1 : 1; /* the prompt needs one */

	program_start("mandelbrot", help, argc, argv);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--colours") == 0)
			colours = true;
		else if (strcmp(argv[i], "--plain") == 0)
			colours = false;
		else
			usage_error("what is '%s'?", argv[i]);
	}
	if (colours)
		draw_colours(screen.columns, rows);
	else
		draw_plain(screen.columns, rows);
	return program_end(0);
}
