/*
 * Reading folders that are there at boot: / and /bin.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static unsigned char type_of(mode_t mode)
{
	return (unsigned char)IFTODT(mode);
}

/* Everything that readdir says of `path` has to agree with lstat. Counts names. */
static const char *compare_with_stat(const char *path, unsigned *names, bool *dot, bool *dotdot)
{
	static char complaint[PATH_MAX];
	DIR *folder = opendir(path);
	struct dirent *entry;
	struct stat status;

	*names = 0;
	*dot = *dotdot = false;
	if (!folder)
		return "opendir";
	while (errno = 0, (entry = readdir(folder)) != NULL) {
		(*names)++;
		*dot |= strcmp(entry->d_name, ".") == 0;
		*dotdot |= strcmp(entry->d_name, "..") == 0;
		snprintf(complaint, sizeof(complaint), "%s/%s", path, entry->d_name);
		if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
			return complaint;
		if (entry->d_type != DT_UNKNOWN && entry->d_type != type_of(status.st_mode))
			return complaint;
		/* A mount point has the number of what it hides. */
		if (entry->d_ino != status.st_ino && !S_ISDIR(status.st_mode))
			return complaint;
	}
	if (errno)
		return "readdir";
	closedir(folder);
	return NULL;
}

static void names_agree_with_stat(void)
{
	static const char *const paths[] = {"/", "/bin", "/etc"};

	for (int i = 0; i < 3; i++) {
		unsigned names;
		bool dot, dotdot;
		const char *wrong = compare_with_stat(paths[i], &names, &dot, &dotdot);

		if (wrong)
			FAIL("%s (%s)", wrong, strerror(errno));
		EXPECT(dot && dotdot && names > 2);
	}
}

static void root_and_bin_are_folders(void)
{
	struct stat root, bin, parent;

	EXPECT_EQUAL(stat("/", &root), 0);
	EXPECT_EQUAL(stat("/bin", &bin), 0);
	EXPECT_EQUAL(stat("/..", &parent), 0);
	EXPECT(S_ISDIR(root.st_mode) && S_ISDIR(bin.st_mode));
	EXPECT(root.st_ino == parent.st_ino && root.st_dev == parent.st_dev);
	EXPECT(root.st_ino != bin.st_ino && root.st_nlink >= 1);
	EXPECT(root.st_blksize > 0);
}

static void a_folder_can_be_read_twice(void)
{
	DIR *folder = opendir("/bin");
	unsigned first = 0, second = 0;

	EXPECT(folder != NULL);
	while (readdir(folder))
		first++;
	rewinddir(folder);
	while (readdir(folder))
		second++;
	closedir(folder);
	EXPECT(first > 2);
	EXPECT_EQUAL(first, second);
}

static void a_place_can_be_returned_to(void)
{
	DIR *folder = opendir("/bin");
	char third[NAME_MAX + 1];
	long place;
	struct dirent *entry;

	EXPECT(folder != NULL);
	EXPECT(readdir(folder) && readdir(folder));
	place = telldir(folder);
	entry = readdir(folder);
	EXPECT(entry != NULL);
	snprintf(third, sizeof(third), "%s", entry->d_name);
	while (readdir(folder))
		;
	seekdir(folder, place);
	entry = readdir(folder);
	EXPECT(entry && strcmp(entry->d_name, third) == 0);
	closedir(folder);
}

static void records_are_aligned_and_a_small_buffer_is_refused(void)
{
	int fd = open("/bin", O_RDONLY | O_DIRECTORY);
	_Alignas(8) char buffer[1024];
	long len;

	EXPECT(fd >= 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_getdents64, fd, buffer, 8));
	len = syscall(SYS_getdents64, fd, buffer, sizeof(buffer));
	EXPECT(len > 0 && len <= (long)sizeof(buffer));
	for (long at = 0; at < len;) {
		struct dirent *entry = (struct dirent *)(buffer + at);

		EXPECT(entry->d_reclen % 8 == 0 && entry->d_reclen >= 24);
		EXPECT(at + entry->d_reclen <= len);
		EXPECT(memchr(entry->d_name, 0, entry->d_reclen - 19) != NULL);
		EXPECT(entry->d_off > 0);
		at += entry->d_reclen;
	}
	EXPECT_EQUAL(close(fd), 0);
}

static void wrong_paths_say_what_is_wrong(void)
{
	struct stat status;
	char *long_name = malloc(PATH_MAX + 10);

	EXPECT(long_name != NULL);
	EXPECT(opendir("/there-is-no-such-folder") == NULL && errno == ENOENT);
	EXPECT(opendir("/etc/passwd") == NULL && errno == ENOTDIR);
	EXPECT_ERRNO(ENOTDIR, stat("/etc/passwd/x", &status));
	EXPECT_ERRNO(ENOTDIR, stat("/etc/passwd/", &status));
	EXPECT_ERRNO(ENOENT, stat("", &status));
	EXPECT_ERRNO(EISDIR, open("/bin", O_WRONLY));
	EXPECT_ERRNO(ENOENT, access("/bin/there-is-no-such-program", F_OK));
	memset(long_name, 'x', PATH_MAX + 9);
	long_name[PATH_MAX + 9] = 0;
	EXPECT_ERRNO(ENAMETOOLONG, stat(long_name, &status));
	long_name[0] = '/';
	long_name[NAME_MAX + 2] = 0;
	EXPECT_ERRNO(ENAMETOOLONG, stat(long_name, &status));
	free(long_name);
}

static void paths_may_be_written_in_many_ways(void)
{
	struct stat plain, odd;

	EXPECT_EQUAL(stat("/etc/passwd", &plain), 0);
	EXPECT_EQUAL(stat("//etc///./../etc/passwd", &odd), 0);
	EXPECT_EQUAL(plain.st_ino, odd.st_ino);
}

static void the_working_folder_can_be_changed(void)
{
	char before[PATH_MAX], path[PATH_MAX];
	struct stat by_path, relative;

	EXPECT(getcwd(before, sizeof(before)) != NULL);
	EXPECT_EQUAL(chdir("/etc"), 0);
	EXPECT(getcwd(path, sizeof(path)) && strcmp(path, "/etc") == 0);
	EXPECT_EQUAL(stat("passwd", &relative), 0);
	EXPECT_EQUAL(stat("/etc/passwd", &by_path), 0);
	EXPECT_EQUAL(relative.st_ino, by_path.st_ino);
	EXPECT_EQUAL(chdir(".."), 0);
	EXPECT(getcwd(path, sizeof(path)) && strcmp(path, "/") == 0);
	EXPECT_ERRNO(ENOTDIR, chdir("/etc/passwd"));
	EXPECT(getcwd(path, 1) == NULL && errno == ERANGE);
	EXPECT_EQUAL(chdir(before), 0);
}

static void reading_a_folder_as_a_file_is_refused(void)
{
	char byte;
	int fd = open("/bin", O_RDONLY);

	EXPECT(fd >= 0);
	EXPECT_ERRNO(EISDIR, read(fd, &byte, 1));
	EXPECT_EQUAL(close(fd), 0);
}

int main(void)
{
	RUN(names_agree_with_stat);
	RUN(root_and_bin_are_folders);
	RUN(a_folder_can_be_read_twice);
	RUN(a_place_can_be_returned_to);
	RUN(records_are_aligned_and_a_small_buffer_is_refused);
	RUN(wrong_paths_say_what_is_wrong);
	RUN(paths_may_be_written_in_many_ways);
	RUN(the_working_folder_can_be_changed);
	RUN(reading_a_folder_as_a_file_is_refused);
	return check_end();
}
