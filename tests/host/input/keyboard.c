/* sources: kernel/input/keyboard.c kernel/input/keymap.c kernel/input/compose.c lib/string.c */
/*
 * What keys send: terminfo's `linux`, modifiers, locks, dead keys, Compose, and layouts.
 */
#include "keyboard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct keyboard keyboard;
static struct keyboard_modes modes;
static struct keyboard_result last;
static char sent[256];
static size_t nsent;

static void start(void)
{
	keyboard_init(&keyboard);
	modes = (struct keyboard_modes){.mode = KEYBOARD_UNICODE};
	nsent = 0;
}

static void event(unsigned key, bool pressed)
{
	keyboard_key(&keyboard, (struct key_event){.key = (uint8_t)key, .pressed = pressed}, &modes,
		     &last);
	assert_true(nsent + last.len_bytes < sizeof(sent));
	memcpy(sent + nsent, last.bytes, last.len_bytes);
	nsent += last.len_bytes;
}

static void tap(unsigned key)
{
	struct keyboard_result pressed;

	event(key, true);
	pressed = last;
	event(key, false);
	last = pressed;
}

static void tap_with(unsigned modifier, unsigned key)
{
	struct keyboard_result pressed;

	event(modifier, true);
	tap(key);
	pressed = last;
	event(modifier, false);
	last = pressed;
}

static void assert_sent(const char *expected)
{
	sent[nsent] = '\0';
	assert_string_equal(sent, expected);
	nsent = 0;
}

static void set_key(unsigned key, keysym_t plain, keysym_t shift, keysym_t altgr)
{
	keyboard.map.symbols[key][LEVEL_PLAIN] = plain;
	keyboard.map.symbols[key][LEVEL_SHIFT] = shift;
	keyboard.map.symbols[key][LEVEL_ALTGR] = altgr;
}

static void letters_digits_and_shift(void **state)
{
	(void)state;
	start();
	tap(KEY_A);
	tap_with(KEY_LEFT_SHIFT, KEY_A);
	tap_with(KEY_RIGHT_SHIFT, KEY_1);
	tap(KEY_SPACE);
	tap(KEY_BACKSLASH);
	assert_sent("aA! \\");
	event(KEY_LEFT_SHIFT, true);
	event(KEY_RIGHT_SHIFT, true);
	event(KEY_LEFT_SHIFT, false);
	tap(KEY_Q); /* the other one is still held */
	event(KEY_RIGHT_SHIFT, false);
	tap(KEY_Q);
	assert_sent("Qq");
}

static void caps_lock_is_for_letters_and_shift_undoes_it(void **state)
{
	(void)state;
	start();
	tap(KEY_CAPS_LOCK);
	assert_true(last.lamps);
	tap(KEY_A);
	tap(KEY_1);
	tap_with(KEY_LEFT_SHIFT, KEY_A);
	assert_sent("A1a");
	event(KEY_CAPS_LOCK, true);
	event(KEY_CAPS_LOCK, true); /* it repeats */
	event(KEY_CAPS_LOCK, true);
	event(KEY_CAPS_LOCK, false);
	tap(KEY_A);
	assert_sent("a");
}

static void a_held_key_repeats(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 3; i++)
		event(KEY_A, true);
	event(KEY_A, false);
	assert_sent("aaa");
}

static void control_makes_control_characters(void **state)
{
	static const struct {
		unsigned key;
		char expected;
	} keys[] = {
		{KEY_A, 1},
		{KEY_Z, 26},
		{KEY_BRACKET_LEFT, 27},
		{KEY_BACKSLASH, 28},
		{KEY_BRACKET_RIGHT, 29},
		{KEY_1 + 5, 30},
		{KEY_MINUS, 31},
		{KEY_SLASH, 31},
		{KEY_1 + 7, 127},
		{KEY_1 + 2, 27},
		{KEY_BACKSPACE, 8},
		{KEY_1 + 8, '9'},
	};

	(void)state;
	start();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		tap_with(KEY_LEFT_CONTROL, keys[i].key);
		assert_int_equal(nsent, 1);
		assert_int_equal(sent[0], keys[i].expected);
		nsent = 0;
	}
	tap_with(KEY_RIGHT_CONTROL, KEY_SPACE);
	assert_int_equal(nsent, 1);
	assert_int_equal(sent[0], 0);
	nsent = 0;
	tap_with(KEY_LEFT_CONTROL, KEY_1 + 1); /* Ctrl-2 */
	assert_int_equal(nsent, 1);
	assert_int_equal(sent[0], 0);
}

