/*
 * What the cases share.
 */
#include "posix.h"

#include <dirent.h>
#include <grp.h>
#include <sys/syscall.h>
#include <time.h>

#define TEN(c)     c c c c c c c c c c
#define HUNDRED(c) TEN(TEN(c))

const char longest_name[256] =
	HUNDRED("n") HUNDRED("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") "nnnnn";
const char too_long_name[257] =
	HUNDRED("n") HUNDRED("n") TEN("n") TEN("n") TEN("n") TEN("n") TEN("n") "nnnnnn";
char too_long_path[4097];

bool put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	size_t len = strlen(text);
	bool done = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	return (fd < 0 || close(fd) == 0) && done;
}

bool has(const char *name, const char *text)
{
	char bytes[256];
	int fd = open(name, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (fd >= 0)
		close(fd);
	return len >= 0 && (size_t)len == strlen(text) && memcmp(bytes, text, (size_t)len) == 0;
}

static struct stat stat_of(const char *name)
{
	struct stat status;

	if (lstat(name, &status))
		memset(&status, -1, sizeof(status));
	return status;
}

bool exists(const char *name)
{
	struct stat status;

	return lstat(name, &status) == 0;
}

long long size_of(const char *name)
{
	return stat_of(name).st_size;
}

int mode_of(const char *name)
{
	return exists(name) ? (int)(stat_of(name).st_mode & 07777) : -1;
}

int nlink_of(const char *name)
{
	return (int)stat_of(name).st_nlink;
}

long long inode_of(const char *name)
{
	return (long long)stat_of(name).st_ino;
}

int nentries_of(const char *directory)
{
	DIR *open_directory = opendir(directory);
	int nentries = 0;

	if (!open_directory)
		return -1;
	while (readdir(open_directory))
		nentries++;
	closedir(open_directory);
	return nentries;
}

bool is_zeros(const void *bytes, size_t len_bytes)
{
	const char *at = bytes;

	while (len_bytes && !at[len_bytes - 1])
		len_bytes--;
	return !len_bytes;
}

/* The calls themselves: the C library's would want to do it for all threads. */
void as_member(unsigned uid, unsigned gid, unsigned also_gid)
{
	if (syscall(SYS_setresuid, -1, 0, -1) || setgroups(also_gid ? 1 : 0, &also_gid) ||
	    syscall(SYS_setresgid, -1, gid, -1) || syscall(SYS_setresuid, -1, uid, -1)) {
		perror("cannot become another user");
		exit(2);
	}
}

void as(unsigned id)
{
	as_member(id, id, 0);
}

static long long ns_of(struct timespec time)
{
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

long long atime_of(const char *name)
{
	return ns_of(stat_of(name).st_atim);
}

long long mtime_of(const char *name)
{
	return ns_of(stat_of(name).st_mtim);
}

long long ctime_of(const char *name)
{
	return ns_of(stat_of(name).st_ctim);
}

/* The clock of files moves in steps, of 10 ms at most. */
void tick(void)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &begin);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	while (ns_of(now) == ns_of(begin));
}

bool make_old(const char *name)
{
	struct timespec old[2] = {{.tv_sec = OLD_S}, {.tv_sec = OLD_S}};

	return utimensat(AT_FDCWD, name, old, AT_SYMLINK_NOFOLLOW) == 0;
}
