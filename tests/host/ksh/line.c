/* sources: ksh/line.c ksh/line_draw.c ksh/keys.c ksh/history.c lib/utf8.c lib/fmt.c lib/string.c
   tests/host/support/terminal.c */
/*
 * The line editor against a model of a terminal: after every byte fed, the model's screen must show
 * the prompt and the text as a terminal would wrap them, and its cursor must stand on the right
 * cell.
 */
#include "../../../ksh/line.h"
#include "../support/terminal.h"
#include <lib/utf8.h>

#include <lib/fmt.h>
#include <lib/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the editor on it ---- */

struct bench {
	struct terminal terminal;
	struct history history;
	struct line line;
	unsigned tabs;
	bool last_tab_again;
};

static void host_write(void *argument, const char *text, size_t len)
{
	struct bench *bench = argument;

	for (size_t i = 0; i < len; i++)
		terminal_byte(&bench->terminal, text[i]);
}

static void host_window(void *argument, unsigned *rows, unsigned *columns)
{
	struct bench *bench = argument;

	*rows = bench->terminal.rows;
	*columns = bench->terminal.columns;
}

static void host_complete(void *argument, struct line *line, bool again)
{
	struct bench *bench = argument;
	static const char *const names[] = {"alpha", "beta", "gamma"};

	bench->tabs++;
	bench->last_tab_again = again;
	if (again)
		line_list(line, names, ARRAY_SIZE(names), 2);
	else if (strcmp(line->text, "com") == 0 && line_replace(line, 0, "complete "))
		line_draw(line);
	else
		line_beep(line);
}

#define PROMPT       "\033[1mksh>\033[0m "
#define PROMPT_SHOWN "ksh> "

static void bench_start_sized(struct bench *bench, unsigned rows, unsigned columns)
{
	static const struct line_host host = {
		.write = host_write, .window = host_window, .complete = host_complete};
	struct line_host own = host;

	own.argument = bench;
	memset(bench, 0, sizeof(*bench));
	terminal_init(&bench->terminal, rows, columns);
	history_init(&bench->history, malloc, free);
	line_init(&bench->line, &own, &bench->history);
	line_start(&bench->line, PROMPT);
}

static void bench_start(struct bench *bench)
{
	bench_start_sized(bench, 24, 80);
}

static void bench_end(struct bench *bench)
{
	for (size_t i = 0; i < bench->history.count; i++)
		free((char *)history_line(&bench->history, i));
}

/* What stands on the screen must be what wrapping `prompt` and `text` by hand gives, with the
 * cursor behind `cursor` bytes of it. */
static void check_screen(struct bench *bench, const char *prompt, const char *text, size_t cursor)
{
	struct terminal *t = &bench->terminal;
	struct terminal expected;
	char whole[2 * LINE_BYTES_MAX];
	size_t len = (size_t)snprintf(whole, sizeof(whole), "%s%s", prompt, text);
	size_t before = strlen(prompt) + cursor;
	unsigned cursor_row = 0, cursor_column = 0;

	terminal_init(&expected, SCREEN_MAX, t->columns);
	for (size_t i = 0; i <= len;) {
		uint32_t code;
		size_t nbytes;

		if (i == before) {
			cursor_row = expected.row + (expected.wrap_pending ? 1 : 0);
			cursor_column = expected.wrap_pending ? 0 : expected.column;
		}
		if (i == len)
			break;
		nbytes = utf8_decode(whole + i, len - i, &code);
		terminal_put(&expected, code);
		i += nbytes;
	}
	/* Only where the line, with the cell behind its end, has more rows than the window may its
	 * first row be out of sight. */
	assert_true(cursor_row <= t->row ||
		    t->rows <= expected.row + (expected.wrap_pending ? 1 : 0));
	if (cursor_row <= t->row) {
		unsigned first = t->row - cursor_row; /* row of the screen where the line begins */

		for (unsigned r = 0; r <= expected.row && first + r < t->rows; r++)
			for (unsigned c = 0; c < t->columns; c++)
				assert_int_equal(t->cells[first + r][c], expected.cells[r][c]);
		for (unsigned r = first + expected.row + 1; r < t->rows; r++)
			for (unsigned c = 0; c < t->columns; c++)
				assert_int_equal(t->cells[r][c], ' ');
	} else {
		/* The line is longer than the window: what is shown are rows around the cursor. */
		for (unsigned r = 0; r < t->rows && cursor_row - t->row + r <= expected.row; r++)
			for (unsigned c = 0; c < t->columns; c++)
				assert_int_equal(t->cells[r][c],
						 expected.cells[cursor_row - t->row + r][c]);
	}
	assert_int_equal(t->column, cursor_column);
}

