/*
 * The terminal's model: the screen's cells, the cursor, wrapping as terminals do it (a full row
 * does not wrap before there is something to put behind it), scrolling. Pure.
 */
#include "terminal.h"

#include <lib/utf8.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CELL_SECOND_HALF 1 /* of a wide character */

void terminal_init(struct terminal *t, unsigned rows, unsigned columns)
{
	*t = (struct terminal){.rows = rows, .columns = columns};
	for (unsigned r = 0; r < SCREEN_MAX; r++)
		for (unsigned c = 0; c < SCREEN_MAX; c++)
			t->cells[r][c] = ' ';
}

static void line_feed_down(struct terminal *t)
{
	if (t->row + 1 < t->rows) {
		t->row++;
		return;
	}
	memmove(t->cells[0], t->cells[1], sizeof(t->cells[0]) * (t->rows - 1));
	for (unsigned c = 0; c < SCREEN_MAX; c++)
		t->cells[t->rows - 1][c] = ' ';
	t->scrolled++;
}

void terminal_put(struct terminal *t, uint32_t code)
{
	unsigned width = utf8_cells(code);

	if (width == 0)
		return;
	if (t->wrap_pending || t->column + width > t->columns) {
		t->column = 0;
		t->wrap_pending = false;
		line_feed_down(t);
	}
	t->cells[t->row][t->column] = code;
	if (width == 2)
		t->cells[t->row][t->column + 1] = CELL_SECOND_HALF;
	t->column += width;
	if (t->column == t->columns) {
		t->column--;
		t->wrap_pending = true;
	}
}

static void erase_below(struct terminal *t)
{
	for (unsigned c = t->column; c < t->columns; c++)
		t->cells[t->row][c] = ' ';
	for (unsigned r = t->row + 1; r < t->rows; r++)
		for (unsigned c = 0; c < t->columns; c++)
			t->cells[r][c] = ' ';
}

static void control_sequence(struct terminal *t, char final, unsigned number)
{
	unsigned count = number ? number : 1;

	if (final != 'm')
		t->wrap_pending = false;
	switch (final) {
	case 'A':
		t->row -= MIN(count, t->row);
		break;
	case 'C':
		t->column = MIN(t->column + count, t->columns - 1);
		break;
	case 'D':
		t->column -= MIN(count, t->column);
		break;
	case 'H':
		t->row = 0;
		t->column = 0;
		break;
	case 'J':
		if (number == 2) {
			unsigned row = t->row, column = t->column;

			t->row = 0;
			t->column = 0;
			erase_below(t);
			t->row = row;
			t->column = column;
		} else {
			erase_below(t);
		}
		break;
	case 'm':
		break;
	default:
		fail_msg("the model does not know the sequence ESC [ %u %c", number, final);
	}
}

void terminal_byte(struct terminal *t, char byte)
{
	uint32_t code;

	t->pending[t->npending++] = byte;
	assert_true(t->npending < sizeof(t->pending));
	if (t->pending[0] == '\033') {
		if (t->npending < 3 || byte < 0x40)
			return;
		control_sequence(t, byte, (unsigned)atoi(t->pending + 2));
	} else if (t->pending[0] == '\r') {
		t->column = 0;
		t->wrap_pending = false;
	} else if (t->pending[0] == '\n') {
		line_feed_down(t);
		t->wrap_pending = false;
	} else if (t->pending[0] == '\a') {
		t->bells++;
	} else {
		if (t->npending < utf8_sequence_bytes((unsigned char)t->pending[0]))
			return;
		utf8_decode(t->pending, t->npending, &code);
		terminal_put(t, code);
	}
	memset(t->pending, 0, sizeof(t->pending));
	t->npending = 0;
}
