/*
 * The tree of mounts: mount, umount2, pivot_root. Written for an administrator.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"
#include "mount_help.h"

#define AT "/tmp/mounts"
#define A  AT "/a"
#define B  AT "/b"
#define C  AT "/c"

static bool tmpfs_on(const char *at, unsigned long flags)
{
	return mount("none", at, "tmpfs", flags, NULL) == 0;
}

static bool make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	return fd >= 0 && close(fd) == 0;
}

static bool is_there(const char *name)
{
	return access(name, F_OK) == 0;
}

static void a_bind_shows_the_same_files(void)
{
	struct stat a, b;

	EXPECT(tmpfs_on(A, 0));
	EXPECT(make(A "/file"));
	EXPECT_EQUAL(mkdir(A "/dir", 0755), 0);
	EXPECT(make(A "/dir/inner"));
	EXPECT_EQUAL(mount(A, B, NULL, MS_BIND, NULL), 0);
	EXPECT_EQUAL(stat(A "/file", &a), 0);
	EXPECT_EQUAL(stat(B "/file", &b), 0);
	EXPECT(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	EXPECT(make(B "/new"));
	EXPECT(is_there(A "/new"));

	/* Of a directory in it, of which ".." leads to where it is mounted. */
	EXPECT_EQUAL(mount(A "/dir", C, NULL, MS_BIND, NULL), 0);
	EXPECT(is_there(C "/inner"));
	EXPECT(is_there(C "/../b/file") && !is_there(C "/../file"));
	EXPECT(strcmp(told(C, 4), "/dir") == 0);
	EXPECT(unlink(A "/dir/inner") == 0 && rmdir(A "/dir") == 0);
	EXPECT(strcmp(told(C, 4), "/dir//deleted") == 0); /* it is there still */
	EXPECT_EQUAL(umount(C), 0);

	/* Of a file, on a file only. */
	EXPECT_ERRNO(ENOTDIR, mount(A "/file", C, NULL, MS_BIND, NULL));
	EXPECT(make(AT "/place"));
	EXPECT_ERRNO(ENOTDIR, mount(A, AT "/place", NULL, MS_BIND, NULL));
	EXPECT_EQUAL(mount(A "/file", AT "/place", NULL, MS_BIND, NULL), 0);
	EXPECT_EQUAL(stat(AT "/place", &b), 0);
	EXPECT(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	EXPECT_ERRNO(EBUSY, unlink(AT "/place"));
	EXPECT_EQUAL(umount(AT "/place"), 0);
	EXPECT_EQUAL(unlink(AT "/place"), 0);

	EXPECT_EQUAL(umount(A), 0); /* the files stay, as B shows them */
	EXPECT(is_there(B "/file") && !is_there(A "/file"));
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_ERRNO(EINVAL, mount("", B, NULL, MS_BIND, NULL));
	EXPECT_ERRNO(ENOENT, mount(AT "/nothing", B, NULL, MS_BIND, NULL));
}

static void a_bind_takes_what_is_mounted_in_it_only_if_it_shall(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT_EQUAL(mkdir(A "/in", 0755), 0);
	EXPECT(tmpfs_on(A "/in", 0));
	EXPECT(make(A "/in/file"));
	EXPECT_EQUAL(mount(A, B, NULL, MS_BIND, NULL), 0);
	EXPECT(is_there(B "/in") && !is_there(B "/in/file"));
	EXPECT_ERRNO(EBUSY, rmdir(B "/in")); /* though nothing is mounted here */
	EXPECT_ERRNO(EBUSY, rename(B "/in", B "/out"));
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_EQUAL(mount(A, B, NULL, MS_BIND | MS_REC, NULL), 0);
	EXPECT(is_there(B "/in/file"));
	EXPECT_ERRNO(EBUSY, umount(B));
	EXPECT_EQUAL(umount2(B, MNT_DETACH), 0);
	EXPECT(!is_there(B "/in"));

	EXPECT_EQUAL(mount(NULL, A "/in", NULL, MS_UNBINDABLE, NULL), 0);
	EXPECT_ERRNO(EINVAL, mount(A "/in", C, NULL, MS_BIND, NULL));
	EXPECT_EQUAL(mount(A, B, NULL, MS_BIND | MS_REC, NULL), 0);
	EXPECT(is_there(B "/in") && !is_there(B "/in/file"));
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_PRIVATE | MS_REC, NULL), 0);
	EXPECT_EQUAL(mount(NULL, A "/in", NULL, MS_SLAVE, NULL), 0);
	EXPECT_EQUAL(mount(A "/in", C, NULL, MS_BIND, NULL), 0);
	EXPECT_EQUAL(umount(C), 0);
	EXPECT_ERRNO(EINVAL, mount(NULL, A, NULL, MS_PRIVATE | MS_SLAVE, NULL));
	EXPECT_ERRNO(EINVAL, mount(NULL, AT, NULL, MS_PRIVATE, NULL)); /* no mount's root */
	EXPECT_EQUAL(umount2(A, MNT_DETACH), 0);
}

