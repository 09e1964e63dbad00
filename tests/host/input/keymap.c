/* sources: kernel/input/keymap.c kernel/input/compose.c lib/string.c */
/*
 * Files of layouts, good and bad, the built-in layout, and the tables of accents.
 */
#include "keymap.h"
#include "compose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t good[] = {
	'F',
	'K',
	'M',
	'1',
	KEYMAP_ALTGR,
	0,
	2,
	0,
	KEY_1,
	0,
	'1',
	0,
	'!',
	0,
	0xb9,
	0,
	0,
	0,
	KEY_Q,
	KEY_IS_LETTER,
	'q',
	0,
	'Q',
	0,
	'@',
	0,
	DEAD_TILDE,
	KEYSYM_DEAD >> 8,
};

static void a_good_file_is_what_it_says(void **state)
{
	struct keymap map;

	(void)state;
	assert_null(keymap_parse(good, sizeof(good), &map));
	assert_int_equal(map.flags, KEYMAP_ALTGR);
	assert_int_equal(map.symbols[KEY_1][LEVEL_ALTGR], 0xb9);
	assert_int_equal(map.symbols[KEY_Q][LEVEL_ALTGR_SHIFT], KEYSYM_DEAD + DEAD_TILDE);
	assert_int_equal(map.key_flags[KEY_Q], KEY_IS_LETTER);
	assert_int_equal(map.symbols[KEY_A][LEVEL_PLAIN], 0);
}

/* `good` with one byte changed, and cut to `len_bytes`. */
static void assert_bad(size_t at, uint8_t value, size_t len_bytes, const char *why)
{
	uint8_t *file = malloc(len_bytes); /* of just its size: the sanitizer sees who goes on */
	struct keymap map;
	const char *problem;

	memcpy(file, good, len_bytes);
	if (at < len_bytes)
		file[at] = value;
	problem = keymap_parse(file, len_bytes, &map);
	free(file);
	assert_non_null(problem);
	assert_non_null(strstr(problem, why));
}

static void a_bad_file_is_told_apart(void **state)
{
	const size_t all = sizeof(good);

	(void)state;
	assert_bad(0, 'X', all, "no keymap");
	assert_bad(4, 0x80, all, "flags");
	assert_bad(5, 1, all, "flags");
	assert_bad(6, 3, all, "size");
	assert_bad(7, 0xff, all, "size");
	assert_bad(8, 0, all, "order");        /* key 0 */
	assert_bad(8, KEYS_MAX, all, "order"); /* beyond the last */
	assert_bad(18, KEY_1, all, "order");   /* twice */
	assert_bad(9, 0x40, all, "flags");
	assert_bad(10, 0x1b, all, "character");      /* an escape */
	assert_bad(11, 0xd8, all, "character");      /* half of a pair */
	assert_bad(26, DEAD_KEYS, all, "character"); /* no such dead key */
	for (size_t len_bytes = 0; len_bytes < all; len_bytes++)
		assert_bad(all, 0, len_bytes, "");
}

static void us_has_all_of_ascii(void **state)
{
	bool seen[0x80] = {false};
	struct keymap map;

	(void)state;
	keymap_us(&map);
	for (unsigned key = 0; key < KEYS_MAX; key++) {
		for (unsigned level = 0; level < LEVELS; level++) {
			assert_true(map.symbols[key][level] < 0x80);
			seen[map.symbols[key][level]] = true;
		}
	}
	for (unsigned character = 0x20; character < 0x7f; character++)
		assert_true(seen[character]);
}

static void accents_and_pairs(void **state)
{
	(void)state;
	for (unsigned dead = 0; dead < DEAD_KEYS; dead++) {
		assert_true(compose_accent((enum dead_key)dead) != 0);
		assert_true(compose_dead((enum dead_key)dead, ' ') != 0);
		assert_int_equal(compose_dead((enum dead_key)dead, '7'), 0);
	}
	assert_int_equal(compose_dead(DEAD_DIAERESIS, 'u'), 0xfc);
	assert_int_equal(compose_dead(DEAD_DIAERESIS, ' '), '"');
	assert_int_equal(compose_dead(DEAD_CIRCUMFLEX, ' '), '^');
	assert_int_equal(compose_dead(DEAD_CARON, 'Z'), 0x17d);
	assert_int_equal(compose_dead(DEAD_DOUBLE_ACUTE, 'o'), 0x151);
	assert_int_equal(compose_pair('a', 'e'), 0xe6);
	assert_int_equal(compose_pair('o', 'c'), 0xa9);
	assert_int_equal(compose_pair('c', 'o'), 0xa9);
	assert_int_equal(compose_pair('n', '~'), 0xf1);
	assert_int_equal(compose_pair('o', '/'), 0xf8);
	assert_int_equal(compose_pair('q', '7'), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file_is_what_it_says),
		cmocka_unit_test(a_bad_file_is_told_apart),
		cmocka_unit_test(us_has_all_of_ascii),
		cmocka_unit_test(accents_and_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
