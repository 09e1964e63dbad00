/* sources: kernel/tty_ldisc.c */
/*
 * The line discipline against what Linux's terminals do.
 */
#include "tty_ldisc.h"

#include <abi/signal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ldisc ldisc;
static uint8_t echoed[4096];
static struct ldisc_echo echo;
static unsigned events;
static int last_signal;

static void start(void)
{
	ldisc_init(&ldisc);
	echo = (struct ldisc_echo){.to = echoed, .room_bytes = sizeof(echoed)};
	events = 0;
	last_signal = 0;
}

static void type_bytes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct ldisc_result result = ldisc_input(&ldisc, (uint8_t)text[i], false, &echo);

		events |= result.events;
		if (result.signal)
			last_signal = result.signal;
	}
}

static void type(const char *text)
{
	type_bytes(text, strlen(text));
}

static void assert_echo(const char *expected)
{
	assert_int_equal(echo.len_bytes, strlen(expected));
	assert_memory_equal(echoed, expected, echo.len_bytes);
	echo.len_bytes = 0;
}

/* A read of up to `max` bytes gives `expected`. */
static void assert_read(size_t max, const char *expected, bool expected_done)
{
	uint8_t to[LDISC_INPUT_BYTES];
	bool done;
	size_t n = ldisc_read(&ldisc, to, max, &done);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(to, expected, n);
	assert_int_equal(done, expected_done);
}

static void set_flags(unsigned clear_local, unsigned set_local)
{
	struct abi_termios termios = ldisc.termios;

	termios.c_lflag = (termios.c_lflag & ~clear_local) | set_local;
	ldisc_set_termios(&ldisc, &termios);
}

static void termios_has_linux_layout(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct abi_termios), 36);
	assert_int_equal(offsetof(struct abi_termios, c_cc), 17);
}

static void line_is_readable_only_when_complete(void **state)
{
	(void)state;
	start();
	type("hel");
	assert_false(ldisc_readable(&ldisc));
	assert_int_equal(ldisc_count(&ldisc), 0);
	type("lo\r");
	assert_true(ldisc_readable(&ldisc));
	assert_true(events & LDISC_READABLE);
	assert_int_equal(ldisc_count(&ldisc), 6);
	assert_echo("hello\r\n");
	assert_read(100, "hello\n", true);
	assert_false(ldisc_readable(&ldisc));
}

static void read_ends_at_each_line(void **state)
{
	(void)state;
	start();
	type("a\nbc\nd");
	assert_read(100, "a\n", true);
	assert_read(100, "bc\n", true);
	assert_read(100, "", false);
}

static void long_line_is_read_in_pieces(void **state)
{
	(void)state;
	start();
	type("abcdef\n");
	assert_read(4, "abcd", false);
	assert_read(4, "ef\n", true);
}

static void erase_takes_one_character_and_its_columns(void **state)
{
	(void)state;
	start();
	type("ab\x7f");
	assert_echo("ab\b \b");
	type("c\n");
	echo.len_bytes = 0;
	assert_read(100, "ac\n", true);
	type("\x7f"); /* nothing to erase: nothing happens */
	assert_echo("");
}

static void erase_takes_a_whole_utf8_character(void **state)
{
	(void)state;
	start();
	type("x\xc3\xa9\xe2\x82\xac");
	echo.len_bytes = 0;
	type("\x7f");
	assert_echo("\b \b");
	type("\x7f");
	assert_echo("\b \b");
	type("\n");
	assert_read(100, "x\n", true);
}

static void erase_of_control_characters_and_tabs(void **state)
{
	(void)state;
	start();
	type("a\x01");
	assert_echo("a^A");
	type("\x7f");
	assert_echo("\b \b\b \b");
	type("\t");
	echo.len_bytes = 0;
	type("\x7f"); /* from column 8 back to 1 */
	assert_int_equal(echo.len_bytes, 7 * 3);
	assert_int_equal(ldisc.column, 1);
}

static void word_erase_and_kill(void **state)
{
	(void)state;
	start();
	type("one two  ");
	echo.len_bytes = 0;
	type("\x17");
	assert_int_equal(echo.len_bytes, 5 * 3);
	type("\x15");
	type("z\n");
	assert_read(100, "z\n", true);

	start();
	set_flags(ECHOKE, 0);
	type("abc\x15");
	assert_echo("abc^U\r\n");
	type("q\n");
	assert_read(100, "q\n", true);
}

static void word_erase_stops_where_the_line_begins(void **state)
{
	(void)state;
	start();
	type("first\nsecond\x17x\n");
	assert_read(100, "first\n", true);
	assert_read(100, "x\n", true);
}