static void names_do_not_cross_mounts_of_one_filesystem(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT(make(A "/file"));
	EXPECT_EQUAL(mount(A, B, NULL, MS_BIND, NULL), 0);
	EXPECT_ERRNO(EXDEV, link(A "/file", B "/link"));
	EXPECT_ERRNO(EXDEV, rename(A "/file", B "/link"));
	EXPECT_EQUAL(link(B "/file", B "/link"), 0);
	EXPECT_EQUAL(umount(A), 0);
	EXPECT_EQUAL(umount(B), 0);
}

static void what_is_moved_out_of_a_bind_has_no_parent(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT_EQUAL(mkdir(A "/dir", 0755), 0);
	EXPECT_EQUAL(mkdir(A "/dir/inner", 0755), 0);
	EXPECT_EQUAL(mount(A "/dir", B, NULL, MS_BIND, NULL), 0);
	EXPECT_EQUAL(chdir(B "/inner"), 0);
	EXPECT_EQUAL(rename(A "/dir/inner", A "/inner"), 0);
	EXPECT(!is_there(".."));
	EXPECT_EQUAL(errno, ENOENT);
	EXPECT_EQUAL(chdir("/"), 0);
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_EQUAL(umount(A), 0);
}

/* A process that does `body` over and over until it is ended. */
static pid_t start_over_and_over(void (*body)(void))
{
	pid_t child = fork();

	while (child == 0)
		body();
	return child;
}

static void end(pid_t child)
{
	int status;

	EXPECT_EQUAL(kill(child, SIGKILL), 0);
	EXPECT_EQUAL(waitpid(child, &status, 0), child);
}

static void move_out_and_back(void)
{
	rename(A "/jail/dir", A "/dir");
	rename(A "/dir", A "/jail/dir");
}

static void nobody_leaves_a_bind_by_what_is_moved_out_of_it(void)
{
	unsigned nleft = 0;
	pid_t child;

	EXPECT(tmpfs_on(A, 0));
	EXPECT(mkdir(A "/jail", 0755) == 0 && mkdir(A "/jail/dir", 0755) == 0);
	EXPECT(make(A "/secret"));
	EXPECT_EQUAL(mount(A "/jail", B, NULL, MS_BIND, NULL), 0);
	child = start_over_and_over(move_out_and_back);
	EXPECT(child > 0);
	for (unsigned i = 0; i < 20000; i++)
		nleft += is_there(B "/dir/../secret") || is_there(B "/dir/../jail");
	end(child);
	EXPECT_EQUAL(nleft, 0);
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_EQUAL(umount(A), 0);
}

static void sleep_long(void)
{
	pause();
}

static void remove_place(void)
{
	rmdir(AT "/place");
}

static void a_directory_that_goes_takes_what_comes_to_it(void)
{
	unsigned nmounts = count_mounts();
	pid_t child = start_over_and_over(remove_place);

	EXPECT(child > 0);
	for (unsigned i = 0; i < 100; i++) {
		mkdir(AT "/place", 0755);
		if (i % 2) {
			mount("none", AT "/place", "tmpfs", 0, NULL);
		} else {
			EXPECT(tmpfs_on(A, 0));
			mount(A, AT "/place", NULL, MS_MOVE, NULL);
			umount2(A, MNT_DETACH);
		}
		umount(AT "/place");
	}
	end(child);
	umount(AT "/place");
	rmdir(AT "/place");
	EXPECT_EQUAL(count_mounts(), nmounts);
}