static void alt_is_an_escape_in_front(void **state)
{
	(void)state;
	start();
	tap_with(KEY_LEFT_ALT, KEY_A);
	tap_with(KEY_RIGHT_ALT, KEY_A); /* us has no AltGr */
	assert_sent("\033a\033a");
	event(KEY_LEFT_CONTROL, true);
	tap_with(KEY_LEFT_ALT, KEY_A);
	event(KEY_LEFT_CONTROL, false);
	assert_sent("\033\001");
	tap_with(KEY_LEFT_ALT, KEY_BACKSPACE);
	tap_with(KEY_LEFT_ALT, KEY_ENTER);
	tap_with(KEY_LEFT_ALT, KEY_LEFT);
	assert_sent("\033\177\033\r\033\033[D");
}

/* infocmp -1 linux */
static void keys_send_what_terminfo_says(void **state)
{
	static const struct {
		unsigned key;
		const char *expected;
	} keys[] = {
		{KEY_UP, "\033[A"},         {KEY_DOWN, "\033[B"},    {KEY_RIGHT, "\033[C"},
		{KEY_LEFT, "\033[D"},       {KEY_HOME, "\033[1~"},   {KEY_INSERT, "\033[2~"},
		{KEY_DELETE, "\033[3~"},    {KEY_END, "\033[4~"},    {KEY_PAGE_UP, "\033[5~"},
		{KEY_PAGE_DOWN, "\033[6~"}, {KEY_F1, "\033[[A"},     {KEY_F1 + 4, "\033[[E"},
		{KEY_F1 + 5, "\033[17~"},   {KEY_F10, "\033[21~"},   {KEY_F11, "\033[23~"},
		{KEY_F12, "\033[24~"},      {KEY_BACKSPACE, "\177"}, {KEY_TAB, "\t"},
		{KEY_ENTER, "\r"},          {KEY_ESCAPE, "\033"},    {KEY_PAUSE, "\033[P"},
		{KEY_PAD_4 + 1, "\033[G"},
	};
	static const char *const shifted[] = {"\033[25~", "\033[26~", "\033[28~",
					      "\033[29~", "\033[31~", "\033[32~",
					      "\033[33~", "\033[34~", ""};

	(void)state;
	start();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		tap(keys[i].key);
		assert_sent(keys[i].expected);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(shifted); i++) {
		tap_with(KEY_LEFT_SHIFT, KEY_F1 + i);
		assert_sent(shifted[i]);
	}
	tap_with(KEY_LEFT_SHIFT, KEY_TAB);
	assert_sent("\033\t");
}

static void the_terminal_modes_change_cursor_keys_keypad_and_enter(void **state)
{
	(void)state;
	start();
	modes.application_cursor = true;
	tap(KEY_UP);
	tap(KEY_HOME);
	assert_sent("\033OA\033[1~");
	modes.application_keypad = true;
	tap(KEY_PAD_0);
	tap(KEY_PAD_ENTER);
	tap(KEY_PAD_PLUS);
	assert_sent("\033Op\033OM\033Ol");
	modes.newline = true;
	tap(KEY_ENTER);
	assert_sent("\r\n");
}

