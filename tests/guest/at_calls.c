/*
 * The calls on names that take a directory's descriptor, as system calls: what they do from there,
 * from the working directory and with an absolute path, and what each refuses.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define NOREPLACE 1 /* RENAME_NOREPLACE */
#define EXCHANGE  2

#define BAD_ADDRESS ((void *)8)

static char folder[] = "/tmp/at-calls-XXXXXX";
static int base;  /* the folder */
static int plain; /* a file in it, "plain" */

static long at(long number, int dirfd, const void *path, long third, long fourth)
{
	return syscall(number, dirfd, path, third, fourth, 0);
}

/* What every call on a name refuses; the last two arguments are right. */
static void refuses_bad_names(long number, long third, long fourth)
{
	char longest[PATH_MAX + 1];

	memset(longest, 'a', PATH_MAX);
	longest[PATH_MAX] = '\0';
	EXPECT_ERRNO(EBADF, at(number, -1, "plain", third, fourth));
	EXPECT_ERRNO(ENOTDIR, at(number, plain, "plain", third, fourth));
	EXPECT_ERRNO(ENOTDIR, at(number, base, "plain/x", third, fourth));
	EXPECT_ERRNO(ENOENT, at(number, base, "none/x", third, fourth));
	EXPECT_ERRNO(ENOENT, at(number, base, "", third, fourth));
	EXPECT_ERRNO(EFAULT, at(number, base, BAD_ADDRESS, third, fourth));
	EXPECT_ERRNO(ELOOP, at(number, base, "circle/x", third, fourth));
	EXPECT_ERRNO(ENAMETOOLONG, at(number, base, longest, third, fourth));
	longest[300] = '\0';
	EXPECT_ERRNO(ENAMETOOLONG, at(number, base, longest, third, fourth));
}

static mode_t mode_of(const char *name)
{
	struct stat status;

	return fstatat(base, name, &status, AT_SYMLINK_NOFOLLOW) ? 0 : status.st_mode;
}

static void files_are_opened_from_a_directory(void)
{
	int fd = (int)at(SYS_openat, base, "new", O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0640);
	int directory;

	EXPECT(fd >= 0 && mode_of("new") == (S_IFREG | 0640));
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	fd = (int)at(SYS_openat, AT_FDCWD, "new", O_RDONLY, 0);
	EXPECT(fd >= 0);
	close(fd);
	fd = (int)at(SYS_openat, -1, "/dev/null", O_WRONLY | O_NOFOLLOW | O_NOCTTY, 0);
	EXPECT(fd >= 0);
	close(fd);
	directory = (int)at(SYS_openat, base, ".", O_RDONLY | O_DIRECTORY, 0);
	EXPECT(directory >= 0);
	close(directory);
	refuses_bad_names(SYS_openat, O_RDONLY, 0);
	EXPECT_ERRNO(EEXIST, at(SYS_openat, base, "new", O_CREAT | O_EXCL | O_RDWR, 0600));
	EXPECT_ERRNO(ENOTDIR, at(SYS_openat, base, "new", O_RDONLY | O_DIRECTORY, 0));
	EXPECT_ERRNO(ELOOP, at(SYS_openat, base, "circle", O_RDONLY, 0));
	EXPECT_ERRNO(ELOOP, at(SYS_openat, base, "to-plain", O_RDONLY | O_NOFOLLOW, 0));
	EXPECT_ERRNO(EISDIR, at(SYS_openat, base, ".", O_RDWR, 0));
	EXPECT_EQUAL(unlinkat(base, "new", 0), 0);
}

static void directories_are_made_from_a_directory(void)
{
	EXPECT_EQUAL(at(SYS_mkdirat, base, "d", 0750, 0), 0);
	EXPECT_EQUAL(mode_of("d"), S_IFDIR | 0750);
	EXPECT_EQUAL(at(SYS_mkdirat, AT_FDCWD, "d/e", 0700, 0), 0);
	EXPECT_EQUAL(unlinkat(base, "d/e", AT_REMOVEDIR), 0);
	EXPECT_ERRNO(EEXIST, at(SYS_mkdirat, base, "d", 0700, 0));
	EXPECT_ERRNO(EEXIST, at(SYS_mkdirat, base, "plain", 0700, 0));
	refuses_bad_names(SYS_mkdirat, 0700, 0);
	EXPECT_EQUAL(unlinkat(base, "d", AT_REMOVEDIR), 0);
}

