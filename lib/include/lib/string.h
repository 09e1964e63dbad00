/*
 * Memory and strings, as in C's <string.h> where the names are the same. The bulk functions move
 * eight bytes at a time
 * (`rep movsq`, `rep stosq`): the byte forms cost an instruction a byte under emulation. No SIMD in
 * the kernel.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <lib/types.h>

#ifdef FUSELAGE_HOST
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t len_bytes);
void *memmove(void *to, const void *from, size_t len_bytes);
void *memset(void *to, int byte, size_t len_bytes);
int memcmp(const void *a, const void *b, size_t len_bytes);
void *memchr(const void *memory, int byte, size_t len_bytes);
size_t strlen(const char *string);
size_t strnlen(const char *string, size_t max_bytes);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max_bytes);
char *strchr(const char *string, int character);
char *strrchr(const char *string, int character);
char *strstr(const char *text, const char *word);
#endif

/* Where every access is checked (lib/kasan.h), so are those of the functions in assembly. */
#if defined(__SANITIZE_ADDRESS__) && !defined(FUSELAGE_HOST)
#include <lib/kasan.h>
#define memcpy(to, from, len_bytes)  kasan_memcpy(to, from, len_bytes)
#define memmove(to, from, len_bytes) kasan_memmove(to, from, len_bytes)
#define memset(to, byte, len_bytes)  kasan_memset(to, byte, len_bytes)
#elif !defined(FUSELAGE_HOST)
/* The compiler knows what these do, also freestanding: few bytes are moved where they are asked
 * for. */
#define memcpy(to, from, len_bytes) __builtin_memcpy(to, from, len_bytes)
#define memset(to, byte, len_bytes) __builtin_memset(to, byte, len_bytes)
#endif

/* memcmp() == 0, where it is asked for: of few bytes, as names have. */
static inline bool bytes_equal(const void *a, const void *b, size_t len_bytes)
{
	const char *left = a, *right = b;
	uint64_t word, other;
	uint32_t half, other_half;

	for (; len_bytes >= 8; left += 8, right += 8, len_bytes -= 8) {
		memcpy(&word, left, 8);
		memcpy(&other, right, 8);
		if (word != other)
			return false;
	}
	if (len_bytes & 4) {
		memcpy(&half, left, 4);
		memcpy(&other_half, right, 4);
		if (half != other_half)
			return false;
		left += 4;
		right += 4;
	}
	for (len_bytes &= 3; len_bytes; len_bytes--) {
		if (*left++ != *right++)
			return false;
	}
	return true;
}

/* Copies as much as fits and always ends `to` with a NUL. Returns false if something had to be cut
 * off. */
bool string_copy(char *to, size_t to_bytes, const char *from);

bool string_starts_with(const char *string, const char *prefix);

/* Reads a number (0x.. hexadecimal, 0.. octal, else decimal) that fills the whole string. -EINVAL:
 * it is none; -ERANGE: too large. */
err_t must_check string_to_u64(const char *string, uint64_t *out);

#endif
