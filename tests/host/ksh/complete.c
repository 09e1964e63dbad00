/* sources: ksh/complete.c ksh/parse.c ksh/suggest.c lib/fmt.c lib/string.c */
/*
 * Completion over a small tree of names, and what counts as near enough for 'did you mean'.
 */
#include "../../../ksh/complete.h"
#include "../../../ksh/suggest.h"

#include <lib/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void commands(void *argument, struct completion *completion)
{
	static const char *const names[] = {"cat", "cd", "clear", "cpu", "help", "ls", "ls"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		completion_offer(completion, names[i], false);
}

static void directory(void *argument, const char *path, struct completion *completion)
{
	if (strcmp(path, ".") == 0) {
		completion_offer(completion, "notes.txt", false);
		completion_offer(completion, "my file", false);
		completion_offer(completion, ".hidden", false);
		completion_offer(completion, "tmp", true);
	} else if (strcmp(path, "/bin/") == 0) {
		completion_offer(completion, "primes", false);
		completion_offer(completion, "print", false);
		completion_offer(completion, "ähnlich", false);
		completion_offer(completion, "äußerst", false);
	} else if (strcmp(path, "/root/") == 0) {
		completion_offer(completion, "home", false);
	} else if (strcmp(path, "/many/") == 0) {
		char name[16];

		for (int i = 0; i < 1000; i++) {
			snprintf(name, sizeof(name), "file%03d", i);
			completion_offer(completion, name, false);
		}
	}
}

static bool words(void *argument, const char *command, size_t index, struct completion *completion)
{
	if (strcmp(command, "trace") != 0)
		return false;
	completion_offer(completion, "on", false);
	completion_offer(completion, "off", false);
	return true;
}

static const struct completion_source source = {
	.commands = commands, .directory = directory, .words = words};
static struct completion completion;

/* What the text becomes, where it changes. */
static void check(const char *text, const char *becomes)
{
	char result[1024];

	complete(&completion, &source, text, strlen(text));
	snprintf(result, sizeof(result), "%.*s%s", (int)completion.start, text,
		 completion.extends ? completion.with : text + completion.start);
	assert_string_equal(result, becomes);
}

static void names_are_completed(void **state)
{
	check("he", "help ");
	check("c", "c");
	check("cl", "clear ");
	check("l", "ls "); /* offered twice, it is still one */
	check("cat no", "cat notes.txt ");
	check("cat t", "cat tmp/");
	check("cat /bin/pri", "cat /bin/pri");
	check("cat /bin/p", "cat /bin/pri");
	check("cat /bin/prim", "cat /bin/primes ");
	check("/bin/prim", "/bin/primes ");
	check("cat ~/h", "cat ~/home ");
	check("cat > no", "cat > notes.txt ");
	check("cat .h", "cat .hidden ");
	check("trace of", "trace off ");
	check("trace x", "trace x");
	check("ls; he", "ls; help ");
	check("nothing", "nothing");
}

static void quoting_is_kept(void **state)
{
	check("cat my", "cat my\\ file ");
	check("cat 'my", "cat 'my file' ");
	check("cat \"my", "cat \"my file\" ");
	check("cat my\\ ", "cat my\\ file ");
}

static void characters_are_not_cut(void **state)
{
	check("cat /bin/ä", "cat /bin/ä");
	assert_int_equal(completion.nmatches, 2);
	assert_false(completion.extends);
	check("cat /bin/äh", "cat /bin/ähnlich ");
}

static void matches_are_sorted_and_bounded(void **state)
{
	check("c", "c");
	assert_int_equal(completion.nmatches, 4);
	assert_string_equal(completion.names[0], "cat");
	assert_string_equal(completion.names[3], "cpu");
	check("cat /many/", "cat /many/file");
	assert_int_equal(completion.nmatches, 1000);
	assert_int_equal(completion.nkept, COMPLETE_MAX);
}

static void distances(void **state)
{
	assert_int_equal(suggest_distance("ls", "ls"), 0);
	assert_int_equal(suggest_distance("sl", "ls"), 1);
	assert_int_equal(suggest_distance("hlep", "help"), 1);
	assert_int_equal(suggest_distance("primse", "primes"), 1);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("abc", ""), 3);
}

static const char *suggest(const char *typed)
{
	static struct suggestion suggestion;
	static const char *const names[] = {"help", "ls", "cat", "mem", "mounts", "mandelbrot"};

	suggest_init(&suggestion, typed);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		suggest_consider(&suggestion, names[i]);
	return suggest_result(&suggestion);
}

static void near_names_are_suggested(void **state)
{
	assert_string_equal(suggest("hepl"), "help");
	assert_string_equal(suggest("sl"), "ls");
	assert_string_equal(suggest("mandlebrot"), "mandelbrot");
	assert_string_equal(suggest("mount"), "mounts");
	assert_null(suggest("xyzzy"));
	assert_null(suggest("a-name-much-longer-than-all-the-others-in-the-table-of-names"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_completed),
		cmocka_unit_test(quoting_is_kept),
		cmocka_unit_test(characters_are_not_cut),
		cmocka_unit_test(matches_are_sorted_and_bounded),
		cmocka_unit_test(distances),
		cmocka_unit_test(near_names_are_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
