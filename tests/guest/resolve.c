/*
 * openat2 and chroot: how far a name may lead.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define NO_XDEV       0x01
#define NO_MAGICLINKS 0x02
#define NO_SYMLINKS   0x04
#define BENEATH       0x08
#define IN_ROOT       0x10
#define CACHED        0x20

struct how {
	uint64_t flags, mode, resolve;
};

static char folder[] = "/tmp/resolve-XXXXXX";
static int root = -1; /* folder/root */

static int open_how(int at, const char *name, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct how how = {flags, mode, resolve};

	return (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
}

/* Opens and closes: 0, or -1 with errno. */
static int try(const char *name, uint64_t flags, uint64_t resolve)
{
	int fd = open_how(root, name, flags, 0, resolve);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static void put(const char *name)
{
	close(open(name, O_CREAT | O_WRONLY, 0644));
}

static void make_tree(void)
{
	put("outside");
	mkdir("root", 0755);
	mkdir("root/sub", 0755);
	mkdir("root/etc", 0755);
	put("root/file");
	put("root/sub/inner");
	put("root/etc/name");
	if (symlink("sub/inner", "root/link") || symlink("../outside", "root/escape") ||
	    symlink("/etc/name", "root/absolute") || symlink("sub", "root/dirlink") ||
	    symlink("/../../..", "root/far"))
		_exit(2);
	root = open("root", O_PATH | O_DIRECTORY);
}

static void remove_tree(void)
{
	static const char *const names[] = {"root/link",      "root/escape",   "root/absolute",
					    "root/far",       "root/dirlink",  "root/file",
					    "root/sub/inner", "root/etc/name", "outside"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	close(root);
	rmdir("root/sub");
	rmdir("root/etc");
	rmdir("root");
}

static void without_limits_it_is_openat(void)
{
	int fd = open_how(root, "new", O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0640, 0);
	struct stat stat_;

	EXPECT(fd >= 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT(fstat(fd, &stat_) == 0 && (stat_.st_mode & 0777) == 0640);
	close(fd);
	EXPECT_EQUAL(unlinkat(root, "new", 0), 0);
	EXPECT_EQUAL(try("escape", O_RDONLY, 0), 0);
	EXPECT_ERRNO(ENOENT, try("none", O_RDONLY, 0));
}

static void the_structure_is_checked(void)
{
	struct {
		struct how how;
		uint64_t more[600];
	} large = {{O_RDONLY, 0, 0}, {0}};
	int fd;

	EXPECT_ERRNO(EINVAL, syscall(SYS_openat2, root, "file", &large, 23));
	EXPECT_ERRNO(EINVAL, syscall(SYS_openat2, root, "file", &large, 0));
	fd = (int)syscall(SYS_openat2, root, "file", &large, 24 + 100);
	EXPECT(fd >= 0);
	close(fd);
	large.more[8] = 1;
	EXPECT_ERRNO(E2BIG, syscall(SYS_openat2, root, "file", &large, 24 + 100));
	EXPECT_ERRNO(E2BIG, syscall(SYS_openat2, root, "file", &large, 4097));
	EXPECT_ERRNO(EFAULT, syscall(SYS_openat2, root, "file", 8, 24));
	EXPECT_ERRNO(EFAULT, syscall(SYS_openat2, root, 8, &large, 24));
	EXPECT_ERRNO(EBADF, open_how(1000, "file", O_RDONLY, 0, 0));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", 1ull << 40, 0, 0));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", 1u << 30, 0, 0));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", O_RDONLY, 0, 0x40));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", O_RDONLY, 0, 1ull << 32));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", O_RDONLY, 0, BENEATH | IN_ROOT));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", O_RDONLY, 0600, 0));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", O_CREAT | O_RDWR, 010000, 0));
	EXPECT_ERRNO(EINVAL, open_how(root, "file", O_PATH | O_RDWR, 0, 0));
	EXPECT_ERRNO(EINVAL, open_how(root, ".", O_TMPFILE & ~O_DIRECTORY, 0600, 0));
}