static void a_mount_is_found_where_names_are_asked_for_each_time(void)
{
	pid_t child = start_over_and_over(sleep_long);
	char name[64], text[8];
	int fd;

	EXPECT(child > 0);
	snprintf(name, sizeof(name), "/proc/%d/comm", child);
	fd = open(AT "/file", O_WRONLY | O_CREAT, 0644);
	EXPECT(fd >= 0 && write(fd, "mine", 4) == 4 && close(fd) == 0);
	EXPECT_EQUAL(mount(AT "/file", name, NULL, MS_BIND, NULL), 0);
	fd = open(name, O_RDONLY);
	EXPECT(fd >= 0 && read(fd, text, sizeof(text)) == 4 && memcmp(text, "mine", 4) == 0);
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(umount(name), 0);
	EXPECT_ERRNO(EINVAL, umount(name));
	end(child);
	EXPECT_EQUAL(unlink(AT "/file"), 0);
}

static void one_mount_is_read_only_or_all_of_a_filesystem(void)
{
	struct statvfs stats;
	int fd;

	EXPECT(tmpfs_on(A, 0));
	EXPECT(make(A "/file"));
	EXPECT_EQUAL(mount(A, B, NULL, MS_BIND, NULL), 0);
	EXPECT_EQUAL(mount(NULL, B, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL), 0);
	EXPECT_ERRNO(EROFS, open(B "/file", O_WRONLY));
	EXPECT_ERRNO(EROFS, open(B "/new", O_WRONLY | O_CREAT, 0644));
	EXPECT_ERRNO(EROFS, mkdir(B "/new", 0755));
	EXPECT_ERRNO(EROFS, unlink(B "/file"));
	EXPECT_ERRNO(EROFS, chmod(B "/file", 0600));
	EXPECT_ERRNO(EROFS, truncate(B "/file", 0));
	EXPECT_ERRNO(EROFS, access(B "/file", W_OK));
	EXPECT(statvfs(B, &stats) == 0 && (stats.f_flag & ST_RDONLY) && (stats.f_flag & ST_NOSUID));
	EXPECT(statvfs(A, &stats) == 0 && !(stats.f_flag & (ST_RDONLY | ST_NOSUID)));
	EXPECT(strstr(told(B, 6), "ro,nosuid") && strncmp(told(A, 6), "rw", 2) == 0);

	fd = open(A "/file", O_WRONLY);
	EXPECT(fd >= 0);
	EXPECT_ERRNO(EBUSY, mount(NULL, A, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	EXPECT_ERRNO(EBUSY, mount(NULL, A, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_ERRNO(EBUSY, mount(NULL, B, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQUAL(close(fd), 0);
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	EXPECT_EQUAL(mount(NULL, B, NULL, MS_REMOUNT | MS_BIND, NULL), 0);
	EXPECT_ERRNO(EROFS, open(B "/file", O_WRONLY)); /* all of it still is */
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_REMOUNT, NULL), 0);
	fd = open(B "/file", O_WRONLY);
	EXPECT(fd >= 0 && close(fd) == 0);
	EXPECT_ERRNO(EINVAL, mount(NULL, A "/file", NULL, MS_REMOUNT, NULL));
	EXPECT_EQUAL(umount(B), 0);
	EXPECT_EQUAL(umount(A), 0);
}

static void options_that_a_filesystem_does_not_know_are_refused(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT_ERRNO(EINVAL, mount(NULL, A, NULL, MS_REMOUNT, "nonsense=1"));
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_REMOUNT | MS_BIND, "nonsense=1"), 0); /* not its own */
	EXPECT_EQUAL(umount(A), 0);
}

static void no_name_of_a_type_makes_lines(void)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0 && may_be_restricted())
		return;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,subtype=a\n1 2 3", fd);
	EXPECT_EQUAL(mount("a b", A, "fuse", 0, options), 0);
	EXPECT(mountinfo_says(" - fuse.a\\0121\\0402\\0403 a\\040b "));
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_REMOUNT, "nonsense=1"), 0); /* never looks */
	close(fd);
	EXPECT_EQUAL(umount2(A, MNT_DETACH), 0);
}

static void times_are_told_as_they_were_asked_for(void)
{
	EXPECT(tmpfs_on(A, MS_NOATIME | MS_NODIRATIME));
	EXPECT(strstr(told(A, 6), "noatime,nodiratime"));
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_REMOUNT, NULL), 0); /* stays */
	EXPECT(strstr(told(A, 6), "noatime"));
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_REMOUNT | MS_RELATIME, NULL), 0);
	EXPECT(strstr(told(A, 6), "relatime"));
	EXPECT_EQUAL(mount(NULL, A, NULL, MS_REMOUNT | MS_STRICTATIME, NULL), 0);
	EXPECT(!strstr(told(A, 6), "atime"));
	EXPECT_EQUAL(umount(A), 0);
}

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

