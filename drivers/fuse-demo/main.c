/*
 * fuse-demo: mounts five drivers one after the other, writes files in each, reads them back,
 * compares, syncs and unmounts; those that keep their files are mounted once more and compared
 * again. Prints a line for each, and ends with 1 if anything was not as it should be. A program for
 * Linux as well.
 */
#include "demo.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define USAGE                                                                                      \
	"usage: fuse-demo [-b DIR] [-w DIR] [-e IMAGE] [-f IMAGE]\n"                               \
	"Mounts hello, passthrough_ll, memfs, fatfs and fuse2fs, and writes and compares files.\n" \
	"  -b DIR     where the drivers are (where fuse-demo is)\n"                                \
	"  -w DIR     where to mount (/tmp/fuse-demo; made if it is not there)\n"                  \
	"  -e IMAGE   an ext2, ext3 or ext4 filesystem for fuse2fs (/tmp/ext4.img)\n"              \
	"  -f IMAGE   a FAT filesystem for fatfs (/tmp/fat.img)\n"

struct places {
	char binaries[PATH_BYTES];
	const char *work;
	const char *ext4;
	const char *fat;
};

struct row {
	const char *name;
	bool writes, keeps;
	const char *options; /* %s: the folder that it shows */
	const char *const *image;
};

bool failed(const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list arguments;

	va_start(arguments, format);
	fputs("fuse-demo: ", stderr);
	vfprintf(stderr, format, arguments);
	fprintf(stderr, ": %s\n", reason);
	va_end(arguments);
	return false;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool make_folder(const char *name)
{
	return mkdir(name, 0755) == 0 || errno == EEXIST || failed("making %s", name);
}

static bool begin(const struct row *row, const struct places *places, struct serving *serving,
		  char at[PATH_BYTES])
{
	char program[2 * PATH_BYTES], source[PATH_BYTES], options[2 * PATH_BYTES];
	const char *argv[7];
	int argc = 0;

	snprintf(program, sizeof(program), "%s/%s", places->binaries, row->name);
	snprintf(source, sizeof(source), "%s/source", places->work);
	snprintf(at, PATH_BYTES, "%s/%s", places->work, row->name);
	if (!make_folder(source) || !make_folder(at))
		return false;
	argv[argc++] = program;
	argv[argc++] = "-f";
	if (row->options) {
		snprintf(options, sizeof(options), row->options, source);
		argv[argc++] = "-o";
		argv[argc++] = options;
	}
	if (row->image)
		argv[argc++] = *row->image;
	argv[argc++] = at;
	argv[argc] = NULL;
	return serve_begin(serving, argv, at);
}

/* One mount: writes if it shall, compares in any case. */
static bool turn(const struct row *row, const struct places *places, bool write,
		 struct work *written, struct work *read)
{
	struct serving serving;
	char at[PATH_BYTES];
	bool ok;

	if (!begin(row, places, &serving, at))
		return false;
	ok = !write || work_write(at, written);
	if (ok)
		ok = row->writes ? work_compare(at, !write, read) : work_compare_hello(at, read);
	return serve_end(&serving) && ok;
}

static bool show(const struct row *row, const struct places *places)
{
	struct work written = {0}, read = {0}, again = {0};
	uint64_t begun_ms = now_ms();
	bool ok = turn(row, places, row->writes, &written, &read) &&
		  (!row->keeps || turn(row, places, false, &written, &again));

	printf("%-15s %5u %9llu %9llu %9llu %7llu  %s\n", row->name, read.nfiles,
	       (unsigned long long)written.bytes, (unsigned long long)read.bytes,
	       (unsigned long long)again.bytes, (unsigned long long)(now_ms() - begun_ms),
	       ok ? "all is there" : "FAILED");
	fflush(stdout);
	return ok;
}

/* The folder that this program is in. */
static bool find_binaries(char to[PATH_BYTES])
{
	ssize_t n = readlink("/proc/self/exe", to, PATH_BYTES - 1);

	if (n < 0)
		return failed("/proc/self/exe");
	to[n] = 0;
	*strrchr(to, '/') = 0; /* an absolute one has it */
	return true;
}

static bool parse(int argc, char **argv, struct places *places)
{
	int option;

	while ((option = getopt(argc, argv, "b:w:e:f:")) != -1) {
		if (option == 'b')
			snprintf(places->binaries, sizeof(places->binaries), "%s", optarg);
		else if (option == 'w')
			places->work = optarg;
		else if (option == 'e')
			places->ext4 = optarg;
		else if (option == 'f')
			places->fat = optarg;
		else
			return false;
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct places places = {
		.work = "/tmp/fuse-demo", .ext4 = "/tmp/ext4.img", .fat = "/tmp/fat.img"};
	const struct row rows[] = {
		{.name = "hello"},
		{.name = "passthrough_ll", .writes = true, .keeps = true, .options = "source=%s"},
		{.name = "memfs", .writes = true},
		{.name = "fatfs", .writes = true, .keeps = true, .image = &places.fat},
		{.name = "fuse2fs",
		 .writes = true,
		 .keeps = true,
		 .options = "fakeroot",
		 .image = &places.ext4},
	};
	bool ok = true;

	if (!parse(argc, argv, &places)) {
		fputs(USAGE, stderr);
		return 2;
	}
	if ((!places.binaries[0] && !find_binaries(places.binaries)) || !make_folder(places.work))
		return 1;
	printf("%-15s %5s %9s %9s %9s %7s\n", "driver", "files", "written", "read", "again", "ms");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok = show(&rows[i], &places) && ok;
	return ok ? 0 : 1;
}
