/*
 * Mounts of those who are root in a user namespace alone: what they may mount, and what they cannot
 * undo of what they were given.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "in_user_namespace.h"

#define PLACE "/tmp/user_namespace_mounts"

/* User and group 1000, as root in new namespaces of users and mounts. */
static int become_root(void)
{
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
	    prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -1;
	return write_text("/proc/self/uid_map", "0 1000 1") ||
			       write_text("/proc/self/setgroups", "deny") ||
			       write_text("/proc/self/gid_map", "0 1000 1")
		       ? -1
		       : 0;
}

static int of_memory(void)
{
	struct stat status;
	int fd;

	NEED(become_root() == 0);
	NEED(mount("none", PLACE, "tmpfs", 0, "mode=755") == 0);
	NEED(stat(PLACE, &status) == 0 && status.st_uid == 0 && status.st_gid == 0);
	fd = open(PLACE "/file", O_RDWR | O_CREAT, 0600);
	NEED(fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == 0);
	NEED(fails_with(EPERM, mknod(PLACE "/device", S_IFCHR | 0600, 0x103)));
	NEED(mkdir(PLACE "/sub", 0700) == 0);
	NEED(fails_with(EINVAL, mount("none", PLACE "/sub", "tmpfs", 0, "uid=5")));
	NEED(mount("none", PLACE "/sub", "tmpfs", 0, "uid=0") == 0);
	NEED(mount(PLACE "/sub", PLACE "/sub", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	NEED(fails_with(EROFS, mkdir(PLACE "/sub/x", 0700)));
	NEED(umount2(PLACE "/sub", 0) == 0);
	NEED(mount(PLACE, PLACE "/sub", NULL, MS_BIND, NULL) == 0);
	NEED(stat(PLACE "/sub/file", &status) == 0);
	NEED(umount2(PLACE "/sub", 0) == 0);
	close(fd);
	NEED(umount2(PLACE, 0) == 0);
	return 0;
}

static void memory_is_mounted_and_what_is_seen_bound(void)
{
	EXPECT_EQUAL(in_child_as(0, of_memory), 0);
}

static int not_without_own_tree(void)
{
	NEED(setresuid(1000, 1000, 1000) == 0 && unshare(CLONE_NEWUSER) == 0);
	NEED(fails_with(EPERM, mount("none", PLACE, "tmpfs", 0, NULL)));
	NEED(fails_with(EPERM, umount2("/proc", MNT_DETACH)));
	NEED(fails_with(EPERM, syscall(SYS_pivot_root, PLACE, PLACE)));
	return 0;
}

static void only_in_a_tree_of_ones_own(void)
{
	EXPECT_EQUAL(in_child_as(0, not_without_own_tree), 0);
}

/* A mount that is read-only, with another one in it. */
static int given(void)
{
	NEED(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	NEED(mount("none", PLACE, "tmpfs", 0, NULL) == 0);
	NEED(mkdir(PLACE "/in", 0755) == 0 && mkdir(PLACE "/to", 0755) == 0);
	NEED(mount("none", PLACE "/in", "tmpfs", 0, NULL) == 0);
	NEED(mount(NULL, PLACE "/in", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		   NULL) == 0);
	NEED(become_root() == 0);
	NEED(fails_with(EINVAL, umount2(PLACE "/in", 0)));
	NEED(fails_with(EINVAL, umount2(PLACE "/in", MNT_DETACH)));
	NEED(fails_with(EINVAL, mount(PLACE "/in", PLACE "/to", NULL, MS_MOVE, NULL)));
	NEED(fails_with(EPERM, mount(NULL, PLACE "/in", NULL, MS_REMOUNT | MS_BIND, NULL)));
	NEED(fails_with(EPERM, mount(NULL, PLACE "/in", NULL,
				     MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL)));
	NEED(fails_with(EPERM, mount(NULL, PLACE, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
	NEED(mount(NULL, PLACE "/in", NULL,
		   MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0);
	/* Without what covers something, nothing is shown; with it, it is. */
	NEED(fails_with(EINVAL, mount(PLACE, PLACE "/to", NULL, MS_BIND, NULL)));
	NEED(mount(PLACE, PLACE "/to", NULL, MS_BIND | MS_REC, NULL) == 0);
	NEED(fails_with(EINVAL, umount2(PLACE "/to/in", 0)));
	NEED(umount2(PLACE "/to", MNT_DETACH) == 0);
	return 0;
}

static void what_was_given_stays_as_it_is(void)
{
	EXPECT_EQUAL(in_child_as(0, given), 0);
}

int main(void)
{
	umask(0);
	(void)mkdir(PLACE, 0777);
	RUN(memory_is_mounted_and_what_is_seen_bound);
	RUN(only_in_a_tree_of_ones_own);
	RUN(what_was_given_stays_as_it_is);
	(void)rmdir(PLACE);
	return check_end();
}
