/*
 * mounts: the filesystems, and what was asked of those that programs serve. The kernel tells that
 * by a file of each one's connection, a line for each kind of request: name, count, bytes, and how
 * many took less than 1024 ns, twice that, and so on.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"

#define LINES_BYTES  8192
#define FIELDS_MAX   24
#define FIRST_BUCKET 3 /* of the fields */

/* Cuts a line at its spaces. */
static unsigned cut(char *line, const char **fields)
{
	unsigned nfields = 0;

	while (*line && nfields < FIELDS_MAX) {
		fields[nfields++] = line;
		while (*line && *line != ' ')
			line++;
		if (*line)
			*line++ = 0;
	}
	return nfields;
}

static uint64_t number(const char *text)
{
	uint64_t value = 0;

	return string_to_u64(text, &value) ? 0 : value;
}

/* Below how many microseconds half of them took. */
static uint64_t median_us(const char *const *fields, unsigned nfields)
{
	uint64_t wanted = (number(fields[1]) + 1) / 2, sum = 0;
	unsigned i;

	for (i = FIRST_BUCKET; i < nfields; i++) {
		sum += number(fields[i]);
		if (sum >= wanted)
			break;
	}
	return UINT64_C(1) << (i - FIRST_BUCKET);
}

static void show_lines(char *lines)
{
	while (*lines) {
		const char *fields[FIELDS_MAX];
		char *end = lines;
		unsigned nfields;

		while (*end && *end != '\n')
			end++;
		if (*end)
			*end++ = 0;
		nfields = cut(lines, fields);
		if (nfields > FIRST_BUCKET)
			print("  %-18s %10s %10s  half of them below %lu us\n", fields[0],
			      fields[1], human_bytes(number(fields[2])),
			      median_us(fields, nfields));
		lines = end;
	}
}

static void show_requests(const struct ksh_mount *mount, char *lines)
{
	char path[64];
	size_t len_bytes = 0;
	long got;
	int file;

	kernel_format(path, sizeof(path), "/sys/fs/fuse/connections/%u/requests", mount->number);
	file = kernel->file_open(path, KSH_OPEN_READ, 0);
	if (file < 0)
		return; /* unmounted just now, or no /sys */
	while ((got = kernel->file_read(file, lines + len_bytes, LINES_BYTES - 1 - len_bytes)) > 0)
		len_bytes += (size_t)got;
	kernel->file_close(file);
	lines[len_bytes] = 0;
	print("%s%s, served by a program%s\n", paint(PAINT_BOLD), mount->path, paint(PAINT_NONE));
	show_lines(lines);
}

static bool is_served(const struct ksh_mount *mount)
{
	return strcmp(mount->type, "fuse") == 0 || strncmp(mount->type, "fuse.", 5) == 0 ||
	       strncmp(mount->type, "fuseblk", 7) == 0;
}

/* What is longer moves the rest of its row. */
#define COLUMN_MAX ((size_t)32)

static void show_mounts(const struct ksh_mount *table, long count)
{
	size_t path_width = 12, options_width = 8;

	for (long i = 0; i < count; i++) {
		path_width = MAX(path_width, MIN(strlen(table[i].path), COLUMN_MAX));
		options_width = MAX(options_width, MIN(strlen(table[i].options), COLUMN_MAX));
	}
	print("%s%-12s %-16s %-*s %-*s %10s %10s%s\n", paint(PAINT_BOLD), "TYPE", "SOURCE",
	      (int)path_width, "AT", (int)options_width, "OPTIONS", "SIZE", "FREE",
	      paint(PAINT_NONE));
	for (long i = 0; i < count; i++)
		print("%-12s %-16s %-*s %-*s %10s %10s\n", table[i].type, table[i].source,
		      (int)path_width, table[i].path, (int)options_width, table[i].options,
		      table[i].total_bytes ? human_bytes(table[i].total_bytes) : "-",
		      table[i].total_bytes ? human_bytes(table[i].free_bytes) : "-");
}

int command_mounts(size_t nwords, const char *const *words)
{
	struct ksh_mount *table;
	char *lines;
	long count;

	if (nwords > 1)
		return usage(words[0]);
	count = kernel->mount_list(NULL, 0);
	table = table_alloc("mounts", count + 1, sizeof(*table));
	lines = table_alloc("mounts", LINES_BYTES, 1);
	if (!table || !lines) {
		kernel->memory_free(table);
		kernel->memory_free(lines);
		return 1;
	}
	count = MIN(kernel->mount_list(table, (size_t)count + 1), count + 1);
	show_mounts(table, count);
	for (long i = 0; i < count; i++) {
		if (is_served(&table[i]))
			show_requests(&table[i], lines);
	}
	kernel->memory_free(table);
	kernel->memory_free(lines);
	return 0;
}
