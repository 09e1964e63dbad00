/*
 * What a mount may be kept from: set-id bits, devices, programs. Written for an administrator.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define AT      "/tmp/mount_flags"
#define OTHER   "/tmp/mount_flags_2"
#define PROGRAM AT "/program"

enum { IS_ROOT = 20, IS_USER = 21, CANNOT = 22 };

static bool is_mounted(unsigned long flags)
{
	return mount("none", AT, "tmpfs", flags, NULL) == 0;
}

/* Of this program, with these rights, as user 1000's. */
static bool copy_program(mode_t mode)
{
	int from = open("/proc/self/exe", O_RDONLY);
	int to = open(PROGRAM, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	static char piece[65536];
	ssize_t len = -1;

	while ((len = read(from, piece, sizeof(piece))) > 0)
		if (write(to, piece, (size_t)len) != len)
			break;
	close(from);
	if (len || fchown(to, 1000, 1000) || fchmod(to, mode))
		return false;
	return close(to) == 0;
}

/* By a child of this user that shares with us what `flags` say. */
static int run_program_as(uid_t uid, unsigned long flags)
{
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0UL);

	if (pid == 0) {
		if (uid && syscall(SYS_setresuid, uid, uid, uid))
			_exit(1);
		execl(PROGRAM, "program", "who", NULL);
		_exit(errno == EACCES ? CANNOT : 1);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int run_program(void)
{
	return run_program_as(0, 0);
}

static bool is_told(const char *option, unsigned long flag)
{
	FILE *mounts = fopen("/proc/mounts", "re");
	char line[512];
	bool found = false;
	struct statvfs stats;

	while (mounts && fgets(line, sizeof(line), mounts))
		if (strstr(line, " " AT " "))
			found = strstr(line, option) != NULL;
	if (mounts)
		fclose(mounts);
	return found && statvfs(AT, &stats) == 0 && stats.f_flag & flag;
}

static void a_mount_without_flags_has_all(void)
{
	int fd;

	EXPECT(is_mounted(0));
	EXPECT(copy_program(04755));
	EXPECT_EQUAL(run_program(), IS_USER);
	EXPECT_EQUAL(mknod(AT "/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	fd = open(AT "/null", O_RDWR);
	EXPECT(fd >= 0);
	close(fd);
	EXPECT(!is_told("nosuid", ST_NOSUID) && !is_told("nodev", ST_NODEV) &&
	       !is_told("noexec", ST_NOEXEC));
	EXPECT_EQUAL(umount(AT), 0);
}

/* Whoever shares it could take the program elsewhere. */
static void a_shared_place_in_the_tree_gives_no_ids(void)
{
	EXPECT(is_mounted(0));
	EXPECT(copy_program(04755));
	EXPECT_EQUAL(run_program_as(1001, 0), IS_USER);
	EXPECT_EQUAL(run_program_as(1001, CLONE_FS), IS_ROOT); /* that is, not 1000 */
	EXPECT_EQUAL(umount(AT), 0);
}

static void set_id_bits_give_nothing_with_nosuid(void)
{
	EXPECT(is_mounted(MS_NOSUID));
	EXPECT(is_told("nosuid", ST_NOSUID));
	EXPECT(copy_program(06755));
	EXPECT_EQUAL(run_program(), IS_ROOT);
	EXPECT_EQUAL(umount(AT), 0);
}

static void no_node_is_a_device_with_nodev(void)
{
	EXPECT(is_mounted(MS_NODEV));
	EXPECT(is_told("nodev", ST_NODEV));
	EXPECT_EQUAL(mknod(AT "/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	EXPECT_ERRNO(EACCES, open(AT "/null", O_RDWR));
	EXPECT_EQUAL(umount(AT), 0);
}

static void nothing_is_run_with_noexec(void)
{
	void *page;
	int fd;

	EXPECT(is_mounted(MS_NOEXEC));
	EXPECT(is_told("noexec", ST_NOEXEC));
	EXPECT(copy_program(0755));
	EXPECT_EQUAL(run_program(), CANNOT);
	EXPECT_ERRNO(EACCES, access(PROGRAM, X_OK));
	EXPECT_EQUAL(access(PROGRAM, R_OK), 0);
	EXPECT_EQUAL(access(AT, X_OK), 0); /* of a directory it means to enter */

	fd = open(PROGRAM, O_RDONLY);
	EXPECT(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	EXPECT_EQUAL(errno, EPERM);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	EXPECT(page != MAP_FAILED);
	EXPECT_ERRNO(EACCES, mprotect(page, 4096, PROT_READ | PROT_EXEC));
	EXPECT_EQUAL(mprotect(page, 4096, PROT_READ | PROT_WRITE), 0);
	EXPECT_EQUAL(munmap(page, 4096), 0);
	close(fd);
	EXPECT_EQUAL(umount(AT), 0);
}

/* Wherever it is seen. */
static void what_is_read_only_keeps_its_access_times(void)
{
	const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct stat stat_;
	char byte;
	int fd;

	mkdir(OTHER, 0755);
	EXPECT(is_mounted(MS_STRICTATIME));
	fd = open(AT "/file", O_RDWR | O_CREAT, 0600);
	EXPECT_EQUAL(write(fd, "x", 1), 1);
	EXPECT_EQUAL(futimens(fd, long_ago), 0);
	close(fd);
	EXPECT_EQUAL(mount(AT, OTHER, NULL, MS_BIND, NULL), 0);
	EXPECT_EQUAL(mount(NULL, AT, NULL, MS_REMOUNT | MS_RDONLY | MS_STRICTATIME, NULL), 0);
	EXPECT_ERRNO(EROFS, open(OTHER "/file", O_RDWR));
	fd = open(OTHER "/file", O_RDONLY);
	EXPECT_EQUAL(read(fd, &byte, 1), 1);
	EXPECT_EQUAL(fstat(fd, &stat_), 0);
	EXPECT_EQUAL(stat_.st_atime, 1000);
	close(fd);
	EXPECT_EQUAL(umount(OTHER), 0);
	EXPECT_EQUAL(umount(AT), 0);
	rmdir(OTHER);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return geteuid() == 1000 ? IS_USER : IS_ROOT;
	/* On a machine that has them: nobody else sees the mounts. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(AT, 0755);
	if ((!is_mounted(0) || umount(AT)) && may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		rmdir(AT);
		return 0;
	}
	RUN(a_mount_without_flags_has_all);
	RUN(a_shared_place_in_the_tree_gives_no_ids);
	RUN(set_id_bits_give_nothing_with_nosuid);
	RUN(no_node_is_a_device_with_nodev);
	RUN(nothing_is_run_with_noexec);
	RUN(what_is_read_only_keeps_its_access_times);
	rmdir(AT);
	return check_end();
}
