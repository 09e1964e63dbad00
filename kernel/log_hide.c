/*
 * What of the log's text is not shown: addresses, and what would draw. No state.
 */
#include "log_hide.h"

#include <lib/string.h>
#include <lib/utf8.h>

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

static bool is_text(const char *at, size_t nbytes, uint32_t character)
{
	if (nbytes > 1)
		return character > 0x9f;
	return *at >= 0x20 && *at < 0x7f; /* alone, others are no UTF-8 */
}

void log_hide_controls(char *text, size_t len_bytes)
{
	for (size_t at = 0, nbytes; at < len_bytes; at += nbytes) {
		uint32_t character;

		nbytes = utf8_decode(text + at, len_bytes - at, &character);
		if (!is_text(text + at, nbytes, character))
			memset(text + at, '?', nbytes);
	}
}
