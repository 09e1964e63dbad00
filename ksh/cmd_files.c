/*
 * Commands about files and what was typed: ls, cd, pwd, cat, echo, clear, history.
 */
#include <lib/fmt.h>
#include <lib/string.h>

#include "shell.h"
#include <lib/utf8.h>

#define MODE_TYPE      0170000u
#define MODE_LINK      0120000u
#define MODE_REGULAR   0100000u
#define MODE_BLOCK     0060000u
#define MODE_DIRECTORY 0040000u
#define MODE_CHARACTER 0020000u
#define MODE_FIFO      0010000u
#define MODE_EXECUTE   0111u

/* ---- ls ---- */

struct listing {
	bool all;
	bool details;
};

static void mode_text(uint32_t mode, char *to)
{
	static const char types[] = "?pc?d?b?-?l?s???";
	static const char bits[] = "rwxrwxrwx";

	to[0] = types[mode >> 12 & 15];
	for (unsigned i = 0; i < 9; i++)
		to[i + 1] = mode & (0400u >> i) ? bits[i] : '-';
	to[10] = '\0';
}

/* Date and time of day, UTC (days to civil date: the well-known algorithm for the proleptic
 * Gregorian calendar, in eras of 400 years that begin in March). */
static void date_text(int64_t seconds, char *to, size_t to_bytes)
{
	int64_t days = seconds / 86400;
	int64_t second = seconds % 86400;
	int64_t era, day_of_era, year_of_era, day_of_year, month;

	if (second < 0) {
		second += 86400;
		days--;
	}
	days += 719468; /* from 1970-01-01 to 0000-03-01 */
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = days - era * 146097;
	year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	kernel_format(to, to_bytes, "%ld-%02ld-%02ld %02ld:%02ld",
		      year_of_era + era * 400 + (month >= 10), month < 10 ? month + 3 : month - 9,
		      day_of_year - (153 * month + 2) / 5 + 1, second / 3600, second % 3600 / 60);
}

static const char *entry_colour(uint32_t mode)
{
	switch (mode & MODE_TYPE) {
	case MODE_DIRECTORY:
		return paint(PAINT_BLUE);
	case MODE_LINK:
		return paint(PAINT_CYAN);
	case MODE_CHARACTER:
	case MODE_BLOCK:
	case MODE_FIFO:
		return paint(PAINT_YELLOW);
	default:
		return mode & MODE_EXECUTE ? paint(PAINT_GREEN) : "";
	}
}

static void print_details(const char *path, const char *name, const struct ksh_stat *stat)
{
	char mode[12], date[32], size[24];
	uint32_t type = stat->mode & MODE_TYPE;
	const char *colour = entry_colour(stat->mode);

	mode_text(stat->mode, mode);
	date_text(stat->mtime_s, date, sizeof(date));
	if (type == MODE_CHARACTER || type == MODE_BLOCK)
		kernel_format(size, sizeof(size), "%lu,%lu", stat->device >> 32,
			      stat->device & UINT32_MAX);
	else
		kernel_format(size, sizeof(size), "%lu", stat->size_bytes);
	print("%s %3lu %u:%u %9s %s%s%s %s%s%s", mode, stat->links, stat->uid, stat->gid, size,
	      paint(PAINT_DIM), date, paint(PAINT_NONE), colour, name,
	      *colour ? paint(PAINT_NONE) : "");
	if (type == MODE_LINK) {
		char target[KSH_PATH_MAX];

		if (kernel->file_link(path, target, sizeof(target)) >= 0)
			print(" -> %s", target);
	}
	print("\n");
}

/* All names of a directory, sorted; one piece of memory, freed by the caller. */
struct names {
	struct ksh_dirent *entries;
	size_t count;
	size_t capacity;
};

static bool names_grow(struct names *names)
{
	size_t capacity = names->capacity ? names->capacity * 2 : 64;
	struct ksh_dirent *entries = kernel->memory_alloc(capacity * sizeof(*entries));

	if (!entries)
		return false;
	if (names->count)
		memcpy(entries, names->entries, names->count * sizeof(*entries));
	if (names->entries)
		kernel->memory_free(names->entries);
	names->entries = entries;
	names->capacity = capacity;
	return true;
}

