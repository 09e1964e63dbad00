/*
 * Feeds streams to the terminal and prints the screens that they leave, for test_terminal.py.
 *
 *	replay ROWS COLUMNS < streams
 *
 * Standard input: for each stream its length (32 bits, as this machine has them) and its bytes. For
 * each one line of JSON: the cells as [character, attributes, foreground, background], the cursor,
 * what was answered, how many rows left at the top.
 */
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>

static char answers[4096];
static size_t answers_len;
static unsigned rows_gone;

static void answer(void *argument, const char *bytes, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes && answers_len + 8 < sizeof(answers); i++)
		answers_len +=
			(size_t)snprintf(answers + answers_len, sizeof(answers) - answers_len,
					 "\\u%04x", (unsigned char)bytes[i]);
}

static void history(void *argument, const struct cell *cells, unsigned columns)
{
	rows_gone++;
}

static void *memory(void *argument, size_t len_bytes)
{
	void **place = argument;

	*place = malloc(len_bytes);
	return *place;
}

static const struct terminal_host host = {.answer = answer, .history = history, .memory = memory};

static void print_screen(const struct terminal *t)
{
	printf("{\"cells\": [");
	for (unsigned row = 0; row < t->rows; row++) {
		printf(row ? ", [" : "[");
		for (unsigned column = 0; column < t->columns; column++) {
			const struct cell *cell = &t->lines[row][column];

			printf("%s[%u, %u, %u, %u]", column ? ", " : "", (unsigned)cell->character,
			       (unsigned)cell->attributes, cell->foreground, cell->background);
		}
		printf("]");
	}
	printf("], \"row\": %u, \"column\": %u, \"answers\": \"%s\", \"gone\": %u}\n", t->place.row,
	       t->place.column, answers, rows_gone);
}

int main(int argc, char **argv)
{
	unsigned rows = argc > 2 ? (unsigned)atoi(argv[1]) : 24;
	unsigned columns = argc > 2 ? (unsigned)atoi(argv[2]) : 80;
	struct terminal *t = malloc(sizeof(*t));
	uint32_t len;

	while (fread(&len, sizeof(len), 1, stdin) == 1) {
		void *alternate = NULL;
		void *cells = malloc(terminal_memory_bytes(rows, columns));
		uint8_t *bytes = malloc(len + 1);

		if (!t || !cells || !bytes || fread(bytes, 1, len, stdin) != len)
			return 1;
		answers_len = 0;
		answers[0] = '\0';
		rows_gone = 0;
		terminal_init(t, rows, columns, cells, &host, &alternate);
		terminal_feed(t, bytes, len);
		print_screen(t);
		free(bytes);
		free(cells);
		free(alternate);
	}
	free(t);
	return 0;
}
