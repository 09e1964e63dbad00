/* sources: kernel/shared_ring.c */
/*
 * The ring shared with the host, with an honest and a lying other side.
 */
#include "shared_ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 64

static struct shared_ring_words words;
static uint8_t data[SIZE];
static struct shared_ring ring;

static void start(uint32_t position)
{
	shared_ring_init(&ring, &words, data, 4096, SIZE);
	words.head = position;
	words.tail = position;
}

static void bytes_come_out_as_they_went_in(void **state)
{
	uint8_t in[SIZE];
	uint8_t out[SIZE];
	unsigned put = 0;
	unsigned taken = 0;

	(void)state;
	start(UINT32_MAX - 1000); /* the counts overflow on the way */
	for (unsigned round = 0; round < 2000; round++) {
		size_t n = round % (SIZE + 1);

		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(put + i);
		put += (unsigned)shared_ring_put(&ring, in, n);
		n = shared_ring_take(&ring, out, (round * 7) % (SIZE + 1));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], (uint8_t)(taken + i));
		taken += (unsigned)n;
	}
	assert_true(taken > 10000);
	assert_int_equal(put - taken, shared_ring_filled(&ring));
}

static void full_and_empty_are_told_apart(void **state)
{
	uint8_t bytes[SIZE + 1] = {0};

	(void)state;
	start(5);
	assert_true(shared_ring_must_wait_for_data(&ring));
	assert_int_equal(words.consumer_waits, 1);
	assert_int_equal(shared_ring_put(&ring, bytes, sizeof(bytes)), SIZE);
	assert_int_equal(shared_ring_put(&ring, bytes, 1), 0);
	assert_true(shared_ring_must_wait_for_space(&ring));
	assert_int_equal(words.producer_waits, 1);
	assert_int_equal(shared_ring_take(&ring, bytes, 1), 1);
	assert_false(shared_ring_must_wait_for_space(&ring));
	assert_true(shared_ring_producer_waits(&ring));
	assert_false(shared_ring_producer_waits(&ring));
}

static void a_lying_count_moves_nothing(void **state)
{
	uint8_t bytes[SIZE] = {0};

	(void)state;
	start(0);
	words.head = SIZE + 1;
	assert_int_equal(shared_ring_take(&ring, bytes, sizeof(bytes)), 0);
	assert_true(ring.broken);
	words.head = 4; /* too late */
	assert_int_equal(shared_ring_take(&ring, bytes, sizeof(bytes)), 0);

	start(100);
	words.tail = 200;
	assert_int_equal(shared_ring_put(&ring, bytes, sizeof(bytes)), 0);
	assert_true(ring.broken);
	assert_false(shared_ring_must_wait_for_space(&ring)); /* nobody sleeps on it */

	start(0);
	words.size_bytes = 1u << 30; /* our own copy of the size counts */
	words.head = SIZE + 1;
	assert_int_equal(shared_ring_take(&ring, bytes, sizeof(bytes)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_as_they_went_in),
		cmocka_unit_test(full_and_empty_are_told_apart),
		cmocka_unit_test(a_lying_count_moves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
