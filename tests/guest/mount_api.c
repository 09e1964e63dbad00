/*
 * Mounts made in steps: fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr.
 * Written for an administrator.
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"
#include "mount_help.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define DIR   "/tmp/mount_api"
#define AT    DIR "/at"
#define OTHER DIR "/other"

static int fs_open(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static int config(int fd, unsigned command, const char *key, const void *value, int aux)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

static int set(int fd, const char *key, const char *value)
{
	return config(fd, FSCONFIG_SET_STRING, key, value, 0);
}

static int create(int fd)
{
	return config(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int fs_mount(int fd, unsigned attributes)
{
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

static int move_to(int fd, const char *at)
{
	return (int)syscall(SYS_move_mount, fd, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH);
}

static int open_tree(const char *at, unsigned flags)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, at, flags | OPEN_TREE_CLOEXEC);
}

static int set_attributes(const char *at, unsigned flags, uint64_t set, uint64_t clear)
{
	struct mount_attr attr = {.attr_set = set, .attr_clr = clear};

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, at, flags, &attr, sizeof(attr));
}

static int unmount(const char *at)
{
	return (int)syscall(SYS_umount2, at, 0);
}

/* A tmpfs that stands nowhere. */
static int new_tmpfs(const char *source, unsigned attributes)
{
	int context = fs_open("tmpfs"), fd = -1;

	if (context >= 0 && set(context, "source", source) == 0 && create(context) == 0)
		fd = fs_mount(context, attributes);
	close(context);
	return fd;
}

static bool make_file(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT, 0644);

	close(fd);
	return fd >= 0;
}

