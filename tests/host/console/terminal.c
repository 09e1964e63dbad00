/* sources: kernel/console/terminal.c kernel/console/terminal_cells.c kernel/console/terminal_csi.c
   kernel/console/terminal_colour.c kernel/console/terminal_parse.c kernel/console/codepage.c
   kernel/console/palette.c kernel/console/history.c kernel/console/serial_cells.c lib/utf8.c
   lib/fmt.c */
/*
 * What the terminal does that pyte does not know (tests/console/ compares the rest with it): the
 * alternate screen, scrolling by request, repeating, modes and their reports, the palette, wide
 * characters, other sizes; the rows that left; cells as sequences.
 */
#include "terminal.h"
#include "codepage.h"
#include "history.h"
#include "palette.h"
#include "serial_cells.h"

#include <lib/utf8.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS    5
#define COLUMNS 10

static struct terminal terminal;
static struct history history;
static uint8_t ring[1024];
static void *memory;
static void *alternate;
static bool refuse_memory;
static char answers[256];

static void answer(void *argument, const char *bytes, size_t len_bytes)
{
	strncat(answers, bytes, len_bytes);
}

static void keep_row(void *argument, const struct cell *cells, unsigned columns)
{
	history_push(&history, cells, columns);
}

static void forget(void *argument)
{
	history_clear(&history);
}

static void *take_memory(void *argument, size_t len_bytes)
{
	alternate = refuse_memory ? NULL : malloc(len_bytes);
	return alternate;
}

static const struct terminal_host host = {
	.answer = answer, .history = keep_row, .forget = forget, .memory = take_memory};

static int start(void **state)
{
	memory = malloc(terminal_memory_bytes(ROWS, COLUMNS));
	answers[0] = '\0';
	refuse_memory = false;
	history_init(&history, ring, sizeof(ring));
	terminal_init(&terminal, ROWS, COLUMNS, memory, &host, NULL);
	return 0;
}

static int end(void **state)
{
	free(memory);
	free(alternate);
	memory = NULL;
	alternate = NULL;
	return 0;
}

static void feed(const char *text)
{
	terminal_feed(&terminal, text, strlen(text));
}

