/*
 * Durations on the command line. Parsed digit by digit: exact, and without floating point.
 */
#include "common/seconds.h"

#include <ctype.h>
#include <limits.h>

#include "common/program.h"

struct timespec parse_seconds(const char *text)
{
	const char *next = text;
	struct timespec result = {0};

	for (; isdigit((unsigned char)*next); next++) {
		if (result.tv_sec > (LONG_MAX - 9) / 10)
			usage_error("%s seconds are more than time has", text);
		result.tv_sec = result.tv_sec * 10 + (*next - '0');
	}
	if (*next == '.') {
		long unit = 100000000;

		for (next++; isdigit((unsigned char)*next); next++) {
			result.tv_nsec += unit * (*next - '0');
			unit /= 10;
		}
	}
	if (*next || !isdigit((unsigned char)text[0]))
		usage_error("'%s' is not a number of seconds, as 2 or 0.5", text);
	return result;
}
