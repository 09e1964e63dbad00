/*
 * pack: writes files and folders to standard output as a tar archive (POSIX pax interchange
 * format).
 *
 * Keeps modes, owners, symbolic links and modification times to the nanosecond. Members are called
 * what the arguments call them, without leading slashes. What cannot be read is complained about
 * and the rest goes on; a file that changes its size meanwhile is cut or filled with zeros, since
 * its header has been written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/names.h"
#include "common/program.h"

#define BLOCK_BYTES  512
#define CHUNK_BYTES  65536
#define OCTAL_11_MAX 077777777777ULL /* what size and mtime fields can hold */
#define OCTAL_7_MAX  07777777ULL

/* The ustar header, IEEE Std 1003.1 pax, "ustar Interchange Format". */
struct ustar {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char typeflag;
	char linkname[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char devmajor[8];
	char devminor[8];
	char prefix[155];
	char unused[12];
};

_Static_assert(sizeof(struct ustar) == BLOCK_BYTES, "a tar header is one block");

static const char help[] =
	"usage: pack PATH... >ARCHIVE\n"
	"Writes files and folders, with all that is in them, as a tar archive.\n";

static char chunk[CHUNK_BYTES];
static bool something_failed;

static void failed(const char *path)
{
	complain_errno("%s", path);
	something_failed = true;
}

static void put(const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, stdout) != len)
		exit(program_end(1));
}

static void put_zeros(unsigned long long len)
{
	static const char zeros[BLOCK_BYTES];

	while (len) {
		size_t part = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		put(zeros, part);
		len -= part;
	}
}

static void put_padding(unsigned long long len)
{
	put_zeros(-len % BLOCK_BYTES);
}

/* Numbers that a field cannot hold stand in the extended header; here 0. */
static void set_octal(char *field, size_t field_len, unsigned long long value,
		      unsigned long long max)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%0*llo", (int)field_len - 1, value > max ? 0 : value);
	memcpy(field, digits, field_len);
}

/* The field is not a string: a value that fills it has no NUL. */
static void set_text(char *field, size_t field_len, const char *text)
{
	size_t len = strlen(text);

	memcpy(field, text, len < field_len ? len : field_len);
}

static void put_header(struct ustar *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;

	memcpy(header->magic, "ustar", 6);
	memcpy(header->version, "00", 2);
	memset(header->checksum, ' ', sizeof(header->checksum));
	for (size_t i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	snprintf(header->checksum, sizeof(header->checksum), "%06o", sum);
	put(header, sizeof(*header));
}

/* One record of an extended header, "LENGTH KEY=VALUE\n": the length counts its own digits too. */
static char *add_record(char *records, const char *key, const char *value)
{
	size_t rest = strlen(key) + strlen(value) + 3, len = rest + 1, before;
	char *longer;

	do {
		before = len;
		len = rest + (size_t)snprintf(NULL, 0, "%zu", len);
	} while (len != before);
	if (asprintf(&longer, "%s%zu %s=%s\n", records ? records : "", len, key, value) < 0) {
		complain("out of memory");
		exit(1);
	}
	free(records);
	return longer;
}

static char *add_number(char *records, const char *key, unsigned long long value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", value);
	return add_record(records, key, digits);
}

/* Times before 1970 count nanoseconds upwards too: -1.5 s is tv_sec -2, tv_nsec 500000000. */
static char *add_time(char *records, const char *key, struct timespec time)
{
	char digits[40];
	bool negative = time.tv_sec < 0;
	long long seconds = time.tv_sec;
	long nanoseconds = time.tv_nsec;

	if (negative && nanoseconds) {
		seconds++;
		nanoseconds = 1000000000 - nanoseconds;
	}
	snprintf(digits, sizeof(digits), "%s%lld.%09ld", negative ? "-" : "",
		 negative ? -seconds : seconds, nanoseconds);
	return add_record(records, key, digits);
}

/* All that the ustar header of this member has no room for; NULL when it has room for all. */
static char *extended_records(const char *member, const char *link, const struct stat *status)
{
	char *records = NULL;

	if (strlen(member) > sizeof(((struct ustar *)0)->name))
		records = add_record(records, "path", member);
	if (link && strlen(link) > sizeof(((struct ustar *)0)->linkname))
		records = add_record(records, "linkpath", link);
	if (S_ISREG(status->st_mode) && (unsigned long long)status->st_size > OCTAL_11_MAX)
		records = add_number(records, "size", (unsigned long long)status->st_size);
	if (status->st_uid > OCTAL_7_MAX)
		records = add_number(records, "uid", status->st_uid);
	if (status->st_gid > OCTAL_7_MAX)
		records = add_number(records, "gid", status->st_gid);
	if (status->st_mtim.tv_nsec || status->st_mtim.tv_sec < 0 ||
	    (unsigned long long)status->st_mtim.tv_sec > OCTAL_11_MAX)
		records = add_time(records, "mtime", status->st_mtim);
	return records;
}

static void put_extended_header(char *records)
{
	struct ustar header = {.name = "pax-header", .typeflag = 'x'};
	size_t len = strlen(records);

	set_octal(header.mode, sizeof(header.mode), 0644, OCTAL_7_MAX);
	set_octal(header.size, sizeof(header.size), len, OCTAL_11_MAX);
	put_header(&header);
	put(records, len);
	put_padding(len);
	free(records);
}

static char typeflag_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return '0';
	case S_IFLNK:
		return '2';
	case S_IFCHR:
		return '3';
	case S_IFBLK:
		return '4';
	case S_IFDIR:
		return '5';
	case S_IFIFO:
		return '6';
	default:
		return 0; /* a socket: tar has no way to say it */
	}
}

