/* sources: kernel/input/scancode.c */
/*
 * Scan codes of both sets, and what is no scan code at all.
 */
#include "scancode.h"
#include "keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Feeds set 1; the last key that came out, or 0. *count says how many did. */
static struct key_event feed(struct scancode_decoder *decoder, const uint8_t *bytes, size_t len,
			     unsigned *count)
{
	struct key_event last = {0};

	*count = 0;
	for (size_t i = 0; i < len; i++) {
		struct key_event event = scancode_decode(decoder, bytes[i]);

		if (event.key) {
			last = event;
			(*count)++;
		}
	}
	return last;
}

#define ASSERT_KEY(expected_key, expected_pressed, ...)                                            \
	do {                                                                                       \
		static const uint8_t bytes[] = {__VA_ARGS__};                                      \
		struct scancode_decoder decoder = {0};                                             \
		unsigned count;                                                                    \
		struct key_event event = feed(&decoder, bytes, sizeof(bytes), &count);             \
                                                                                                   \
		assert_int_equal(count, 1);                                                        \
		assert_int_equal(event.key, expected_key);                                         \
		assert_int_equal(event.pressed, expected_pressed);                                 \
		assert_int_equal(scancode_decode(&decoder, 0x1e).key, KEY_A);                      \
	} while (0)

static void keys_of_the_first_keyboard_are_their_codes(void **state)
{
	(void)state;
	ASSERT_KEY(KEY_ESCAPE, true, 0x01);
	ASSERT_KEY(KEY_ESCAPE, false, 0x81);
	ASSERT_KEY(KEY_A, true, 0x1e);
	ASSERT_KEY(KEY_PAD_DOT, false, 0xd3);
	ASSERT_KEY(KEY_102ND, true, 0x56);
	ASSERT_KEY(KEY_F12, true, 0x58);
	ASSERT_KEY(KEY_SYSRQ, true, 0x54);
}

static void grey_keys_are_others_than_the_keypad(void **state)
{
	(void)state;
	ASSERT_KEY(KEY_UP, true, 0xe0, 0x48);
	ASSERT_KEY(KEY_UP, false, 0xe0, 0xc8);
	ASSERT_KEY(KEY_PAD_7 + 1, true, 0x48);
	ASSERT_KEY(KEY_RIGHT_ALT, true, 0xe0, 0x38);
	ASSERT_KEY(KEY_PAD_SLASH, true, 0xe0, 0x35);
	ASSERT_KEY(KEY_MENU, true, 0xe0, 0x5d);
}

static void feigned_shifts_are_no_keys(void **state)
{
	(void)state;
	ASSERT_KEY(KEY_INSERT, true, 0xe0, 0x2a, 0xe0, 0x52);
	ASSERT_KEY(KEY_INSERT, false, 0xe0, 0xd2, 0xe0, 0xaa);
	ASSERT_KEY(KEY_SYSRQ, true, 0xe0, 0x2a, 0xe0, 0x37);
}

static void pause_comes_as_one_key_down_and_up(void **state)
{
	static const uint8_t bytes[] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
	struct scancode_decoder decoder = {0};
	unsigned count;
	struct key_event event = feed(&decoder, bytes, 3, &count);

	(void)state;
	assert_int_equal(count, 1);
	assert_int_equal(event.key, KEY_PAUSE);
	assert_true(event.pressed);
	event = feed(&decoder, bytes + 3, 3, &count);
	assert_int_equal(count, 1);
	assert_int_equal(event.key, KEY_PAUSE);
	assert_false(event.pressed);
	ASSERT_KEY(KEY_PAUSE, true, 0xe0, 0x46); /* with Ctrl held */
}

static void a_broken_sequence_costs_no_further_key(void **state)
{
	(void)state;
	ASSERT_KEY(KEY_UP, true, 0xe0, 0xe0, 0x48);
	ASSERT_KEY(KEY_A, true, 0xe1, 0x1e, 0x1e);
	ASSERT_KEY(KEY_A, true, 0xe1, 0x1d, 0x1e, 0x1e);
	ASSERT_KEY(KEY_UP, true, 0xe1, 0x1d, 0xe0, 0x48);
}

/* What a controller that translates sends for each byte sequence of set 2. */
static void set_2_becomes_what_a_controller_makes_of_it(void **state)
{
	static const struct {
		uint8_t set2[8];
		uint8_t set1[8];
	} pairs[] = {
		{{0x1c}, {0x1e}},       /* a */
		{{0xf0, 0x1c}, {0x9e}}, /* a goes up */
		{{0x83}, {0x41}},       /* F7 */
		{{0xf0, 0x83}, {0xc1}},
		{{0x84}, {0x54}},             /* Alt-SysRq */
		{{0xe0, 0x75}, {0xe0, 0x48}}, /* up */
		{{0xe0, 0xf0, 0x75}, {0xe0, 0xc8}},
		{{0xe0, 0x12, 0xe0, 0x7c}, {0xe0, 0x2a, 0xe0, 0x37}}, /* Print Screen */
		{{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77},
		 {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}}, /* Pause */
		{{0xff, 0x29}, {0x39}},                 /* an overrun, then the space bar */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct set2_translator translator = {0};
		uint8_t made[8] = {0};
		size_t n = 0;

		for (size_t j = 0; j < 8 && pairs[i].set2[j]; j++) {
			uint8_t byte = scancode_from_set2(&translator, pairs[i].set2[j]);

			if (byte)
				made[n++] = byte;
		}
		assert_memory_equal(made, pairs[i].set1, sizeof(made));
	}
}

/* Every key of set 1 has exactly one code of set 2. */
static void set_2_has_every_key_once(void **state)
{
	unsigned seen[0x80] = {0};

	(void)state;
	for (unsigned code = 1; code < 0x100; code++) {
		struct set2_translator translator = {0};
		uint8_t made = scancode_from_set2(&translator, (uint8_t)code);

		if (made && made < 0x80)
			seen[made]++;
	}
	for (unsigned code = 1; code <= 0x58; code++) {
		if (code != 0x55)
			assert_int_equal(seen[code], code == 0x41 || code == 0x54 ? 2 : 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_the_first_keyboard_are_their_codes),
		cmocka_unit_test(grey_keys_are_others_than_the_keypad),
		cmocka_unit_test(feigned_shifts_are_no_keys),
		cmocka_unit_test(pause_comes_as_one_key_down_and_up),
		cmocka_unit_test(a_broken_sequence_costs_no_further_key),
		cmocka_unit_test(set_2_becomes_what_a_controller_makes_of_it),
		cmocka_unit_test(set_2_has_every_key_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