static enum line_event feed(struct bench *bench, const char *bytes)
{
	enum line_event event = LINE_EDITING;

	for (; *bytes && event == LINE_EDITING; bytes++) {
		event = line_feed(&bench->line, (unsigned char)*bytes);
		if (event == LINE_EDITING && !bench->line.searching &&
		    bench->line.keys.state == KEYS_PLAIN)
			check_screen(bench, PROMPT_SHOWN, bench->line.text, bench->line.cursor);
	}
	return event;
}

#define UP        "\033[A"
#define DOWN      "\033[B"
#define RIGHT     "\033[C"
#define LEFT      "\033[D"
#define HOME_KEY  "\033[H"
#define END_KEY   "\033[F"
#define DELETE    "\033[3~"
#define CTRL_A    "\x01"
#define CTRL_C    "\x03"
#define CTRL_D    "\x04"
#define CTRL_E    "\x05"
#define CTRL_G    "\x07"
#define CTRL_K    "\x0b"
#define CTRL_L    "\x0c"
#define CTRL_R    "\x12"
#define CTRL_T    "\x14"
#define CTRL_U    "\x15"
#define CTRL_W    "\x17"
#define CTRL_Y    "\x19"
#define BACKSPACE "\x7f"

static void check_text(const char *keys, const char *text, size_t cursor)
{
	struct bench bench;

	bench_start(&bench);
	assert_int_equal(feed(&bench, keys), LINE_EDITING);
	assert_string_equal(bench.line.text, text);
	assert_int_equal(bench.line.cursor, cursor);
	assert_int_equal(bench.line.len, strlen(text));
	bench_end(&bench);
}

static void keys_edit_the_text(void **state)
{
	check_text("hello", "hello", 5);
	check_text("hello" LEFT LEFT "x", "helxlo", 4);
	check_text("hello" HOME_KEY "x", "xhello", 1);
	check_text("hello\033[1~x\033[4~y", "xhelloy", 7);
	check_text("hello\033OHx\033OFy", "xhelloy", 7);
	check_text("hello" CTRL_A "x" CTRL_E "y", "xhelloy", 7);
	check_text("hello" CTRL_A RIGHT RIGHT CTRL_K, "he", 2);
	check_text("hello" LEFT CTRL_U, "o", 0);
	check_text("one two  " CTRL_W, "one ", 4);
	check_text("one two  " CTRL_W CTRL_W CTRL_W, "", 0);
	check_text("hello" BACKSPACE BACKSPACE, "hel", 3);
	check_text("hello" CTRL_A BACKSPACE, "hello", 0);
	check_text("hello" CTRL_A DELETE DELETE, "llo", 0);
	check_text("hello" CTRL_A CTRL_D, "ello", 0);
	check_text("hello" DELETE RIGHT, "hello", 5);
	check_text("ab" CTRL_T, "ba", 2);
	check_text("abc" LEFT CTRL_T, "acb", 3);
	check_text("one two.three\033b\033b", "one two.three", 4);
	check_text("one two\033[1;5D\033[1;5Dx", "xone two", 1);
	check_text("one two" CTRL_A "\033f\033f", "one two", 7);
	check_text("one two" CTRL_A "\033d", " two", 0);
	check_text("one two" CTRL_W CTRL_A CTRL_Y, "twoone ", 3);
	check_text("one two" CTRL_W CTRL_W CTRL_Y, "one two", 7);
	/* sequences that mean nothing leave nothing behind */
	check_text("a\033[99~b\033[?25hc\033Od", "abc", 3);
	check_text("a\033\033[Db", "ba", 1);
}

static void utf8_counts_as_characters(void **state)
{
	check_text("äöü" LEFT BACKSPACE, "äü", 2);
	check_text("日本" LEFT "x", "日x本", 4);
	check_text("e\xcc\x81x" LEFT LEFT "y", "ye\xcc\x81x",
		   1); /* a combining accent belongs to its e */
	check_text("a\xff"
		   "b" LEFT LEFT DELETE,
		   "ab", 1); /* not UTF-8: one character a byte */
	check_text("a\xe2\x82"
		   "b",
		   "a\xe2\x82"
		   "b",
		   4); /* broken off in the middle */
}

