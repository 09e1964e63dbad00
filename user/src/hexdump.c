/*
 * hexdump: bytes in hexadecimal and as text, sixteen to a line. Repeated lines are one asterisk.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/program.h"

#define LINE_BYTES 16

static const char help[] = "usage: hexdump [FILE]...\n"
			   "Shows bytes in hexadecimal and as text.\n";

static void print_line(unsigned long long offset, const unsigned char *line, size_t len)
{
	printf("%08llx ", offset);
	for (size_t i = 0; i < LINE_BYTES; i++) {
		if (i % 8 == 0)
			putchar(' ');
		if (i < len)
			printf("%02x ", line[i]);
		else
			fputs("   ", stdout);
	}
	fputs(" |", stdout);
	for (size_t i = 0; i < len; i++)
		putchar(line[i] >= ' ' && line[i] < 0x7f ? line[i] : '.');
	puts("|");
}

static int dump(FILE *file, const char *name)
{
	unsigned char line[LINE_BYTES], before[LINE_BYTES];
	unsigned long long offset = 0;
	bool repeating = false;
	size_t len;

	while ((len = fread(line, 1, sizeof(line), file)) > 0) {
		bool same = offset && len == LINE_BYTES && memcmp(line, before, len) == 0;

		if (!same)
			print_line(offset, line, len);
		else if (!repeating)
			puts("*");
		repeating = same;
		memcpy(before, line, len);
		offset += len;
	}
	printf("%08llx\n", offset);
	if (!ferror(file))
		return 0;
	complain_errno("%s", name);
	return 1;
}

int main(int argc, char **argv)
{
	int failed = 0;

	program_start("hexdump", help, argc, argv);
	if (argc < 2)
		failed = dump(stdin, "standard input");
	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "re");

		if (!file) {
			complain_errno("%s", argv[i]);
			failed = 1;
			continue;
		}
		failed |= dump(file, argv[i]);
		fclose(file);
	}
	return program_end(failed);
}
