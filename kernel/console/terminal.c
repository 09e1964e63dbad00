/*
 * The terminal's life: its memory, power-on state, sizes, the saved cursor, the two screens.
 *
 * One block of memory holds a screen: an array of pointers to its rows, the cells, and a flag a row
 * (used in the main screen's block). Scrolling exchanges pointers and moves no cell.
 */
#include "terminal_priv.h"

#include <lib/fmt.h>
#include <lib/string.h>

#define ANSWER_BYTES 64

size_t terminal_memory_bytes(unsigned rows, unsigned columns)
{
	size_t ncells = (size_t)rows * columns;

	if (!rows || !columns || rows > TERMINAL_SIDE_MAX || columns > TERMINAL_SIDE_MAX ||
	    ncells > TERMINAL_CELLS_MAX)
		return 0;
	return rows * sizeof(struct cell *) + ncells * sizeof(struct cell) + rows * sizeof(bool);
}

static struct cell **lay_out(void *memory, unsigned rows, unsigned columns)
{
	struct cell **lines = memory;
	struct cell *cells = (struct cell *)(lines + rows);

	for (unsigned row = 0; row < rows; row++) {
		lines[row] = cells + (size_t)row * columns;
		for (unsigned column = 0; column < columns; column++)
			lines[row][column] = (struct cell){.character = ' '};
	}
	return lines;
}

static bool *row_flags(void *memory, unsigned rows, unsigned columns)
{
	return (bool *)((char *)memory + terminal_memory_bytes(rows, columns) -
			rows * sizeof(bool));
}

void terminal_answer(struct terminal *t, const char *format, ...)
{
	char text[ANSWER_BYTES];
	va_list arguments;
	size_t len;

	if (!t->host->answer || t->silent)
		return;
	va_start(arguments, format);
	len = kernel_format_list(text, sizeof(text), format, arguments);
	va_end(arguments);
	t->host->answer(t->host_argument, text, MIN(len, sizeof(text) - 1));
}

/* ---- the saved cursor ---- */

static struct terminal_place *saved_place(struct terminal *t)
{
	return &t->saved[(t->modes & MODE_ALTERNATE) != 0];
}

void terminal_place_save(struct terminal *t)
{
	t->place.origin = (t->modes & MODE_ORIGIN) != 0;
	*saved_place(t) = t->place;
}

void terminal_place_restore(struct terminal *t)
{
	t->place = *saved_place(t);
	/* It may have been saved in a window of another size. */
	t->place.row = MIN(t->place.row, t->rows - 1);
	t->place.column = MIN(t->place.column, t->columns - 1);
	t->place.wrap_pending &= t->place.column == t->columns - 1 && (t->modes & MODE_WRAP);
	t->modes = (t->modes & ~(unsigned)MODE_ORIGIN) | (t->place.origin ? MODE_ORIGIN : 0);
	if (t->modes & MODE_ORIGIN) /* and with another region; no place outside can be addressed */
		t->place.row = MIN(MAX(t->place.row, t->top), t->bottom);
}

/* ---- the two screens ---- */

static void find_alternate(struct terminal *t)
{
	void *memory = NULL;

	/* While a row is drawn again there may be no memory asked for: it is the log that draws. */
	if (t->alternate_lines || t->alternate_refused || t->silent)
		return;
	if (t->host->memory)
		memory = t->host->memory(t->host_argument,
					 terminal_memory_bytes(t->rows, t->columns));
	if (memory)
		t->alternate_lines = lay_out(memory, t->rows, t->columns);
	else
		t->alternate_refused = true;
}

void terminal_show_alternate(struct terminal *t, bool on)
{
	if (on == ((t->modes & MODE_ALTERNATE) != 0))
		return;
	if (on)
		find_alternate(t);
	t->modes ^= MODE_ALTERNATE;
	t->lines = on && t->alternate_lines ? t->alternate_lines : t->main_lines;
	cells_dirty(t, 0, t->rows - 1);
}

/* ---- power-on and sizes ---- */

void terminal_reset(struct terminal *t)
{
	terminal_show_alternate(t, false);
	t->place = (struct terminal_place){.charsets = {CHARSET_ASCII, CHARSET_LINES}};
	t->saved[0] = t->place;
	t->saved[1] = t->place;
	t->top = 0;
	t->bottom = t->rows - 1;
	t->modes = MODE_WRAP | MODE_CURSOR_SHOWN;
	t->cursor = CURSOR_BLOCK;
	t->last_character = 0;
	t->state = STATE_GROUND;
	t->utf8 = true;
	t->utf8_count = 0;
	tabs_reset(t);
	terminal_palette_reset(t);
	cells_erase_rows(t, 0, t->rows - 1);
}

void terminal_init(struct terminal *t, unsigned rows, unsigned columns, void *memory,
		   const struct terminal_host *host, void *argument)
{
	*t = (struct terminal){
		.rows = rows,
		.columns = columns,
		.host = host,
		.host_argument = argument,
		.main_lines = lay_out(memory, rows, columns),
		.dirty = row_flags(memory, rows, columns),
	};
	t->lines = t->main_lines;
	terminal_reset(t);
}

/* The rows of `from`, less the first `skip`, as far as they fit. */
static struct cell **copy_screen(const struct terminal *t, struct cell **from, unsigned skip,
				 void *memory, unsigned rows, unsigned columns)
{
	struct cell **to = lay_out(memory, rows, columns);
	unsigned common = MIN(columns, t->columns);

	for (unsigned row = 0; row < rows && row + skip < t->rows; row++) {
		memcpy(to[row], from[row + skip], common * sizeof(struct cell));
		if (to[row][common - 1].attributes & CELL_WIDE)
			to[row][common - 1] = (struct cell){.character = ' '};
	}
	return to;
}

static void fit_place(struct terminal_place *place, unsigned skip, unsigned rows, unsigned columns)
{
	place->row -= MIN(place->row, skip);
	place->row = MIN(place->row, rows - 1);
	place->column = MIN(place->column, columns - 1);
	place->wrap_pending = false;
}

void terminal_resize(struct terminal *t, unsigned rows, unsigned columns, void *memory)
{
	unsigned skip = t->place.row >= rows ? t->place.row - (rows - 1) : 0;
	bool alternate = t->lines == t->alternate_lines;
	struct cell **old_alternate = t->alternate_lines;
	void *other = NULL;

	t->main_lines = copy_screen(t, t->main_lines, skip, memory, rows, columns);
	if (old_alternate)
		other = t->host->memory(t->host_argument, terminal_memory_bytes(rows, columns));
	t->alternate_lines =
		other ? copy_screen(t, old_alternate, skip, other, rows, columns) : NULL;
	t->alternate_refused = false;
	t->lines = alternate && other ? t->alternate_lines : t->main_lines;
	t->dirty = row_flags(memory, rows, columns);
	t->rows = rows;
	t->columns = columns;
	t->top = 0;
	t->bottom = rows - 1;
	fit_place(&t->place, skip, rows, columns);
	tabs_reset(t);
	cells_dirty(t, 0, rows - 1);
}

bool terminal_is_whole(const struct terminal *t)
{
	return t->state == STATE_GROUND && t->utf8_count == 0;
}
