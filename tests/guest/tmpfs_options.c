/*
 * What a tmpfs is told when it is mounted, and again; devtmpfs; where shm_open() makes its files.
 * Written for an administrator.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"

#define AT "/tmp/tmpfs_options"

static bool tmpfs(const char *options)
{
	return mount("source", AT, "tmpfs", 0, options) == 0;
}

/* The line of /proc/mounts that is about it. */
static bool is_told(const char *what)
{
	FILE *mounts = fopen("/proc/mounts", "re");
	bool found = false;
	char line[512];

	while (mounts && fgets(line, sizeof(line), mounts))
		if (strstr(line, " " AT " "))
			found = strstr(line, what) != NULL;
	if (mounts)
		fclose(mounts);
	return found;
}

/* How many bytes a file takes before there is no space. */
static long fill(const char *name)
{
	static char block[65536];
	int fd = open(name, O_WRONLY | O_CREAT, 0644);
	long total = 0;
	ssize_t done;

	while ((done = write(fd, block, sizeof(block))) > 0)
		total += done;
	if (done == 0 || errno != ENOSPC)
		total = -1;
	close(fd);
	return total;
}

static void the_size_is_a_limit(void)
{
	struct statfs stats;

	EXPECT(tmpfs("size=1m"));
	EXPECT(is_told("size=1024k") && is_told("source " AT " tmpfs rw"));
	EXPECT_EQUAL(statfs(AT, &stats), 0);
	EXPECT_EQUAL(stats.f_blocks * (unsigned long)stats.f_bsize, 1 << 20);
	EXPECT_EQUAL(stats.f_bfree, stats.f_blocks);
	EXPECT_EQUAL(fill(AT "/file"), 1 << 20);
	EXPECT_EQUAL(statfs(AT, &stats), 0);
	EXPECT_EQUAL(stats.f_bfree, 0);

	EXPECT_ERRNO(EINVAL, mount(NULL, AT, NULL, MS_REMOUNT, "size=512k")); /* it is used */
	EXPECT_EQUAL(mount(NULL, AT, NULL, MS_REMOUNT, "size=2m"), 0);
	EXPECT_EQUAL(fill(AT "/more"), 1 << 20);
	EXPECT_EQUAL(unlink(AT "/file"), 0);
	EXPECT_EQUAL(unlink(AT "/more"), 0);
	EXPECT_EQUAL(mount(NULL, AT, NULL, MS_REMOUNT, "size=512k"), 0);
	EXPECT_EQUAL(fill(AT "/file"), 512 << 10);
	EXPECT_EQUAL(umount(AT), 0);

	EXPECT(tmpfs("nr_blocks=8"));
	EXPECT_EQUAL(fill(AT "/file"), 8 * 4096);
	EXPECT_EQUAL(umount(AT), 0);
	EXPECT(tmpfs("size=1%"));
	EXPECT_EQUAL(umount(AT), 0);
}

static void there_are_no_more_files_than_nr_inodes(void)
{
	char name[64];
	int made = 0;

	EXPECT(tmpfs("nr_inodes=10"));
	EXPECT(is_told("nr_inodes=10"));
	for (; made < 20; made++) {
		snprintf(name, sizeof(name), AT "/%d", made);
		if (mknod(name, S_IFREG | 0644, 0))
			break;
	}
	EXPECT_EQUAL(errno, ENOSPC);
	EXPECT_EQUAL(made, 9); /* the root is one */
	EXPECT_EQUAL(unlink(AT "/0"), 0);
	EXPECT_EQUAL(mkdir(AT "/dir", 0755), 0);
	EXPECT_EQUAL(umount(AT), 0);
}

static void the_root_is_as_it_was_asked_for(void)
{
	struct stat info;

	EXPECT(tmpfs(""));
	EXPECT_EQUAL(stat(AT, &info), 0);
	EXPECT_EQUAL(info.st_mode, S_IFDIR | 01777);
	EXPECT_EQUAL(umount(AT), 0);
	EXPECT(tmpfs("mode=750,uid=1000,gid=1001"));
	EXPECT_EQUAL(stat(AT, &info), 0);
	EXPECT_EQUAL(info.st_mode, S_IFDIR | 0750);
	EXPECT(info.st_uid == 1000 && info.st_gid == 1001);
	EXPECT(is_told("mode=750,uid=1000,gid=1001"));
	EXPECT_EQUAL(umount(AT), 0);
}

