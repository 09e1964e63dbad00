/* sources: kernel/console/terminal.c kernel/console/terminal_cells.c kernel/console/terminal_csi.c
   kernel/console/terminal_colour.c kernel/console/terminal_parse.c kernel/console/history.c
   with: kernel/console/codepage.c kernel/console/palette.c kernel/console/serial_cells.c lib/utf8.c
   lib/fmt.c
   options: max_len=768 */
/*
 * The terminal under libFuzzer: the first two bytes are its size, the rest is output of a program,
 * but for 0xfe, which resizes the window or writes cells (/dev/vcs) as the next bytes say. After
 * the first pieces and at the end the promises of the grid must hold, and cells drawn as escape
 * sequences must draw the same cells and put everything back.
 */
#include "history.h"
#include "serial_cells.h"
#include "support/promise.h"
#include "terminal.h"

#include <string.h>

#define HISTORY_BYTES 2048
#define CHECKS_MAX    4 /* of everything, beside the last: they are what takes long */

struct session {
	struct terminal terminal;
	struct history history;
	void *memory;
	void *alternate;
	uint8_t ring[HISTORY_BYTES];
};

static void answer(void *argument, const char *bytes, size_t len_bytes)
{
	PROMISE(len_bytes > 0 && len_bytes < 64 && bytes[0] == '\033');
}

static void keep_row(void *argument, const struct cell *cells, unsigned columns)
{
	struct session *session = argument;

	history_push(&session->history, cells, columns);
	PROMISE(history_rows(&session->history) > 0);
}

static void forget(void *argument)
{
	history_clear(&((struct session *)argument)->history);
}

static void *memory(void *argument, size_t len_bytes)
{
	struct session *session = argument;

	session->alternate = malloc(len_bytes);
	return session->alternate;
}

static const struct terminal_host host = {
	.answer = answer, .history = keep_row, .forget = forget, .memory = memory};

static void check_row(const struct terminal *t, const struct cell *cells)
{
	for (unsigned column = 0; column < t->columns; column++) {
		unsigned attributes = cells[column].attributes;
		bool last = column + 1 == t->columns;

		PROMISE(cells[column].character >= 0x20 && cells[column].character <= 0x10ffff);
		PROMISE(!(attributes & CELL_WIDE) ||
			(!last && cells[column + 1].attributes & CELL_TAIL));
		PROMISE(!(attributes & CELL_TAIL) ||
			(column > 0 && cells[column - 1].attributes & CELL_WIDE));
	}
}

static void check_place(const struct terminal *t)
{
	PROMISE(t->place.row < t->rows && t->place.column < t->columns);
	PROMISE(t->top <= t->bottom && t->bottom < t->rows);
	PROMISE(!t->place.wrap_pending ||
		(t->place.column + 1 == t->columns && t->modes & MODE_WRAP));
}

static void check_history(const struct history *history, unsigned columns)
{
	unsigned nrows = history_rows(history);
	struct cell *copy = calloc(columns, sizeof(*copy));

	PROMISE(copy);
	if (nrows) {
		history_row(history, 0, copy, columns);
		history_row(history, nrows / 2, copy, columns);
		history_row(history, nrows - 1, copy, columns);
	}
	free(copy);
}

static void check_all(const struct session *session)
{
	const struct terminal *t = &session->terminal;

	check_place(t);
	for (unsigned row = 0; row < t->rows; row++)
		check_row(t, t->lines[row]);
	check_history(&session->history, t->columns);
}

static void resize(struct session *session, unsigned rows, unsigned columns)
{
	void *old = session->memory;
	void *old_alternate = session->alternate;

	session->alternate = NULL;
	session->memory = malloc(terminal_memory_bytes(rows, columns));
	PROMISE(session->memory);
	terminal_resize(&session->terminal, rows, columns, session->memory);
	free(old);
	free(old_alternate);
}

/* The sequences that draw a row must draw it on a terminal in the same state. */
static void draw_as_sequences(struct terminal *t, unsigned row)
{
	struct cell *want = malloc(t->columns * sizeof(*want));
	const struct terminal_place before = t->place;
	unsigned modes = t->modes;
	bool utf8 = t->utf8;
	char text[512];
	unsigned done = 0;

	PROMISE(want);
	memcpy(want, t->lines[row], t->columns * sizeof(*want));
	terminal_feed(t, text, serial_cells_begin(t, row, 0, text, sizeof(text)));
	while (done < t->columns) {
		unsigned taken;
		size_t len =
			serial_cells(want + done, t->columns - done, text, sizeof(text), &taken);

		PROMISE(taken > 0 && len < sizeof(text));
		terminal_feed(t, text, len);
		done += taken;
	}
	PROMISE(memcmp(want, t->lines[row], t->columns * sizeof(*want)) == 0);
	{
		struct terminal as_it_was = *t;

		as_it_was.place = before;
		as_it_was.modes = modes;
		as_it_was.utf8 = utf8;
		terminal_feed(t, text, serial_cells_end(&as_it_was, text, sizeof(text)));
	}
	PROMISE(t->utf8 == utf8 &&
		memcmp(t->place.charsets, before.charsets, sizeof(before.charsets)) == 0);
	PROMISE(t->modes == modes && t->place.row == before.row &&
		t->place.column == before.column);
	PROMISE(t->place.wrap_pending == before.wrap_pending);
	PROMISE(memcmp(&t->place.pen, &before.pen, sizeof(before.pen)) == 0);
	free(want);
}

static void put_cells(struct terminal *t, const uint8_t *bytes, size_t count)
{
	unsigned row = bytes[0] % t->rows;
	unsigned column = bytes[1] % t->columns;
	struct cell cells[8];
	unsigned n = 0;

	for (size_t i = 2; i < count && n < 8 && column + n < t->columns; i++)
		cells[n++] =
			(struct cell){.character = 0x20 + bytes[i], .attributes = bytes[i] << 3};
	terminal_clean_cells(cells, n);
	terminal_put_cells(t, row, column, cells, n);
}

static size_t special(struct session *session, const uint8_t *bytes, size_t size)
{
	if (size < 8)
		return size;
	if (bytes[0] & 1)
		resize(session, 1 + bytes[1] % 20, 1 + bytes[2] % 40);
	else
		put_cells(&session->terminal, bytes + 1, 7);
	return 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session *session = calloc(1, sizeof(*session));
	unsigned rows, columns;
	unsigned npieces = 0;

	PROMISE(session);
	if (size < 2) {
		free(session);
		return 0;
	}
	rows = 1 + data[0] % 30;
	columns = 1 + data[1] % 90;
	session->memory = malloc(terminal_memory_bytes(rows, columns));
	PROMISE(session->memory);
	history_init(&session->history, session->ring, sizeof(session->ring));
	terminal_init(&session->terminal, rows, columns, session->memory, &host, session);
	for (size_t i = 2; i < size;) {
		const uint8_t *end = memchr(data + i, 0xfe, size - i);
		size_t n = end ? (size_t)(end - (data + i)) : size - i;

		terminal_feed(&session->terminal, data + i, n);
		i += n;
		if (end)
			i += 1 + special(session, data + i + 1, size - i - 1);
		check_place(&session->terminal);
		if (npieces++ < CHECKS_MAX)
			check_all(session);
	}
	if (terminal_is_whole(&session->terminal))
		draw_as_sequences(&session->terminal, data[0] % session->terminal.rows);
	check_all(session);
	free(session->memory);
	free(session->alternate);
	free(session);
	return 0;
}