static void beneath_keeps_names_below(void)
{
	EXPECT_EQUAL(try("sub/inner", O_RDONLY, BENEATH), 0);
	EXPECT_EQUAL(try("sub/../file", O_RDONLY, BENEATH), 0);
	EXPECT_EQUAL(try("dirlink/../file", O_RDONLY, BENEATH), 0);
	EXPECT_EQUAL(try("link", O_RDONLY, BENEATH), 0);
	EXPECT_ERRNO(EXDEV, try("..", O_RDONLY, BENEATH));
	EXPECT_ERRNO(EXDEV, try("sub/../../outside", O_RDONLY, BENEATH));
	EXPECT_ERRNO(EXDEV, try("escape", O_RDONLY, BENEATH));
	EXPECT_ERRNO(EXDEV, try("absolute", O_RDONLY, BENEATH));
	EXPECT_ERRNO(EXDEV, try("/etc/name", O_RDONLY, BENEATH));
	EXPECT_ERRNO(ENOENT, try("none", O_RDONLY, BENEATH));
	EXPECT_ERRNO(ENOTDIR, try("file/x", O_RDONLY, BENEATH));
}

static void in_root_the_start_is_the_root(void)
{
	struct stat inside, found;
	int fd;

	EXPECT_EQUAL(try("/etc/name", O_RDONLY, IN_ROOT), 0);
	EXPECT_EQUAL(try("absolute", O_RDONLY, IN_ROOT), 0);
	EXPECT_EQUAL(try("../../file", O_RDONLY, IN_ROOT), 0);
	EXPECT_EQUAL(try("/sub/../../../link", O_RDONLY, IN_ROOT), 0);
	EXPECT_ERRNO(ENOENT, try("escape", O_RDONLY, IN_ROOT));
	EXPECT_ERRNO(ENOENT, try("/root/file", O_RDONLY, IN_ROOT));
	fd = open_how(root, "far", O_RDONLY | O_DIRECTORY, 0, IN_ROOT);
	EXPECT(fd >= 0);
	EXPECT(fstat(fd, &found) == 0 && fstat(root, &inside) == 0);
	EXPECT_EQUAL(found.st_ino, inside.st_ino);
	close(fd);
	fd = open_how(root, "/made", O_CREAT | O_WRONLY, 0600, IN_ROOT);
	EXPECT(fd >= 0);
	close(fd);
	EXPECT_EQUAL(unlink("root/made"), 0);
	EXPECT_ERRNO(EBADF, open_how(1000, "/file", O_RDONLY, 0, IN_ROOT));
	fd = open("root/file", O_RDONLY);
	EXPECT_ERRNO(ENOTDIR, open_how(fd, "/file", O_RDONLY, 0, IN_ROOT));
	close(fd);
}

