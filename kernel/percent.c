/*
 * Percent-decoding (see the header).
 */
#include "percent.h"

#include <abi/errno.h>

/* -1: no hexadecimal digit. */
static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

err_t percent_decode(char *text, size_t *len_bytes)
{
	const char *from = text;
	size_t n = 0;

	while (*from) {
		if (*from == '%') {
			int high = digit_value(from[1]);
			int low = high < 0 ? -1 : digit_value(from[2]);

			if (low < 0) {
				*len_bytes = n;
				return -EINVAL;
			}
			text[n++] = (char)(high << 4 | low);
			from += 3;
		} else {
			text[n++] = *from++;
		}
	}
	text[n] = '\0';
	*len_bytes = n;
	return 0;
}

size_t percent_split(char *text, size_t len_bytes, char **list, size_t list_room)
{
	size_t count = 0;
	size_t start = 0;

	for (size_t i = 0; i <= len_bytes; i++) {
		if (text[i] != '\0')
			continue;
		if (count + 1 < list_room)
			list[count] = text + start;
		count++;
		start = i + 1;
	}
	if (list_room > 0)
		list[MIN(count, list_room - 1)] = NULL;
	return count;
}
