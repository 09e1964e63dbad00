/*
 * The history's ring. Each line is a piece of memory of its own, owned by the ring. Pure but for
 * the memory functions.
 */
#include "history.h"

#include <lib/string.h>

void history_init(struct history *history, void *(*alloc)(size_t), void (*free)(void *))
{
	*history = (struct history){.alloc = alloc, .free = free};
}

const char *history_line(const struct history *history, size_t number)
{
	if (number >= history->count)
		return NULL;
	return history->lines[(history->first + number) % HISTORY_MAX];
}

void history_add(struct history *history, const char *line)
{
	const char *newest = history_line(history, history->count - 1);
	size_t bytes = strlen(line) + 1;
	char *copy;

	if (bytes == 1 || (newest && strcmp(newest, line) == 0))
		return;
	copy = history->alloc(bytes);
	if (!copy)
		return;
	memcpy(copy, line, bytes);
	if (history->count == HISTORY_MAX) {
		history->free(history->lines[history->first]);
		history->first = (history->first + 1) % HISTORY_MAX;
		history->count--;
	}
	history->lines[(history->first + history->count) % HISTORY_MAX] = copy;
	history->count++;
}

size_t history_find(const struct history *history, size_t before, const char *text)
{
	for (size_t number = MIN(before, history->count); number-- > 0;) {
		if (strstr(history_line(history, number), text))
			return number;
	}
	return SIZE_MAX;
}
