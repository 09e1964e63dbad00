/* sources: ksh/parse.c lib/fmt.c lib/string.c */
/*
 * The parser: words and quoting as in POSIX shells, redirections, what ends a command, and what is
 * said about what ksh does not know.
 */
#include "../../../ksh/parse.h"

#include <lib/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct command command;
static char problem[160];

static enum parse_result parse(const char **text)
{
	return parse_command(text, &command, problem, sizeof(problem));
}

/* The words of the first command, joined by "|". */
static void check_words(const char *text, const char *words)
{
	char joined[512] = "";

	assert_int_equal(parse(&text), PARSE_COMMAND);
	for (size_t i = 0; i < command.nwords; i++) {
		strcat(joined, i ? "|" : "");
		strcat(joined, command.words[i]);
	}
	assert_string_equal(joined, words);
	assert_null(command.words[command.nwords]);
}

static void words_and_quoting(void **state)
{
	check_words("ls", "ls");
	check_words("  ls   -l\t/tmp  ", "ls|-l|/tmp");
	check_words("echo 'a  b' \"c  d\" e\\ f", "echo|a  b|c  d|e f");
	check_words("echo 'it'\\''s' \"say \\\"hi\\\"\"", "echo|it's|say \"hi\"");
	check_words("echo \"a\\nb\" 'a\\nb' a\\nb", "echo|a\\nb|a\\nb|anb");
	check_words("echo \"\\$HOME \\\\\" '$HOME'", "echo|$HOME \\|$HOME");
	check_words("echo '' \"\"", "echo||");
	check_words("echo a'b'\"c\"d", "echo|abcd");
	check_words("echo ~ ~/x a~ '~'", "echo|/root|/root/x|a~|~");
	check_words("echo ';&|<>#'", "echo|;&|<>#"); /* quoted, they are only characters */
	check_words("echo a#b # the rest is a comment", "echo|a#b");
	check_words("echo 日本 ö", "echo|日本|ö");
	check_words("echo 2 12", "echo|2|12");
	check_words("echo end\\", "echo|end\\");
}

static void redirections(void **state)
{
	const char *text = "cat < in >> 'out file' 2> err x";

	assert_int_equal(parse(&text), PARSE_COMMAND);
	assert_int_equal(command.nwords, 2);
	assert_string_equal(command.input.path, "in");
	assert_string_equal(command.output.path, "out file");
	assert_true(command.output.append);
	assert_string_equal(command.error.path, "err");
	assert_false(command.error.append);

	text = "a>b 2>>c";
	assert_int_equal(parse(&text), PARSE_COMMAND);
	assert_string_equal(command.words[0], "a");
	assert_string_equal(command.output.path, "b");
	assert_true(command.error.append);

	text = "a 1> b 2>&1";
	assert_int_equal(parse(&text), PARSE_COMMAND);
	assert_int_equal(command.nwords, 1);
	assert_true(command.error_to_output);
	assert_string_equal(command.output.path, "b");
}

static void commands_of_a_line(void **state)
{
	const char *text = "spin & primes 10 ; ls -l > x & # done";

	assert_int_equal(parse(&text), PARSE_COMMAND);
	assert_string_equal(command.words[0], "spin");
	assert_true(command.background);
	assert_int_equal(command.source_bytes, strlen("spin"));
	assert_int_equal(parse(&text), PARSE_COMMAND);
	assert_string_equal(command.words[0], "primes");
	assert_false(command.background);
	assert_int_equal(parse(&text), PARSE_COMMAND);
	assert_string_equal(command.words[0], "ls");
	assert_true(command.background);
	assert_memory_equal(command.source, "ls -l > x", command.source_bytes);
	assert_int_equal(parse(&text), PARSE_END);
	text = "   ";
	assert_int_equal(parse(&text), PARSE_END);
	text = "# only this";
	assert_int_equal(parse(&text), PARSE_END);
}

static void check_problem(const char *text, const char *says)
{
	enum parse_result result;

	do
		result = parse(&text);
	while (result == PARSE_COMMAND);
	assert_int_equal(result, PARSE_PROBLEM);
	assert_non_null(strstr(problem, says));
}

static void problems_say_what_to_type(void **state)
{
	char many[COMMAND_BYTES_MAX * 2];

	check_problem("echo 'open", "single quote");
	check_problem("echo \"open", "double quote");
	check_problem("ls | wc", "no pipes");
	check_problem("ls && pwd", "use ;");
	check_problem("echo >", "wants a file");
	check_problem("echo > ; ls", "wants a file");
	check_problem("echo >&2", "2>&1");
	check_problem("(ls)", "quote them");
	check_problem("&", "background");
	check_problem("ls ; ; ls", "missing");
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	check_problem(many, "too long");
	for (size_t i = 0; i < 2 * COMMAND_WORDS_MAX + 2; i++)
		many[i] = i & 1 ? 'a' : ' ';
	many[2 * COMMAND_WORDS_MAX + 2] = '\0';
	check_problem(many, "words");
}

static void check_open(const char *text, const char *value, size_t start, size_t index)
{
	struct open_word word;

	assert_true(parse_open_word(text, strlen(text), &word));
	assert_string_equal(word.value, value);
	assert_int_equal(word.start, start);
	assert_int_equal(word.index, index);
}

static void the_word_at_the_cursor(void **state)
{
	struct open_word word;

	check_open("", "", 0, 0);
	check_open("l", "l", 0, 0);
	check_open("ls ", "", 3, 1);
	check_open("ls /t", "/t", 3, 1);
	check_open("ls 'a b", "a b", 3, 1);
	check_open("ls a\\ b", "a b", 3, 1);
	check_open("ls a; ca", "ca", 6, 0);
	check_open("spin & ca", "ca", 7, 0);
	check_open("a b c d", "d", 6, 3);

	assert_true(parse_open_word("cat > /tm", 9, &word));
	assert_true(word.is_path);
	assert_true(parse_open_word("cat >/tm", 8, &word));
	assert_true(word.is_path);
	assert_true(parse_open_word("cat > x y", 9, &word));
	assert_false(word.is_path);
	assert_true(parse_open_word("help \"v", 7, &word));
	assert_int_equal(word.quote, QUOTE_DOUBLE);
	assert_string_equal(word.command, "help");
}

static void what_is_quoted_reads_back(void **state)
{
	static const char alphabet[] = "ab '\"\\$`;&|<>()#*?[]~!ö\t";
	unsigned seed = 7;

	for (unsigned round = 0; round < 20000; round++) {
		enum word_quote quote = round % 3;
		char value[16], line[128] = "x ";
		const char *text = line;
		size_t len = 1 + round % 12;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			value[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		value[len] = '\0';
		if (quote != QUOTE_NONE)
			strcat(line, quote == QUOTE_SINGLE ? "'" : "\"");
		if (!parse_quote(value, quote, line + strlen(line), sizeof(line) - 4)) {
			assert_int_equal(quote, QUOTE_SINGLE);
			assert_non_null(strchr(value, '\''));
			continue;
		}
		if (quote != QUOTE_NONE)
			strcat(line, quote == QUOTE_SINGLE ? "'" : "\"");
		assert_int_equal(parse(&text), PARSE_COMMAND);
		assert_int_equal(command.nwords, 2);
		assert_string_equal(command.words[1], value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_quoting),
		cmocka_unit_test(redirections),
		cmocka_unit_test(commands_of_a_line),
		cmocka_unit_test(problems_say_what_to_type),
		cmocka_unit_test(the_word_at_the_cursor),
		cmocka_unit_test(what_is_quoted_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
