/*
 * What all our programs do alike: say who they are, help, complain. Owns the program's name.
 */
#include "common/program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program_name;

void program_start(const char *name, const char *help, int argc, char **argv)
{
	program_name = name;
	if (argc < 2 || strcmp(argv[1], "--help") != 0)
		return;
	fputs(help, stdout);
	exit(program_end(0));
}

static void complain_text(const char *format, va_list arguments)
{
	/* Standard error may be the same terminal: what was printed first must stand first. */
	fflush(stdout);
	fprintf(stderr, "%s: ", program_name);
	vfprintf(stderr, format, arguments);
}

void complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain_text(format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

void complain_errno(const char *format, ...)
{
	int reason = errno;
	va_list arguments;

	va_start(arguments, format);
	complain_text(format, arguments);
	va_end(arguments);
	fprintf(stderr, ": %s\n", strerror(reason));
}

void usage_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	complain_text(format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry: %s --help\n", program_name);
	exit(2);
}

int program_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain_errno("standard output");
	return status ? status : 1;
}

unsigned long parse_number(const char *text, const char *what, unsigned long max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end)
		usage_error("%s: '%s' is not a number", what, text);
	if (errno || value > max)
		usage_error("%s: %s is more than %lu", what, text, max);
	return value;
}
