/*
 * echo: its arguments, with a blank between them and a newline after.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/program.h"

static const char help[] =
	"usage: echo [-n] [-e] [WORD]...\n"
	"Writes the words on one line.\n"
	"  -n  without the newline\n"
	"  -e  \\n, \\t, \\e, \\0OCTAL and \\\\ in the words mean what they say\n";

/* Writes one escape sequence; `text` points after the backslash. Returns what comes after it. */
static const char *put_escape(const char *text)
{
	static const char letters[] = "abefnrtv\\";
	static const char bytes[] = "\a\b\033\f\n\r\t\v\\";
	const char *letter = *text ? strchr(letters, *text) : NULL;
	unsigned value = 0;

	if (letter) {
		putchar(bytes[letter - letters]);
		return text + 1;
	}
	if (*text != '0') {
		putchar('\\');
		return text;
	}
	text++;
	for (int digits = 0; digits < 3 && *text >= '0' && *text <= '7'; digits++)
		value = value * 8 + (unsigned)(*text++ - '0');
	putchar((int)(value & 0xff));
	return text;
}

static void put_word(const char *word, bool escapes)
{
	while (*word) {
		if (escapes && *word == '\\')
			word = put_escape(word + 1);
		else
			putchar(*word++);
	}
}

int main(int argc, char **argv)
{
	bool newline = true, escapes = false;
	int i = 1;

	program_start("echo", help, argc, argv);
	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (argv[i][strspn(argv[i] + 1, "ne") + 1])
			break; /* a word that merely starts with a dash */
		if (strchr(argv[i], 'n'))
			newline = false;
		if (strchr(argv[i], 'e'))
			escapes = true;
	}
	for (; i < argc; i++) {
		put_word(argv[i], escapes);
		if (i + 1 < argc)
			putchar(' ');
	}
	if (newline)
		putchar('\n');
	return program_end(0);
}