static void names_sort(struct names *names)
{
	/* Shell sort (gaps of Knuth): no recursion, and directories are small. */
	size_t gap = 1;

	while (gap < names->count / 3)
		gap = 3 * gap + 1;
	for (; gap > 0; gap /= 3) {
		for (size_t i = gap; i < names->count; i++) {
			struct ksh_dirent moving = names->entries[i];
			size_t at = i;

			for (; at >= gap && strcmp(names->entries[at - gap].name, moving.name) > 0;
			     at -= gap)
				names->entries[at] = names->entries[at - gap];
			names->entries[at] = moving;
		}
	}
}

static int names_read(const char *path, bool all, struct names *names)
{
	int folder = kernel->file_open(path, KSH_OPEN_READ | KSH_OPEN_DIRECTORY, 0);
	long got = 0;

	*names = (struct names){0};
	if (folder < 0)
		return folder;
	for (;;) {
		if (names->count == names->capacity && !names_grow(names)) {
			got = -ENOMEM;
			break;
		}
		got = kernel->file_entries(folder, names->entries + names->count, 1);
		if (got <= 0)
			break;
		if (all || names->entries[names->count].name[0] != '.')
			names->count++;
	}
	kernel->file_close(folder);
	if (got < 0) {
		kernel->memory_free(names->entries);
		return (int)got;
	}
	names_sort(names);
	return 0;
}

static void print_columns(const char *path, const struct names *names)
{
	struct ksh_window window;
	size_t widest = 0;
	size_t per_row, nrows;

	kernel->console_size(&window);
	for (size_t i = 0; i < names->count; i++)
		widest = MAX(widest, utf8_text_cells(names->entries[i].name));
	per_row = *paint(PAINT_NONE) ? MAX(window.columns / (widest + 2), (size_t)1) : 1;
	nrows = (names->count + per_row - 1) / per_row;
	for (size_t row = 0; row < nrows; row++) {
		for (size_t i = row; i < names->count; i += nrows) {
			const struct ksh_dirent *entry = &names->entries[i];
			struct ksh_stat stat = {.mode = (uint32_t)entry->type << 12};
			char full[KSH_PATH_MAX];
			size_t cells = utf8_text_cells(entry->name);
			const char *colour;

			kernel_format(full, sizeof(full), "%s/%s", path, entry->name);
			if (stat.mode == MODE_REGULAR || !stat.mode)
				(void)kernel->file_stat(full, false, &stat); /* for the colour */
			colour = entry_colour(stat.mode);
			print("%s%s%s", colour, entry->name, *colour ? paint(PAINT_NONE) : "");
			for (; i + nrows < names->count && cells < widest + 2; cells++)
				print(" ");
		}
		print("\n");
	}
}

static int list_directory(const char *path, const struct listing *listing)
{
	struct names names;
	int err = names_read(path, listing->all, &names);

	if (err)
		return err;
	if (!listing->details) {
		print_columns(path, &names);
		kernel->memory_free(names.entries);
		return 0;
	}
	for (size_t i = 0; i < names.count && !interrupted(); i++) {
		char full[KSH_PATH_MAX];
		struct ksh_stat stat;

		kernel_format(full, sizeof(full), "%s/%s", path, names.entries[i].name);
		if (kernel->file_stat(full, false, &stat) == 0)
			print_details(full, names.entries[i].name, &stat);
	}
	kernel->memory_free(names.entries);
	return 0;
}

static int list_path(const char *path, const struct listing *listing)
{
	struct ksh_stat stat;
	int err = kernel->file_stat(path, !listing->details, &stat);

	if (!err && (stat.mode & MODE_TYPE) == MODE_DIRECTORY)
		err = list_directory(path, listing);
	else if (!err && listing->details)
		print_details(path, path, &stat);
	else if (!err)
		print("%s\n", path);
	if (err)
		complain("ls", "%s: %s", path, error_text(err));
	return err ? 1 : 0;
}

