/*
 * The files of the demonstration: folders, and files of numbered lines, so that each byte says
 * where it belongs; whoever looks at the disk later can make the same. Sizes are around those of
 * pages and of requests. No state.
 */
#include "demo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BYTES  32 /* with its end */
#define BYTES_MAX   1500000
#define PIECE_BYTES 50000 /* of one write or read: neither pages nor requests */

static const struct {
	const char *name;
	size_t bytes;
} files[] = {
	{"empty", 0},
	{"one byte", 1},
	{"folder/page", 4096},
	{"folder/page and more", 4097},
	{"folder/deeper/some pages", 70000},
	{"folder/deeper/A long name, of more than one entry in an old directory", 131072},
	{"large", BYTES_MAX},
};
#define NFILES (sizeof(files) / sizeof(files[0]))

static const char *const folders[] = {"folder", "folder/deeper"};
#define LOST "lost+found" /* the filesystem's own */

/* What file number `file` holds: malloc'ed. */
static char *contents(size_t file)
{
	size_t room = files[file].bytes + LINE_BYTES + 1;
	char *text = malloc(room);

	for (size_t at = 0; text && at < files[file].bytes; at += LINE_BYTES)
		snprintf(text + at, room - at, "file %02zu, line %010zu ......\n", file,
			 at / LINE_BYTES);
	return text;
}

static bool write_all(int fd, const char *text, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		size_t piece = bytes - done < PIECE_BYTES ? bytes - done : PIECE_BYTES;
		ssize_t n = write(fd, text + done, piece);

		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Under another name, longer than it will be, and begun in the wrong way: all of that is to be
 * undone. */
static bool write_file(const char *at, size_t file)
{
	char before[4200], name[4200];
	size_t bytes = files[file].bytes;
	char *text = contents(file);
	int fd;
	bool ok;

	snprintf(before, sizeof(before), "%s/not yet %zu", at, file);
	snprintf(name, sizeof(name), "%s/%s", at, files[file].name);
	fd = text ? open(before, O_WRONLY | O_CREAT | O_EXCL, 0644) : -1;
	ok = fd >= 0 && write_all(fd, "nothing of this may stay", 24) &&
	     lseek(fd, 0, SEEK_SET) == 0 && write_all(fd, text, bytes) &&
	     ftruncate(fd, (off_t)bytes) == 0 && fsync(fd) == 0 && rename(before, name) == 0;
	if (!ok)
		failed("writing %s", name);
	if (fd >= 0 && close(fd))
		ok = failed("closing %s", name);
	free(text);
	return ok;
}

/* One that comes and goes. */
static bool remove_one(const char *at)
{
	char name[4200];
	int fd;

	snprintf(name, sizeof(name), "%s/gone", at);
	fd = open(name, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || !write_all(fd, "gone", 4) || close(fd) || unlink(name))
		return failed("making and removing %s", name);
	return access(name, F_OK) && errno == ENOENT ? true : failed("%s is still there", name);
}

bool work_write(const char *at, struct work *work)
{
	char name[4200];
	int fd;

	*work = (struct work){0};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", at, folders[i]);
		if (mkdir(name, 0755))
			return failed("making %s", name);
	}
	for (size_t file = 0; file < NFILES; file++) {
		if (!write_file(at, file))
			return false;
		work->nfiles++;
		work->bytes += files[file].bytes;
	}
	if (!remove_one(at))
		return false;
	fd = open(at, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || syncfs(fd))
		return failed("syncing %s", at);
	close(fd);
	return true;
}

/* Whether `name` holds the `bytes` of `text`, and ends there. */
static bool compare_file(const char *name, const char *text, size_t bytes)
{
	int fd = open(name, O_RDONLY);
	char *piece = malloc(PIECE_BYTES);
	size_t done = 0;
	ssize_t n = -1;

	while (fd >= 0 && piece && (n = read(fd, piece, PIECE_BYTES)) > 0) {
		if ((size_t)n > bytes - done || memcmp(piece, text + done, (size_t)n) != 0)
			break;
		done += (size_t)n;
	}
	if (n < 0)
		failed("reading %s", name);
	else if (n > 0 || done != bytes)
		fprintf(stderr, "fuse-demo: %s is not what was written, from byte %zu on\n", name,
			done);
	if (fd >= 0)
		close(fd);
	free(piece);
	return n == 0 && done == bytes;
}

/* Not all drivers say it with the name. */
static bool is_folder(const struct dirent *entry, const char *name)
{
	struct stat stat;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return lstat(name, &stat) == 0 && S_ISDIR(stat.st_mode);
}

/* libfuse gives what is removed such a name if another of its threads has not closed it yet, and
 * removes it then. */
static bool is_hidden(const char *name)
{
	return strncmp(name, ".fuse_hidden", strlen(".fuse_hidden")) == 0;
}

/* How many names stand below `at`, or -1; all of them, or without hidden ones. */
static int count_names(const char *at, bool all)
{
	DIR *dir = opendir(at);
	struct dirent *entry;
	int count = 0, inner;

	if (!dir) {
		failed("opening %s", at);
		return -1;
	}
	while (count >= 0 && (entry = readdir(dir))) {
		char name[4200];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, LOST) == 0 || (!all && is_hidden(entry->d_name)))
			continue;
		snprintf(name, sizeof(name), "%s/%s", at, entry->d_name);
		inner = is_folder(entry, name) ? count_names(name, all) : 0;
		count = inner < 0 ? -1 : count + 1 + inner;
	}
	closedir(dir);
	return count;
}

bool work_compare(const char *at, bool again, struct work *work)
{
	int wanted = (int)(NFILES + sizeof(folders) / sizeof(folders[0]));
	int found = count_names(at, again);

	*work = (struct work){0};
	for (size_t file = 0; file < NFILES; file++) {
		char name[4200];
		char *text = contents(file);
		bool same;

		snprintf(name, sizeof(name), "%s/%s", at, files[file].name);
		same = text && compare_file(name, text, files[file].bytes);
		free(text);
		if (!same)
			return false;
		work->nfiles++;
		work->bytes += files[file].bytes;
	}
	if (found != wanted)
		fprintf(stderr, "fuse-demo: %s has %d names, not %d\n", at, found, wanted);
	return found == wanted;
}

bool work_compare_hello(const char *at, struct work *work)
{
	static const char text[] = "Hello World!\n";
	char name[4200];

	snprintf(name, sizeof(name), "%s/hello", at);
	*work = (struct work){.nfiles = 1, .bytes = sizeof(text) - 1};
	return compare_file(name, text, sizeof(text) - 1);
}