static void the_keypad_has_digits_with_num_lock_only(void **state)
{
	(void)state;
	start();
	tap(KEY_PAD_7);
	tap(KEY_PAD_DOT);
	assert_sent("\033[1~\033[3~");
	tap(KEY_NUM_LOCK);
	tap(KEY_PAD_7);
	tap(KEY_PAD_DOT);
	tap(KEY_PAD_SLASH);
	tap(KEY_PAD_ENTER);
	assert_sent("7./\r");
	keyboard.map.flags |= KEYMAP_PAD_COMMA;
	tap(KEY_PAD_DOT);
	assert_sent(",");
}

static void what_is_no_input_is_an_action(void **state)
{
	(void)state;
	start();
	tap_with(KEY_LEFT_SHIFT, KEY_PAGE_UP);
	assert_int_equal(last.action, ACTION_SCROLL_BACK);
	tap_with(KEY_LEFT_SHIFT, KEY_PAGE_DOWN);
	assert_int_equal(last.action, ACTION_SCROLL_FORWARD);
	tap_with(KEY_LEFT_ALT, KEY_F1 + 1);
	assert_int_equal(last.action, ACTION_CONSOLE);
	assert_int_equal(last.value, 2);
	tap(KEY_SCROLL_LOCK);
	assert_int_equal(last.action, ACTION_STOP);
	assert_int_equal(last.value, 1);
	tap(KEY_SCROLL_LOCK);
	assert_int_equal(last.value, 0);
	event(KEY_LEFT_CONTROL, true);
	tap_with(KEY_LEFT_ALT, KEY_DELETE);
	assert_int_equal(last.action, ACTION_REBOOT);
	tap_with(KEY_RIGHT_ALT, KEY_PAD_DOT);
	assert_int_equal(last.action, ACTION_REBOOT);
	assert_sent("");
}

static void sysrq_takes_one_key_while_it_is_held(void **state)
{
	(void)state;
	start();
	event(KEY_LEFT_ALT, true);
	event(KEY_SYSRQ, true);
	tap(KEY_Q + 6); /* u */
	assert_int_equal(last.action, ACTION_SYSRQ);
	assert_int_equal(last.value, 'u');
	event(KEY_SYSRQ, false);
	event(KEY_LEFT_ALT, false);
	assert_sent("");
	tap(KEY_SYSRQ); /* Print Screen alone */
	tap(KEY_A);
	assert_int_equal(last.action, ACTION_NONE);
	assert_sent("a");
}

static void altgr_and_dead_keys_of_a_layout(void **state)
{
	(void)state;
	start();
	keyboard.map.flags = KEYMAP_ALTGR;
	set_key(KEY_Q, 'q', 'Q', '@');
	set_key(KEY_EQUAL, KEYSYM_DEAD + DEAD_ACUTE, KEYSYM_DEAD + DEAD_GRAVE, 0);
	set_key(KEY_Q + 2, 'e', 'E', 0x20ac);
	tap_with(KEY_RIGHT_ALT, KEY_Q);
	tap_with(KEY_RIGHT_ALT, KEY_Q + 2);
	assert_sent("@€");
	tap(KEY_EQUAL);
	assert_sent("");
	tap(KEY_Q + 2);
	tap_with(KEY_LEFT_SHIFT, KEY_EQUAL);
	tap_with(KEY_LEFT_SHIFT, KEY_Q + 2);
	assert_sent("éÈ");
	tap(KEY_EQUAL);
	tap(KEY_SPACE); /* the accent alone, as a shell knows it */
	tap(KEY_EQUAL);
	tap(KEY_EQUAL);
	tap(KEY_EQUAL);
	tap(KEY_Q); /* no such letter: both */
	tap(KEY_EQUAL);
	tap_with(KEY_LEFT_SHIFT, KEY_EQUAL);
	tap(KEY_Q + 2);
	assert_sent("'´´q´è");
	event(KEY_LEFT_CONTROL, true);
	tap_with(KEY_RIGHT_ALT, KEY_DELETE);
	assert_int_equal(last.action, ACTION_REBOOT); /* AltGr is an Alt, too */
	event(KEY_LEFT_CONTROL, false);
	tap(KEY_EQUAL);
	tap(KEY_ESCAPE); /* ends it */
	tap(KEY_Q + 2);
	assert_sent("\033e");
}