static void a_mount_is_made_in_steps(void)
{
	char message[200];
	struct stat info;
	int context = fs_open("tmpfs"), fd;

	EXPECT(context >= 0);
	EXPECT_EQUAL(fcntl(context, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(set(context, "source", "mine"), 0);
	EXPECT_ERRNO(EINVAL, set(context, "source", "twice"));
	EXPECT_EQUAL(set(context, "size", "64k"), 0);
	EXPECT_EQUAL(set(context, "mode", "0711"), 0);
	EXPECT_ERRNO(EINVAL, fs_mount(context, 0)); /* nothing there yet */
	EXPECT_EQUAL(create(context), 0);
	EXPECT_ERRNO(EBUSY, create(context));
	EXPECT_ERRNO(EBUSY, set(context, "size", "1m"));
	fd = fs_mount(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(EBUSY, fs_mount(context, 0));
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT(fcntl(fd, F_GETFL) & O_PATH);
	EXPECT(make_file(fd, "early")); /* it can be used before anybody sees it */
	EXPECT(!*told(AT, 1));
	EXPECT_EQUAL(move_to(fd, AT), 0);
	EXPECT(strcmp(told(AT, 6), "rw,nosuid,nodev,noatime") == 0);
	EXPECT(mountinfo_says(" - tmpfs mine rw,") && mountinfo_says("size=64k"));
	EXPECT_EQUAL(stat(AT, &info), 0);
	EXPECT_EQUAL(info.st_mode, S_IFDIR | 0711);
	EXPECT_EQUAL(access(AT "/early", F_OK), 0);
	/* What the first one said twice is there to read, and gone then. */
	EXPECT(read(context, message, sizeof(message)) > 2 && strncmp(message, "e ", 2) == 0);
	EXPECT_ERRNO(ENODATA, read(context, message, sizeof(message)));
	close(context);
	EXPECT_ERRNO(EBUSY, unmount(AT)); /* the descriptor uses it */
	close(fd);
	EXPECT_EQUAL(unmount(AT), 0);
}

static void what_is_not_known_is_said(void)
{
	char message[200] = "", small[3];
	int context = fs_open("tmpfs");
	ssize_t len;

	EXPECT_ERRNO(ENODEV, fs_open("nonsense"));
	EXPECT_ERRNO(EINVAL, syscall(SYS_fsopen, "tmpfs", 2));
	EXPECT_ERRNO(EFAULT, syscall(SYS_fsopen, NULL, 0));
	EXPECT_ERRNO(EINVAL, set(context, "nonsense", "1"));
	len = read(context, message, sizeof(message) - 1);
	EXPECT(len > 0 && strstr(message, "nonsense"));
	EXPECT_ERRNO(EINVAL, set(context, "mode", "nine"));
	EXPECT_ERRNO(EMSGSIZE, read(context, small, sizeof(small)));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_FLAG, "nonsense", NULL, 0));
	EXPECT_EQUAL(config(context, FSCONFIG_SET_FLAG, "rw", NULL, 0), 0);
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_FLAG, "ro", "value", 0));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_FLAG, NULL, NULL, 0));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_STRING, "size", NULL, 0));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_STRING, "size", "1m", 1));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_BINARY, "size", "1m", 0));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_BINARY, "size", "1m", 2));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_PATH, "size", "/tmp", -1));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_PATH, "source", "/tmp", AT_FDCWD));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_PATH_EMPTY, "size", "", -1));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_SET_FD, "size", "x", 0));
	EXPECT_ERRNO(EBADF, config(context, FSCONFIG_SET_FD, "size", NULL, 999));
	EXPECT_ERRNO(EINVAL, config(context, FSCONFIG_CMD_CREATE, "size", NULL, 0));
	EXPECT_ERRNO(EOPNOTSUPP, config(context, 100, NULL, NULL, 0));
	EXPECT_ERRNO(EBUSY, config(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	EXPECT_ERRNO(EFAULT, config(context, FSCONFIG_SET_STRING, (char *)8, "1", 0));
	EXPECT_ERRNO(EINVAL, create(-1));
	EXPECT_ERRNO(EBADF, create(999));
	EXPECT_ERRNO(EINVAL, create(0));
	EXPECT_ERRNO(EBADF, fs_mount(999, 0));
	EXPECT_ERRNO(EINVAL, fs_mount(0, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_fsmount, context, 2, 0));
	EXPECT_ERRNO(EINVAL, fs_mount(context, 1u << 30));
	EXPECT_ERRNO(EINVAL, fs_mount(context, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME));
	close(context);
}

static void a_filesystem_is_changed_by_what_picks_it(void)
{
	int fd = new_tmpfs("mine", 0), context;

	EXPECT(fd >= 0 && move_to(fd, AT) == 0);
	close(fd);
	context = (int)syscall(SYS_fspick, AT_FDCWD, AT, FSPICK_CLOEXEC);
	EXPECT(context >= 0);
	EXPECT_ERRNO(EBUSY, create(context));
	EXPECT_EQUAL(set(context, "size", "128k"), 0);
	EXPECT_EQUAL(config(context, FSCONFIG_SET_FLAG, "ro", NULL, 0), 0);
	EXPECT(!mountinfo_says("size=128k"));
	EXPECT_EQUAL(config(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), 0);
	EXPECT(mountinfo_says("tmpfs mine ro,") && mountinfo_says("size=128k"));
	EXPECT_ERRNO(EROFS, mkdir(AT "/dir", 0755));
	EXPECT_EQUAL(config(context, FSCONFIG_SET_FLAG, "rw", NULL, 0), 0);
	EXPECT_EQUAL(config(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0), 0);
	EXPECT_EQUAL(mkdir(AT "/dir", 0755), 0);
	close(context);
	EXPECT_ERRNO(EINVAL, syscall(SYS_fspick, AT_FDCWD, AT "/dir", 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_fspick, AT_FDCWD, AT, 0x100));
	EXPECT_ERRNO(ENOENT, syscall(SYS_fspick, AT_FDCWD, AT "/nothing", FSPICK_NO_AUTOMOUNT));
	EXPECT_ERRNO(ENOENT, syscall(SYS_fspick, AT_FDCWD, "", FSPICK_SYMLINK_NOFOLLOW));
	context = (int)syscall(SYS_fspick, open(AT, O_PATH), "", FSPICK_EMPTY_PATH);
	EXPECT(context >= 0);
	close(context - 1);
	close(context);
	EXPECT_EQUAL(unmount(AT), 0);
}

static void a_copy_of_a_tree_goes_with_its_descriptor(void)
{
	unsigned before = count_mounts();
	int fd = new_tmpfs("outer", 0), inner, tree;

	EXPECT(fd >= 0 && move_to(fd, AT) == 0 && mkdir(AT "/in", 0755) == 0);
	inner = new_tmpfs("inner", 0);
	EXPECT(inner >= 0 && move_to(inner, AT "/in") == 0);
	EXPECT(make_file(inner, "deep"));
	close(fd);
	close(inner);
	tree = open_tree(AT, OPEN_TREE_CLONE | AT_RECURSIVE);
	EXPECT(tree >= 0);
	EXPECT_EQUAL(count_mounts(), before + 2);
	EXPECT_EQUAL(faccessat(tree, "in/deep", F_OK, 0), 0);
	EXPECT_EQUAL(move_to(tree, OTHER), 0);
	EXPECT_EQUAL(count_mounts(), before + 4);
	EXPECT_ERRNO(ENOENT, syscall(SYS_move_mount, tree, "", AT_FDCWD, AT, 0));
	close(tree); /* it is not its any more */
	EXPECT_EQUAL(access(OTHER "/in/deep", F_OK), 0);
	EXPECT(unmount(OTHER "/in") == 0 && unmount(OTHER) == 0);

	tree = open_tree(AT, OPEN_TREE_CLONE);
	EXPECT(tree >= 0);
	EXPECT_ERRNO(ENOENT, faccessat(tree, "in/deep", F_OK, 0)); /* this one alone */
	close(tree);
	tree = open_tree(AT, OPEN_TREE_CLONE | AT_RECURSIVE);
	EXPECT(tree >= 0);
	fd = openat(tree, "in/deep", O_RDONLY);
	EXPECT(fd >= 0);
	close(tree); /* its mounts go; the file can still be read */
	EXPECT_EQUAL(read(fd, &before, 1), 0);
	close(fd);
	EXPECT(unmount(AT "/in") == 0 && unmount(AT) == 0);
}

static void trees_have_rules(void)
{
	int tree;

	EXPECT_ERRNO(EINVAL, open_tree(AT, AT_RECURSIVE));
	EXPECT_ERRNO(EINVAL, open_tree(AT, 0x40));
	EXPECT_ERRNO(ENOENT, open_tree(DIR "/nothing", OPEN_TREE_CLONE));
	EXPECT_ERRNO(ENOENT, open_tree("", OPEN_TREE_CLONE));
	EXPECT_ERRNO(EBADF, syscall(SYS_open_tree, 999, "", AT_EMPTY_PATH));
	tree = open_tree(AT, AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW);
	EXPECT(tree >= 0 && (fcntl(tree, F_GETFL) & O_PATH));
	EXPECT_ERRNO(EINVAL, move_to(tree, OTHER)); /* no mount's root */
	close(tree);
	EXPECT_ERRNO(EINVAL, syscall(SYS_move_mount, AT_FDCWD, AT, AT_FDCWD, OTHER, 0x1000));
	EXPECT_ERRNO(EBADF,
		     syscall(SYS_move_mount, 999, "", AT_FDCWD, OTHER, MOVE_MOUNT_F_EMPTY_PATH));
	tree = new_tmpfs("mine", 0);
	EXPECT_ERRNO(ENOENT, move_to(tree, DIR "/nothing"));
	EXPECT_ERRNO(EINVAL, move_to(tree, DIR "/file")); /* it is no directory */
	EXPECT_EQUAL(move_to(tree, AT), 0);
	close(tree);
	/* One that stands somewhere is moved. */
	EXPECT_EQUAL(mkdir(AT "/below", 0755), 0);
	EXPECT_ERRNO(ELOOP, syscall(SYS_move_mount, AT_FDCWD, AT, AT_FDCWD, AT "/below", 0));
	EXPECT_EQUAL(syscall(SYS_move_mount, AT_FDCWD, AT, open(OTHER, O_PATH), "",
			     MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_F_SYMLINKS |
				     MOVE_MOUNT_T_SYMLINKS | MOVE_MOUNT_F_AUTOMOUNTS |
				     MOVE_MOUNT_T_AUTOMOUNTS),
		     0);
	EXPECT(!*told(AT, 1) && *told(OTHER, 1));
	EXPECT_EQUAL(unmount(OTHER), 0);
}

/* An unmounted one is nobody's to move. */
static void what_was_unmounted_does_not_come_back(void)
{
	int tree = new_tmpfs("mine", 0);

	EXPECT(tree >= 0 && move_to(tree, AT) == 0);
	EXPECT_EQUAL(syscall(SYS_umount2, AT, 2 /* MNT_DETACH */), 0);
	EXPECT_ERRNO(EINVAL, move_to(tree, AT));
	EXPECT(!*told(AT, 1));
	close(tree);
}

static void attributes_are_set_and_cleared(void)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
	uint64_t larger[8] = {MOUNT_ATTR_RDONLY};
	int fd = new_tmpfs("mine", 0), inner = new_tmpfs("inner", 0), file;

	EXPECT(fd >= 0 && inner >= 0);
	/* Before it is seen. */
	EXPECT_EQUAL(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, &attr,
			     sizeof(attr)),
		     0);
	EXPECT_EQUAL(move_to(fd, AT), 0);
	EXPECT(strcmp(told(AT, 6), "ro,relatime") == 0);
	EXPECT_EQUAL(set_attributes(AT, 0, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW,
				    MOUNT_ATTR_RDONLY),
		     0);
	EXPECT(strcmp(told(AT, 6), "rw,noexec,relatime,nosymfollow") == 0);
	EXPECT_EQUAL(set_attributes(AT, AT_SYMLINK_NOFOLLOW,
				    MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME,
				    MOUNT_ATTR__ATIME | MOUNT_ATTR_NOSYMFOLLOW),
		     0);
	EXPECT(strcmp(told(AT, 6), "rw,noexec,noatime,nodiratime") == 0);
	EXPECT_EQUAL(set_attributes(AT, 0, MOUNT_ATTR_STRICTATIME,
				    MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOEXEC),
		     0);
	EXPECT(strcmp(told(AT, 6), "rw") == 0);

	/* All in it, or none. */
	EXPECT(mkdir(AT "/in", 0755) == 0 && move_to(inner, AT "/in") == 0);
	file = open(AT "/in/file", O_WRONLY | O_CREAT, 0644);
	EXPECT(file >= 0);
	EXPECT_ERRNO(EBUSY, set_attributes(AT, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0));
	EXPECT(strcmp(told(AT, 6), "rw") == 0);
	close(file);
	EXPECT_EQUAL(set_attributes(AT, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0), 0);
	EXPECT(strncmp(told(AT "/in", 6), "ro", 2) == 0);

	EXPECT_ERRNO(EINVAL, set_attributes(AT, 0, 1u << 30, 0));
	EXPECT_ERRNO(EINVAL, set_attributes(AT, 1, 0, MOUNT_ATTR_RDONLY));
	EXPECT_ERRNO(EINVAL, set_attributes(AT, 0, MOUNT_ATTR_NOATIME, 0));
	EXPECT_ERRNO(EINVAL, set_attributes(AT, 0, 0, MOUNT_ATTR_NOATIME));
	EXPECT_ERRNO(EINVAL, set_attributes(OTHER, 0, MOUNT_ATTR_NOEXEC, 0)); /* no mount's root */
	EXPECT_ERRNO(EINVAL, syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, &attr, 31));
	EXPECT_ERRNO(E2BIG, syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, &attr, 5000));
	EXPECT_EQUAL(syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, larger, sizeof(larger)), 0);
	larger[7] = 1;
	EXPECT_ERRNO(E2BIG, syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, larger, sizeof(larger)));
	EXPECT_ERRNO(EFAULT, syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, (void *)8, 32));
	attr = (struct mount_attr){.propagation = 3 << 17};
	EXPECT_ERRNO(EINVAL, syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, &attr, sizeof(attr)));
	attr = (struct mount_attr){.propagation = 1 << 17}; /* MS_UNBINDABLE */
	EXPECT_EQUAL(syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, &attr, sizeof(attr)), 0);
	EXPECT_ERRNO(EINVAL, open_tree(AT, OPEN_TREE_CLONE));
	close(fd);
	close(inner);
	EXPECT(unmount(AT "/in") == 0 && unmount(AT) == 0);
}