static void links_can_be_forbidden(void)
{
	char name[64];
	int fd;

	EXPECT_EQUAL(try("sub/inner", O_RDONLY, NO_SYMLINKS), 0);
	EXPECT_ERRNO(ELOOP, try("link", O_RDONLY, NO_SYMLINKS));
	EXPECT_ERRNO(ELOOP, try("dirlink/inner", O_RDONLY, NO_SYMLINKS));
	EXPECT_EQUAL(try("link", O_PATH | O_NOFOLLOW, NO_SYMLINKS), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d/file", root);
	fd = open_how(AT_FDCWD, name, O_RDONLY, 0, 0);
	EXPECT(fd >= 0);
	close(fd);
	EXPECT_ERRNO(ELOOP, open_how(AT_FDCWD, name, O_RDONLY, 0, NO_MAGICLINKS));
	EXPECT_EQUAL(try("link", O_RDONLY, NO_MAGICLINKS), 0);
	fd = open_how(AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, NO_MAGICLINKS);
	EXPECT(fd >= 0);
	close(fd);
	EXPECT_ERRNO(ELOOP, open_how(AT_FDCWD, "/proc/self/stat", O_RDONLY, 0, NO_SYMLINKS));
}

static void mounts_can_be_forbidden(void)
{
	int slash = open("/", O_PATH), fd;

	EXPECT_EQUAL(try("sub/inner", O_RDONLY, NO_XDEV), 0);
	EXPECT_ERRNO(EXDEV, open_how(slash, "proc/version", O_RDONLY, 0, NO_XDEV));
	EXPECT_ERRNO(EXDEV, open_how(slash, "proc", O_RDONLY, 0, NO_XDEV));
	fd = open_how(slash, "bin", O_RDONLY | O_DIRECTORY, 0, NO_XDEV);
	EXPECT(fd >= 0);
	close(fd);
	close(slash);
	slash = open("/proc", O_PATH);
	EXPECT_ERRNO(EXDEV, open_how(slash, "..", O_RDONLY, 0, NO_XDEV));
	close(slash);
}

static void what_is_cached_is_enough_if_asked(void)
{
	EXPECT_EQUAL(try("sub/inner", O_RDONLY, 0), 0);
	EXPECT_EQUAL(try("sub/inner", O_RDONLY, CACHED), 0);
	EXPECT_ERRNO(EAGAIN, try("never-looked-for", O_RDONLY, CACHED));
	EXPECT_ERRNO(EAGAIN, open_how(root, "sub/inner", O_WRONLY | O_TRUNC, 0, CACHED));
	EXPECT_ERRNO(EAGAIN, open_how(root, "x", O_CREAT | O_WRONLY, 0600, CACHED));
}

/* ---- chroot ---- */

static int in_chroot(void)
{
	char text[PATH_MAX];
	int outside = open("..", O_RDONLY | O_DIRECTORY);

	if (chroot("none") != -1 || errno != ENOENT)
		return 1;
	if (chroot("file") != -1 || errno != ENOTDIR)
		return 2;
	if (chroot((char *)8) != -1 || errno != EFAULT)
		return 3;
	if (chroot(".") || chdir("/"))
		return 4;
	if (access("/file", F_OK) || access("/../../file", F_OK) || access("/absolute", F_OK))
		return 5;
	if (!getcwd(text, sizeof(text)) || strcmp(text, "/"))
		return 6;
	if (access("/escape", F_OK) == 0 || access("/tmp", F_OK) == 0 ||
	    access("/proc/self", F_OK) == 0)
		return 7;
	/* A place from before is one still; its parents are not below the new root. */
	if (faccessat(outside, "outside", F_OK, 0))
		return 8;
	if (fchdir(outside) || access("outside", F_OK) || getcwd(text, sizeof(text)))
		return 9;
	if (chdir("/sub") || !getcwd(text, sizeof(text)) || strcmp(text, "/sub"))
		return 10;
	if (fork() == 0) /* a child has the same root */
		_exit(access("/file", F_OK) || chdir("/..") || access("file", F_OK));
	int status;
	if (wait(&status) < 0 || status)
		return 11;
	if (setuid(65534) || chroot("/sub") != -1 || errno != EPERM)
		return 12;
	return chroot("/none") != -1 || errno != ENOENT;
}

/* What a descriptor names is meant itself, and is told. */
static void a_link_by_its_descriptor_is_that_link(void)
{
	int fd = open("root/link", O_PATH | O_NOFOLLOW);
	struct stat link, found;
	char name[32];

	EXPECT(fd >= 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	EXPECT_EQUAL(lstat("root/link", &link), 0);
	EXPECT_EQUAL(stat(name, &found), 0);
	EXPECT(S_ISLNK(found.st_mode));
	EXPECT(found.st_ino == link.st_ino && found.st_dev == link.st_dev);
	EXPECT_EQUAL(found.st_size, strlen("sub/inner"));
	close(fd);
}

static void chroot_changes_what_names_begin_at(void)
{
	int pid, status;

	if (geteuid() != 0)
		return;
	pid = fork();
	if (pid == 0)
		_exit(chdir("root") ? 99 : in_chroot());
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(WEXITSTATUS(status), 0);
	EXPECT_EQUAL(access("/proc/self", F_OK), 0);
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder))
		return 2;
	chmod(folder, 0755);
	make_tree();
	RUN(without_limits_it_is_openat);
	RUN(the_structure_is_checked);
	RUN(beneath_keeps_names_below);
	RUN(in_root_the_start_is_the_root);
	RUN(links_can_be_forbidden);
	RUN(mounts_can_be_forbidden);
	RUN(what_is_cached_is_enough_if_asked);
	RUN(a_link_by_its_descriptor_is_that_link);
	RUN(chroot_changes_what_names_begin_at);
	remove_tree();
	rmdir(folder);
	return check_end();
}
