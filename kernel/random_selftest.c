/*
 * Self-tests of the random generator: not of its quality, which is ChaCha20's, but that it runs.
 */
#include <lib/selftest.h>
#include <lib/string.h>

#include "random.h"

SELFTEST(random_numbers_do_not_repeat)
{
	uint64_t numbers[64];

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		numbers[i] = random_u64();
		for (size_t j = 0; j < i; j++)
			selftest_check(numbers[i] != numbers[j]);
	}
}

SELFTEST(random_bits_are_half_ones)
{
	uint64_t words[128];
	unsigned ones = 0;

	random_bytes(words, sizeof(words));
	for (size_t i = 0; i < sizeof(words) * 8; i++)
		ones += words[i / 64] >> (i % 64) & 1;
	/* 8192 bits: the mean is 4096, the deviation 45. Nine of them happen in no lifetime. */
	selftest_check(ones > 4096 - 9 * 45 && ones < 4096 + 9 * 45);
}

SELFTEST(random_bytes_fill_any_length_and_no_more)
{
	uint8_t bytes[100];

	for (size_t len = 0; len < sizeof(bytes) - 1; len++) {
		bool changed = len == 0;

		memset(bytes, 0, sizeof(bytes));
		for (unsigned tries = 0; tries < 8 && !changed; tries++) {
			random_bytes(bytes, len);
			changed = bytes[len - 1] != 0;
		}
		selftest_check(changed);
		selftest_check(bytes[len] == 0);
	}
}
