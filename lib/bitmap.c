/*
 * Searching and filling bitmaps a word at a time. No state.
 */
#include <lib/bitmap.h>

/* Ones in [first, end) of a word; 0 <= first < end <= 64. */
static uint64_t mask_between(size_t first, size_t end)
{
	uint64_t below_end = end == 64 ? UINT64_MAX : (UINT64_C(1) << end) - 1;

	return below_end & ~((UINT64_C(1) << first) - 1);
}

void bitmap_set_range(uint64_t *bits, size_t first, size_t count)
{
	while (count) {
		size_t in_word = first % 64;
		size_t here = MIN(count, 64 - in_word);

		bits[first / 64] |= mask_between(in_word, in_word + here);
		first += here;
		count -= here;
	}
}

void bitmap_clear_range(uint64_t *bits, size_t first, size_t count)
{
	while (count) {
		size_t in_word = first % 64;
		size_t here = MIN(count, 64 - in_word);

		bits[first / 64] &= ~mask_between(in_word, in_word + here);
		first += here;
		count -= here;
	}
}

/* The first bit from `from` on that is set once each word has been turned over by `invert`. */
static size_t next_bit(const uint64_t *bits, size_t nbits, size_t from, uint64_t invert)
{
	for (size_t word = from / 64; from < nbits; from = ++word * 64) {
		uint64_t rest = (bits[word] ^ invert) & ~((UINT64_C(1) << (from % 64)) - 1);

		if (rest)
			return MIN(word * 64 + (size_t)__builtin_ctzll(rest), nbits);
	}
	return nbits;
}

size_t bitmap_next_set(const uint64_t *bits, size_t nbits, size_t from)
{
	return next_bit(bits, nbits, from, 0);
}

size_t bitmap_next_clear(const uint64_t *bits, size_t nbits, size_t from)
{
	return next_bit(bits, nbits, from, UINT64_MAX);
}

size_t bitmap_find_clear_run(const uint64_t *bits, size_t nbits, size_t from, size_t count)
{
	for (;;) {
		size_t start = bitmap_next_clear(bits, nbits, from);
		size_t end;

		if (count > nbits || start > nbits - count)
			return nbits;
		end = bitmap_next_set(bits, start + count, start);
		if (end == start + count)
			return start;
		from = end;
	}
}

/* In pairs, nibbles, bytes. The compiler's builtin calls its run-time library where POPCNT may be
 * missing. */
static size_t count_ones(uint64_t word)
{
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return word * UINT64_C(0x0101010101010101) >> 56;
}

size_t bitmap_count(const uint64_t *bits, size_t nbits)
{
	size_t count = 0;

	for (size_t n = 0; n < nbits / 64; n++)
		count += count_ones(bits[n]);
	if (nbits % 64)
		count += count_ones(bits[nbits / 64] & mask_between(0, nbits % 64));
	return count;
}
