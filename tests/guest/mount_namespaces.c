/*
 * Mount namespaces (CLONE_NEWNS): what is mounted in one is seen there alone, but for what is
 * shared; who enters one is at its root; it goes with the last of those who are in it. Written for
 * an administrator.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "mount_help.h"

#define DIR        "/tmp/mount_namespaces"
#define A          DIR "/a"
#define B          DIR "/b"
#define OWN        "/proc/self/ns/mnt"
#define PIDFD_OPEN 434
#define NS_TYPE    0xb703

static bool tmpfs_on(const char *at)
{
	return mount("none", at, "tmpfs", 0, NULL) == 0;
}

static bool is_there(const char *name)
{
	return access(name, F_OK) == 0;
}

static bool make(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);

	return fd >= 0 && close(fd) == 0;
}

static long number_of(const char *path)
{
	struct stat status;

	return stat(path, &status) ? -1 : (long)status.st_ino;
}

/* From here on nothing comes from elsewhere, and nothing goes there. */
static bool leave(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* A child in a namespace of its own, which has mounted something at A and waits. */
struct other {
	pid_t pid;
	int end;
};

static bool wait_there(int told, int end)
{
	char byte;

	return leave() && tmpfs_on(A) && make(A "/theirs") && write(told, "x", 1) == 1 &&
	       read(end, &byte, 1) == 0;
}

static struct other begin_other(void)
{
	int told[2], end[2];
	struct other other;
	char byte;

	if (pipe(told) || pipe(end))
		return (struct other){.pid = -1};
	other = (struct other){.pid = fork(), .end = end[1]};
	if (other.pid == 0) {
		close(end[1]);
		_exit(!wait_there(told[1], end[0]));
	}
	close(told[1]);
	close(end[0]);
	if (read(told[0], &byte, 1) != 1)
		other.pid = -1;
	close(told[0]);
	return other;
}

static int end_other(struct other other)
{
	int status;

	close(other.end);
	return waitpid(other.pid, &status, 0) == other.pid ? status : -1;
}

/* ---- a new one ---- */

static int mount_apart(void)
{
	long before = number_of(OWN);
	unsigned nmounts = count_mounts();
	struct stat root, now;

	NEED(before > 0 && chdir(A) == 0 && stat("/", &root) == 0);
	NEED(leave() && number_of(OWN) != before);
	NEED(count_mounts() == nmounts); /* as it was */
	NEED(stat("/", &now) == 0 && now.st_dev == root.st_dev && now.st_ino == root.st_ino);
	NEED(tmpfs_on(B) && make(B "/here") && mountinfo_says(B " "));
	/* The working directory is in the new one. */
	NEED(tmpfs_on(A) && !is_there(A "/own") && make(A "/own"));
	NEED(!is_there("own") && is_there("../b/here") && chdir("../a") == 0 && is_there("own"));
	return 0;
}

static void what_is_mounted_in_one_is_seen_there_alone(void)
{
	unsigned nmounts = count_mounts();

	EXPECT_EQUAL(in_child_as(0, mount_apart), 0);
	EXPECT(!is_there(B "/here") && !is_there(A "/own"));
	EXPECT_EQUAL(count_mounts(), nmounts);
	EXPECT_EQUAL(rmdir(B), 0); /* nothing is left on it */
	EXPECT_EQUAL(mkdir(B, 0755), 0);
}

static int umount_apart(void)
{
	NEED(leave() && is_there(A "/outer"));
	NEED(umount2(A, 0) == 0 && !is_there(A "/outer"));
	return 0;
}

static void what_is_unmounted_in_one_stays_in_others(void)
{
	EXPECT(tmpfs_on(A) && make(A "/outer"));
	EXPECT_EQUAL(in_child_as(0, umount_apart), 0);
	EXPECT(is_there(A "/outer"));
	EXPECT_EQUAL(umount2(A, 0), 0);
}

struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static int exit_of(pid_t child)
{
	int status;

	return waitpid(child, &status, __WALL) == child ? status : -1;
}

/* In the child of `child` 0. */
static int mount_as_child(void)
{
	return !(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && tmpfs_on(A) &&
		 make(A "/child's"));
}

static int have_one_at_birth(void)
{
	struct clone3_args args = {.flags = CLONE_NEWNS, .exit_signal = SIGCHLD};
	long own = number_of(OWN);
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	if (!child)
		_exit(number_of(OWN) == own || mount_as_child());
	NEED(child > 0 && exit_of(child) == 0 && !is_there(A "/child's"));
	child = (pid_t)syscall(435, &args, sizeof(args));
	if (!child)
		_exit(number_of(OWN) == own || mount_as_child());
	NEED(child > 0 && exit_of(child) == 0 && !is_there(A "/child's"));
	NEED(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0) == -1 &&
	     errno == EINVAL);
	args.flags |= CLONE_FS;
	NEED(syscall(435, &args, sizeof(args)) == -1 && errno == EINVAL);
	NEED(number_of(OWN) == own);
	return 0;
}

static void a_child_has_one_from_birth(void)
{
	EXPECT_EQUAL(in_child_as(0, have_one_at_birth), 0);
}

