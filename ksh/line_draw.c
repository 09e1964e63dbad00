/*
 * Drawing the line, on as many rows as it takes. Every draw goes back to the line's first row,
 * clears what is below and writes it all; only a character typed at the end is written alone. A
 * line with more rows than the window shows the rows around the cursor. Positions are computed the
 * way terminals wrap: a character that does not fit in the row begins the next one, and a full row
 * does not wrap before there is something to put behind it.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "line.h"
#include <lib/utf8.h>

struct position {
	unsigned row;
	unsigned column; /* may be `columns`: the row is full */
};

/* What is to be shown: the line, or the search. */
struct view {
	char prompt[PROMPT_BYTES + QUERY_BYTES_MAX];
	const char *text;
	size_t len;
	size_t cursor;
};

/* Collects output so that one draw is few writes. */
struct pen {
	struct line *line;
	char buffer[256];
	size_t len;
};

static void pen_flush(struct pen *pen)
{
	if (pen->len)
		pen->line->host.write(pen->line->host.argument, pen->buffer, pen->len);
	pen->len = 0;
}

static void pen_put(struct pen *pen, const char *bytes, size_t nbytes)
{
	if (pen->len + nbytes > sizeof(pen->buffer))
		pen_flush(pen);
	if (nbytes > sizeof(pen->buffer)) {
		pen->line->host.write(pen->line->host.argument, bytes, nbytes);
		return;
	}
	memcpy(pen->buffer + pen->len, bytes, nbytes);
	pen->len += nbytes;
}

static void pen_text(struct pen *pen, const char *text)
{
	pen_put(pen, text, strlen(text));
}

/* Moves the cursor `count` cells or rows in the direction that `letter` names: A up, C right. */
static void pen_move(struct pen *pen, unsigned count, char letter)
{
	char sequence[16];

	if (count) {
		kernel_format(sequence, sizeof(sequence), "\033[%u%c", count, letter);
		pen_text(pen, sequence);
	}
}

static struct position advance(struct position at, unsigned cells, unsigned columns)
{
	if (cells && at.column + cells > columns) {
		at.row++;
		at.column = 0;
	}
	at.column += cells;
	return at;
}

/* Where the cursor stands that comes after `at`: a full row's is at the start of the next. */
static struct position cursor_cell(struct position at, unsigned columns)
{
	return at.column >= columns ? (struct position){.row = at.row + 1} : at;
}

static struct position prompt_end(const char *prompt, unsigned columns)
{
	unsigned cells = (unsigned)utf8_text_cells(prompt);

	return (struct position){.row = cells / columns, .column = cells % columns};
}

static struct position text_end(struct position at, const char *text, size_t len, unsigned columns)
{
	uint32_t code;

	for (size_t i = 0; i < len;) {
		i += utf8_decode(text + i, len - i, &code);
		at = advance(at, utf8_cells(code), columns);
	}
	return at;
}

static void make_view(const struct line *line, struct view *view)
{
	const char *match;
	const char *hit;

	if (!line->searching) {
		string_copy(view->prompt, sizeof(view->prompt), line->prompt);
		view->text = line->text;
		view->len = line->len;
		view->cursor = line->cursor;
		return;
	}
	kernel_format(view->prompt, sizeof(view->prompt),
		      "(%s `%s'): ", line->search_failed ? "no line has" : "search", line->query);
	match = history_line(line->history, line->found);
	view->text = match ? match : line->text;
	view->len = strlen(view->text);
	hit = match ? strstr(match, line->query) : NULL;
	view->cursor = hit ? (size_t)(hit - match) : view->len;
}

static void measure_window(struct line *line)
{
	unsigned rows = 0;
	unsigned columns = 0;

	line->host.window(line->host.argument, &rows, &columns);
	line->screen.rows = rows >= 2 ? rows : 24; /* 0: the terminal did not say */
	line->screen.columns = columns >= 8 ? columns : 80;
}

/* Writes the characters whose rows lie in [first, first + rows). Returns where the last one ended.
 */
static struct position draw_text(struct pen *pen, const struct view *view, unsigned first)
{
	unsigned columns = pen->line->screen.columns;
	unsigned rows = pen->line->screen.rows;
	struct position at = prompt_end(view->prompt, columns);
	struct position drawn = at;
	uint32_t code;

