/*
 * wc: counts lines, words and bytes.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/program.h"

static const char help[] = "usage: wc [-l] [-w] [-c] [FILE]...\n"
			   "Counts lines, words and bytes; - or no file is standard input.\n"
			   "  -l  lines   -w  words   -c  bytes   (without any: all three)\n";

struct counts {
	unsigned long long lines, words, bytes;
};

static bool show_lines, show_words, show_bytes;
static char chunk[65536];

static int count(int fd, struct counts *counts)
{
	bool in_word = false;
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		counts->bytes += (unsigned long long)got;
		for (ssize_t i = 0; i < got; i++) {
			bool blank = isspace((unsigned char)chunk[i]);

			counts->lines += chunk[i] == '\n';
			counts->words += !blank && !in_word;
			in_word = !blank;
		}
	}
	return 0;
}

static void print_counts(const struct counts *counts, const char *name)
{
	if (show_lines)
		printf("%8llu", counts->lines);
	if (show_words)
		printf("%8llu", counts->words);
	if (show_bytes)
		printf("%8llu", counts->bytes);
	printf("%s%s\n", name ? " " : "", name ? name : "");
}

static int count_file(const char *name, struct counts *total)
{
	struct counts counts = {0};
	bool is_stdin = strcmp(name, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	int failed = fd < 0 || count(fd, &counts) < 0;

	if (failed)
		complain_errno("%s", name);
	else
		print_counts(&counts, is_stdin ? NULL : name);
	if (!is_stdin && fd >= 0)
		close(fd);
	total->lines += counts.lines;
	total->words += counts.words;
	total->bytes += counts.bytes;
	return failed;
}

int main(int argc, char **argv)
{
	struct counts total = {0};
	int option, failed = 0;

	program_start("wc", help, argc, argv);
	opterr = 0;
	while ((option = getopt(argc, argv, "lwc")) != -1) {
		if (option == '?')
			usage_error("there is no option -%c", optopt);
		show_lines |= option == 'l';
		show_words |= option == 'w';
		show_bytes |= option == 'c';
	}
	if (!show_lines && !show_words && !show_bytes)
		show_lines = show_words = show_bytes = true;
	if (optind == argc)
		failed = count_file("-", &total);
	for (int i = optind; i < argc; i++)
		failed |= count_file(argv[i], &total);
	if (argc - optind > 1)
		print_counts(&total, "total");
	return program_end(failed);
}