static void nodes_are_made_from_a_directory(void)
{
	EXPECT_EQUAL(at(SYS_mknodat, base, "pipe", S_IFIFO | 0600, 0), 0);
	EXPECT_EQUAL(mode_of("pipe"), S_IFIFO | 0600);
	EXPECT_EQUAL(at(SYS_mknodat, base, "file", S_IFREG | 0604, 0), 0);
	EXPECT_EQUAL(mode_of("file"), S_IFREG | 0604);
	EXPECT_EQUAL(at(SYS_mknodat, base, "socket", S_IFSOCK | 0600, 0), 0);
	EXPECT_EQUAL(mode_of("socket"), S_IFSOCK | 0600);
	EXPECT_ERRNO(EEXIST, at(SYS_mknodat, base, "file", S_IFIFO | 0600, 0));
	EXPECT_ERRNO(EPERM, at(SYS_mknodat, base, "x", S_IFDIR | 0600, 0));
	EXPECT_ERRNO(EINVAL, at(SYS_mknodat, base, "x", S_IFLNK | 0600, 0));
	refuses_bad_names(SYS_mknodat, S_IFIFO | 0600, 0);
	EXPECT_EQUAL(unlinkat(base, "pipe", 0) + unlinkat(base, "file", 0), 0);
	EXPECT_EQUAL(unlinkat(base, "socket", 0), 0);
}

static void names_are_moved_between_directories(void)
{
	struct stat before, after;

	EXPECT_EQUAL(mkdirat(base, "d", 0700), 0);
	EXPECT_EQUAL(fstat(plain, &before), 0);
	EXPECT_EQUAL(syscall(SYS_renameat, base, "plain", AT_FDCWD, "d/moved"), 0);
	EXPECT_EQUAL(stat("d/moved", &after), 0);
	EXPECT_EQUAL(after.st_ino, before.st_ino);
	EXPECT_EQUAL(syscall(SYS_renameat2, base, "d/moved", base, "plain", NOREPLACE), 0);
	EXPECT_ERRNO(EEXIST, syscall(SYS_renameat2, base, "to-plain", base, "plain", NOREPLACE));
	EXPECT_EQUAL(syscall(SYS_renameat2, base, "to-plain", base, "plain", EXCHANGE), 0);
	EXPECT(S_ISLNK(mode_of("plain")) && S_ISREG(mode_of("to-plain")));
	EXPECT_EQUAL(syscall(SYS_renameat2, base, "to-plain", base, "plain", EXCHANGE), 0);
	EXPECT_ERRNO(ENOENT, syscall(SYS_renameat2, base, "plain", base, "none", EXCHANGE));
	EXPECT_ERRNO(EINVAL,
		     syscall(SYS_renameat2, base, "plain", base, "d", NOREPLACE | EXCHANGE));
	EXPECT_ERRNO(EINVAL, syscall(SYS_renameat2, base, "plain", base, "x", 1 << 20));
	EXPECT_ERRNO(EBADF, syscall(SYS_renameat, -1, "plain", base, "x"));
	EXPECT_ERRNO(EBADF, syscall(SYS_renameat, base, "plain", -1, "x"));
	EXPECT_ERRNO(ENOENT, syscall(SYS_renameat, base, "none", base, "x"));
	EXPECT_ERRNO(EFAULT, syscall(SYS_renameat, base, BAD_ADDRESS, base, "x"));
	EXPECT_ERRNO(EFAULT, syscall(SYS_renameat2, base, "plain", base, BAD_ADDRESS, 0));
	EXPECT_ERRNO(EISDIR, syscall(SYS_renameat, base, "plain", base, "d"));
	EXPECT_ERRNO(ENOTDIR, syscall(SYS_renameat, base, "d", base, "plain"));
	EXPECT_ERRNO(EINVAL, syscall(SYS_renameat, base, "d", base, "d/inside"));
	EXPECT_ERRNO(EBUSY, syscall(SYS_renameat2, base, ".", base, "x", 0));
	EXPECT_ERRNO(EXDEV, syscall(SYS_renameat, base, "plain", AT_FDCWD, "/proc/x"));
	EXPECT_EQUAL(unlinkat(base, "d", AT_REMOVEDIR), 0);
}

static void links_are_made_and_read_from_a_directory(void)
{
	char text[64];

	EXPECT_EQUAL(syscall(SYS_symlinkat, "a place", base, "s"), 0);
	EXPECT_EQUAL(at(SYS_readlinkat, base, "s", (long)text, sizeof(text)), 7);
	EXPECT(!memcmp(text, "a place", 7));
	EXPECT_EQUAL(at(SYS_readlinkat, AT_FDCWD, "s", (long)text, 3), 3); /* cut, not refused */
	EXPECT_ERRNO(EINVAL, at(SYS_readlinkat, base, "s", (long)text, 0));
	EXPECT_ERRNO(EINVAL, at(SYS_readlinkat, base, "plain", (long)text, sizeof(text)));
	EXPECT_ERRNO(EFAULT, at(SYS_readlinkat, base, "s", (long)BAD_ADDRESS, 7));
	refuses_bad_names(SYS_readlinkat, (long)text, sizeof(text));
	EXPECT_ERRNO(EEXIST, syscall(SYS_symlinkat, "x", base, "s"));
	EXPECT_ERRNO(ENOENT, syscall(SYS_symlinkat, "", base, "t"));
	EXPECT_ERRNO(ENOENT, syscall(SYS_symlinkat, "x", base, "none/t"));
	EXPECT_ERRNO(ENOTDIR, syscall(SYS_symlinkat, "x", plain, "t"));
	EXPECT_ERRNO(EBADF, syscall(SYS_symlinkat, "x", -1, "t"));
	EXPECT_ERRNO(EFAULT, syscall(SYS_symlinkat, BAD_ADDRESS, base, "t"));
	EXPECT_EQUAL(unlinkat(base, "s", 0), 0);
}

