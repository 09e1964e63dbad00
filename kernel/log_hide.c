/*
 * Addresses in the text of the log. No state.
 */
#include "log_hide.h"

#include <lib/types.h>

#define DIGITS      16
#define KERNEL_HALF UINT64_C(0xffff800000000000)
#define NEGATIVE    UINT64_C(0xffffffffffff0000) /* from here on a number, and no address */

/* -1: no digit. */
static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void log_hide_addresses(char *text)
{
	for (char *at = text; *at;) {
		uint64_t value = 0;
		size_t len = 0;

		for (; digit_of(at[len]) >= 0; len++)
			value = value << 4 | (uint64_t)digit_of(at[len]);
		if (len == DIGITS && value >= KERNEL_HALF && value < NEGATIVE) {
			for (size_t i = 0; i < DIGITS; i++)
				at[i] = 'x';
		}
		at += len ? len : 1;
	}
}
