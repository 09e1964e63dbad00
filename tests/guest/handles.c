/*
 * Files by handles: name_to_handle_at, open_by_handle_at.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

static struct {
	struct file_handle head;
	unsigned char bytes[128];
} handle;

static int mount_id;

static int name_handle(int dirfd, const char *name, int flags)
{
	handle.head.handle_bytes = sizeof(handle.bytes);
	return name_to_handle_at(dirfd, name, &handle.head, &mount_id, flags);
}

static int open_handle(int mount_fd, int flags)
{
	return open_by_handle_at(mount_fd, &handle.head, flags);
}

static int is_named(int fd, const char *end)
{
	char link[32], name[256];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, name, sizeof(name) - 1);
	if (len < (ssize_t)strlen(end))
		return 0;
	name[len] = 0;
	return strcmp(name + len - strlen(end), end) == 0;
}

static void a_file_is_found_whatever_its_name(void)
{
	char text[8] = "";
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	struct stat old, found;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(write(fd, "abc", 3), 3);
	EXPECT_EQUAL(name_handle(AT_FDCWD, "f", 0), 0);
	EXPECT(handle.head.handle_bytes > 0 && handle.head.handle_bytes <= 128);
	EXPECT_EQUAL(rename("f", "g"), 0);
	EXPECT_EQUAL(fstat(fd, &old), 0);
	close(fd);
	fd = open_handle(AT_FDCWD, O_RDWR | O_CLOEXEC);
	EXPECT(fd >= 0);
	EXPECT(is_named(fd, "/g")); /* by a name that is known */
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(fstat(fd, &found), 0);
	EXPECT(found.st_ino == old.st_ino && found.st_dev == old.st_dev);
	EXPECT(read(fd, text, 8) == 3 && strcmp(text, "abc") == 0);
	EXPECT_EQUAL(write(fd, "d", 1), 1);
	EXPECT_EQUAL(ftruncate(fd, 2), 0);
	close(fd);
	EXPECT(stat("g", &found) == 0 && found.st_size == 2);
	/* By the descriptor as well. */
	fd = open("g", O_RDONLY);
	EXPECT_EQUAL(name_handle(fd, "", AT_EMPTY_PATH), 0);
	close(fd);
	fd = open_handle(AT_FDCWD, O_RDONLY);
	EXPECT(fd >= 0);
	close(fd);
	EXPECT_EQUAL(unlink("g"), 0);
	EXPECT_ERRNO(ESTALE, open_handle(AT_FDCWD, O_RDONLY));
}