static void put_member_header(const char *member, const char *link, const struct stat *status)
{
	struct ustar header = {.typeflag = typeflag_of(status->st_mode)};
	unsigned long long size =
		S_ISREG(status->st_mode) ? (unsigned long long)status->st_size : 0;
	unsigned long long mtime =
		status->st_mtim.tv_sec < 0 ? 0 : (unsigned long long)status->st_mtim.tv_sec;
	char *records = extended_records(member, link, status);

	if (records)
		put_extended_header(records);
	set_text(header.name, sizeof(header.name), member);
	if (link)
		set_text(header.linkname, sizeof(header.linkname), link);
	set_octal(header.mode, sizeof(header.mode), status->st_mode & 07777, OCTAL_7_MAX);
	set_octal(header.uid, sizeof(header.uid), status->st_uid, OCTAL_7_MAX);
	set_octal(header.gid, sizeof(header.gid), status->st_gid, OCTAL_7_MAX);
	set_octal(header.size, sizeof(header.size), size, OCTAL_11_MAX);
	set_octal(header.mtime, sizeof(header.mtime), mtime, OCTAL_11_MAX);
	if (S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode)) {
		set_octal(header.devmajor, 8, major(status->st_rdev), OCTAL_7_MAX);
		set_octal(header.devminor, 8, minor(status->st_rdev), OCTAL_7_MAX);
	}
	put_header(&header);
}

static void pack_file(int fd, const char *path, const char *member, const struct stat *status)
{
	unsigned long long size = (unsigned long long)status->st_size, left = size;

	put_member_header(member, NULL, status);
	while (left) {
		ssize_t got = read(fd, chunk, left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got < 0)
				failed(path);
			else
				complain("%s: became shorter while it was read", path);
			something_failed = true;
			put_zeros(left);
			break;
		}
		put(chunk, (size_t)got);
		left -= (unsigned long long)got;
	}
	put_padding(size);
}

static void pack_link(int at, const char *name, const char *path, const char *member,
		      const struct stat *status)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(at, name, target, sizeof(target) - 1);

	if (len < 0) {
		failed(path);
		return;
	}
	target[len] = 0;
	put_member_header(member, target, status);
}

static void pack_entry(int at, const char *name, const char *path, const char *member);

/* Takes the folder's descriptor over. Names are opened relative to it, so depth is no problem. */
static void pack_folder(int fd, const char *path, const char *member, const struct stat *status)
{
	char *member_slash = path_join(member, "");
	struct names names;
	int listing = dup(fd);

	put_member_header(member_slash, NULL, status);
	if (listing < 0 || names_read(listing, &names) < 0) {
		failed(path);
	} else {
		for (size_t i = 0; i < names.count; i++) {
			char *below_path = path_join(path, names.list[i]);
			char *below_member = path_join(member, names.list[i]);

			pack_entry(fd, names.list[i], below_path, below_member);
			free(below_member);
			free(below_path);
		}
		names_free(&names);
	}
	free(member_slash);
	close(fd);
}

/* path is what complaints call it, member what the archive does. */
static void pack_entry(int at, const char *name, const char *path, const char *member)
{
	struct stat status;
	int fd;

	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		failed(path);
		return;
	}
	if (S_ISLNK(status.st_mode)) {
		pack_link(at, name, path, member, &status);
		return;
	}
	if (!typeflag_of(status.st_mode)) {
		complain("%s: a socket has no place in an archive", path);
		something_failed = true;
		return;
	}
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
		put_member_header(member, NULL, &status);
		return;
	}
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0) {
		failed(path);
		if (fd >= 0)
			close(fd);
	} else if (S_ISDIR(status.st_mode)) {
		pack_folder(fd, path, member, &status);
	} else {
		pack_file(fd, path, member, &status);
		close(fd);
	}
}

/* "/a/b/" is archived as "a/b", and "/" as ".". */
static void pack_argument(const char *path)
{
	const char *start = path + strspn(path, "/");
	size_t len = strlen(start);
	char *member;

	while (len && start[len - 1] == '/')
		len--;
	member = len ? strndup(start, len) : strdup(".");
	if (!member) {
		complain("out of memory");
		exit(1);
	}
	pack_entry(AT_FDCWD, path, path, member);
	free(member);
}

int main(int argc, char **argv)
{
	program_start("pack", help, argc, argv);
	if (argc < 2)
		usage_error("nothing to pack");
	for (int i = 1; i < argc; i++)
		pack_argument(argv[i]);
	put_zeros(2 * BLOCK_BYTES); /* how an archive ends */
	return program_end(something_failed);
}