	for (size_t i = 0; i < view->len;) {
		size_t nbytes = utf8_decode(view->text + i, view->len - i, &code);

		at = advance(at, utf8_cells(code), columns);
		if (at.row >= first + rows)
			break;
		if (at.row >= first) {
			if (code == UTF8_REPLACEMENT || code < 0x20)
				pen_text(pen, UTF8_REPLACEMENT_BYTES);
			else
				pen_put(pen, view->text + i, nbytes);
			drawn = at;
		}
		i += nbytes;
	}
	return drawn;
}

static void go_to_first_row(struct pen *pen)
{
	if (pen->line->screen.drawn) {
		pen_text(pen, "\r");
		pen_move(pen, pen->line->screen.cursor_row, 'A');
	}
	pen_text(pen, "\r\033[J");
}

void line_draw(struct line *line)
{
	struct pen pen = {.line = line};
	struct position start, end, cursor, drawn;
	unsigned columns, rows;
	unsigned first = 0;
	struct view view;

	make_view(line, &view);
	measure_window(line);
	columns = line->screen.columns;
	rows = line->screen.rows;
	start = prompt_end(view.prompt, columns);
	cursor = cursor_cell(text_end(start, view.text, view.cursor, columns), columns);
	end = cursor_cell(text_end(start, view.text, view.len, columns), columns);
	if (end.row >= rows && cursor.row >= rows / 2)
		first = MIN(cursor.row - rows / 2, end.row - rows + 1);

	go_to_first_row(&pen);
	if (!first)
		pen_text(&pen, view.prompt);
	drawn = draw_text(&pen, &view, first);
	if (drawn.column >= columns && drawn.row + 1 < first + rows) {
		pen_text(&pen, "\r\n");
		drawn = (struct position){.row = drawn.row + 1};
	}
	if (drawn.row == cursor.row) {
		/* No carriage return: what was written since the last one draws the row anew. */
		pen_move(&pen, drawn.column - cursor.column, 'D');
	} else {
		pen_text(&pen, "\r");
		pen_move(&pen, drawn.row - cursor.row, 'A');
		pen_move(&pen, cursor.column, 'C');
	}
	pen_flush(&pen);
	line->screen.cursor_row = cursor.row - first;
	line->screen.one_row = end.row == 0;
	line->screen.drawn = true;
}

bool line_draw_appended(struct line *line, const char *bytes, size_t nbytes)
{
	struct position end;
	unsigned rows = 0;
	unsigned columns = 0;

	line->host.window(line->host.argument, &rows, &columns);
	if (nbytes != 1 || line->searching || columns != line->screen.columns)
		return false;
	end = text_end(prompt_end(line->prompt, columns), line->text, line->len, columns);
	if (end.column >= columns || end.row != line->screen.cursor_row)
		return false;
	line->host.write(line->host.argument, bytes, nbytes);
	return true;
}

void line_draw_finish(struct line *line, const char *mark)
{
	struct pen pen = {.line = line};

	line->cursor = line->len;
	line_draw(line);
	pen_text(&pen, mark);
	pen_text(&pen, "\r\n");
	pen_flush(&pen);
	line->screen.drawn = false;
	line->screen.cursor_row = 0;
}

void line_list(struct line *line, const char *const *items, size_t nitems, size_t nmore)
{
	struct pen pen = {.line = line};
	size_t widest = 0;
	size_t per_row, nrows;
	size_t cursor = line->cursor;

	line_draw_finish(line, "");
	line->cursor = cursor;
	for (size_t i = 0; i < nitems; i++)
		widest = MAX(widest, utf8_text_cells(items[i]));
	per_row = MAX(line->screen.columns / (widest + 2), (size_t)1);
	nrows = (nitems + per_row - 1) / per_row;
	for (size_t row = 0; row < nrows; row++) {
		for (size_t i = row; i < nitems; i += nrows) {
			size_t cells = utf8_text_cells(items[i]);

			pen_text(&pen, items[i]);
			for (; i + nrows < nitems && cells < widest + 2; cells++)
				pen_text(&pen, " ");
		}
		pen_text(&pen, "\r\n");
	}
	if (nmore) {
		char rest[48];

		kernel_format(rest, sizeof(rest), "... and %zu more\r\n", nmore);
		pen_text(&pen, rest);
	}
	pen_flush(&pen);
	line_draw(line);
}

void line_beep(struct line *line)
{
	line->host.write(line->host.argument, "\a", 1);
}
