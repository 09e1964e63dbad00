/* sources: lib/utf8.c lib/string.c */
/*
 * How many cells a character takes: at both ends of what combines and of what is wide, and beside.
 */
#include <lib/utf8.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void cells_at_the_edges(void **state)
{
	static const struct {
		uint32_t code;
		unsigned cells;
	} wanted[] = {
		{'a', 1},     {0x2ff, 1},   {0x300, 0},   {0x36f, 0},   {0x370, 1},    {0x482, 1},
		{0x483, 0},   {0x489, 0},   {0x48a, 1},   {0x10ff, 1},  {0x1100, 2},   {0x115f, 2},
		{0x1160, 1},  {0x200b, 0},  {0x200f, 0},  {0x2010, 1},  {0x26a0, 1},   {0x26a1, 2},
		{0x26a2, 1},  {0x2e80, 2},  {0x303e, 2},  {0x303f, 1},  {0xac00, 2},   {0xd7a3, 2},
		{0xd7a4, 1},  {0xfe20, 0},  {0xfe2f, 0},  {0xfe30, 2},  {0xfe6f, 2},   {0xfe70, 1},
		{0xfeff, 0},  {0xff00, 2},  {0xff60, 2},  {0xff61, 1},  {0xfffd, 1},   {0x1f600, 2},
		{0x1ffff, 1}, {0x20000, 2}, {0x3fffd, 2}, {0x3fffe, 1}, {0x10ffff, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (utf8_cells(wanted[i].code) != wanted[i].cells)
			fail_msg("U+%04x takes %u cells, not %u", wanted[i].code,
				 utf8_cells(wanted[i].code), wanted[i].cells);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_at_the_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
