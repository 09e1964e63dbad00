/* sources: lib/bitmap.c */
/*
 * Bitmaps against an array of booleans.
 */
#include <lib/bitmap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NBITS 197

static uint64_t bits[BITMAP_WORDS(NBITS)];
static bool model[NBITS];

static size_t model_next(bool value, size_t from)
{
	while (from < NBITS && model[from] != value)
		from++;
	return from;
}

static size_t model_run(size_t from, size_t count)
{
	for (; from + count <= NBITS; from++) {
		size_t n = 0;

		while (n < count && !model[from + n])
			n++;
		if (n == count)
			return from;
	}
	return NBITS;
}

static void compare(void)
{
	size_t count = 0;

	for (size_t i = 0; i < NBITS; i++) {
		assert_int_equal(bitmap_test(bits, i), model[i]);
		count += model[i];
		assert_int_equal(bitmap_next_set(bits, NBITS, i), model_next(true, i));
		assert_int_equal(bitmap_next_clear(bits, NBITS, i), model_next(false, i));
	}
	assert_int_equal(bitmap_next_set(bits, NBITS, NBITS), NBITS);
	assert_int_equal(bitmap_count(bits, NBITS), count);
}

static void agrees_with_an_array(void **state)
{
	(void)state;
	srand(11);
	for (unsigned step = 0; step < 3000; step++) {
		size_t first = (size_t)rand() % NBITS;
		size_t count = (size_t)rand() % (NBITS - first + 1);
		bool value = rand() % 2;

		switch (rand() % 3) {
		case 0:
			(value ? bitmap_set : bitmap_clear)(bits, first);
			model[first] = value;
			break;
		case 1:
			count = MIN(count, (size_t)70);
			(value ? bitmap_set_range : bitmap_clear_range)(bits, first, count);
			for (size_t i = 0; i < count; i++)
				model[first + i] = value;
			break;
		default:
			count = 1 + (size_t)rand() % 80;
			assert_int_equal(bitmap_find_clear_run(bits, NBITS, first, count),
					 model_run(first, count));
		}
		if (step % 11 == 0)
			compare();
	}
	compare();
}

static void bits_behind_the_end_do_not_count(void **state)
{
	uint64_t words[2] = {UINT64_MAX, UINT64_MAX};

	(void)state;
	assert_int_equal(bitmap_count(words, 65), 65);
	assert_int_equal(bitmap_next_clear(words, 65, 0), 65);
	words[0] = words[1] = 0;
	bitmap_set(words, 65);
	assert_int_equal(bitmap_next_set(words, 65, 0), 65);
	assert_int_equal(bitmap_find_clear_run(words, 65, 0, 65), 0);
	assert_int_equal(bitmap_find_clear_run(words, 65, 0, 66), 65);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(bits_behind_the_end_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