#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif

static long map_ids(uint64_t set, uint64_t clear, uint64_t fd)
{
	struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .userns_fd = fd};

	return syscall(SYS_mount_setattr, AT_FDCWD, AT, 0, &attr, sizeof(attr));
}

static void ids_are_mapped_by_a_user_namespace_alone(void)
{
	int other = open("/proc/self/ns/uts", O_RDONLY);
	int tree = new_tmpfs("mine", 0);

	EXPECT(tree >= 0 && move_to(tree, AT) == 0);
	EXPECT_ERRNO(EINVAL, map_ids(MOUNT_ATTR_IDMAP, 0, ~0ul));
	EXPECT_ERRNO(EBADF, map_ids(MOUNT_ATTR_IDMAP, 0, 1000));
	EXPECT_ERRNO(EINVAL, map_ids(MOUNT_ATTR_IDMAP, 0, 0));
	EXPECT_ERRNO(EINVAL, map_ids(MOUNT_ATTR_IDMAP, 0, (uint64_t)other));
	EXPECT_ERRNO(EINVAL, map_ids(0, MOUNT_ATTR_IDMAP, 0));
	close(other);
	close(tree);
	EXPECT_EQUAL(unmount(AT), 0);
}

static int tries_all(void)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	NEED(fs_open("tmpfs") == -1 && errno == EPERM);
	NEED(fs_mount(0, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_fspick, AT_FDCWD, "/", 0) == -1 && errno == EPERM);
	NEED(open_tree("/", OPEN_TREE_CLONE) == -1 && errno == EPERM);
	NEED(open_tree("/", 0) >= 0);
	NEED(move_to(0, "/") == -1 && errno == EPERM);
	NEED(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof(attr)) == -1 &&
	     errno == EPERM);
	return 0;
}

