/*
 * mandelbrot: the Mandelbrot set as wide and high as the terminal, two pixels to a character.
 *
 * A character is "upper half block": its foreground is the upper pixel, its background the lower
 * one. With --fb it is the screen's own pixels.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/framebuffer.h"
#include "common/keys.h"
#include "common/program.h"
#include "common/screen.h"

#define MAX_STEPS 200

static const char help[] =
	"usage: mandelbrot [--colours | --plain | --fb]\n"
	"Draws the Mandelbrot set.\n"
	"  --colours  in 256 colours even if standard output is no terminal\n"
	"  --plain    in letters even if it is one\n"
	"  --fb       on the screen's pixels (/dev/fb0), until a key is pressed\n";

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

/* ---- pixels ---- */

/* Rows that are computed once and then drawn as often: a picture in coarse rows comes first. */
#define COARSE_ROWS 8

/* Colours of the 256-colour terminal's cube as red, green and blue. */
static uint32_t cube_pixel(const struct framebuffer *framebuffer, unsigned colour)
{
	static const unsigned char steps[] = {0, 95, 135, 175, 215, 255};

	colour -= 16;
	return framebuffer_pixel(framebuffer, steps[colour / 36], steps[colour / 6 % 6],
				 steps[colour % 6]);
}

/* False: a key was pressed. */
static bool draw_pixel_rows(struct framebuffer *framebuffer, const struct view *view,
			    uint32_t *line, unsigned first, unsigned every, struct keys *keys)
{
	for (unsigned row = first; row < framebuffer->height; row += every) {
		for (unsigned column = 0; column < framebuffer->width; column++)
			line[column] = cube_pixel(framebuffer, colour_of(pixel(view, column, row)));
		framebuffer_put(framebuffer, 0, row, line, framebuffer->width);
		if (keys->is_terminal && keys_read(keys, 0).code != KEY_NONE)
			return false;
	}
	return true;
}

static void draw_and_wait(struct framebuffer *framebuffer, uint32_t *line)
{
	struct view view = view_fit(framebuffer->width, framebuffer->height, 1.0);
	struct keys keys;
	bool goes_on = true;

	keys_start(&keys, STDIN_FILENO);
	for (unsigned first = 0; first < COARSE_ROWS && goes_on; first++)
		goes_on = draw_pixel_rows(framebuffer, &view, line, first, COARSE_ROWS, &keys);
	if (goes_on && keys.is_terminal)
		keys_read(&keys, -1);
	keys_end(&keys);
}

static int draw_framebuffer(void)
{
	struct framebuffer framebuffer;
	uint32_t *line;
	int status = 1;

	if (!framebuffer_open(&framebuffer)) {
		complain_errno("/dev/fb0");
		return 1;
	}
	line = malloc(framebuffer.width * sizeof(*line));
	if (line) {
		draw_and_wait(&framebuffer, line);
		status = 0;
	}
	framebuffer_close(&framebuffer);
	if (!line)
		complain("no memory for a row of pixels");
	free(line);
	return status;
}

int main(int argc, char **argv)
{
	struct screen screen = screen_get();
	bool colours = screen.has_colours;
	bool pixels = false;
	unsigned rows = screen.rows > 2 ? screen.rows - 1 : 1; /* the prompt needs one */

	program_start("mandelbrot", help, argc, argv);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--colours") == 0)
			colours = true;
		else if (strcmp(argv[i], "--plain") == 0)
			colours = false;
		else if (strcmp(argv[i], "--fb") == 0)
			pixels = true;
		else
			usage_error("what is '%s'?", argv[i]);
	}
	if (pixels)
		return program_end(draw_framebuffer());
	if (colours)
		draw_colours(screen.columns, rows);
	else
		draw_plain(screen.columns, rows);
	return program_end(0);
}