int command_ls(size_t nwords, const char *const *words)
{
	struct listing listing = {0};
	size_t first = 1;
	int status = 0;

	for (; first < nwords && words[first][0] == '-' && words[first][1]; first++) {
		for (const char *flag = words[first] + 1; *flag; flag++) {
			if (*flag == 'l')
				listing.details = true;
			else if (*flag == 'a')
				listing.all = true;
			else
				return usage(words[0]);
		}
	}
	if (first == nwords)
		return list_path(".", &listing);
	for (size_t i = first; i < nwords; i++) {
		if (nwords - first > 1)
			print("%s%s:\n", i > first ? "\n" : "", words[i]);
		status |= list_path(words[i], &listing);
	}
	return status;
}

/* ---- the rest ---- */

int command_cd(size_t nwords, const char *const *words)
{
	const char *path = nwords > 1 ? words[1] : "/root";
	int err;

	if (nwords > 2)
		return usage(words[0]);
	err = kernel->directory_change(path);
	if (err)
		complain("cd", "%s: %s", path, error_text(err));
	return err ? 1 : 0;
}

int command_pwd(size_t nwords, const char *const *words)
{
	char path[KSH_PATH_MAX];
	int err;

	if (nwords > 1)
		return usage(words[0]);
	err = kernel->directory_name(path, sizeof(path));
	if (err) {
		complain("pwd", "%s", error_text(err));
		return 1;
	}
	print("%s\n", path);
	return 0;
}

/* `name` is for complaints. */
static int cat_open_file(int file, const char *name)
{
	char piece[512];
	char last = '\n';
	long got;

	while ((got = kernel->file_read(file, piece, sizeof(piece))) > 0 && !interrupted() &&
	       !output_failed()) {
		print_bytes(piece, (size_t)got);
		last = piece[got - 1];
	}
	if (last != '\n' && *paint(PAINT_NONE))
		print("%s%%%s\n", paint(PAINT_DIM), paint(PAINT_NONE)); /* the file ends in a row */
	if (got == -EBUSY)
		complain("cat", "%s: ksh reads this terminal itself; `/bin/cat' can", name);
	else if (got < 0)
		complain("cat", "%s: %s", name, error_text(got));
	return got < 0 ? 1 : 0;
}

static int cat_file(const char *path)
{
	int file = kernel->file_open(path, KSH_OPEN_READ, 0);
	int status;

	if (file < 0) {
		complain("cat", "%s: %s", path, error_text(file));
		return 1;
	}
	status = cat_open_file(file, path);
	kernel->file_close(file);
	return status;
}

int command_cat(size_t nwords, const char *const *words)
{
	int status = 0;

	if (nwords < 2 && input_file() >= 0)
		return cat_open_file(input_file(), "input");
	if (nwords < 2)
		return usage(words[0]);
	for (size_t i = 1; i < nwords && !interrupted(); i++)
		status |= cat_file(words[i]);
	return status;
}

int command_echo(size_t nwords, const char *const *words)
{
	bool newline = nwords < 2 || strcmp(words[1], "-n") != 0;

	for (size_t i = newline ? 1 : 2; i < nwords; i++) {
		print_bytes(words[i], strlen(words[i]));
		if (i + 1 < nwords)
			print(" ");
	}
	if (newline)
		print("\n");
	return 0;
}

int command_clear(size_t nwords, const char *const *words)
{
	if (nwords > 1)
		return usage(words[0]);
	print("\033[H\033[2J\033[3J");
	return 0;
}

int command_history(size_t nwords, const char *const *words)
{
	const char *line;

	if (nwords > 1)
		return usage(words[0]);
	for (size_t i = 0; (line = history_line(&shell_history, i)); i++)
		print("%s%4zu%s  %s\n", paint(PAINT_DIM), i + 1, paint(PAINT_NONE), line);
	return 0;
}