/* ---- what is shared ---- */

static int receive(void)
{
	struct other other;

	NEED(leave() && mount(DIR, DIR, NULL, MS_BIND, NULL) == 0);
	NEED(mount(NULL, DIR, NULL, MS_SHARED, NULL) == 0);
	other.pid = fork();
	if (!other.pid)
		_exit(!(unshare(CLONE_NEWNS) == 0 && tmpfs_on(A) && make(A "/comes") &&
			mount(NULL, DIR, NULL, MS_SLAVE, NULL) == 0 && tmpfs_on(B) &&
			make(B "/stays")));
	NEED(exit_of(other.pid) == 0);
	NEED(is_there(A "/comes") && !is_there(B "/stays"));
	NEED(umount2(A, 0) == 0 && umount2(DIR, MNT_DETACH) == 0);
	return 0;
}

static void what_is_shared_comes_to_all(void)
{
	EXPECT_EQUAL(in_child_as(0, receive), 0);
}

static int copy_unbindable(void)
{
	NEED(leave() && tmpfs_on(A) && make(A "/kept"));
	NEED(mount(NULL, A, NULL, MS_UNBINDABLE, NULL) == 0);
	NEED(unshare(CLONE_NEWNS) == 0 && is_there(A "/kept"));
	return 0;
}

static void what_is_not_to_be_bound_is_copied_as_well(void)
{
	EXPECT_EQUAL(in_child_as(0, copy_unbindable), 0);
}

/* ---- from one to another ---- */

