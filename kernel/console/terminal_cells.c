/*
 * The grid and the cursor. Invariants, whatever is done: the cursor is inside the screen; the
 * region's top is above its bottom; a cell with CELL_WIDE is followed by one with CELL_TAIL in its
 * row, and a CELL_TAIL follows one with CELL_WIDE.
 *
 * What is erased takes the background of the pen and nothing else of it, as xterm does it (terminfo
 * calls it `bce`).
 */
#include "terminal_priv.h"

#include <lib/string.h>
#include <lib/utf8.h>

#define TAB_COLUMNS 8

static struct cell blank(const struct terminal *t)
{
	return (struct cell){.character = ' ', .background = t->place.pen.background};
}

void cells_dirty(struct terminal *t, unsigned first_row, unsigned last_row)
{
	memset(t->dirty + first_row, true, (last_row - first_row + 1) * sizeof(bool));
}

/* ---- rows of cells ---- */

/* What begins at `column` is changed: a wide character that lies across the border goes. */
static void split_at(struct terminal *t, unsigned row, unsigned column)
{
	struct cell *cells = t->lines[row];

	if (column == 0 || column >= t->columns || !(cells[column].attributes & CELL_TAIL))
		return;
	cells[column].attributes &= ~(unsigned)CELL_TAIL;
	cells[column - 1].attributes &= ~(unsigned)CELL_WIDE;
	cells[column - 1].character = ' ';
}

static void fill(struct terminal *t, unsigned row, unsigned first, unsigned end)
{
	const struct cell cell = blank(t);

	for (unsigned column = first; column < end; column++)
		t->lines[row][column] = cell;
}

void cells_erase(struct terminal *t, unsigned row, unsigned first, unsigned last)
{
	split_at(t, row, first);
	split_at(t, row, last + 1);
	fill(t, row, first, last + 1);
	t->dirty[row] = true;
}

void cells_erase_rows(struct terminal *t, unsigned first, unsigned last)
{
	for (unsigned row = first; row <= last; row++)
		fill(t, row, 0, t->columns);
	cells_dirty(t, first, last);
}

void cells_insert(struct terminal *t, unsigned count)
{
	unsigned row = t->place.row;
	unsigned column = t->place.column;
	struct cell *cells = t->lines[row];

	count = MIN(count, t->columns - column);
	split_at(t, row, column);
	split_at(t, row, t->columns - count);
	memmove(cells + column + count, cells + column,
		(t->columns - column - count) * sizeof(struct cell));
	fill(t, row, column, column + count);
	t->dirty[row] = true;
}

void cells_delete(struct terminal *t, unsigned count)
{
	unsigned row = t->place.row;
	unsigned column = t->place.column;
	struct cell *cells = t->lines[row];

	count = MIN(count, t->columns - column);
	split_at(t, row, column);
	split_at(t, row, column + count);
	memmove(cells + column, cells + column + count,
		(t->columns - column - count) * sizeof(struct cell));
	fill(t, row, t->columns - count, t->columns);
	t->dirty[row] = true;
}

/* ---- scrolling ---- */

static void keep_history(struct terminal *t, unsigned count)
{
	if (!t->host->history || t->lines != t->main_lines)
		return;
	for (unsigned row = 0; row < count; row++)
		t->host->history(t->host_argument, t->lines[row], t->columns);
}

static void reverse(struct cell **lines, unsigned count)
{
	for (unsigned i = 0; i < count / 2; i++) {
		struct cell *line = lines[i];

		lines[i] = lines[count - 1 - i];
		lines[count - 1 - i] = line;
	}
}

/* The first `by` of `count` lines go behind the others. */
static void rotate(struct cell **lines, unsigned count, unsigned by)
{
	reverse(lines, by);
	reverse(lines + by, count - by);
	reverse(lines, count);
}

void cells_scroll_up(struct terminal *t, unsigned top, unsigned bottom, unsigned count)
{
	unsigned height = bottom - top + 1;

	count = MIN(count, height);
	if (top == 0)
		keep_history(t, count);
	rotate(t->lines + top, height, count);
	for (unsigned row = bottom + 1 - count; row <= bottom; row++)
		fill(t, row, 0, t->columns);
	cells_dirty(t, top, bottom);
}

void cells_scroll_down(struct terminal *t, unsigned top, unsigned bottom, unsigned count)
{
	unsigned height = bottom - top + 1;

	count = MIN(count, height);
	rotate(t->lines + top, height, height - count);
	for (unsigned row = top; row < top + count; row++)
		fill(t, row, 0, t->columns);
	cells_dirty(t, top, bottom);
}

/* ---- the cursor ---- */

void cursor_move(struct terminal *t, unsigned row, unsigned column)
{
	t->place.row = MIN(row, t->rows - 1);
	t->place.column = MIN(column, t->columns - 1);
	t->place.wrap_pending = false;
}

void cursor_address(struct terminal *t, unsigned row, unsigned column)
{
	if (t->modes & MODE_ORIGIN)
		row = MIN(row + t->top, t->bottom);
	cursor_move(t, row, column);
}

/* Outside of the region the screen's edge is the limit. */
void cursor_up(struct terminal *t, unsigned count)
{
	unsigned limit = t->place.row >= t->top ? t->top : 0;

	cursor_move(t, t->place.row - MIN(count, t->place.row - limit), t->place.column);
}

void cursor_down(struct terminal *t, unsigned count)
{
	unsigned limit = t->place.row <= t->bottom ? t->bottom : t->rows - 1;

	cursor_move(t, MIN(t->place.row + count, limit), t->place.column);
}