static int link_what_was_handed_down(void)
{
	return syscall(SYS_linkat, plain, "", base, "stolen", AT_EMPTY_PATH) == -1 ? errno : 0;
}

static void descriptors_of_others_get_no_names(void)
{
	if (geteuid())
		return;
	EXPECT_EQUAL(as_user(link_what_was_handed_down), ENOENT);
}

static void owners_and_modes_change_from_a_directory(void)
{
	struct stat status;

	EXPECT_EQUAL(at(SYS_fchmodat, base, "plain", 0604, 0), 0);
	EXPECT_EQUAL(mode_of("plain"), S_IFREG | 0604);
	EXPECT_EQUAL(at(SYS_fchmodat, AT_FDCWD, "to-plain", 0600, 0), 0); /* what it leads to */
	EXPECT_EQUAL(mode_of("plain"), S_IFREG | 0600);
	refuses_bad_names(SYS_fchmodat, 0600, 0);
	EXPECT_EQUAL(syscall(SYS_fchownat, base, "plain", getuid(), -1, 0), 0);
	EXPECT_EQUAL(syscall(SYS_fchownat, plain, "", -1, getgid(), AT_EMPTY_PATH), 0);
	EXPECT_EQUAL(syscall(SYS_fchownat, base, "circle", getuid(), getgid(), AT_SYMLINK_NOFOLLOW),
		     0);
	EXPECT_ERRNO(ELOOP, syscall(SYS_fchownat, base, "circle", -1, -1, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_fchownat, base, "plain", -1, -1, 1 << 20));
	refuses_bad_names(SYS_fchownat, -1, -1);
	EXPECT_EQUAL(syscall(SYS_lchown, "circle", getuid(), getgid()), 0);
	EXPECT_ERRNO(ENOENT, syscall(SYS_lchown, "none", -1, -1));
	EXPECT_ERRNO(ENOTDIR, syscall(SYS_lchown, "plain/x", -1, -1));
	EXPECT_ERRNO(EFAULT, syscall(SYS_lchown, BAD_ADDRESS, -1, -1));
	EXPECT_EQUAL(fstat(plain, &status), 0);
	EXPECT(status.st_uid == getuid() && status.st_gid == getgid());
}

static void access_is_asked_from_a_directory(void)
{
	EXPECT_EQUAL(syscall(SYS_faccessat2, base, "plain", R_OK | W_OK, 0), 0);
	EXPECT_EQUAL(syscall(SYS_faccessat2, base, "plain", F_OK, AT_EACCESS), 0);
	EXPECT_EQUAL(syscall(SYS_faccessat2, base, "circle", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	EXPECT_EQUAL(syscall(SYS_faccessat2, plain, "", R_OK, AT_EMPTY_PATH), 0);
	EXPECT_ERRNO(EACCES, syscall(SYS_faccessat2, base, "plain", X_OK, AT_EACCESS));
	EXPECT_ERRNO(EINVAL, syscall(SYS_faccessat2, base, "plain", 8, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_faccessat2, base, "plain", R_OK, 1 << 20));
	EXPECT_ERRNO(ELOOP, syscall(SYS_faccessat2, base, "circle", F_OK, 0));
	refuses_bad_names(SYS_faccessat2, F_OK, 0);
	refuses_bad_names(SYS_faccessat, F_OK, 0);
}

static void make_names(void)
{
	EXPECT(mkdtemp(folder) && chdir(folder) == 0);
	umask(0);
	base = open(".", O_RDONLY | O_DIRECTORY);
	plain = open("plain", O_CREAT | O_RDWR, 0600);
	EXPECT(base >= 0 && plain >= 0);
	EXPECT_EQUAL(symlink("circle", "circle"), 0);
	EXPECT_EQUAL(symlink("plain", "to-plain"), 0);
}

static void nothing_is_left(void)
{
	EXPECT_EQUAL(unlink("plain") + unlink("circle") + unlink("to-plain"), 0);
	close(base);
	close(plain);
	EXPECT_EQUAL(rmdir(folder), 0);
}

int main(void)
{
	RUN(make_names);
	RUN(files_are_opened_from_a_directory);
	RUN(directories_are_made_from_a_directory);
	RUN(nodes_are_made_from_a_directory);
	RUN(names_are_moved_between_directories);
	RUN(links_are_made_and_read_from_a_directory);
	RUN(descriptors_of_others_get_no_names);
	RUN(owners_and_modes_change_from_a_directory);
	RUN(access_is_asked_from_a_directory);
	RUN(nothing_is_left);
	return check_end();
}
