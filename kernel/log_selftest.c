/*
 * Self-test of the limit of log lines.
 */
#include <arch/clock.h>
#include <lib/fmt.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/slab.h>

#include "log.h"

#define NLINES (3 * LOG_LIMIT_LINES)

/* How many lines from number `from` on have `what` in them; *missed: what the last of those says
 * that tell of others. */
static unsigned count(uint64_t from, const char *what, uint64_t *missed)
{
	struct log_line *line = kmalloc(sizeof(*line));
	unsigned n = 0;

	while (line && log_read(from, line)) {
		const char *told = strstr(line->text, " lines like the next one");

		n += strstr(line->text, what) != NULL;
		if (told && missed) {
			const char *number = strchr(line->text, ' ') + 1;

			*missed = 0;
			while (number < told)
				*missed = *missed * 10 + (uint64_t)(*number++ - '0');
		}
		from = line->sequence + 1;
	}
	kfree(line);
	return n;
}

SELFTEST(log_lines_that_programs_provoke_are_limited)
{
	static struct log_limit limit;
	uint64_t from = log_next_sequence(), missed = 0;

	limit = (struct log_limit){0};
	for (unsigned i = 0; i < NLINES; i++)
		log_emit_limited(&limit, LOG_DEBUG, "selftest", "provoked %u", i);
	selftest_check(count(from, "provoked", NULL) == LOG_LIMIT_LINES);
	selftest_check(limit.nmissed == NLINES - LOG_LIMIT_LINES);
	limit.since_ns -= LOG_LIMIT_NS; /* as if so much time had gone by */
	log_emit_limited(&limit, LOG_DEBUG, "selftest", "provoked again");
	selftest_check(count(from, "provoked again", &missed) == 1);
	selftest_check(missed == NLINES - LOG_LIMIT_LINES);
}