static void only_an_administrator_may(void)
{
	EXPECT_EQUAL(as_user(tries_all), 0);
}

int main(void)
{
	umask(022);
	/* On a machine that has them: nobody else sees the mounts. */
	if (unshare(CLONE_NEWNS) == 0)
		syscall(SYS_mount, NULL, "/", NULL, 1 << 14 | 1 << 18 /* all private */, NULL);
	mkdir(DIR, 0755);
	mkdir(AT, 0755);
	mkdir(OTHER, 0755);
	close(open(DIR "/file", O_WRONLY | O_CREAT, 0644));
	if (fs_open("tmpfs") < 0 && may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		return 0;
	}
	RUN(a_mount_is_made_in_steps);
	RUN(what_is_not_known_is_said);
	RUN(a_filesystem_is_changed_by_what_picks_it);
	RUN(a_copy_of_a_tree_goes_with_its_descriptor);
	RUN(trees_have_rules);
	RUN(what_was_unmounted_does_not_come_back);
	RUN(attributes_are_set_and_cleared);
	RUN(ids_are_mapped_by_a_user_namespace_alone);
	RUN(only_an_administrator_may);
	unlink(DIR "/file");
	rmdir(AT);
	rmdir(OTHER);
	rmdir(DIR);
	return check_end();
}