static void control_with_any_meaning_of_a_key(void **state)
{
	(void)state;
	start();
	keyboard.map.flags = KEYMAP_ALTGR;
	set_key(KEY_1 + 7, '8', '(', '[');
	set_key(KEY_Q, 'q', 'Q', '@');
	event(KEY_LEFT_CONTROL, true);
	tap(KEY_1 + 7);
	assert_sent("\033");
	tap(KEY_Q);
	assert_sent("\021");
	tap_with(KEY_RIGHT_ALT, KEY_Q);
	assert_int_equal(nsent, 1);
	assert_int_equal(sent[0], 0);
}

static void compose_makes_one_of_two(void **state)
{
	(void)state;
	start();
	tap(KEY_MENU);
	tap(KEY_APOSTROPHE);
	tap(KEY_Q + 2);
	assert_sent("é");
	tap(KEY_MENU);
	tap(KEY_A);
	tap_with(KEY_LEFT_SHIFT, KEY_APOSTROPHE);
	assert_sent("ä");
	tap(KEY_MENU);
	tap(KEY_A + 1);
	tap(KEY_A + 1);
	assert_sent("ß");
	tap(KEY_MENU);
	tap(KEY_EQUAL);
	tap(KEY_Q + 2);
	assert_sent("€");
	tap(KEY_MENU);
	tap(KEY_Q);
	tap(KEY_Q); /* nothing */
	tap(KEY_Q);
	assert_sent("q");
}

static void raw_modes_send_no_characters(void **state)
{
	(void)state;
	start();
	modes.mode = KEYBOARD_MEDIUM_RAW;
	event(KEY_A, true);
	event(KEY_A, false);
	tap(KEY_CAPS_LOCK);
	assert_memory_equal(sent, "\x1e\x9e\x3a\xba", 4);
	assert_int_equal(nsent, 4);
	nsent = 0;
	assert_int_equal(keyboard.locks, 0);
	modes.mode = KEYBOARD_OFF;
	tap(KEY_A);
	assert_sent("");
	event(KEY_LEFT_CONTROL, true);
	tap_with(KEY_LEFT_ALT, KEY_DELETE);
	assert_int_equal(last.action, ACTION_REBOOT);
	event(KEY_LEFT_CONTROL, false);
	modes.mode = KEYBOARD_XLATE;
	set_key(KEY_A, 0xe4, 0xc4, 0);
	set_key(KEY_Q, 0x20ac, 0, 0);
	tap(KEY_A);
	tap(KEY_Q);
	assert_int_equal(nsent, 1);
	assert_int_equal((uint8_t)sent[0], 0xe4);
}

static void plugging_in_forgets_what_was_held(void **state)
{
	(void)state;
	start();
	tap(KEY_CAPS_LOCK);
	event(KEY_LEFT_SHIFT, true);
	event(KEY_LEFT_CONTROL, true);
	keyboard_release_all(&keyboard);
	tap(KEY_A);
	assert_sent("A");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_digits_and_shift),
		cmocka_unit_test(caps_lock_is_for_letters_and_shift_undoes_it),
		cmocka_unit_test(a_held_key_repeats),
		cmocka_unit_test(control_makes_control_characters),
		cmocka_unit_test(alt_is_an_escape_in_front),
		cmocka_unit_test(keys_send_what_terminfo_says),
		cmocka_unit_test(the_terminal_modes_change_cursor_keys_keypad_and_enter),
		cmocka_unit_test(the_keypad_has_digits_with_num_lock_only),
		cmocka_unit_test(what_is_no_input_is_an_action),
		cmocka_unit_test(sysrq_takes_one_key_while_it_is_held),
		cmocka_unit_test(altgr_and_dead_keys_of_a_layout),
		cmocka_unit_test(control_with_any_meaning_of_a_key),
		cmocka_unit_test(compose_makes_one_of_two),
		cmocka_unit_test(raw_modes_send_no_characters),
		cmocka_unit_test(plugging_in_forgets_what_was_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