static void links_are_not_followed_with_nosymfollow(void)
{
	char text[16];

	EXPECT(tmpfs_on(A, MS_NOSYMFOLLOW));
	EXPECT(make(A "/file"));
	EXPECT_EQUAL(symlink("file", A "/link"), 0);
	EXPECT_ERRNO(ELOOP, open(A "/link", O_RDONLY));
	EXPECT_EQUAL(readlink(A "/link", text, sizeof(text)), 4);
	EXPECT_EQUAL(umount(A), 0);
}

static void a_mount_moves_with_all_that_is_in_it(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT_EQUAL(mkdir(A "/in", 0755), 0);
	EXPECT(tmpfs_on(A "/in", 0));
	EXPECT(make(A "/in/file"));
	EXPECT_EQUAL(chdir(A "/in"), 0);
	EXPECT_EQUAL(mount(A, B, NULL, MS_MOVE, NULL), 0);
	EXPECT(!is_there(A "/in") && is_there(B "/in/file"));
	EXPECT(is_there("../../c")); /* ".." leads to the new place */
	EXPECT_EQUAL(chdir("/"), 0);
	EXPECT_ERRNO(ELOOP, mount(B, B "/in", NULL, MS_MOVE, NULL));
	EXPECT_ERRNO(EINVAL, mount(C, A, NULL, MS_MOVE, NULL)); /* no mount */
	EXPECT_ERRNO(EINVAL, mount("", A, NULL, MS_MOVE, NULL));
	EXPECT_EQUAL(umount(B "/in"), 0);
	EXPECT_EQUAL(umount(B), 0);
}

static void several_stand_on_one_place(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT(make(A "/first"));
	EXPECT(tmpfs_on(A, 0));
	EXPECT(make(A "/second"));
	EXPECT(!is_there(A "/first"));
	EXPECT_EQUAL(umount(A), 0);
	EXPECT(is_there(A "/first") && !is_there(A "/second"));
	EXPECT_EQUAL(umount(A), 0);
	EXPECT_ERRNO(EINVAL, umount(A));
}

static void what_is_in_use_stays_unless_it_is_detached(void)
{
	int fd;
	char bytes[2];

	EXPECT(tmpfs_on(A, 0));
	fd = open(A "/file", O_RDWR | O_CREAT, 0644);
	EXPECT(fd >= 0 && write(fd, "xy", 2) == 2);
	EXPECT_ERRNO(EBUSY, umount(A));
	EXPECT_ERRNO(EBUSY, umount2(A, MNT_FORCE));
	EXPECT_ERRNO(EINVAL, umount2(A, 0x100));
	EXPECT_EQUAL(umount2(A, MNT_DETACH), 0);
	EXPECT(!is_there(A "/file"));
	EXPECT_EQUAL(pread(fd, bytes, 2, 0), 2);
	EXPECT_EQUAL(close(fd), 0);

	EXPECT(tmpfs_on(A, 0));
	EXPECT_EQUAL(chdir(A), 0);
	EXPECT_ERRNO(EBUSY, umount(A));
	EXPECT_EQUAL(chdir("/"), 0);
	EXPECT_EQUAL(symlink(A, AT "/link"), 0);
	EXPECT_ERRNO(EINVAL, umount2(AT "/link", UMOUNT_NOFOLLOW));
	EXPECT_EQUAL(umount(AT "/link"), 0);
	EXPECT_EQUAL(unlink(AT "/link"), 0);
	EXPECT_ERRNO(ENOENT, umount(AT "/link"));
}

/* By a process that does nothing more: it sleeps in read until the other end is closed. */
static void a_directory_that_was_left_is_not_in_use(void)
{
	int tell[2], stay[2];
	char byte = 0;
	pid_t child;

	EXPECT(tmpfs_on(A, 0));
	EXPECT(pipe(tell) == 0 && pipe(stay) == 0);
	child = fork();
	if (child == 0) {
		close(stay[1]);
		byte = chdir(A) == 0 && chdir("/") == 0;
		(void)!write(tell[1], &byte, 1);
		_exit((int)read(stay[0], &byte, 1));
	}
	close(stay[0]);
	EXPECT(read(tell[0], &byte, 1) == 1 && byte == 1);
	EXPECT_EQUAL(umount(A), 0);
	close(stay[1]);
	close(tell[0]);
	close(tell[1]);
	EXPECT_EQUAL(waitpid(child, NULL, 0), child);
}

