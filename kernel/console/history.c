/*
 * Rows as records in a ring of bytes. A record: length, runs of cells that look the same, length.
 * A run: how many cells, attributes, two colours, then the characters in UTF-8. Blanks at the end
 * of a row that have no colour of their own are left out.
 */
#include "history.h"

#include <lib/string.h>
#include <lib/utf8.h>

#define LENGTH_BYTES 2
#define RECORD_MAX   UINT16_MAX

struct run {
	uint16_t ncells;
	uint16_t attributes;
	colour_t foreground;
	colour_t background;
};

void history_init(struct history *history, void *memory, uint32_t len_bytes)
{
	*history = (struct history){.ring = memory, .ring_bytes = len_bytes};
}

void history_clear(struct history *history)
{
	history->head = history->tail;
	history->nrows = 0;
}

/* ---- bytes in the ring ---- */

static void put(struct history *history, const void *bytes, size_t len_bytes)
{
	const uint8_t *from = bytes;

	while (len_bytes) {
		uint32_t at = history->tail & (history->ring_bytes - 1);
		size_t step = MIN(len_bytes, (size_t)(history->ring_bytes - at));

		memcpy(history->ring + at, from, step);
		history->tail += (uint32_t)step;
		from += step;
		len_bytes -= step;
	}
}

static void get(const struct history *history, uint32_t *position, void *bytes, size_t len_bytes)
{
	uint8_t *to = bytes;

	for (size_t i = 0; i < len_bytes; i++)
		to[i] = history->ring[(*position)++ & (history->ring_bytes - 1)];
}

static unsigned length_at(const struct history *history, uint32_t position)
{
	uint16_t length;

	get(history, &position, &length, sizeof(length));
	return length;
}

/* ---- rows ---- */

static bool is_plain_blank(const struct cell *cell)
{
	const struct cell blank = {.character = ' '};

	return cell_equal(cell, &blank);
}

static bool same_look(const struct cell *a, const struct cell *b)
{
	return a->attributes == b->attributes && a->foreground == b->foreground &&
	       a->background == b->background;
}

static unsigned run_length(const struct cell *cells, unsigned count)
{
	unsigned n = 1;

	while (n < count && same_look(&cells[0], &cells[n]))
		n++;
	return n;
}

static size_t record_bytes(const struct cell *cells, unsigned count)
{
	size_t bytes = 2 * LENGTH_BYTES;
	char text[4];

	for (unsigned i = 0; i < count; i++) {
		if (i == 0 || !same_look(&cells[i], &cells[i - 1]))
			bytes += sizeof(struct run);
		bytes += utf8_encode(cells[i].character, text);
	}
	return bytes;
}

static void put_run(struct history *history, const struct cell *cells, unsigned count)
{
	const struct run run = {(uint16_t)count, (uint16_t)cells->attributes, cells->foreground,
				cells->background};
	char text[4] = {0};

	put(history, &run, sizeof(run));
	for (unsigned i = 0; i < count; i++)
		put(history, text, utf8_encode(cells[i].character, text));
}

static void drop_oldest(struct history *history)
{
	history->head += length_at(history, history->head);
	history->nrows--;
}

void history_push(struct history *history, const struct cell *cells, unsigned columns)
{
	uint16_t bytes;
	unsigned n;

	while (columns > 0 && is_plain_blank(&cells[columns - 1]))
		columns--;
	if (record_bytes(cells, columns) > MIN(history->ring_bytes, (uint32_t)RECORD_MAX))
		columns = 0;
	bytes = (uint16_t)record_bytes(cells, columns);
	while (history->ring_bytes - (history->tail - history->head) < bytes)
		drop_oldest(history);
	put(history, &bytes, sizeof(bytes));
	for (unsigned i = 0; i < columns; i += n) {
		n = run_length(cells + i, columns - i);
		put_run(history, cells + i, n);
	}
	put(history, &bytes, sizeof(bytes));
	history->nrows++;
}

static uint32_t get_character(const struct history *history, uint32_t *position)
{
	char text[4];
	uint32_t character;
	size_t len;

	get(history, position, text, 1);
	len = utf8_sequence_bytes((unsigned char)text[0]);
	get(history, position, text + 1, len - 1);
	utf8_decode(text, len, &character);
	return character;
}

void history_row(const struct history *history, unsigned age, struct cell *out, unsigned columns)
{
	uint32_t position = history->tail;
	unsigned column = 0;
	uint32_t end;

	for (unsigned i = 0; i < columns; i++)
		out[i] = (struct cell){.character = ' '};
	if (age >= history->nrows)
		return;
	for (; age > 0; age--)
		position -= length_at(history, position - LENGTH_BYTES);
	end = position - LENGTH_BYTES;
	position -= length_at(history, end);
	position += LENGTH_BYTES;
	while (position != end) {
		struct run run;

		get(history, &position, &run, sizeof(run));
		for (unsigned i = 0; i < run.ncells; i++, column++) {
			uint32_t character = get_character(history, &position);

			if (column < columns)
				out[column] = (struct cell){character, run.attributes,
							    run.foreground, run.background};
		}
	}
}