static void row_text(const struct cell *cells, unsigned columns, char *to)
{
	size_t len = 0;

	for (unsigned column = 0; column < columns; column++) {
		if (!(cells[column].attributes & CELL_TAIL))
			len += utf8_encode(cells[column].character, to + len);
	}
	while (len > 0 && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

static void assert_row(unsigned row, const char *expected)
{
	char text[4 * COLUMNS + 1];

	row_text(terminal.lines[row], terminal.columns, text);
	assert_string_equal(text, expected);
}

static void assert_old_row(unsigned age, const char *expected)
{
	struct cell cells[COLUMNS];
	char text[4 * COLUMNS + 1];

	history_row(&history, age, cells, COLUMNS);
	row_text(cells, COLUMNS, text);
	assert_string_equal(text, expected);
}

static void the_alternate_screen_leaves_the_first_as_it_was(void **state)
{
	feed("one\r\ntwo\033[31m\033[?1049hgone\033[2J\033[3;3Hxyz");
	assert_row(2, "  xyz");
	assert_row(0, "");
	feed("\033[?1049l!");
	assert_row(0, "one");
	assert_row(1, "two!");
	assert_int_equal(terminal.lines[1][3].foreground, COLOUR_INDEXED(1));
	assert_int_equal(history_rows(&history), 0);
}

static void without_memory_there_is_one_screen_and_no_crash(void **state)
{
	refuse_memory = true;
	feed("one\033[?1049h\033[Htwo\033[?1049l");
	assert_row(0, "two");
	assert_true(terminal.lines == terminal.main_lines);
}

static void rows_scroll_by_request_inside_the_region(void **state)
{
	feed("1\r\n2\r\n3\r\n4\r\n5\033[2;4r\033[S");
	assert_row(0, "1");
	assert_row(1, "3");
	assert_row(3, "");
	feed("\033[2T");
	assert_row(3, "3");
	assert_row(4, "5");
	assert_int_equal(history_rows(&history), 0);
}

static void rows_that_leave_at_the_top_are_kept(void **state)
{
	feed("\033[1;34mblue\033[m\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7");
	assert_int_equal(history_rows(&history), 2);
	assert_old_row(0, "2");
	assert_old_row(1, "blue");
	feed("\033[2J");
	assert_int_equal(history_rows(&history), 2);
	feed("\033[H\033[M\033[M");
	assert_int_equal(history_rows(&history), 2); /* deleted rows do not leave */
	feed("\033[3J");
	assert_int_equal(history_rows(&history), 0);
}

static void history_keeps_the_newest_and_their_colours(void **state)
{
	struct cell cells[COLUMNS];

	for (unsigned i = 0; i < 300; i++) {
		for (unsigned k = 0; k < COLUMNS; k++)
			cells[k] = (struct cell){.character = 'a' + (i + k) % 26,
						 .attributes = k & 1 ? CELL_BOLD : 0,
						 .foreground = COLOUR_RGB(i),
						 .background = COLOUR_INDEXED(k)};
		history_push(&history, cells, COLUMNS);
	}
	assert_in_range(history_rows(&history), 5, 20);
	for (unsigned age = 0; age < history_rows(&history); age++) {
		history_row(&history, age, cells, COLUMNS);
		assert_int_equal(cells[3].foreground, COLOUR_RGB(299 - age));
		assert_int_equal(cells[3].background, COLOUR_INDEXED(3));
		assert_int_equal(cells[3].attributes, CELL_BOLD);
		assert_int_equal(cells[3].character, 'a' + (299 - age + 3) % 26);
	}
}

static void characters_repeat_and_tabs_go_both_ways(void **state)
{
	feed("x\033[4b\r\n\033[3g\033[4G\033H\033[8G\033H\r\033[2Iy\033[2Zz");
	assert_row(0, "xxxxx");
	assert_row(1, "   z   y");
}

static void modes_are_reported_as_they_are(void **state)
{
	feed("\033[?7$p\033[?2004h\033[?2004$p\033[4$p\033[?77$p\033[5n\033[c\033[>c\033[18t");
	assert_string_equal(answers, "\033[?7;1$y\033[?2004;1$y\033[4;2$y\033[?77;0$y\033[0n"
				     "\033[?62;22c\033[>1;10;0c\033[8;5;10t");
	assert_true(terminal.modes & MODE_BRACKETED);
}

static void a_place_that_was_put_back_is_reported(void **state)
{
	feed("\033[?6h\033[1;3H\0337\033[3;5r\0338\033[6n"); /* it was above the region */
	assert_int_equal(terminal.place.row, 2);
	assert_string_equal(answers, "\033[1;3R");
	terminal.silent = true;
	feed("\033[6n\033[c\033Z");
	assert_string_equal(answers, "\033[1;3R");
}

static void going_back_over_the_edge_stays_in_the_region(void **state)
{
	feed("\033[?45h\033[3;5r\033[4;2H\b\b\b");
	assert_int_equal(terminal.place.row, 2);
	assert_int_equal(terminal.place.column, 8);
	feed("\r\b");
	assert_int_equal(terminal.place.row, 2);
	feed("\033[2;1H\b");
	assert_int_equal(terminal.place.row, 0);
}

static void a_soft_reset_keeps_the_text(void **state)
{
	feed("abc\033[?1h\033[?7l\033[4h\033[2;3r\033[1;31m\033[!pd");
	assert_row(0, "dbc"); /* DECSTBM had moved the cursor home */
	assert_int_equal(terminal.modes, MODE_WRAP | MODE_CURSOR_SHOWN);
	assert_int_equal(terminal.bottom, ROWS - 1);
	feed("\033c");
	assert_row(0, "");
}

static void the_palette_can_be_changed_both_ways(void **state)
{
	feed("\033]P1aabbcc\033]4;200;rgb:ff/80/0\a\033]4;201;#010203\033\\ok");
	assert_row(0, "ok");
	assert_int_equal(terminal.palette[1], 0xaabbcc);
	assert_int_equal(terminal.palette[200], 0xff8000);
	assert_int_equal(terminal.palette[201], 0x010203);
	feed("\033]104;200\a");
	assert_int_equal(terminal.palette[200], palette_initial(200));
	feed("\033]R");
	assert_int_equal(terminal.palette[1], palette_initial(1));
}

static void colours_with_colons_mean_the_same(void **state)
{
	feed("\033[38:2::1:2:3m1\033[48:5:77m2\033[38:2:9:8:7m3\033[4:3m4\033[4:0m5");
	assert_int_equal(terminal.lines[0][0].foreground, COLOUR_RGB(0x010203));
	assert_int_equal(terminal.lines[0][1].background, COLOUR_INDEXED(77));
	assert_int_equal(terminal.lines[0][2].foreground, COLOUR_RGB(0x090807));
	assert_int_equal(terminal.lines[0][3].attributes, CELL_UNDERLINE);
	assert_int_equal(terminal.lines[0][4].attributes, 0);
}

static void half_of_a_wide_character_is_none(void **state)
{
	feed("a\xe6\x97\xa5 b");
	assert_true(terminal.lines[0][1].attributes & CELL_WIDE);
	feed("\033[1;3Hx");
	assert_row(0, "a x b");
	feed("\033[2;10H\xe6\x97\xa5"); /* does not fit: the next row */
	assert_row(1, "");
	assert_row(2, "\xe6\x97\xa5");
	feed("\033[3;2H\033[K");
	assert_row(2, "");
}

static void strings_of_any_kind_draw_nothing(void **state)
{
	feed("\033]0;a title\atext\033P1$r0m\033\\\033_apc\033\\\033^pm\033\\!");
	assert_row(0, "text!");
}

static void another_size_keeps_what_the_cursor_stands_in(void **state)
{
	void *other = malloc(terminal_memory_bytes(3, 6));

	feed("1\r\n2\r\n3\r\n4\r\nfifth row");
	terminal_resize(&terminal, 3, 6, other);
	free(memory);
	memory = other;
	assert_row(0, "3");
	assert_row(2, "fifth");
	assert_int_equal(terminal.place.row, 2);
	assert_int_equal(terminal.place.column, 5);
}

static void a_place_from_a_narrow_window_does_not_wrap_in_a_wide_one(void **state)
{
	unsigned rows = terminal.rows;
	unsigned columns = terminal.columns + 4;
	void *other = malloc(terminal_memory_bytes(rows, columns));

	feed("\033[1;999HX\0337");
	assert_true(terminal.place.wrap_pending);
	terminal_resize(&terminal, rows, columns, other);
	free(memory);
	memory = other;
	feed("\0338");
	assert_false(terminal.place.wrap_pending);
	feed("Y");
	assert_int_equal(terminal.place.row, 0);
	assert_int_equal(terminal.place.column, columns - 4);
}

static void cells_become_sequences_that_put_everything_back(void **state)
{
	struct cell cells[] = {{'A', CELL_BOLD, COLOUR_INDEXED(12), COLOUR_RGB(0x102030)},
			       {'B', 0, COLOUR_DEFAULT, COLOUR_DEFAULT}};
	char text[256];
	unsigned taken;
	size_t len;

	feed("\033[2;4r\033[?6h\033[4h\033(0\033[31mfull row.Z");
	len = serial_cells_begin(&terminal, 0, 3, text, sizeof(text));
	len += serial_cells(cells, 2, text + len, sizeof(text) - len, &taken);
	len += serial_cells_end(&terminal, text + len, sizeof(text) - len);
	text[len] = '\0';
	assert_int_equal(taken, 2);
	assert_string_equal(text,
			    "\033[?6l\033[4l\033(B\017\033[1;4H\033[0;1;38;5;12;48;2;16;32;48mA"
			    "\033[0mB\033[?6h\033[1;10H\033[0;31mZ\033[0;31m\033(0\033[4h");
}

static void cells_from_outside_are_made_clean(void **state)
{
	struct cell cells[] = {{7, 0, 0, 0},
			       {0x301, 0, 0, 0},
			       {0x65e5, 0, 0, 0},
			       {'x', CELL_WIDE, 0, 0},
			       {'y', CELL_TAIL, 0, 0}};

	terminal_clean_cells(cells, 5);
	assert_int_equal(cells[0].character, ' ');
	assert_int_equal(cells[1].character, ' ');
	assert_int_equal(cells[2].character, 0xfffd);
	assert_int_equal(cells[3].attributes, 0);
	assert_int_equal(cells[4].attributes, 0);
}

static void sixteen_colours_are_the_nearest(void **state)
{
	uint32_t palette[256];
	struct cell cell = {'x', 0, COLOUR_RGB(0xf00000), COLOUR_INDEXED(231)};

	for (unsigned i = 0; i < 256; i++)
		palette[i] = palette_initial(i);
	assert_int_equal(palette_look_16(palette, &cell, false), 15 << 4 | 1);
	assert_int_equal(palette_look_16(palette, &cell, true), 1 << 4 | 15);
	cell = (struct cell){'x', 0, COLOUR_RGB(0x010101), COLOUR_RGB(0)};
	assert_int_not_equal(palette_look_16(palette, &cell, false) & 15, 0); /* still to be seen */
	cell = (struct cell){'x', CELL_BOLD, COLOUR_INDEXED(4), COLOUR_DEFAULT};
	assert_int_equal(palette_look_16(palette, &cell, false), 12);
	assert_int_equal(palette_pc_order(palette_pc_order(11)), 11);
	assert_int_equal(palette_pc_order(1), 4);
}

static void code_page_437_and_back(void **state)
{
	for (unsigned byte = 1; byte < 256; byte++)
		assert_int_equal(codepage_byte(codepage_character((uint8_t)byte)), byte);
	assert_int_equal(codepage_byte(0x2500), 0xc4);
	assert_int_equal(codepage_byte(0x256d), 0xda); /* round corners are corners */
	assert_int_equal(codepage_byte(0x65e5), '?');
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_alternate_screen_leaves_the_first_as_it_was),
		TEST(without_memory_there_is_one_screen_and_no_crash),
		TEST(rows_scroll_by_request_inside_the_region),
		TEST(rows_that_leave_at_the_top_are_kept),
		TEST(history_keeps_the_newest_and_their_colours),
		TEST(characters_repeat_and_tabs_go_both_ways),
		TEST(modes_are_reported_as_they_are),
		TEST(a_place_that_was_put_back_is_reported),
		TEST(going_back_over_the_edge_stays_in_the_region),
		TEST(a_soft_reset_keeps_the_text),
		TEST(the_palette_can_be_changed_both_ways),
		TEST(colours_with_colons_mean_the_same),
		TEST(half_of_a_wide_character_is_none),
		TEST(strings_of_any_kind_draw_nothing),
		TEST(another_size_keeps_what_the_cursor_stands_in),
		TEST(a_place_from_a_narrow_window_does_not_wrap_in_a_wide_one),
		TEST(cells_become_sequences_that_put_everything_back),
		TEST(cells_from_outside_are_made_clean),
		TEST(sixteen_colours_are_the_nearest),
		TEST(code_page_437_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
