/*
 * Files and folders on the writable file system at /tmp.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

#define BLOCK 4096

/* Every test has this folder to itself; it is empty before and must be after. */
static char folder[] = "/tmp/files-XXXXXX";

static bool has_text(const char *path, const char *text)
{
	char buffer[256];
	int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, buffer, sizeof(buffer));

	if (fd >= 0)
		close(fd);
	return len == (ssize_t)strlen(text) && memcmp(buffer, text, (size_t)len) == 0;
}

static bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static void what_is_written_is_read(void)
{
	char buffer[3 * BLOCK];
	int fd = open("f", O_RDWR | O_CREAT | O_EXCL, 0640);

	EXPECT(fd >= 0);
	for (int i = 0; i < 300; i++) {
		memset(buffer, i, 1000);
		EXPECT_EQUAL(write(fd, buffer, 1000), 1000);
	}
	EXPECT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
	for (int i = 0; i < 300; i++) {
		EXPECT_EQUAL(read(fd, buffer, 1000), 1000);
		for (int j = 0; j < 1000; j++)
			EXPECT_EQUAL((unsigned char)buffer[j], i & 0xff);
	}
	EXPECT_EQUAL(read(fd, buffer, 1000), 0);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_ERRNO(EEXIST, open("f", O_RDWR | O_CREAT | O_EXCL, 0640));
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_ERRNO(ENOENT, open("f", O_RDWR));
}

static void positions_move_as_told(void)
{
	char buffer[8];
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(write(fd, "0123456789", 10), 10);
	EXPECT_EQUAL(lseek(fd, -3, SEEK_END), 7);
	EXPECT_EQUAL(read(fd, buffer, 8), 3);
	EXPECT(memcmp(buffer, "789", 3) == 0);
	EXPECT_EQUAL(lseek(fd, -8, SEEK_CUR), 2);
	EXPECT_EQUAL(pread(fd, buffer, 2, 5), 2);
	EXPECT(memcmp(buffer, "56", 2) == 0);
	EXPECT_EQUAL(pwrite(fd, "xy", 2, 0), 2);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_CUR), 2);
	EXPECT_ERRNO(EINVAL, lseek(fd, -1, SEEK_SET));
	EXPECT_ERRNO(EINVAL, lseek(fd, 0, 77));
	EXPECT_EQUAL(close(fd), 0);
	EXPECT(has_text("f", "xy23456789"));
	EXPECT_EQUAL(unlink("f"), 0);
}

