/* sources: kernel/input/ps2_commands.c */
/*
 * Commands to a keyboard: one byte at a time, again where it asks, given up where it is silent.
 */
#include "ps2_commands.h"
#include "scancode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t lamps[] = {PS2_SET_LAMPS, 4};

static void assert_next(struct ps2_commands *commands, int expected)
{
	uint8_t byte;

	assert_int_equal(ps2_next(commands, 0, &byte) ? byte : -1, expected);
}

static void a_byte_waits_for_the_one_before(void **state)
{
	struct ps2_commands commands = {0};

	(void)state;
	assert_next(&commands, -1);
	ps2_command(&commands, lamps, sizeof(lamps));
	assert_next(&commands, PS2_SET_LAMPS);
	assert_next(&commands, -1);
	assert_false(ps2_answer(&commands, 0x1e)); /* a key meanwhile */
	assert_true(ps2_answer(&commands, SCANCODE_ACKNOWLEDGE));
	assert_next(&commands, 4);
	assert_true(ps2_answer(&commands, SCANCODE_ACKNOWLEDGE));
	assert_next(&commands, -1);
	assert_false(ps2_answer(&commands, SCANCODE_ACKNOWLEDGE)); /* nobody asked */
}

static void a_byte_is_sent_again_but_not_for_ever(void **state)
{
	struct ps2_commands commands = {0};

	(void)state;
	ps2_command(&commands, lamps, sizeof(lamps));
	for (int i = 0; i < PS2_TRIES; i++) {
		assert_next(&commands, PS2_SET_LAMPS);
		assert_true(ps2_answer(&commands, SCANCODE_RESEND));
	}
	assert_next(&commands, -1);
	ps2_command(&commands, lamps, sizeof(lamps));
	assert_next(&commands, PS2_SET_LAMPS);
}

static void silence_drops_everything(void **state)
{
	struct ps2_commands commands = {0};
	uint8_t byte;

	(void)state;
	assert_true(ps2_expire(&commands, 0) == UINT64_MAX);
	ps2_command(&commands, lamps, sizeof(lamps));
	assert_true(ps2_next(&commands, 1000, &byte));
	assert_true(ps2_expire(&commands, 1000) == 1000 + PS2_ANSWER_NS);
	assert_true(ps2_expire(&commands, 1000 + PS2_ANSWER_NS) == UINT64_MAX);
	assert_next(&commands, -1);
}

static void a_full_queue_drops_whole_commands(void **state)
{
	struct ps2_commands commands = {0};

	(void)state;
	for (int i = 0; i < 20; i++)
		ps2_command(&commands, lamps, sizeof(lamps));
	for (int i = 0; i < PS2_QUEUE_BYTES / 2; i++) {
		assert_next(&commands, PS2_SET_LAMPS);
		assert_true(ps2_answer(&commands, SCANCODE_ACKNOWLEDGE));
		assert_next(&commands, 4);
		assert_true(ps2_answer(&commands, SCANCODE_ACKNOWLEDGE));
	}
	assert_next(&commands, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_byte_waits_for_the_one_before),
		cmocka_unit_test(a_byte_is_sent_again_but_not_for_ever),
		cmocka_unit_test(silence_drops_everything),
		cmocka_unit_test(a_full_queue_drops_whole_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
