/*
 * Edit distance (optimal string alignment: a swap of neighbours is one edit) with three rows of the
 * table. Pure.
 */
#include "suggest.h"

#include <lib/string.h>

#define NO_DISTANCE  (~0u)
#define COMPARED_MAX 32 /* longer names are compared by their first characters */

unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][COMPARED_MAX + 1];
	size_t na = strnlen(a, COMPARED_MAX);
	size_t nb = strnlen(b, COMPARED_MAX);

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *above = rows[(i - 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);

			best = MIN(best, above[j] + 1);
			best = MIN(best, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, rows[(i - 2) % 3][j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[na % 3][nb];
}

void suggest_init(struct suggestion *suggestion, const char *typed)
{
	*suggestion = (struct suggestion){.typed = typed, .distance = NO_DISTANCE};
}

void suggest_consider(struct suggestion *suggestion, const char *name)
{
	unsigned distance = suggest_distance(suggestion->typed, name);

	if (distance >= suggestion->distance)
		return;
	suggestion->distance = distance;
	string_copy(suggestion->best, sizeof(suggestion->best), name);
}

const char *suggest_result(const struct suggestion *suggestion)
{
	/* One slip in a short word, two in a longer one: more is another word. */
	unsigned limit = strlen(suggestion->typed) <= 3 ? 1 : 2;

	return suggestion->distance <= limit ? suggestion->best : NULL;
}
