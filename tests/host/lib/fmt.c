/* sources: lib/fmt.c lib/string.c */
/*
 * kernel_format() against the host's snprintf(), which it must equal for everything it knows.
 */
#include <lib/fmt.h>

#include <lib/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void same(const char *format, ...)
{
	char ours[256];
	char theirs[256];
	va_list a;
	va_list b;
	size_t our_len;
	int their_len;

	va_start(a, format);
	va_copy(b, a);
	our_len = kernel_format_list(ours, sizeof(ours), format, a);
	their_len = vsnprintf(theirs, sizeof(theirs), format, b);
	va_end(b);
	va_end(a);
	assert_string_equal(ours, theirs);
	assert_int_equal(our_len, their_len);
}

static void format_equals_snprintf(void **state)
{
	(void)state;
	same("plain %% text");
	same("%d %i %u", 0, -1, 4000000000u);
	same("%5d|%-5d|%05d|%+d|% d", 42, 42, 42, 42, 42);
	same("%5d|%-5d|%05d|%+d|% d", -42, -42, -42, -42, -42);
	same("%x %X %#x %#X %#o %o", 0xbeef, 0xbeef, 0xbeef, 0xbeef, 8, 8);
	same("%#x %#o %.0d|%.0x", 0, 0, 0, 0);
	same("%.3d %8.3d %-8.3d|", 7, 7, 7);
	same("%#018lx", 0xffffffff80100000ul);
	same("%ld %lu %lx", INT64_MIN, UINT64_MAX, UINT64_MAX);
	same("%lld %zu %jd %td", 1ll << 40, (size_t)7, (intmax_t)-3, (ptrdiff_t)-9);
	same("%hhd %hhu %hd %hu", 300, 300, 70000, 70000);
	same("%c%c%3c|%-3c|", 'a', 'b', 'c', 'd');
	same("%s|%10s|%-10s|%.2s|%10.2s", "one", "two", "three", "four", "five");
	same("%*d|%-*d|%.*d|%.*s", 6, 1, 6, 2, 3, 3, 2, "abc");
	same("%*d|%.*d", -6, 1, -1, 5);
	same("%p", (void *)0x1234);
}

static void format_never_writes_beyond(void **state)
{
	char text[8] = "???????";

	(void)state;
	assert_int_equal(kernel_format(text, 4, "%s", "abcdef"), 6);
	assert_memory_equal(text, "abc\0???", 7);
	assert_int_equal(kernel_format(text, 1, "x"), 1);
	assert_memory_equal(text, "\0bc", 3);
	assert_int_equal(kernel_format(NULL, 0, "%d", 12345), 5);
}

static void format_shows_what_it_does_not_know(void **state)
{
	const char *volatile none = NULL; /* volatile: the compiler must not see it */
	char text[16];

	(void)state;

	kernel_format(text, sizeof(text), "%s", none);
	assert_string_equal(text, "(null)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_equals_snprintf),
		cmocka_unit_test(format_never_writes_beyond),
		cmocka_unit_test(format_shows_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