static void an_unused_mount_expires_at_the_second_call(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT_ERRNO(EINVAL, umount2(A, MNT_EXPIRE | MNT_FORCE));
	EXPECT_ERRNO(EINVAL, umount2(A, MNT_EXPIRE | MNT_DETACH));
	EXPECT_ERRNO(EAGAIN, umount2(A, MNT_EXPIRE));
	EXPECT(make(A "/file")); /* used */
	EXPECT_ERRNO(EAGAIN, umount2(A, MNT_EXPIRE));
	EXPECT_EQUAL(chdir(A), 0);
	EXPECT_ERRNO(EBUSY, umount2(A, MNT_EXPIRE));
	EXPECT_EQUAL(chdir("/"), 0);
	EXPECT_ERRNO(EAGAIN, umount2(A, MNT_EXPIRE));
	EXPECT_EQUAL(umount2(A, MNT_EXPIRE), 0);
	EXPECT_ERRNO(EINVAL, umount(A));
}

static void a_removed_directory_takes_no_mount(void)
{
	EXPECT_EQUAL(mkdir(AT "/gone", 0755), 0);
	EXPECT_EQUAL(chdir(AT "/gone"), 0);
	EXPECT_EQUAL(rmdir(AT "/gone"), 0);
	EXPECT_ERRNO(ENOENT, mount("none", ".", "tmpfs", 0, NULL));
	EXPECT_EQUAL(chdir("/"), 0);
}

static int sees_what_stands_on_its_root(void)
{
	char text[4096];
	unsigned nlines = 0;
	ssize_t len;
	int fd;

	NEED(mkdir(A "/proc", 0755) == 0 && mount("proc", A "/proc", "proc", 0, NULL) == 0);
	NEED(chroot(A) == 0);
	fd = open("/proc/self/mountinfo", O_RDONLY);
	NEED(fd >= 0);
	NEED(tmpfs_on("/", 0) && tmpfs_on("/", 0));
	NEED((len = read(fd, text, sizeof(text) - 1)) > 0);
	text[len] = 0;
	for (const char *at = text; (at = strstr(at, " / / ")); at++)
		nlines++;
	NEED(nlines == 3);
	return 0;
}

static void all_mounts_on_a_root_are_told(void)
{
	EXPECT(tmpfs_on(A, 0));
	EXPECT_EQUAL(in_child_as(0, sees_what_stands_on_its_root), 0);
	EXPECT_EQUAL(umount2(A, MNT_DETACH), 0);
	EXPECT_EQUAL(umount2(A, MNT_DETACH), 0);
	EXPECT_EQUAL(umount2(A, MNT_DETACH), 0);
	EXPECT_ERRNO(EINVAL, umount(A));
}

static int pivot_root(const char *fresh, const char *old)
{
	return (int)syscall(SYS_pivot_root, fresh, old);
}

/* Both the root and the working directory change under who has them. */
static int pivots(void)
{
	NEED(tmpfs_on(A, 0));
	NEED(mkdir(A "/old", 0755) == 0 && make(A "/here"));
	NEED(chdir("/") == 0);
	NEED(pivot_root(B, B) == -1 && (errno == EINVAL || errno == EBUSY)); /* no mount */
	NEED(pivot_root(A, B) == -1 && (errno == EINVAL || errno == EBUSY)); /* not in it */
	NEED(pivot_root(A "/here", A "/old") == -1 && errno == ENOTDIR);
	NEED(pivot_root(A, A "/old") == 0);
	NEED(is_there("/here") && is_there("here") && is_there("/old" AT));
	NEED(is_there("/old/../here") && is_there("/../here"));
	/* And back. */
	NEED(pivot_root("/old", "/old" A) == 0);
	NEED(is_there(A "/here") && !is_there("/here"));
	NEED(umount(A) == 0);
	return 0;
}