static void kill_that_does_not_fit_begins_a_new_row(void **state)
{
	(void)state;
	start();
	type("abcdefgh");
	echo = (struct ldisc_echo){.to = echoed, .room_bytes = 8};
	type("\x15");
	assert_echo("^U\r\n");
	type("\n");
	assert_read(100, "\n", true);
}

static void eof_ends_the_read_and_is_not_read(void **state)
{
	(void)state;
	start();
	type("ab\x04");
	assert_int_equal(ldisc_count(&ldisc), 2);
	assert_read(100, "ab", true);
	assert_false(ldisc_readable(&ldisc));
	type("\x04");
	assert_true(ldisc_readable(&ldisc));
	assert_read(100, "", true);
	assert_false(ldisc_readable(&ldisc));
}

static void eof_right_behind_a_full_read_belongs_to_it(void **state)
{
	(void)state;
	start();
	type("abc\x04");
	assert_read(3, "abc", true);
	assert_false(ldisc_readable(&ldisc));
}

static void interrupt_signals_flushes_and_shows_itself(void **state)
{
	(void)state;
	start();
	type("line\nhalf\x03");
	assert_int_equal(last_signal, SIGINT);
	assert_echo("line\r\nhalf^C");
	assert_true(events & LDISC_FLUSHED);
	assert_false(ldisc_readable(&ldisc));
	type("\x1c");
	assert_int_equal(last_signal, SIGQUIT);
	type("\x1a");
	assert_int_equal(last_signal, SIGTSTP);
}

static void what_came_raw_can_be_typed_anew(void **state)
{
	uint8_t bytes[LDISC_INPUT_BYTES];

	(void)state;
	start();
	type("line\n");
	assert_int_equal(ldisc_take_raw(&ldisc, bytes), 0);
	set_flags(ISIG | ICANON | ECHO, 0);
	type("one\x03two\n");
	assert_int_equal(ldisc_take_raw(&ldisc, bytes), 8);
	assert_memory_equal(bytes, "one\x03two\n", 8);
	assert_int_equal(ldisc_take_raw(&ldisc, bytes), 0);

	/* What was read of it is gone, and what came before it stays. */
	type("three");
	assert_read(7, "line\nth", false);
	assert_int_equal(ldisc_take_raw(&ldisc, bytes), 3);
	assert_memory_equal(bytes, "ree", 3);
	assert_false(ldisc_readable(&ldisc));
	set_flags(0, ISIG | ICANON | ECHO);
	assert_false(ldisc_readable(&ldisc));
}

static void noflsh_keeps_the_input(void **state)
{
	(void)state;
	start();
	set_flags(0, NOFLSH);
	type("keep\x03 me\n");
	assert_int_equal(last_signal, SIGINT);
	assert_read(100, "keep me\n", true);
}

static void raw_mode_passes_everything(void **state)
{
	(void)state;
	start();
	set_flags(ICANON | ISIG | ECHO | IEXTEN, 0);
	ldisc.termios.c_iflag = 0;
	type_bytes("\x03\x04\r\x7f\0\xff", 6);
	assert_int_equal(last_signal, 0);
	assert_echo("");
	assert_int_equal(ldisc_count(&ldisc), 6);

	uint8_t to[8];
	bool done;

	assert_int_equal(ldisc_read(&ldisc, to, sizeof(to), &done), 6);
	assert_memory_equal(to, "\x03\x04\r\x7f\0\xff", 6);
	assert_false(done);
}

static void carriage_return_and_newline_translation(void **state)
{
	(void)state;
	start();
	set_flags(ICANON | ECHO, 0);
	ldisc.termios.c_iflag = INLCR;
	type("\n");
	ldisc.termios.c_iflag = IGNCR;
	type("\r");
	ldisc.termios.c_iflag = ICRNL;
	type("\r");
	assert_read(100, "\r\n", false);
}

static void literal_next_takes_the_meaning_away(void **state)
{
	(void)state;
	start();
	type("\x16\x03");
	assert_int_equal(last_signal, 0);
	assert_echo("^\b^C");
	type("\n");
	assert_read(100, "\x03\n", true);
}

static void echo_off_still_shows_newline_with_echonl(void **state)
{
	(void)state;
	start();
	set_flags(ECHO, ECHONL);
	type("secret\n");
	assert_echo("\r\n");
	set_flags(ECHONL, 0);
	type("\x7fmore\n");
	assert_echo("");
	assert_read(100, "secret\n", true);
	assert_read(100, "more\n", true);
}

