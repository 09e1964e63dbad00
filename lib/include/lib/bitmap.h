/*
 * Bits in an array of 64-bit words. No state, no lock: what is not said to be atomic is the
 * caller's to serialise.
 */
#ifndef LIB_BITMAP_H
#define LIB_BITMAP_H

#include <lib/types.h>

#define BITMAP_WORDS(nbits) (((nbits) + 63) / 64)

static inline bool bitmap_test(const uint64_t *bits, size_t n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

static inline void bitmap_set(uint64_t *bits, size_t n)
{
	bits[n / 64] |= UINT64_C(1) << (n % 64);
}

static inline void bitmap_clear(uint64_t *bits, size_t n)
{
	bits[n / 64] &= ~(UINT64_C(1) << (n % 64));
}

/* [first, first + count) */
void bitmap_set_range(uint64_t *bits, size_t first, size_t count);
void bitmap_clear_range(uint64_t *bits, size_t first, size_t count);

/* The first bit at `from` or behind it that is set (clear); nbits: there is none. */
size_t bitmap_next_set(const uint64_t *bits, size_t nbits, size_t from);
size_t bitmap_next_clear(const uint64_t *bits, size_t nbits, size_t from);

/* The first of `count` clear bits in a row, at `from` or behind it; nbits: there are none. */
size_t bitmap_find_clear_run(const uint64_t *bits, size_t nbits, size_t from, size_t count);

size_t bitmap_count(const uint64_t *bits, size_t nbits);

#endif