static int pivots_in_place(void)
{
	NEED(tmpfs_on(A, 0) && make(A "/here"));
	NEED(mount("/", B, NULL, MS_BIND | MS_REC, NULL) == 0); /* to have a way back */
	NEED(umount2(B, MNT_DETACH) == 0);
	NEED(chdir(A) == 0);
	NEED(pivot_root(".", ".") == 0);
	/* The old root stands on the new one now. */
	NEED(chdir("/") == 0 && is_there("here"));
	NEED(umount2(".", MNT_DETACH) == 0);
	NEED(is_there("/here") && !is_there("/tmp"));
	return 0;
}

static void the_root_is_exchanged(void)
{
	EXPECT_EQUAL(in_child_as(0, pivots), 0);
	/* Only where there is a name space to lose. */
	if (may_be_restricted()) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(unshare(CLONE_NEWNS) ? 0 : pivots_in_place());
		EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status));
		EXPECT_EQUAL(WEXITSTATUS(status), 0);
	}
}

static int is_refused(void)
{
	NEED(mount("none", A, "tmpfs", 0, NULL) == -1 && errno == EPERM);
	NEED(umount(A) == -1 && errno == EPERM);
	NEED(pivot_root(A, A) == -1 && errno == EPERM);
	return 0;
}

static void who_is_no_administrator_changes_nothing(void)
{
	EXPECT_EQUAL(as_user(is_refused), 0);
}

/* They say nothing of what is kept in memory. */
static void flags_of_disks_are_taken(void)
{
	EXPECT(tmpfs_on(A, MS_SYNCHRONOUS | MS_DIRSYNC | MS_SILENT | MS_POSIXACL | MS_I_VERSION |
				   MS_LAZYTIME));
	EXPECT(make(A "/file"));
	EXPECT_EQUAL(umount(A), 0);
}

static void wrong_arguments_are_told_apart(void)
{
	EXPECT_ERRNO(ENODEV, mount("none", A, "nonsense", 0, NULL));
	EXPECT_ERRNO(EINVAL, mount("none", A, NULL, 0, NULL));
	EXPECT_ERRNO(ENOENT, mount("none", AT "/nothing", "tmpfs", 0, NULL));
	EXPECT(make(AT "/file"));
	EXPECT_ERRNO(ENOTDIR, mount("none", AT "/file", "tmpfs", 0, NULL));
	EXPECT_EQUAL(unlink(AT "/file"), 0);
	EXPECT_ERRNO(EFAULT, mount("none", (char *)8, "tmpfs", 0, NULL));
	EXPECT_ERRNO(EFAULT, umount((char *)8));
	EXPECT_ERRNO(EINVAL, umount(A));
}

int main(void)
{
	/* On a machine that has them: nobody else sees the mounts. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	mkdir(AT, 0755);
	mkdir(A, 0755);
	mkdir(B, 0755);
	mkdir(C, 0755);
	if ((!tmpfs_on(A, 0) || umount(A)) && may_be_restricted()) {
		printf("ok nothing_can_be_mounted_here\n");
		return 0;
	}
	RUN(a_bind_shows_the_same_files);
	RUN(a_bind_takes_what_is_mounted_in_it_only_if_it_shall);
	RUN(names_do_not_cross_mounts_of_one_filesystem);
	RUN(what_is_moved_out_of_a_bind_has_no_parent);
	RUN(nobody_leaves_a_bind_by_what_is_moved_out_of_it);
	RUN(a_directory_that_goes_takes_what_comes_to_it);
	RUN(a_mount_is_found_where_names_are_asked_for_each_time);
	RUN(one_mount_is_read_only_or_all_of_a_filesystem);
	RUN(options_that_a_filesystem_does_not_know_are_refused);
	RUN(no_name_of_a_type_makes_lines);
	RUN(times_are_told_as_they_were_asked_for);
	RUN(links_are_not_followed_with_nosymfollow);
	RUN(a_mount_moves_with_all_that_is_in_it);
	RUN(several_stand_on_one_place);
	RUN(what_is_in_use_stays_unless_it_is_detached);
	RUN(a_directory_that_was_left_is_not_in_use);
	RUN(an_unused_mount_expires_at_the_second_call);
	RUN(a_removed_directory_takes_no_mount);
	RUN(all_mounts_on_a_root_are_told);
	RUN(the_root_is_exchanged);
	RUN(who_is_no_administrator_changes_nothing);
	RUN(flags_of_disks_are_taken);
	RUN(wrong_arguments_are_told_apart);
	rmdir(A);
	rmdir(B);
	rmdir(C);
	rmdir(AT);
	return check_end();
}
