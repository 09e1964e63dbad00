/*
 * The terminal that standard output may be.
 */
#include "common/screen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct screen screen_get(void)
{
	struct screen screen = {.columns = 80, .rows = 24};
	struct winsize size;
	const char *term = getenv("TERM");

	screen.is_terminal = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
	if (screen.is_terminal && size.ws_col && size.ws_row) {
		screen.columns = size.ws_col;
		screen.rows = size.ws_row;
	}
	screen.has_colours =
		screen.is_terminal && !getenv("NO_COLOR") && !(term && strcmp(term, "dumb") == 0);
	return screen;
}