static void a_hole_reads_as_zeros(void)
{
	char buffer[BLOCK];
	struct stat status;
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(pwrite(fd, "end", 3, 5 * BLOCK + 10), 3);
	EXPECT_EQUAL(fstat(fd, &status), 0);
	EXPECT_EQUAL(status.st_size, 5 * BLOCK + 13);
	EXPECT_EQUAL(pread(fd, buffer, BLOCK, 2 * BLOCK), BLOCK);
	for (int i = 0; i < BLOCK; i++)
		EXPECT_EQUAL(buffer[i], 0);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void truncating_cuts_and_grows_with_zeros(void)
{
	char buffer[20];
	struct stat status;
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(write(fd, "0123456789", 10), 10);
	EXPECT_EQUAL(ftruncate(fd, 4), 0);
	EXPECT_EQUAL(ftruncate(fd, 10), 0);
	EXPECT_EQUAL(pread(fd, buffer, 20, 0), 10);
	EXPECT(memcmp(buffer, "0123\0\0\0\0\0\0", 10) == 0);
	EXPECT_EQUAL(truncate("f", 2), 0);
	EXPECT_EQUAL(stat("f", &status), 0);
	EXPECT_EQUAL(status.st_size, 2);
	EXPECT_ERRNO(EINVAL, ftruncate(fd, -1));
	EXPECT_EQUAL(close(fd), 0);
	fd = open("f", O_WRONLY | O_TRUNC);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_END), 0);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void appending_ignores_the_position(void)
{
	int fd = open("f", O_WRONLY | O_CREAT | O_APPEND, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(write(fd, "one", 3), 3);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_EQUAL(write(fd, "two", 3), 3);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT(has_text("f", "onetwo"));
	EXPECT_EQUAL(unlink("f"), 0);
}

static void vectors_are_written_and_read(void)
{
	char first[4], second[10];
	struct iovec out[3] = {{(char *)"abc", 3}, {NULL, 0}, {(char *)"defgh", 5}};
	struct iovec in[2] = {{first, 4}, {second, 10}};
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(writev(fd, out, 3), 8);
	EXPECT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
	EXPECT_EQUAL(readv(fd, in, 2), 8);
	EXPECT(memcmp(first, "abcd", 4) == 0 && memcmp(second, "efgh", 4) == 0);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void descriptors_check_their_direction(void)
{
	char byte = 0;
	int fd;

	EXPECT(put_text("f", "x"));
	fd = open("f", O_WRONLY);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(EBADF, read(fd, &byte, 1));
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_ERRNO(EBADF, close(fd));
	EXPECT_ERRNO(EBADF, write(fd, &byte, 1));
	fd = open("f", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(EBADF, write(fd, &byte, 1));
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void copies_of_a_descriptor_share_the_position(void)
{
	int fd = open("f", O_RDWR | O_CREAT, 0600), copy = dup(fd);

	EXPECT(fd >= 0 && copy >= 0 && copy != fd);
	EXPECT_EQUAL(write(fd, "ab", 2), 2);
	EXPECT_EQUAL(lseek(copy, 0, SEEK_CUR), 2);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(write(copy, "cd", 2), 2);
	EXPECT_EQUAL(dup2(copy, 100), 100);
	EXPECT_EQUAL(lseek(100, 0, SEEK_CUR), 4);
	EXPECT_EQUAL(close(100), 0);
	EXPECT_EQUAL(close(copy), 0);
	EXPECT(has_text("f", "abcd"));
	EXPECT_EQUAL(unlink("f"), 0);
}

static void unknown_flags_are_refused(void)
{
	int ends[2] = {-1, -1};

	EXPECT_ERRNO(EINVAL, pipe2(ends, O_APPEND));
	EXPECT(ends[0] == -1 && ends[1] == -1);
	EXPECT_ERRNO(EINVAL, syscall(SYS_dup3, 0, 9, O_APPEND)); /* musl would hide the flag */
	EXPECT_ERRNO(EINVAL, unlinkat(AT_FDCWD, "f", 1 << 20));
	EXPECT_ERRNO(EINVAL, linkat(AT_FDCWD, "f", AT_FDCWD, "g", 1 << 20));
	EXPECT_ERRNO(EINVAL, syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 1 << 20));
}

static void the_lowest_descriptor_is_taken(void)
{
	int first = open("/etc/passwd", O_RDONLY), second = open("/etc/passwd", O_RDONLY);

	EXPECT(first >= 0 && second > first);
	EXPECT_EQUAL(close(first), 0);
	EXPECT_EQUAL(open("/etc/passwd", O_RDONLY), first);
	EXPECT_EQUAL(close(first), 0);
	EXPECT_EQUAL(close(second), 0);
}

static void renaming_moves_and_replaces(void)
{
	char byte;
	int old;

	EXPECT(put_text("a", "new") && put_text("b", "old"));
	old = open("b", O_RDONLY);
	EXPECT(old >= 0);
	EXPECT_EQUAL(rename("a", "b"), 0);
	EXPECT_ERRNO(ENOENT, access("a", F_OK));
	EXPECT(has_text("b", "new"));
	/* Who had the old file open still has it. */
	EXPECT_EQUAL(read(old, &byte, 1), 1);
	EXPECT_EQUAL(byte, 'o');
	EXPECT_EQUAL(close(old), 0);
	EXPECT_EQUAL(mkdir("d", 0755), 0);
	EXPECT_EQUAL(rename("b", "d/c"), 0);
	EXPECT(has_text("d/c", "new"));
	EXPECT_ERRNO(EINVAL, rename("d", "d/below"));
	EXPECT(put_text("b", "x"));
	EXPECT_ERRNO(EISDIR, rename("b", "d"));
	EXPECT_ERRNO(ENOTDIR, rename("d", "b"));
	EXPECT_EQUAL(mkdir("e", 0755), 0);
	EXPECT(rename("e", "d") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
	EXPECT_EQUAL(unlink("d/c"), 0);
	EXPECT_EQUAL(rename("e", "d"), 0);
	EXPECT_EQUAL(rmdir("d"), 0);
	EXPECT_EQUAL(unlink("b"), 0);
}

static void an_unlinked_file_lives_until_it_is_closed(void)
{
	char buffer[8];
	struct stat status;
	int fd;

	EXPECT(put_text("f", "still"));
	fd = open("f", O_RDWR);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(unlink("f"), 0);
	EXPECT_ERRNO(ENOENT, stat("f", &status));
	EXPECT_EQUAL(fstat(fd, &status), 0);
	EXPECT_EQUAL(status.st_nlink, 0);
	EXPECT_EQUAL(pread(fd, buffer, 8, 0), 5);
	EXPECT_EQUAL(pwrite(fd, "here", 4, 5), 4);
	EXPECT_EQUAL(close(fd), 0);
}

static void folders_are_made_and_removed(void)
{
	struct stat status;

	EXPECT_EQUAL(mkdir("d", 0700), 0);
	EXPECT_ERRNO(EEXIST, mkdir("d", 0700));
	EXPECT_ERRNO(ENOENT, mkdir("nope/d", 0700));
	EXPECT_EQUAL(stat("d", &status), 0);
	EXPECT(S_ISDIR(status.st_mode));
	EXPECT_EQUAL(status.st_mode & 0777, 0700);
	EXPECT(put_text("d/f", "x"));
	EXPECT_ERRNO(ENOTEMPTY, rmdir("d"));
	EXPECT_ERRNO(EISDIR, unlink("d"));
	EXPECT_ERRNO(ENOTDIR, rmdir("d/f"));
	EXPECT_ERRNO(ENOTDIR, mkdir("d/f/g", 0700));
	EXPECT_EQUAL(unlink("d/f"), 0);
	EXPECT_ERRNO(EINVAL, rmdir("d/."));
	EXPECT_EQUAL(rmdir("d"), 0);
	EXPECT_ERRNO(ENOENT, rmdir("d"));
}

/* Each name is seen once, even though names that have been seen go while the folder is read. */
static void a_folder_is_emptied_while_it_is_read(void)
{
	enum { FILES = 500 };
	char name[32];
	unsigned seen = 0;
	struct dirent *entry;
	DIR *open_folder;

	EXPECT_EQUAL(mkdir("d", 0700), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "d/file-%d", i);
		EXPECT(put_text(name, ""));
	}
	open_folder = opendir("d");
	EXPECT(open_folder != NULL);
	while ((entry = readdir(open_folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		seen++;
		EXPECT_EQUAL(unlinkat(dirfd(open_folder), entry->d_name, 0), 0);
	}
	closedir(open_folder);
	EXPECT_EQUAL(seen, FILES);
	EXPECT_EQUAL(rmdir("d"), 0);
}

static void symbolic_links_are_followed(void)
{
	char target[64];
	struct stat status;

	EXPECT(put_text("f", "text"));
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_ERRNO(EEXIST, symlink("f", "l"));
	EXPECT(has_text("l", "text"));
	EXPECT_EQUAL(readlink("l", target, sizeof(target)), 1);
	EXPECT_EQUAL(target[0], 'f');
	EXPECT_ERRNO(EINVAL, readlink("f", target, sizeof(target)));
	EXPECT_EQUAL(lstat("l", &status), 0);
	EXPECT(S_ISLNK(status.st_mode));
	EXPECT_EQUAL(status.st_size, 1);
	EXPECT_ERRNO(ELOOP, open("l", O_RDONLY | O_NOFOLLOW));
	EXPECT_EQUAL(unlink("l"), 0);
	EXPECT_EQUAL(symlink("l", "l"), 0);
	EXPECT_ERRNO(ELOOP, open("l", O_RDONLY));
	EXPECT_EQUAL(unlink("l"), 0);
	EXPECT_EQUAL(symlink("nowhere", "l"), 0);
	EXPECT_ERRNO(ENOENT, open("l", O_RDONLY));
	EXPECT_EQUAL(unlink("l"), 0);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void status_has_all_its_fields(void)
{
	struct stat first, second;

	EXPECT(put_text("a", "12345") && put_text("b", ""));
	EXPECT_EQUAL(stat("a", &first), 0);
	EXPECT_EQUAL(stat("b", &second), 0);
	EXPECT(S_ISREG(first.st_mode));
	EXPECT_EQUAL(first.st_size, 5);
	EXPECT_EQUAL(first.st_nlink, 1);
	EXPECT_EQUAL(first.st_uid, geteuid());
	EXPECT(first.st_blksize > 0);
	EXPECT(first.st_dev == second.st_dev && first.st_ino != second.st_ino);
	EXPECT(first.st_mtim.tv_sec > 1735689600); /* 2025 */
	EXPECT(first.st_mtim.tv_nsec >= 0 && first.st_mtim.tv_nsec < 1000000000);
	EXPECT_EQUAL(unlink("a"), 0);
	EXPECT_EQUAL(unlink("b"), 0);
}

static void modes_and_times_are_kept(void)
{
	struct timespec times[2] = {{.tv_sec = 1000000000, .tv_nsec = 1},
				    {.tv_sec = 1234567890, .tv_nsec = 987654321}};
	struct stat status;

	EXPECT(put_text("f", ""));
	EXPECT_EQUAL(chmod("f", 04751), 0);
	EXPECT_EQUAL(utimensat(AT_FDCWD, "f", times, 0), 0);
	EXPECT_EQUAL(stat("f", &status), 0);
	EXPECT_EQUAL(status.st_mode & 07777, 04751);
	EXPECT_EQUAL(status.st_mtim.tv_sec, 1234567890);
	EXPECT_EQUAL(status.st_mtim.tv_nsec, 987654321);
	EXPECT_EQUAL(status.st_atim.tv_sec, 1000000000);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void umask_takes_bits_away(void)
{
	struct stat status;
	mode_t before = umask(027);
	int fd = open("f", O_CREAT | O_WRONLY, 0666);

	EXPECT_EQUAL(umask(before), 027);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(fstat(fd, &status), 0);
	EXPECT_EQUAL(status.st_mode & 0777, 0640);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void a_large_file_holds_its_bytes(void)
{
	static unsigned char buffer[1 << 16];
	int fd = open("f", O_RDWR | O_CREAT, 0600);

	EXPECT(fd >= 0);
	for (unsigned i = 0; i < 64; i++) {
		for (size_t j = 0; j < sizeof(buffer); j++)
			buffer[j] = (unsigned char)(i + j * 13);
		EXPECT_EQUAL(write(fd, buffer, sizeof(buffer)), sizeof(buffer));
	}
	EXPECT_EQUAL(lseek(fd, 0, SEEK_SET), 0);
	for (unsigned i = 0; i < 64; i++) {
		EXPECT_EQUAL(read(fd, buffer, sizeof(buffer)), sizeof(buffer));
		for (size_t j = 0; j < sizeof(buffer); j++)
			EXPECT_EQUAL(buffer[j], (unsigned char)(i + j * 13));
	}
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(unlink("f"), 0);
}

static void names_may_be_255_bytes_long(void)
{
	char name[NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = 0;
	EXPECT(put_text(name, "x"));
	EXPECT(has_text(name, "x"));
	EXPECT_EQUAL(unlink(name), 0);
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = 0;
	EXPECT_ERRNO(ENAMETOOLONG, open(name, O_CREAT | O_WRONLY, 0600));
}

/* rmdir() below fails if any test left something behind. */
static void nothing_is_left(void)
{
	EXPECT_EQUAL(chdir("/"), 0);
	EXPECT_EQUAL(rmdir(folder), 0);
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder) < 0) {
		printf("not ok folder: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	RUN(what_is_written_is_read);
	RUN(positions_move_as_told);
	RUN(a_hole_reads_as_zeros);
	RUN(truncating_cuts_and_grows_with_zeros);
	RUN(appending_ignores_the_position);
	RUN(vectors_are_written_and_read);
	RUN(descriptors_check_their_direction);
	RUN(copies_of_a_descriptor_share_the_position);
	RUN(unknown_flags_are_refused);
	RUN(the_lowest_descriptor_is_taken);
	RUN(renaming_moves_and_replaces);
	RUN(an_unlinked_file_lives_until_it_is_closed);
	RUN(folders_are_made_and_removed);
	RUN(a_folder_is_emptied_while_it_is_read);
	RUN(symbolic_links_are_followed);
	RUN(status_has_all_its_fields);
	RUN(modes_and_times_are_kept);
	RUN(umask_takes_bits_away);
	RUN(a_large_file_holds_its_bytes);
	RUN(names_may_be_255_bytes_long);
	RUN(nothing_is_left);
	return check_end();
}