static int enter(void)
{
	struct other other = begin_other();
	int back = open(OWN, O_RDONLY), fd;
	char path[64], cwd[64];

	NEED(other.pid > 0 && back >= 0 && !is_there(A "/theirs"));
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", other.pid);
	fd = open(path, O_RDONLY);
	NEED(fd >= 0 && ioctl(fd, NS_TYPE) == CLONE_NEWNS);
	NEED(chdir(A) == 0 && setns(fd, CLONE_NEWUTS) == -1 && errno == EINVAL);
	NEED(setns(fd, CLONE_NEWNS) == 0 && is_there(A "/theirs"));
	NEED(getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/") == 0);
	NEED(number_of(OWN) == number_of(path) && mountinfo_says(A " "));
	NEED(end_other(other) == 0 && is_there(A "/theirs")); /* it is ours now */
	NEED(setns(back, 0) == 0 && !is_there(A "/theirs"));
	NEED(setns(fd, 0) == 0 && is_there(A "/theirs")); /* it is still open */
	return 0;
}

static void one_enters_another(void)
{
	EXPECT_EQUAL(in_child_as(0, enter), 0);
	EXPECT_EQUAL(rmdir(A), 0);
	EXPECT_EQUAL(mkdir(A, 0755), 0);
}

static int enter_by_process(void)
{
	struct other other = begin_other();
	int pidfd = (int)syscall(PIDFD_OPEN, other.pid, 0);

	NEED(pidfd >= 0 && setns(pidfd, CLONE_NEWNS | CLONE_NEWUTS) == 0);
	NEED(is_there(A "/theirs") && end_other(other) == 0);
	NEED(setns(pidfd, CLONE_NEWNS) == -1 && errno == ESRCH);
	return 0;
}

static void one_enters_that_of_a_process(void)
{
	EXPECT_EQUAL(in_child_as(0, enter_by_process), 0);
}

static void *sleep_long(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static int enter_with_thread(void)
{
	int fd = open(OWN, O_RDONLY);
	pthread_t thread;

	NEED(pthread_create(&thread, NULL, sleep_long, NULL) == 0);
	NEED(setns(fd, CLONE_NEWNS) == -1 && errno == EINVAL);
	/* The thread's place is its own then. */
	NEED(unshare(CLONE_NEWNS) == 0 && setns(fd, CLONE_NEWNS) == 0);
	_exit(0);
}

/* Now and again it shared its place and left it: who shares the one it has now counts, nobody
 * else. */
static int enter_with_sharer(void)
{
	int fd = open(OWN, O_RDONLY), status;
	pid_t pid;

	NEED(fd >= 0);
	for (int times = 0; times < 2; times++) {
		pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL);
		if (pid == 0) {
			pause();
			_exit(0);
		}
		NEED(pid > 0);
		NEED(setns(fd, CLONE_NEWNS) == -1 && errno == EINVAL);
		if (times == 0)
			NEED(unshare(CLONE_FS) == 0 && setns(fd, CLONE_NEWNS) == 0);
		NEED(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	}
	NEED(setns(fd, CLONE_NEWNS) == 0);
	close(fd);
	return 0;
}

static void who_shares_his_place_enters_none(void)
{
	EXPECT_EQUAL(in_child_as(0, enter_with_thread), 0);
	EXPECT_EQUAL(in_child_as(0, enter_with_sharer), 0);
}

/* ---- what is elsewhere is not changed ---- */

static int change_elsewhere(void)
{
	struct other other = begin_other();
	char in_a[64], in_b[64];

	snprintf(in_a, sizeof(in_a), "/proc/%d/root" A, other.pid);
	snprintf(in_b, sizeof(in_b), "/proc/%d/root" B, other.pid);
	NEED(other.pid > 0 && leave());
	NEED(tmpfs_on(B) && make(B "/own"));
	NEED(umount2(in_a, 0) == -1 && errno == EINVAL);
	NEED(umount2(in_a, MNT_DETACH) == -1 && errno == EINVAL);
	NEED(mount("none", in_b, "tmpfs", 0, NULL) == -1 && errno == EINVAL);
	NEED(mount(in_a, B, NULL, MS_BIND, NULL) == -1 && errno == EINVAL);
	NEED(mount(B, in_b, NULL, MS_BIND, NULL) == -1 && errno == EINVAL);
	NEED(mount(in_a, B, NULL, MS_MOVE, NULL) == -1 && errno == EINVAL);
	NEED(mount(NULL, in_a, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == -1 &&
	     errno == EINVAL);
	NEED(mount(NULL, in_a, NULL, MS_REMOUNT, "nr_inodes=2") == -1 && errno == EINVAL);
	/* It is looked at, and written to. */
	snprintf(in_a, sizeof(in_a), "/proc/%d/root" A "/ours", other.pid);
	NEED(make(in_a) && is_there(in_a) && !is_there(A "/ours"));
	NEED(end_other(other) == 0);
	return 0;
}

static void the_mounts_of_another_one_are_not_changed(void)
{
	EXPECT_EQUAL(in_child_as(0, change_elsewhere), 0);
}

static int remove_under_other(void)
{
	struct other other = begin_other();

	NEED(other.pid > 0 && rmdir(A) == 0); /* though something stands on it there */
	NEED(end_other(other) == 0 && mkdir(A, 0755) == 0);
	NEED(leave() && tmpfs_on(A) && rmdir(A) == -1 && errno == EBUSY);
	return 0;
}

static void a_directory_goes_though_another_one_has_mounted_on_it(void)
{
	EXPECT_EQUAL(in_child_as(0, remove_under_other), 0);
}

static int pivot(void)
{
	long before = number_of("/proc/1/ns/mnt");

	NEED(leave() && tmpfs_on(A) && mkdir(A "/old", 0755) == 0 && make(A "/new"));
	NEED(syscall(SYS_pivot_root, A, A "/old") == 0 && chdir("/") == 0);
	NEED(is_there("/new") && is_there("/old" DIR));
	NEED(number_of("/old/proc/1/ns/mnt") == before);
	NEED(umount2("/old", MNT_DETACH) == 0 && !is_there("/old" DIR));
	return 0;
}

static void another_root_is_that_of_one_alone(void)
{
	EXPECT_EQUAL(in_child_as(0, pivot), 0);
	EXPECT(is_there(DIR) && !is_there("/new"));
}

/* ---- the end ---- */

static int keep_open(void)
{
	int fd, kept;
	pid_t child;

	fd = open(DIR, O_RDONLY | O_DIRECTORY);
	NEED(fd >= 0);
	child = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (!child) {
		kept = mount_as_child() ? -1 : open(A, O_RDONLY | O_DIRECTORY);
		_exit(kept == fd + 1 ? 0 : 1);
	}
	NEED(child > 0 && exit_of(child) == 0);
	/* The namespace has gone; what is open is there. */
	NEED(faccessat(fd + 1, "child's", F_OK, 0) == 0 && !is_there(A "/child's"));
	NEED(openat(fd + 1, "later", O_CREAT | O_WRONLY, 0644) >= 0);
	return 0;
}

static void what_is_open_outlives_it(void)
{
	EXPECT_EQUAL(in_child_as(0, keep_open), 0);
}

static int without_rights(void)
{
	int fd = open(OWN, O_RDONLY);

	NEED(unshare(CLONE_NEWNS) == -1 && errno == EPERM);
	NEED(syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0) == -1 && errno == EPERM);
	NEED(fd >= 0 && setns(fd, CLONE_NEWNS) == -1 && errno == EPERM);
	return 0;
}

static void it_is_the_administrators_affair(void)
{
	EXPECT_EQUAL(as_user(without_rights), 0);
}

int main(void)
{
	mkdir(DIR, 0755);
	mkdir(A, 0755);
	mkdir(B, 0755);
	RUN(what_is_mounted_in_one_is_seen_there_alone);
	RUN(what_is_unmounted_in_one_stays_in_others);
	RUN(a_child_has_one_from_birth);
	RUN(what_is_shared_comes_to_all);
	RUN(what_is_not_to_be_bound_is_copied_as_well);
	RUN(one_enters_another);
	RUN(one_enters_that_of_a_process);
	RUN(who_shares_his_place_enters_none);
	RUN(the_mounts_of_another_one_are_not_changed);
	RUN(a_directory_goes_though_another_one_has_mounted_on_it);
	RUN(another_root_is_that_of_one_alone);
	RUN(what_is_open_outlives_it);
	RUN(it_is_the_administrators_affair);
	rmdir(A);
	rmdir(B);
	rmdir(DIR);
	return check_end();
}
