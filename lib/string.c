/*
 * Memory and strings without a C library. No state. The bulk functions are in the kernel's hottest
 * paths; the rest is written to be read.
 */
#include <lib/string.h>

#include <abi/errno.h>

#ifndef FUSELAGE_HOST

/* lib/memory.asm has memcpy, memmove and memset. */

typedef uint64_t __attribute__((may_alias, aligned(1))) any_word;
typedef uint32_t __attribute__((may_alias, aligned(1))) any_half;

/* The first byte decides, which is the lowest one. */
static int compare_words(uint64_t left, uint64_t right)
{
	left = __builtin_bswap64(left);
	right = __builtin_bswap64(right);
	return left < right ? -1 : left > right;
}

static int compare_from(const char *left, const char *right, size_t at)
{
	return compare_words(*(const any_word *)(left + at), *(const any_word *)(right + at));
}

static int compare_half(const char *left, const char *right, size_t at)
{
	return compare_words(*(const any_half *)(left + at), *(const any_half *)(right + at));
}

/* The last bytes of what is no multiple are compared with some before them, which are the same. */
int memcmp(const void *a, const void *b, size_t len_bytes)
{
	const char *left = a, *right = b;
	int order = 0;

	if (len_bytes >= 8) {
		for (size_t at = 0; at + 8 <= len_bytes && !order; at += 8)
			order = compare_from(left, right, at);
		return order || len_bytes % 8 == 0 ? order
						   : compare_from(left, right, len_bytes - 8);
	}
	if (len_bytes >= 4) {
		order = compare_half(left, right, 0);
		return order ? order : compare_half(left, right, len_bytes - 4);
	}
	for (size_t at = 0; at < len_bytes && !order; at++)
		order = (unsigned char)left[at] - (unsigned char)right[at];
	return order;
}

void *memchr(const void *memory, int byte, size_t len_bytes)
{
	const unsigned char *bytes = memory;

	for (size_t i = 0; i < len_bytes; i++) {
		if (bytes[i] == (unsigned char)byte)
			return (void *)(bytes + i);
	}
	return NULL;
}

size_t strlen(const char *string)
{
	size_t len = 0;

	while (string[len])
		len++;
	return len;
}

size_t strnlen(const char *string, size_t max_bytes)
{
	size_t len = 0;

	while (len < max_bytes && string[len])
		len++;
	return len;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max_bytes)
{
	for (size_t i = 0; i < max_bytes; i++) {
		if (a[i] != b[i] || !a[i])
			return (unsigned char)a[i] - (unsigned char)b[i];
	}
	return 0;
}

char *strchr(const char *string, int character)
{
	for (;; string++) {
		if (*string == (char)character)
			return (char *)string;
		if (!*string)
			return NULL;
	}
}

char *strrchr(const char *string, int character)
{
	const char *found = NULL;

	for (;; string++) {
		if (*string == (char)character)
			found = string;
		if (!*string)
			return (char *)found;
	}
}

char *strstr(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (;; text++) {
		if (strncmp(text, word, len) == 0)
			return (char *)text;
		if (!*text)
			return NULL;
	}
}

#endif

bool string_copy(char *to, size_t to_bytes, const char *from)
{
	size_t len = strlen(from);
	size_t fits = len < to_bytes ? len : to_bytes - 1;

	memcpy(to, from, fits);
	to[fits] = '\0';
	return fits == len;
}

bool string_starts_with(const char *string, const char *prefix)
{
	return strncmp(string, prefix, strlen(prefix)) == 0;
}

static int digit_value(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return __INT_MAX__;
}

err_t string_to_u64(const char *string, uint64_t *out)
{
	unsigned base = 10;
	uint64_t value = 0;

	if (string[0] == '0' && (string[1] == 'x' || string[1] == 'X')) {
		base = 16;
		string += 2;
	} else if (string[0] == '0' && string[1]) {
		base = 8;
		string++;
	}
	if (!*string)
		return -EINVAL;
	for (; *string; string++) {
		int digit = digit_value(*string);

		if (digit >= (int)base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value))
			return -ERANGE;
	}
	*out = value;
	return 0;
}
