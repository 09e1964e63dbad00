/* sources: lib/siphash.c */
/*
 * SipHash against the authors' own test vectors (their vectors.h: key 00 01 .. 0f, message 00 01
 * ..).
 */
#include <lib/siphash.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint64_t of_length(size_t len_bytes)
{
	struct siphash_key key;
	uint8_t message[64];
	uint8_t bytes[sizeof(key)];
	uint64_t words[8];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	memcpy(bytes, message, sizeof(bytes));
	memcpy(&key, bytes, sizeof(key));
	memcpy(words, message, sizeof(words));
	return siphash_words(&key, words, len_bytes / 8);
}

static void the_authors_vectors(void **state)
{
	(void)state;
	assert_int_equal(of_length(0), 0x726fdb47dd0e0e31);
	assert_int_equal(of_length(8), 0x93f5f5799a932462);
	assert_int_equal(of_length(16), 0x3f2acc7f57c29bdb);
}

static void every_bit_of_key_and_words_counts(void **state)
{
	const uint64_t words[2] = {1, 2};
	uint64_t plain = siphash_words(&(struct siphash_key){{3, 4}}, words, 2);

	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t mask = UINT64_C(1) << bit;

		assert_int_not_equal(plain,
				     siphash_words(&(struct siphash_key){{3 ^ mask, 4}}, words, 2));
		assert_int_not_equal(plain,
				     siphash_words(&(struct siphash_key){{3, 4 ^ mask}}, words, 2));
		assert_int_not_equal(plain, siphash_words(&(struct siphash_key){{3, 4}},
							  (uint64_t[]){1 ^ mask, 2}, 2));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_authors_vectors),
		cmocka_unit_test(every_bit_of_key_and_words_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