static void a_directory_is_found(void)
{
	int fd;

	EXPECT_EQUAL(mkdir("d", 0700), 0);
	close(open("d/in", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(name_handle(AT_FDCWD, "d", 0), 0);
	fd = open_handle(AT_FDCWD, O_RDONLY | O_DIRECTORY);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(faccessat(fd, "in", R_OK, 0), 0);
	EXPECT_EQUAL(faccessat(fd, "../d/in", R_OK, 0), 0);
	close(fd);
	EXPECT_ERRNO(EISDIR, open_handle(AT_FDCWD, O_RDWR));
	unlink("d/in"), rmdir("d");
}

/* Where there is such a thing, and one may. */
static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	if (fd < 0 && (errno == ENOENT || errno == EACCES || errno == EROFS))
		return;
	EXPECT_EQUAL(write(fd, "3", 1), 1);
	close(fd);
}

static void a_directory_is_found_by_those_above_it(void)
{
	struct stat status, found;
	int fd;

	EXPECT(mkdir("d", 0755) == 0 && mkdir("d/e", 0700) == 0 && mkdir("d/e/f", 0755) == 0);
	close(open("d/e/f/in", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(stat("d/e", &status), 0);
	EXPECT_EQUAL(name_handle(AT_FDCWD, "d/e/f", 0), 0);
	drop_caches();
	fd = open_handle(AT_FDCWD, O_RDONLY | O_DIRECTORY);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(faccessat(fd, "in", R_OK, 0), 0);
	EXPECT_EQUAL(faccessat(fd, "../../../d/e/f/in", R_OK, 0), 0);
	EXPECT_EQUAL(fstatat(fd, "..", &found, 0), 0);
	EXPECT_EQUAL(found.st_ino, status.st_ino);
	close(fd);
	unlink("d/e/f/in"), rmdir("d/e/f");
	drop_caches();
	EXPECT_ERRNO(ESTALE, open_handle(AT_FDCWD, O_RDONLY));
	rmdir("d/e"), rmdir("d");
}

static void links_are_followed_on_request(void)
{
	unsigned char of_link[128];
	int fd;

	close(open("f", O_CREAT | O_RDWR, 0600));
	EXPECT_EQUAL(symlink("f", "l"), 0);
	EXPECT_EQUAL(name_handle(AT_FDCWD, "l", 0), 0);
	memcpy(of_link, handle.bytes, sizeof(of_link));
	EXPECT_ERRNO(ELOOP, open_handle(AT_FDCWD, O_RDONLY));
	fd = open_handle(AT_FDCWD, O_PATH);
	EXPECT(fd >= 0);
	close(fd);
	EXPECT_EQUAL(name_handle(AT_FDCWD, "l", AT_SYMLINK_FOLLOW), 0);
	EXPECT(memcmp(of_link, handle.bytes, handle.head.handle_bytes) != 0);
	fd = open_handle(AT_FDCWD, O_RDONLY);
	EXPECT(fd >= 0);
	close(fd);
	unlink("f"), unlink("l");
}

static int open_as_user(void)
{
	NEED(open_handle(AT_FDCWD, O_RDONLY) == -1 && errno == EPERM);
	return 0;
}

static void what_is_wrong_is_said(void)
{
	int id;

	close(open("f", O_CREAT | O_RDWR, 0644));
	handle.head.handle_bytes = 0;
	EXPECT_ERRNO(EOVERFLOW, name_to_handle_at(AT_FDCWD, "f", &handle.head, &id, 0));
	EXPECT(handle.head.handle_bytes > 0);
	handle.head.handle_bytes = 129;
	EXPECT_ERRNO(EINVAL, name_to_handle_at(AT_FDCWD, "f", &handle.head, &id, 0));
	EXPECT_ERRNO(EINVAL, name_handle(AT_FDCWD, "f", 0x40000));
	EXPECT_ERRNO(ENOENT, name_handle(AT_FDCWD, "nothing", 0));
	EXPECT_ERRNO(EBADF, name_handle(1000, "f", 0));
	EXPECT_ERRNO(ENOTDIR, name_handle(AT_FDCWD, "f/x", 0));
	EXPECT_ERRNO(EFAULT, name_to_handle_at(AT_FDCWD, (void *)8, &handle.head, &id, 0));
	EXPECT_ERRNO(EFAULT, name_to_handle_at(AT_FDCWD, "f", (void *)8, &id, 0));
	EXPECT_ERRNO(EOPNOTSUPP, name_handle(AT_FDCWD, "/proc/version", 0));
	EXPECT_EQUAL(name_handle(AT_FDCWD, "f", 0), 0);
	EXPECT_EQUAL(as_user(open_as_user), 0);
	EXPECT_ERRNO(EFAULT, open_by_handle_at(AT_FDCWD, (void *)8, O_RDONLY));
	EXPECT_ERRNO(EBADF, open_handle(1000, O_RDONLY));
	handle.head.handle_bytes = 0;
	EXPECT_ERRNO(EINVAL, open_handle(AT_FDCWD, O_RDONLY));
	handle.head.handle_bytes = 129;
	EXPECT_ERRNO(EINVAL, open_handle(AT_FDCWD, O_RDONLY));
	EXPECT_EQUAL(name_handle(AT_FDCWD, "f", 0), 0);
	memset(handle.bytes, 0x5a, sizeof(handle.bytes));
	EXPECT_ERRNO(ESTALE, open_handle(AT_FDCWD, O_RDONLY));
	unlink("f");
}

int main(void)
{
	char folder[] = "/tmp/handles-XXXXXX";
	int result;

	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	chmod(folder, 0755);
	RUN(a_file_is_found_whatever_its_name);
	RUN(a_directory_is_found);
	RUN(a_directory_is_found_by_those_above_it);
	RUN(links_are_followed_on_request);
	RUN(what_is_wrong_is_said);
	result = check_end();
	if (chdir("/") || rmdir(folder))
		return 1;
	return result;
}
