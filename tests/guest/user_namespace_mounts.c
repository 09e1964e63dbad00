/*
 * Mounts of those who are root in a user namespace alone: what they may mount, and what they cannot
 * undo of what they were given.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "in_user_namespace.h"

#define PLACE "/tmp/user_namespace_mounts"

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200
#endif
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x100
#endif

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

/* A tree of one's own with memory at PLACE. */
static int make_place(void)
{
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)
		       ? -1
		       : mount("none", PLACE, "tmpfs", 0, NULL);
}

/* `at`, with a file in it, is covered. */
static int cover(const char *at, const char *file)
{
	int fd;

	if (mkdir(at, 0755))
		return -1;
	fd = open(file, O_WRONLY | O_CREAT, 0644);
	return fd < 0 || close(fd) ? -1 : mount("none", at, "tmpfs", 0, NULL);
}

/* Both ones are covered, and so they are in user namespaces for good. */
static int make_covered(void)
{
	if (make_place() || mkdir(PLACE "/to", 0755))
		return -1;
	return cover(PLACE "/in", PLACE "/in/hidden") ||
			       cover(PLACE "/in/deep", PLACE "/in/deep/hidden") || become_root()
		       ? -1
		       : 0;
}

static int move_to_peers(int from_fd, const char *from, int to_fd, const char *to)
{
	const unsigned empty = 0x04 | 0x40; /* MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH */

	return (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, empty | MOVE_MOUNT_SET_GROUP);
}

static int shared, alone, program;

static int peers_of_others(void)
{
	NEED(become_root() == 0);
	NEED(fails_with(EPERM, move_to_peers(shared, "", AT_FDCWD, PLACE "/alone")));
	NEED(fails_with(EPERM, move_to_peers(AT_FDCWD, PLACE, alone, "")));
	return 0;
}

/* The child's tree is another one, and this one goes on. */
static int peers_of_this(void)
{
	NEED(make_place() == 0 && mkdir(PLACE "/alone", 0755) == 0);
	NEED(mount(PLACE, PLACE "/alone", NULL, MS_BIND, NULL) == 0);
	alone = open(PLACE "/alone", O_PATH);
	NEED(mount(NULL, PLACE, NULL, MS_SHARED, NULL) == 0);
	shared = open(PLACE, O_PATH);
	NEED(alone >= 0 && shared >= 0);
	return in_child_as(0, peers_of_others);
}

static void nobody_becomes_a_peer_in_a_tree_of_others(void)
{
	EXPECT_EQUAL(in_child_as(0, peers_of_this), 0);
}

static int beneath_what_stays(void)
{
	NEED(make_covered() == 0 && mount("none", PLACE "/to", "tmpfs", 0, NULL) == 0);
	NEED(fails_with(EINVAL, syscall(SYS_move_mount, AT_FDCWD, PLACE "/to", AT_FDCWD,
					PLACE "/in", MOVE_MOUNT_BENEATH)));
	return 0;
}

static void nothing_comes_beneath_what_stays(void)
{
	EXPECT_EQUAL(in_child_as(0, beneath_what_stays), 0);
}

static bool is_hidden(int in)
{
	return faccessat(in, "in/deep", F_OK, 0) == 0 &&
	       fails_with(ENOENT, faccessat(in, "in/hidden", F_OK, 0)) &&
	       fails_with(ENOENT, faccessat(in, "in/deep/hidden", F_OK, 0));
}

static int taken_off(void)
{
	int outer, inner;

	NEED(make_covered() == 0);
	NEED(mount(PLACE, PLACE "/to", NULL, MS_BIND | MS_REC, NULL) == 0);
	outer = open(PLACE "/to", O_PATH);
	inner = open(PLACE "/to/in", O_PATH);
	NEED(outer >= 0 && inner >= 0 && umount2(PLACE "/to", MNT_DETACH) == 0);
	NEED(is_hidden(outer));
	NEED(close(outer) == 0);
	NEED(fails_with(ENOENT, faccessat(inner, "deep/hidden", F_OK, 0)));
	NEED(fails_with(ENOENT, faccessat(inner, "../hidden", F_OK, 0)));
	return 0;
}

static int taken_off_with_a_descriptor(void)
{
	int tree, outer;

	NEED(make_covered() == 0);
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, PLACE, 1 | 0x8000 /* a copy, AT_RECURSIVE */);
	outer = openat(tree, ".", O_PATH);
	NEED(tree >= 0 && outer >= 0 && is_hidden(outer));
	NEED(close(tree) == 0 && is_hidden(outer));
	return 0;
}

static int taken_off_with_a_namespace(void)
{
	int outer;

	NEED(make_covered() == 0);
	outer = open(PLACE, O_PATH);
	NEED(outer >= 0 && unshare(CLONE_NEWNS) == 0);
	NEED(is_hidden(outer));
	return 0;
}

static void what_is_covered_stays_so_when_all_of_it_goes(void)
{
	EXPECT_EQUAL(in_child_as(0, taken_off), 0);
	EXPECT_EQUAL(in_child_as(0, taken_off_with_a_descriptor), 0);
	EXPECT_EQUAL(in_child_as(0, taken_off_with_a_namespace), 0);
}

static int copy_of_this(const char *path, mode_t mode)
{
	int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_WRONLY | O_CREAT, 0700);
	ssize_t len;

	while ((len = sendfile(to, from, NULL, 1 << 20)) > 0)
		;
	return len || fchmod(to, mode) || close(to) || close(from) ? -1 : 0;
}

/* Its status is what the program says. */
static int ids_of_program(int fd)
{
	char *const arguments[] = {"program", "whose", NULL}, *const none[] = {NULL};
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (setresuid(1000, 1000, 1000) == 0)
			syscall(SYS_execveat, fd, "", arguments, none, AT_EMPTY_PATH);
		_exit(255);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int in_another_tree(void)
{
	return unshare(CLONE_NEWNS) ? 254 : ids_of_program(program);
}

static int programs(void)
{
	NEED(make_place() == 0 && copy_of_this(PLACE "/program", 04755) == 0);
	program = open(PLACE "/program", O_PATH);
	NEED(ids_of_program(program) == 10);
	NEED(in_child_as(0, in_another_tree) == 11);
	return 0;
}

static void set_id_bits_count_in_ones_own_tree(void)
{
	EXPECT_EQUAL(in_child_as(0, programs), 0);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "whose") == 0)
		return geteuid() == 0 ? 10 : 11;
	umask(0);
	(void)mkdir(PLACE, 0777);
	RUN(memory_is_mounted_and_what_is_seen_bound);
	RUN(only_in_a_tree_of_ones_own);
	RUN(what_was_given_stays_as_it_is);
	RUN(nobody_becomes_a_peer_in_a_tree_of_others);
	RUN(nothing_comes_beneath_what_stays);
	RUN(what_is_covered_stays_so_when_all_of_it_goes);
	RUN(set_id_bits_count_in_ones_own_tree);
	(void)rmdir(PLACE);
	return check_end();
}
