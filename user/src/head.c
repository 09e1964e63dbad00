/*
 * head: the first lines of files.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] = "usage: head [-n LINES] [FILE]...\n"
			   "Writes the first ten lines of the files, or of standard input.\n"
			   "  -n  so many instead of ten\n";

static int head(FILE *file, const char *name, unsigned long lines)
{
	int byte;

	while (lines && (byte = getc(file)) != EOF) {
		putchar(byte);
		lines -= byte == '\n';
	}
	if (!ferror(file))
		return 0;
	complain_errno("%s", name);
	return 1;
}

int main(int argc, char **argv)
{
	unsigned long lines = 10;
	int option, failed = 0;

	program_start("head", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, "n:")) != -1) {
		if (option == '?')
			usage_error(optopt == 'n' ? "-%c needs a number" : "there is no option -%c",
				    optopt);
		lines = parse_number(optarg, "-n", (unsigned long)-1);
	}
	if (optind == argc)
		failed = head(stdin, "standard input", lines);
	for (int i = optind; i < argc; i++) {
		FILE *file = fopen(argv[i], "re");

		if (!file) {
			complain_errno("%s", argv[i]);
			failed = 1;
			continue;
		}
		if (argc - optind > 1)
			printf("%s==> %s <==\n", i > optind ? "\n" : "", argv[i]);
		failed |= head(file, argv[i], lines);
		fclose(file);
	}
	return program_end(failed);
}