static void stop_and_start_are_not_read(void **state)
{
	(void)state;
	start();
	type("\x13");
	assert_int_equal(events, LDISC_STOP);
	type("\x11");
	assert_true(events & LDISC_GO);
	type("\n");
	assert_read(100, "\n", true);
}

static void feed_condition(uint8_t character, enum ldisc_condition condition)
{
	struct ldisc_result result =
		ldisc_input_condition(&ldisc, character, condition, false, &echo);

	events |= result.events;
	if (result.signal)
		last_signal = result.signal;
}

static void set_input_flags(unsigned flags)
{
	set_flags(ICANON | ECHO, 0);
	ldisc.termios.c_iflag = flags;
}

static void breaks_and_bad_bytes_become_what_the_settings_say(void **state)
{
	static const struct {
		unsigned flags;
		enum ldisc_condition condition;
		const char *expected;
		size_t len_bytes;
	} cases[] = {
		{0, LDISC_BREAK, "\0", 1},
		{IGNBRK | BRKINT, LDISC_BREAK, "", 0},
		{PARMRK, LDISC_BREAK, "\377\0\0", 3},
		{0, LDISC_BAD_BYTE, "x", 1},
		{INPCK, LDISC_BAD_BYTE, "\0", 1},
		{INPCK | IGNPAR, LDISC_BAD_BYTE, "", 0},
		{INPCK | PARMRK, LDISC_BAD_BYTE, "\377\0x", 3},
	};
	uint8_t to[8];
	bool done;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		start();
		set_input_flags(cases[i].flags);
		feed_condition('x', cases[i].condition);
		assert_int_equal(ldisc_read(&ldisc, to, sizeof(to), &done), cases[i].len_bytes);
		assert_memory_equal(to, cases[i].expected, cases[i].len_bytes);
		assert_int_equal(last_signal, 0);
	}
	start();
	type("half");
	ldisc.termios.c_iflag = BRKINT;
	feed_condition(0, LDISC_BREAK);
	assert_int_equal(last_signal, SIGINT);
	assert_true(events & LDISC_FLUSHED);
	start();
	set_input_flags(PARMRK);
	type("\377"); /* a good one is told from a mark by coming twice */
	assert_int_equal(ldisc_read(&ldisc, to, sizeof(to), &done), 2);
}

static void reprint_shows_the_line_again(void **state)
{
	(void)state;
	start();
	type("abc\x12");
	assert_echo("abc^R\r\nabc");
}

static void full_queue_keeps_a_place_for_the_newline(void **state)
{
	(void)state;
	start();
	for (size_t i = 0; i < LDISC_INPUT_BYTES + 100; i++) {
		assert_true(ldisc_has_room(&ldisc)); /* nobody could make room: it must come in */
		echo.len_bytes = 0;
		type("x");
	}
	type("\n");
	assert_int_equal(ldisc_count(&ldisc), LDISC_INPUT_BYTES);
	assert_false(ldisc_has_room(&ldisc));

	uint8_t to[LDISC_INPUT_BYTES];
	bool done;

	assert_int_equal(ldisc_read(&ldisc, to, sizeof(to), &done), LDISC_INPUT_BYTES);
	assert_true(done);
	assert_int_equal(to[LDISC_INPUT_BYTES - 1], '\n');
	assert_true(ldisc_has_room(&ldisc));
}

static void raw_queue_asks_to_wait_when_full(void **state)
{
	(void)state;
	start();
	set_flags(ICANON | ECHO, 0);
	for (size_t i = 0; i < LDISC_INPUT_BYTES; i++) {
		assert_true(ldisc_has_room(&ldisc));
		type("x");
	}
	assert_false(ldisc_has_room(&ldisc));
}

static void ring_wraps_many_times(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 5000; i++) {
		echo.len_bytes = 0;
		type("0123456789\n");
		assert_read(100, "0123456789\n", true);
	}
	assert_false(ldisc_readable(&ldisc));
}

static void going_raw_makes_the_half_line_readable(void **state)
{
	(void)state;
	start();
	type("half");
	set_flags(ICANON, 0);
	assert_read(100, "half", false);
	type("x");
	assert_read(100, "x", false);
}

static void going_canonical_makes_one_line_of_what_is_there(void **state)
{
	(void)state;
	start();
	set_flags(ICANON, 0);
	type("abc");
	set_flags(0, ICANON);
	assert_true(ldisc_readable(&ldisc));
	assert_read(100, "abc", true);
	type("d");
	assert_false(ldisc_readable(&ldisc));
}

