/*
 * The lines that were entered, oldest first, up to a fixed number; the oldest goes when a new one
 * needs its place. Memory comes from the two functions that the owner gives.
 */
#ifndef KSH_HISTORY_H
#define KSH_HISTORY_H

#include <lib/types.h>

#define HISTORY_MAX 200

struct history {
	char *lines[HISTORY_MAX]; /* a ring */
	size_t first;             /* index of the oldest */
	size_t count;
	void *(*alloc)(size_t len_bytes);
	void (*free)(void *memory);
};

void history_init(struct history *history, void *(*alloc)(size_t), void (*free)(void *));

/* Empty lines and a repetition of the newest are not kept; without memory the line is forgotten. */
void history_add(struct history *history, const char *line);

/* Line `number`, 0 the oldest; NULL: there is none. */
const char *history_line(const struct history *history, size_t number);

/* The newest line before number `before` that contains `text`: its number, or SIZE_MAX. */
size_t history_find(const struct history *history, size_t before, const char *text);

#endif