static void other_options_are_refused(void)
{
	static const char *const wrong[] = {"nonsense",    "size=", "size=1x",       "mode=9",
					    "nr_inodes=a", "uid=x", "size=1m,what=1"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (mount("none", AT, "tmpfs", 0, wrong[i]) == 0 || errno != EINVAL)
			FAIL("%s: %s", wrong[i], strerror(errno));
	EXPECT(tmpfs(""));
	EXPECT_ERRNO(EINVAL, mount(NULL, AT, NULL, MS_REMOUNT, "nonsense"));
	EXPECT_EQUAL(umount(AT), 0);
}

/* Whoever may write may take away only what is his, in a directory that is sticky. */
static int takes_away(void)
{
	NEED(unlink(AT "/roots") == -1 && errno == EPERM);
	NEED(rename(AT "/roots", AT "/mine") == -1 && errno == EPERM);
	NEED(mknod(AT "/own", S_IFREG | 0644, 0) == 0 && unlink(AT "/own") == 0);
	NEED(mknod(AT "/null", S_IFCHR | 0666, makedev(1, 3)) == -1 && errno == EPERM);
	return 0;
}

static void a_sticky_directory_keeps_what_is_others(void)
{
	EXPECT(tmpfs(""));
	EXPECT_EQUAL(mknod(AT "/roots", S_IFREG | 0666, 0), 0);
	EXPECT_EQUAL(as_user(takes_away), 0);
	EXPECT_EQUAL(umount(AT), 0);
}

static void what_is_made_in_a_set_gid_directory_has_its_group(void)
{
	struct stat info;

	EXPECT(tmpfs(""));
	EXPECT_EQUAL(mkdir(AT "/dir", 0755), 0);
	EXPECT_EQUAL(chown(AT "/dir", 0, 1234), 0);
	EXPECT_EQUAL(chmod(AT "/dir", 02755), 0);
	EXPECT_EQUAL(mknod(AT "/dir/file", S_IFREG | 0644, 0), 0);
	EXPECT_EQUAL(stat(AT "/dir/file", &info), 0);
	EXPECT_EQUAL(info.st_gid, 1234);
	EXPECT_EQUAL(mkdir(AT "/dir/inner", 0755), 0);
	EXPECT_EQUAL(stat(AT "/dir/inner", &info), 0);
	EXPECT_EQUAL(info.st_gid, 1234);
	EXPECT_EQUAL(info.st_mode, S_IFDIR | 02755);
	EXPECT_EQUAL(umount(AT), 0);
}

static void devtmpfs_is_the_same_everywhere(void)
{
	struct stat here;

	if (mount("dev", AT, "devtmpfs", 0, "mode=0755") && may_be_restricted())
		return;
	EXPECT_EQUAL(stat(AT "/null", &here), 0);
	EXPECT(S_ISCHR(here.st_mode) && here.st_rdev == makedev(1, 3));
	EXPECT_EQUAL(umount(AT), 0);
}

static void shm_open_has_a_place(void)
{
	struct stat info;
	int fd;

	EXPECT_EQUAL(stat("/dev/shm", &info), 0);
	EXPECT_EQUAL(info.st_mode, S_IFDIR | 01777);
	fd = shm_open("/tmpfs_options", O_RDWR | O_CREAT | O_EXCL, 0600);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(ftruncate(fd, 8192), 0);
	EXPECT(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
	EXPECT_EQUAL(shm_unlink("/tmpfs_options"), 0);
	close(fd);
}

int main(void)
{
	umask(022);
	/* On a machine that has them: nobody else sees the mounts. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(AT, 0755);
	if ((!tmpfs("") || umount(AT)) && may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		return 0;
	}
	RUN(the_size_is_a_limit);
	RUN(there_are_no_more_files_than_nr_inodes);
	RUN(the_root_is_as_it_was_asked_for);
	RUN(other_options_are_refused);
	RUN(a_sticky_directory_keeps_what_is_others);
	RUN(what_is_made_in_a_set_gid_directory_has_its_group);
	RUN(devtmpfs_is_the_same_everywhere);
	RUN(shm_open_has_a_place);
	rmdir(AT);
	return check_end();
}