/* With ?45 the row above continues a row to the left, from column 0 on; as in cursor_up(). */
void cursor_left(struct terminal *t, unsigned count)
{
	struct terminal_place *place = &t->place;
	unsigned limit = place->row >= t->top ? t->top : 0;

	if ((t->modes & MODE_REVERSE_WRAP) && (t->modes & MODE_WRAP)) {
		while (count > place->column && place->row > limit) {
			count -= place->column + 1;
			cursor_move(t, place->row - 1, t->columns - 1);
		}
	}
	cursor_move(t, place->row, place->column - MIN(count, place->column));
}

void cursor_index(struct terminal *t)
{
	t->place.wrap_pending = false;
	if (t->place.row == t->bottom)
		cells_scroll_up(t, t->top, t->bottom, 1);
	else if (t->place.row + 1 < t->rows)
		t->place.row++;
}

void cursor_reverse_index(struct terminal *t)
{
	t->place.wrap_pending = false;
	if (t->place.row == t->top)
		cells_scroll_down(t, t->top, t->bottom, 1);
	else if (t->place.row > 0)
		t->place.row--;
}

/* ---- tabulators ---- */

static bool tab_at(const struct terminal *t, unsigned column)
{
	return t->tabs[column / 64] >> (column % 64) & 1;
}

void tab_set(struct terminal *t, unsigned column, bool on)
{
	uint64_t bit = UINT64_C(1) << (column % 64);

	t->tabs[column / 64] = (t->tabs[column / 64] & ~bit) | (on ? bit : 0);
}

void tabs_reset(struct terminal *t)
{
	memset(t->tabs, 0, sizeof(t->tabs));
	for (unsigned column = TAB_COLUMNS; column < TERMINAL_SIDE_MAX; column += TAB_COLUMNS)
		tab_set(t, column, true);
}

void cursor_tab(struct terminal *t, unsigned count)
{
	unsigned column = t->place.column;

	for (; count > 0 && column + 1 < t->columns; count--) {
		do {
			column++;
		} while (column + 1 < t->columns && !tab_at(t, column));
	}
	/* A row that is full stays so: a tabulator does not move to the next one. */
	t->place.column = column;
}

void cursor_tab_back(struct terminal *t, unsigned count)
{
	unsigned column = t->place.column;

	for (; count > 0 && column > 0; count--) {
		do {
			column--;
		} while (column > 0 && !tab_at(t, column));
	}
	cursor_move(t, t->place.row, column);
}

/* ---- characters ---- */

static void put(struct terminal *t, uint32_t character, unsigned width)
{
	const struct terminal_place *place = &t->place;
	struct cell *cells = t->lines[place->row] + place->column;

	split_at(t, place->row, place->column);
	split_at(t, place->row, place->column + width);
	cells[0] = (struct cell){
		.character = character,
		.attributes = place->pen.attributes | (width == 2 ? CELL_WIDE : 0),
		.foreground = place->pen.foreground,
		.background = place->pen.background,
	};
	if (width == 2) {
		cells[1] = cells[0];
		cells[1].character = ' ';
		cells[1].attributes = place->pen.attributes | CELL_TAIL;
	}
	t->dirty[place->row] = true;
}

static void wrap(struct terminal *t)
{
	t->place.column = 0;
	cursor_index(t);
}

void terminal_print(struct terminal *t, uint32_t character)
{
	unsigned width = character < 0x300 ? 1 : utf8_cells(character);
	struct terminal_place *place = &t->place;

	if (width == 0 || width > t->columns)
		return;
	if (place->wrap_pending && (t->modes & MODE_WRAP))
		wrap(t);
	place->wrap_pending = false;
	if (place->column + width > t->columns) {
		if (!(t->modes & MODE_WRAP))
			return; /* half a character is none */
		wrap(t);
	}
	if (t->modes & MODE_INSERT)
		cells_insert(t, width);
	put(t, character, width);
	t->last_character = character;
	if (place->column + width < t->columns) {
		place->column += width;
	} else {
		place->column = t->columns - 1;
		place->wrap_pending = (t->modes & MODE_WRAP) != 0;
	}
}

/* ---- cells from outside ---- */

static bool is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

static void clean(struct cell *cell, bool follows, bool leads)
{
	unsigned width = is_control(cell->character) ? 0 : utf8_cells(cell->character);

	cell->attributes &= CELL_ALL;
	if (cell->attributes & CELL_TAIL) {
		if (!leads)
			cell->attributes &= ~(unsigned)CELL_TAIL;
		cell->character = ' ';
	} else if (width == 0) {
		cell->character = ' ';
	} else if (width == 2 && !(cell->attributes & CELL_WIDE && follows)) {
		cell->character = UTF8_REPLACEMENT;
	}
	if (cell->attributes & CELL_WIDE && (width != 2 || !follows))
		cell->attributes &= ~(unsigned)CELL_WIDE;
}

void terminal_clean_cells(struct cell *cells, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		bool follows = i + 1 < count && (cells[i + 1].attributes & CELL_TAIL);
		bool leads = i > 0 && (cells[i - 1].attributes & CELL_WIDE);

		clean(&cells[i], follows, leads);
	}
}

void terminal_put_cells(struct terminal *t, unsigned row, unsigned column, const struct cell *cells,
			unsigned count)
{
	split_at(t, row, column);
	split_at(t, row, column + count);
	memcpy(t->lines[row] + column, cells, count * sizeof(struct cell));
	t->dirty[row] = true;
}