static void enter_and_its_like_end_the_line(void **state)
{
	struct bench bench;

	bench_start(&bench);
	assert_int_equal(feed(&bench, "abc" LEFT "\r"), LINE_ENTERED);
	assert_string_equal(bench.line.text, "abc");
	assert_int_equal(bench.terminal.row, 1);
	assert_int_equal(bench.terminal.column, 0);
	line_start(&bench.line, PROMPT);
	assert_int_equal(feed(&bench, "abc" CTRL_C), LINE_ABANDONED);
	assert_int_equal(bench.terminal.row, 2);
	line_start(&bench.line, PROMPT);
	assert_int_equal(feed(&bench, CTRL_D), LINE_END_OF_FILE);
	bench_end(&bench);
}

static void long_lines_wrap_and_come_back(void **state)
{
	struct bench bench;

	for (unsigned columns = 8; columns <= 40; columns++) {
		bench_start_sized(&bench, 30, columns);
		for (int i = 0; i < 60; i++)
			feed(&bench, i % 7 == 3 ? "字" : i % 5 ? "x" : "ö");
		for (int i = 0; i < 70; i++)
			feed(&bench, LEFT);
		feed(&bench, RIGHT RIGHT RIGHT "insert" DELETE DELETE);
		for (int i = 0; i < 20; i++)
			feed(&bench, i & 1 ? RIGHT : BACKSPACE);
		feed(&bench, CTRL_E);
		for (int i = 0; i < 40; i++)
			feed(&bench, BACKSPACE);
		feed(&bench, CTRL_U);
		assert_true(bench.line.screen.one_row);
		bench_end(&bench);
	}
}

static void a_line_longer_than_the_window_shows_its_cursor(void **state)
{
	struct bench bench;

	bench_start_sized(&bench, 5, 10);
	for (int i = 0; i < 200; i++)
		feed(&bench, i % 10 ? "x" : "|");
	for (int i = 0; i < 150; i++)
		feed(&bench, LEFT);
	feed(&bench, "here" CTRL_A "a" CTRL_E "e" CTRL_U);
	bench_end(&bench);
}

static void the_line_stops_at_its_limit(void **state)
{
	struct bench bench;

	bench_start(&bench);
	for (int i = 0; i < LINE_BYTES_MAX + 50; i++)
		line_feed(&bench.line, 'x');
	assert_int_equal(bench.line.len, LINE_BYTES_MAX - 1);
	assert_true(bench.terminal.bells > 0);
	line_feed(&bench.line, 0x19); /* yanks nothing */
	line_feed(&bench.line, 0x15); /* kills all of it */
	line_feed(&bench.line, 0x19);
	line_feed(&bench.line, 0x19); /* no room for it twice */
	assert_int_equal(bench.line.len, LINE_BYTES_MAX - 1);
	bench_end(&bench);
}

static void history_goes_up_and_down(void **state)
{
	struct bench bench;

	bench_start(&bench);
	history_add(&bench.history, "first");
	history_add(&bench.history, "second");
	history_add(&bench.history, "second");
	history_add(&bench.history, "");
	line_start(&bench.line, PROMPT);
	assert_int_equal(bench.history.count, 2);
	feed(&bench, "typed" UP);
	assert_string_equal(bench.line.text, "second");
	feed(&bench, UP UP UP);
	assert_string_equal(bench.line.text, "first");
	feed(&bench, DOWN);
	assert_string_equal(bench.line.text, "second");
	feed(&bench, DOWN);
	assert_string_equal(bench.line.text, "typed");
	feed(&bench, DOWN);
	assert_string_equal(bench.line.text, "typed");
	bench_end(&bench);
}

static void history_keeps_the_newest(void **state)
{
	struct bench bench;
	char text[24];

	bench_start(&bench);
	for (int i = 0; i < HISTORY_MAX + 10; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		history_add(&bench.history, text);
	}
	assert_int_equal(bench.history.count, HISTORY_MAX);
	assert_string_equal(history_line(&bench.history, 0), "line 10");
	assert_null(history_line(&bench.history, HISTORY_MAX));
	bench_end(&bench);
}

static void check_search(struct bench *bench, const char *shown, const char *match, size_t cursor)
{
	assert_true(bench->line.searching);
	check_screen(bench, shown, match, cursor);
}

