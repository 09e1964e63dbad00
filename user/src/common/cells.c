/*
 * The terminal as a grid of cells (see the header). Linux's vcs(4): /dev/vcsaN begins with the
 * number of rows, of columns, and the cursor's x and y, a byte each; then come all cells.
 */
#include "common/cells.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HEADER_BYTES  4
#define TTY_MAJOR     4
#define SERIAL_MINOR  64 /* /dev/ttyS0 */
#define CONSOLE_MAJOR 5
#define CONSOLE_MINOR 1

/* ---- the device ---- */

/* The device of the terminal that is standard input. False: it can have none. */
static bool device_name(char *name, size_t name_bytes)
{
	struct stat status;
	unsigned number;

	if (fstat(STDIN_FILENO, &status) != 0)
		return false;
	number = minor(status.st_rdev);
	if (major(status.st_rdev) == CONSOLE_MAJOR && number == CONSOLE_MINOR)
		snprintf(name, name_bytes, "/dev/vcsa");
	else if (major(status.st_rdev) != TTY_MAJOR)
		return false;
	else if (number >= SERIAL_MINOR)
		snprintf(name, name_bytes, "/dev/vcsaS%u", number - SERIAL_MINOR);
	else
		snprintf(name, name_bytes, "/dev/vcsa%u", number);
	return true;
}

static size_t all_bytes(const struct cells *cells)
{
	return (size_t)cells->rows * cells->columns * sizeof(struct cell);
}

static bool open_device(struct cells *cells)
{
	unsigned char header[HEADER_BYTES];
	char name[32];

	if (!device_name(name, sizeof(name)))
		return false;
	cells->device = open(name, O_RDWR | O_CLOEXEC);
	if (cells->device < 0)
		return false;
	if (pread(cells->device, header, sizeof(header), 0) == sizeof(header)) {
		cells->rows = header[0];
		cells->columns = header[1];
		memcpy(cells->saved_cursor, header + 2, sizeof(cells->saved_cursor));
		if (cells->rows && cells->columns)
			return true;
	}
	close(cells->device);
	cells->device = -1;
	return false;
}

static bool save_device(struct cells *cells)
{
	cells->saved = malloc(all_bytes(cells));
	if (!cells->saved)
		return false;
	return pread(cells->device, cells->saved, all_bytes(cells), HEADER_BYTES) ==
	       (ssize_t)all_bytes(cells);
}

static void write_device(struct cells *cells, unsigned first, unsigned count)
{
	(void)!pwrite(cells->device, cells->now + first, count * sizeof(struct cell),
		      (off_t)(HEADER_BYTES + first * sizeof(struct cell)));
}

/* ---- escape sequences ---- */

static const char *utf8(unsigned char character, char text[2])
{
	switch (character) {
	case CELL_BLOCK:
		return "\u2588";
	case CELL_HALF_BLOCK:
		return "\u2580";
	case CELL_DIAMOND:
		return "\u2666";
	case CELL_LINE:
		return "\u2550";
	case CELL_BAR:
		return "\u2551";
	case CELL_TOP_LEFT:
		return "\u2554";
	case CELL_TOP_RIGHT:
		return "\u2557";
	case CELL_LOWER_LEFT:
		return "\u255a";
	case CELL_LOWER_RIGHT:
		return "\u255d";
	default:
		text[0] = (char)(character >= 0x20 && character < 0x7f ? character : '?');
		text[1] = '\0';
		return text;
	}
}

static void write_colours(unsigned char colours)
{
	/* VGA counts blue, green, red; a terminal red, green, blue. */
	static const unsigned char order[] = {0, 4, 2, 6, 1, 5, 3, 7};
	unsigned foreground = order[colours & 7] + (colours & CELL_BRIGHT ? 90 : 30);

	printf("\033[0;%u;%um", foreground, 40u + order[colours >> 4 & 7]);
}

static void write_escapes(struct cells *cells, unsigned first, unsigned count)
{
	int colours = -1;
	char text[2];

	printf("\033[%u;%uH", first / cells->columns + 1, first % cells->columns + 1);
	for (unsigned i = first; i < first + count; i++) {
		if (cells->now[i].colours != colours) {
			colours = cells->now[i].colours;
			write_colours((unsigned char)colours);
		}
		fputs(utf8(cells->now[i].character, text), stdout);
	}
}

/* ---- both ---- */

void cells_put(struct cells *cells, unsigned x, unsigned y, unsigned char character,
	       unsigned char colours)
{
	if (x < cells->columns && y < cells->rows)
		cells->now[y * cells->columns + x] = (struct cell){character, colours};
}

void cells_text(struct cells *cells, unsigned x, unsigned y, unsigned char colours,
		const char *text)
{
	for (; *text; text++)
		cells_put(cells, x++, y, (unsigned char)*text, colours);
}

void cells_clear(struct cells *cells, unsigned char colours)
{
	for (unsigned i = 0; i < cells->rows * cells->columns; i++)
		cells->now[i] = (struct cell){' ', colours};
}

static bool differs(const struct cells *cells, unsigned i)
{
	return memcmp(&cells->now[i], &cells->shown[i], sizeof(struct cell)) != 0;
}

/* In pieces without a gap, each within a row. */
void cells_show(struct cells *cells)
{
	for (unsigned row = 0; row < cells->rows; row++) {
		unsigned end = (row + 1) * cells->columns;
		unsigned i = row * cells->columns;

		while (i < end) {
			unsigned first;

			for (; i < end && !differs(cells, i); i++)
				;
			for (first = i; i < end && differs(cells, i); i++)
				cells->shown[i] = cells->now[i];
			if (i == first)
				continue;
			if (cells->device >= 0)
				write_device(cells, first, i - first);
			else
				write_escapes(cells, first, i - first);
		}
	}
	if (cells->device < 0)
		fputs("\033[0m", stdout);
	fflush(stdout);
}

bool cells_open(struct cells *cells)
{
	struct winsize size;

	*cells = (struct cells){.device = -1};
	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0)
		return false;
	if (!open_device(cells)) {
		cells->columns = size.ws_col ? size.ws_col : 80;
		cells->rows = size.ws_row ? size.ws_row : 24;
	}
	cells->now = calloc(1, all_bytes(cells));
	cells->shown = calloc(1, all_bytes(cells)); /* no cell is like these */
	if (!cells->now || !cells->shown || (cells->device >= 0 && !save_device(cells))) {
		cells_close(cells);
		return false;
	}
	fputs(cells->device >= 0 ? "\033[?25l" : "\033[?1049h\033[?25l", stdout);
	fflush(stdout);
	return true;
}

void cells_close(struct cells *cells)
{
	int error = errno;

	if (cells->device >= 0 && cells->saved) {
		(void)!pwrite(cells->device, cells->saved, all_bytes(cells), HEADER_BYTES);
		(void)!pwrite(cells->device, cells->saved_cursor, sizeof(cells->saved_cursor), 2);
	}
	if (cells->device >= 0)
		close(cells->device);
	if (cells->shown)
		fputs(cells->device >= 0 ? "\033[?25h" : "\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	free(cells->now);
	free(cells->shown);
	free(cells->saved);
	*cells = (struct cells){.device = -1};
	errno = error;
}
