/*
 * Amounts as people write them.
 */
#include "common/amount.h"

#include <stdio.h>

const char *bytes_text(unsigned long long bytes, char text[AMOUNT_ROOM])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned long long whole = bytes, tenths = 0;
	unsigned unit = 0;

	while (whole >= 1024) {
		tenths = whole % 1024 * 10 / 1024;
		whole /= 1024;
		unit++;
	}
	if (unit && whole < 100)
		snprintf(text, AMOUNT_ROOM, "%llu.%llu %s", whole, tenths, units[unit]);
	else
		snprintf(text, AMOUNT_ROOM, "%llu %s", whole, units[unit]);
	return text;
}

const char *duration_text(unsigned long seconds, char text[AMOUNT_ROOM])
{
	unsigned long days = seconds / 86400, hours = seconds / 3600 % 24;
	unsigned long minutes = seconds / 60 % 60;
	int len = 0;

	if (days)
		len = snprintf(text, AMOUNT_ROOM, "%lu day%s, ", days, days == 1 ? "" : "s");
	snprintf(text + len, AMOUNT_ROOM - (unsigned)len, "%lu:%02lu:%02lu", hours, minutes,
		 seconds % 60);
	return text;
}