static void search_finds_older_lines(void **state)
{
	struct bench bench;

	bench_start(&bench);
	history_add(&bench.history, "cat /etc/motd");
	history_add(&bench.history, "primes 100");
	history_add(&bench.history, "cat /tmp/x");
	history_add(&bench.history, "ls");
	line_start(&bench.line, PROMPT);
	feed(&bench, "now" CTRL_R "cat");
	check_search(&bench, "(search `cat'): ", "cat /tmp/x", 0);
	feed(&bench, CTRL_R);
	check_search(&bench, "(search `cat'): ", "cat /etc/motd", 0);
	feed(&bench, CTRL_R);
	check_search(&bench, "(no line has `cat'): ", "cat /etc/motd", 0);
	feed(&bench, BACKSPACE BACKSPACE BACKSPACE "im");
	check_search(&bench, "(search `im'): ", "primes 100", 2);
	feed(&bench, CTRL_G);
	assert_string_equal(bench.line.text, "now");
	feed(&bench, CTRL_R "prim" RIGHT);
	assert_false(bench.line.searching);
	assert_string_equal(bench.line.text, "primes 100");
	assert_int_equal(bench.line.cursor, 1);
	feed(&bench, UP);
	assert_string_equal(bench.line.text, "cat /etc/motd");
	assert_int_equal(feed(&bench, CTRL_R "tmp\r"), LINE_ENTERED);
	assert_string_equal(bench.line.text, "cat /tmp/x");
	bench_end(&bench);
}

static void tab_completes_and_lists(void **state)
{
	struct bench bench;

	bench_start_sized(&bench, 24, 20);
	feed(&bench, "com\t");
	assert_string_equal(bench.line.text, "complete ");
	assert_false(bench.last_tab_again);
	feed(&bench, "\t");
	assert_true(bench.last_tab_again);
	assert_int_equal(bench.terminal.cells[1][0], 'a');
	assert_int_equal(bench.terminal.cells[1][7], 'g'); /* two columns of at most 5 + 2 cells */
	assert_int_equal(bench.terminal.cells[2][0], 'b');
	assert_int_equal(bench.terminal.cells[3][0], '.'); /* ... and 2 more */
	feed(&bench, "x\t");
	assert_false(bench.last_tab_again);
	bench_end(&bench);
}

static void the_screen_is_cleared_on_request(void **state)
{
	struct bench bench;

	bench_start(&bench);
	feed(&bench, "one\r");
	line_start(&bench.line, PROMPT);
	feed(&bench, "two" CTRL_L);
	assert_int_equal(bench.terminal.row, 0);
	check_screen(&bench, PROMPT_SHOWN, "two", 3);
	bench_end(&bench);
}

static void a_new_width_is_noticed(void **state)
{
	struct bench bench;

	bench_start_sized(&bench, 24, 80);
	feed(&bench, "0123456789");
	bench.terminal.columns = 40;
	line_resized(&bench.line);
	feed(&bench, "01234567890123456789012345678901234567890123456789");
	assert_false(bench.line.screen.one_row);
	bench_end(&bench);
}

/* Random keys, every screen checked. */
static void random_keys_keep_screen_and_text_together(void **state)
{
	static const char *const keys[] = {
		"a",     "b",     " ",     "ö",    "字",     "🙂",  "e\xcc\x81", "\xff",
		LEFT,    RIGHT,   UP,      DOWN,   HOME_KEY, END_KEY, DELETE,      BACKSPACE,
		CTRL_K,  CTRL_U,  CTRL_W,  CTRL_Y, CTRL_T,   CTRL_L,  CTRL_R,      CTRL_G,
		"\033b", "\033f", "\033d", "\t",   "x",      "y",     "z",         "long word ",
	};
	unsigned seed = 1;
	struct bench bench;

	for (unsigned round = 0; round < 200; round++) {
		bench_start_sized(&bench, 4 + round % 20, 8 + round % 60);
		history_add(&bench.history, "an older line that is long enough to wrap somewhere");
		history_add(&bench.history, "日本語 ö");
		for (unsigned i = 0; i < 200; i++) {
			seed = seed * 1103515245 + 12345;
			feed(&bench, keys[seed >> 16 & 31]);
			assert_true(bench.line.cursor <= bench.line.len);
			assert_int_equal(bench.line.text[bench.line.len], '\0');
		}
		bench_end(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_edit_the_text),
		cmocka_unit_test(utf8_counts_as_characters),
		cmocka_unit_test(enter_and_its_like_end_the_line),
		cmocka_unit_test(long_lines_wrap_and_come_back),
		cmocka_unit_test(a_line_longer_than_the_window_shows_its_cursor),
		cmocka_unit_test(the_line_stops_at_its_limit),
		cmocka_unit_test(history_goes_up_and_down),
		cmocka_unit_test(history_keeps_the_newest),
		cmocka_unit_test(search_finds_older_lines),
		cmocka_unit_test(tab_completes_and_lists),
		cmocka_unit_test(the_screen_is_cleared_on_request),
		cmocka_unit_test(a_new_width_is_noticed),
		cmocka_unit_test(random_keys_keep_screen_and_text_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