static void a_nul_typed_raw_is_no_end_of_file(void **state)
{
	uint8_t to[4];
	bool done;

	(void)state;
	start();
	set_flags(ICANON, 0);
	type_bytes("", 1);
	set_flags(0, ICANON);
	assert_int_equal(ldisc_read(&ldisc, to, sizeof(to), &done), 1);
	assert_int_equal(to[0], 0);
	assert_true(done);
}

static void eol_characters_end_a_line_and_are_read(void **state)
{
	(void)state;
	start();
	ldisc.termios.c_cc[VEOL] = ';';
	type("ab;");
	assert_read(100, "ab;", true);
}

static void assert_output(unsigned flags, const char *from, const char *expected)
{
	uint8_t to[256];
	size_t taken;
	size_t made;

	ldisc.termios.c_oflag = flags;
	made = ldisc_output(&ldisc, (const uint8_t *)from, strlen(from), to, sizeof(to), &taken);
	assert_int_equal(taken, strlen(from));
	assert_int_equal(made, strlen(expected));
	assert_memory_equal(to, expected, made);
}

static void output_processing(void **state)
{
	(void)state;
	start();
	assert_output(OPOST | ONLCR, "a\nb\n", "a\r\nb\r\n");
	assert_output(ONLCR, "a\nb\n", "a\nb\n");
	assert_output(OPOST, "a\nb", "a\nb");
	assert_output(OPOST | OCRNL, "a\rb", "a\nb");
	start();
	assert_output(OPOST | ONOCR, "\rab\r\r", "ab\r");
	start();
	assert_output(OPOST | XTABS, "ab\tc\t", "ab      c       ");
}

static void output_goes_on_where_the_room_ended(void **state)
{
	(void)state;
	const char *from = "1\n2\n3\n4\n5\n6\n7\n8\n";
	const char *expected = "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n";
	uint8_t all[64];
	size_t made = 0;
	size_t done = 0;

	start();
	while (done < strlen(from)) {
		uint8_t to[10];
		size_t taken;
		size_t n = ldisc_output(&ldisc, (const uint8_t *)from + done, strlen(from) - done,
					to, sizeof(to), &taken);

		assert_true(taken > 0);
		assert_true(n <= sizeof(to));
		memcpy(all + made, to, n);
		made += n;
		done += taken;
	}
	assert_int_equal(made, strlen(expected));
	assert_memory_equal(all, expected, made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(termios_has_linux_layout),
		cmocka_unit_test(line_is_readable_only_when_complete),
		cmocka_unit_test(read_ends_at_each_line),
		cmocka_unit_test(long_line_is_read_in_pieces),
		cmocka_unit_test(erase_takes_one_character_and_its_columns),
		cmocka_unit_test(erase_takes_a_whole_utf8_character),
		cmocka_unit_test(erase_of_control_characters_and_tabs),
		cmocka_unit_test(word_erase_and_kill),
		cmocka_unit_test(word_erase_stops_where_the_line_begins),
		cmocka_unit_test(kill_that_does_not_fit_begins_a_new_row),
		cmocka_unit_test(eof_ends_the_read_and_is_not_read),
		cmocka_unit_test(eof_right_behind_a_full_read_belongs_to_it),
		cmocka_unit_test(interrupt_signals_flushes_and_shows_itself),
		cmocka_unit_test(what_came_raw_can_be_typed_anew),
		cmocka_unit_test(noflsh_keeps_the_input),
		cmocka_unit_test(raw_mode_passes_everything),
		cmocka_unit_test(carriage_return_and_newline_translation),
		cmocka_unit_test(literal_next_takes_the_meaning_away),
		cmocka_unit_test(echo_off_still_shows_newline_with_echonl),
		cmocka_unit_test(stop_and_start_are_not_read),
		cmocka_unit_test(breaks_and_bad_bytes_become_what_the_settings_say),
		cmocka_unit_test(reprint_shows_the_line_again),
		cmocka_unit_test(full_queue_keeps_a_place_for_the_newline),
		cmocka_unit_test(raw_queue_asks_to_wait_when_full),
		cmocka_unit_test(ring_wraps_many_times),
		cmocka_unit_test(going_raw_makes_the_half_line_readable),
		cmocka_unit_test(going_canonical_makes_one_line_of_what_is_there),
		cmocka_unit_test(a_nul_typed_raw_is_no_end_of_file),
		cmocka_unit_test(eol_characters_end_a_line_and_are_read),
		cmocka_unit_test(output_processing),
		cmocka_unit_test(output_goes_on_where_the_room_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
