/* 'Did you mean': the known name that is nearest to what was typed. */
#ifndef KSH_SUGGEST_H
#define KSH_SUGGEST_H

#include <lib/types.h>

struct suggestion {
	const char *typed;
	char best[64];
	unsigned distance; /* of best; the greatest number: none yet */
};

void suggest_init(struct suggestion *suggestion, const char *typed);
void suggest_consider(struct suggestion *suggestion, const char *name);
/* NULL: nothing is near enough. */
const char *suggest_result(const struct suggestion *suggestion);

/* Insertions, deletions, replacements and swaps of neighbours that make `a` into `b`. */
unsigned suggest_distance(const char *a, const char *b);

#endif
