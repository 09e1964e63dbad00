/*
 * User namespaces (CLONE_NEWUSER): how one is made and entered, and who may write which maps of its
 * ids. What follows from them is in user_namespace_rights.c.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "in_user_namespace.h"

#define NS_GET_USERNS    0xb701
#define NS_GET_PARENT    0xb702
#define NS_GET_NSTYPE    0xb703
#define NS_GET_OWNER_UID 0xb704
#define OWN              "/proc/self/ns/user"

static int nobody_has_ids_at_first(void)
{
	char text[64];
	gid_t group;

	NEED(unshare(CLONE_NEWUSER) == 0);
	NEED(getuid() == 65534 && geteuid() == 65534 && getgid() == 65534);
	NEED(number_in("/proc/sys/kernel/overflowuid") == 65534);
	NEED(number_in("/proc/sys/kernel/overflowgid") == 65534);
	NEED(read_text("/proc/self/uid_map", text, sizeof(text)) == 0);
	NEED(read_text("/proc/self/gid_map", text, sizeof(text)) == 0);
	NEED(read_text("/proc/self/setgroups", text, sizeof(text)) > 0);
	NEED(strcmp(text, "allow\n") == 0);
	NEED(fails_with(EINVAL, setuid(0)) && fails_with(EINVAL, setresuid(-1, 1000, -1)));
	NEED(fails_with(EINVAL, setgid(0)) && fails_with(EINVAL, setregid(1000, -1)));
	NEED(fails_with(EPERM, setgroups_of_one(0)));
	NEED(getgroups(1, &group) <= 1);
	NEED(has_all_capabilities());
	return 0;
}

static void a_new_one_maps_nothing_and_gives_all_capabilities(void)
{
	EXPECT_EQUAL(as_user(nobody_has_ids_at_first), 0);
}

static int become_root(void)
{
	char text[64];

	NEED(setresgid(1000, 1000, 1000) == 0);
	NEED(setresuid(1000, 1000, 1000) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
	NEED(unshare(CLONE_NEWUSER) == 0);
	NEED(fails_with(EPERM, write_text("/proc/self/gid_map", "0 1000 1")));
	NEED(fails_with(EPERM, write_text("/proc/self/uid_map", "0 0 1")));
	NEED(fails_with(EPERM, write_text("/proc/self/uid_map", "0 1000 2")));
	NEED(write_text("/proc/self/uid_map", "0 1000 1") == 0);
	NEED(fails_with(EPERM, write_text("/proc/self/uid_map", "0 1000 1")));
	NEED(write_text("/proc/self/setgroups", "deny") == 0);
	NEED(write_text("/proc/self/gid_map", "0 1000 1\n") == 0);
	NEED(fails_with(EPERM, write_text("/proc/self/setgroups", "allow")));
	NEED(fails_with(EPERM, write_text("/proc/self/setgroups", "deny")));
	NEED(getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0);
	NEED(read_text("/proc/self/uid_map", text, sizeof(text)) > 0);
	NEED(strcmp(text, "         0       1000          1\n") == 0);
	NEED(fails_with(EPERM, setgroups_of_one(0)));
	NEED(setuid(0) == 0 && fails_with(EINVAL, setuid(1)));
	NEED(has_all_capabilities());
	return 0;
}

static void whoever_makes_one_may_be_root_in_it(void)
{
	EXPECT_EQUAL(in_child_as(0, become_root), 0);
}

static int malformed_maps(void)
{
	static const char *const wrong[] = {"",
					    "0",
					    "0 0",
					    "0 0 0",
					    "a 0 1",
					    "0 0 1 1",
					    "0 0 1x",
					    "-1 0 1",
					    "0 0 1\n0 5 1",
					    "0 0 5\n9 4 1",
					    "4294967295 0 1",
					    "0 4294967295 1",
					    "4294967290 0 10"};
	char page[5000];
	struct child child;

	NEED(start_in_namespace(&child));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (!fails_with(EINVAL, write_of(child.pid, "uid_map", wrong[i])) &&
		    !(i == 0 && errno == 0)) {
			return 200 + (int)i;
		}
	}
	memset(page, ' ', sizeof(page) - 1);
	page[sizeof(page) - 1] = 0;
	NEED(fails_with(EINVAL, write_of(child.pid, "uid_map", page)));
	NEED(write_of(child.pid, "uid_map", "0 100000 1000\n5000 5000 1\n1000 0 10\n") == 0);
	NEED(fails_with(EPERM, write_of(child.pid, "uid_map", "0 100000 1000")));
	NEED(end_of(&child) == 0);
	return 0;
}

static void a_map_is_written_once_and_well_formed(void)
{
	EXPECT_EQUAL(in_child_as(0, malformed_maps), 0);
}

/* As many lines as there may be; one more is too many. */
static int long_maps(void)
{
	char text[4096];
	int used = 0, at_limit = 0;
	struct child child;

	for (int i = 0; i < 341; i++) {
		at_limit = i < 340 ? used : at_limit;
		used += sprintf(text + used, "%d %d 1\n", i, i);
	}
	NEED(used < (int)sizeof(text));
	NEED(start_in_namespace(&child));
	NEED(fails_with(EINVAL, write_of(child.pid, "gid_map", text)));
	text[at_limit + (int)strlen("339 339 1\n")] = 0;
	NEED(write_of(child.pid, "gid_map", text) == 0);
	NEED(end_of(&child) == 0);
	return 0;
}

static void a_map_has_at_most_340_lines(void)
{
	EXPECT_EQUAL(in_child_as(0, long_maps), 0);
}

/* Somebody else's: neither the owner nor privileged. */
static int foreign_map(void)
{
	struct child child;

	NEED(start_in_namespace(&child));
	if (fork() == 0) {
		if (setresuid(1001, 1001, 1001))
			_exit(1);
		_exit(!(write_of(child.pid, "uid_map", "0 1001 1") == -1 &&
			(errno == EACCES || errno == EPERM)));
	}
	NEED(child_failed_not());
	NEED(end_of(&child) == 0);
	return 0;
}

static void strangers_write_no_map(void)
{
	EXPECT_EQUAL(in_child_as(0, foreign_map), 0);
}

/* The map of one is written from it or from the one above, not from further up. */
static int nested(void)
{
	struct child outer;

	NEED(start_in_namespace(&outer));
	NEED(write_of(outer.pid, "uid_map", "0 0 100") == 0);
	NEED(write_of(outer.pid, "gid_map", "0 0 100") == 0);
	NEED(tell(&outer, 'n') == 0); /* makes another one below it */
	NEED(fails_with(EPERM, write_of(outer.pid, "uid_map", "0 0 1")));
	NEED(end_of(&outer) == 0);
	return 0;
}

static int depth(void)
{
	int levels = 0;

	NEED(unshare(CLONE_NEWUSER) == 0);
	NEED(write_text("/proc/self/setgroups", "deny") == 0);
	NEED(write_text("/proc/self/uid_map", "0 0 1") == 0);
	NEED(write_text("/proc/self/gid_map", "0 0 1") == 0);
	while (levels < 40 && unshare(CLONE_NEWUSER) == 0) {
		NEED(write_text("/proc/self/uid_map", "0 0 1") == 0);
		NEED(write_text("/proc/self/gid_map", "0 0 1") == 0);
		levels++;
	}
	NEED(errno == ENOSPC && levels >= 20 && levels <= 33);
	NEED(has_all_capabilities() && getuid() == 0);
	return 0;
}

static void they_nest_up_to_a_limit(void)
{
	EXPECT_EQUAL(in_child_as(0, nested), 0);
	EXPECT_EQUAL(in_child_as(0, depth), 0);
}

static int unmapped_makes_none(void)
{
	NEED(unshare(CLONE_NEWUSER) == 0);
	NEED(fails_with(EPERM, unshare(CLONE_NEWUSER)));
	return 0;
}

static int changed_root_makes_none(void)
{
	NEED(chroot("/proc") == 0);
	NEED(fails_with(EPERM, unshare(CLONE_NEWUSER)));
	return 0;
}

static void not_without_ids_nor_after_chroot(void)
{
	EXPECT_EQUAL(as_user(unmapped_makes_none), 0);
	EXPECT_EQUAL(in_child_as(0, changed_root_makes_none), 0);
}

/* ---- clone, threads ---- */

static int sleeper(void *ends)
{
	char byte;

	(void)!read(*(int *)ends, &byte, 1);
	return 0;
}

static char thread_stack[16384] __attribute__((aligned(16)));

static int threads_share_it(void)
{
	int ends[2];
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls;
	} args = {.flags = CLONE_NEWUSER | CLONE_FS, .exit_signal = SIGCHLD};

	NEED(pipe(ends) == 0);
	NEED(fails_with(EINVAL, syscall(SYS_clone3, &args, sizeof(args))));
	NEED(fails_with(EINVAL,
			syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0)));
	NEED(fails_with(EINVAL, clone(sleeper, thread_stack + sizeof(thread_stack),
				      flags | CLONE_NEWUSER, &ends[0])));
	NEED(clone(sleeper, thread_stack + sizeof(thread_stack), flags, &ends[0]) > 0);
	NEED(fails_with(EINVAL, unshare(CLONE_NEWUSER)));
	return 0; /* the end of all */
}

static int at_birth(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls;
	} args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	long before = inode_of(OWN);
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!child)
		_exit(!(getuid() == 65534 && has_all_capabilities() && inode_of(OWN) != before));
	NEED(child > 0 && child_failed_not() && inode_of(OWN) == before);
	child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	if (!child)
		_exit(!(sethostname("inside", 6) == 0));
	NEED(child > 0 && child_failed_not());
	return 0;
}

static void a_process_is_in_one_with_all_its_threads(void)
{
	EXPECT_EQUAL(as_user(threads_share_it), 0);
	EXPECT_EQUAL(as_user(at_birth), 0);
}

/* ---- setns, files ---- */

static int enter(void)
{
	struct child child;
	char path[64];
	int own = open(OWN, O_RDONLY), fd;

	NEED(fails_with(EINVAL, setns(own, CLONE_NEWUSER)));
	NEED(start_in_namespace(&child));
	NEED(write_of(child.pid, "uid_map", "0 5000 10") == 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", child.pid);
	NEED(inode_of(path) != inode_of(OWN));
	fd = open(path, O_RDONLY);
	NEED(fd >= 0 && fails_with(EINVAL, setns(fd, CLONE_NEWUTS)));
	NEED(setns(fd, CLONE_NEWUSER) == 0);
	NEED(inode_of(path) == inode_of(OWN) && has_all_capabilities() && getuid() == 65534);
	NEED(fails_with(EINVAL, setns(fd, 0)));
	NEED(fails_with(EPERM, setns(own, CLONE_NEWUSER)));
	NEED(end_of(&child) == 0);
	return 0;
}

static void those_above_may_enter_it(void)
{
	EXPECT_EQUAL(in_child_as(0, enter), 0);
}

static int ask(void)
{
	int own = open(OWN, O_RDONLY), uts, owner;
	uid_t uid = 7;
	struct stat a, b;

	NEED(prctl(PR_SET_DUMPABLE, 1) == 0); /* else its files are not its own */
	NEED(ioctl(own, NS_GET_NSTYPE) == CLONE_NEWUSER);
	NEED(unshare(CLONE_NEWUSER | CLONE_NEWUTS) == 0);
	NEED(ioctl(own, NS_GET_OWNER_UID, &uid) == 0);
	NEED(fails_with(EPERM, ioctl(own, NS_GET_USERNS)));
	own = open(OWN, O_RDONLY);
	NEED(ioctl(own, NS_GET_OWNER_UID, &uid) == 0 && uid == 65534);
	NEED(fails_with(EPERM, ioctl(own, NS_GET_PARENT)));
	NEED(write_text("/proc/self/uid_map", "3 1000 1") == 0);
	NEED(ioctl(own, NS_GET_OWNER_UID, &uid) == 0 && uid == 3);
	NEED(fails_with(EFAULT, ioctl(own, NS_GET_OWNER_UID, (void *)1)));
	uts = open("/proc/self/ns/uts", O_RDONLY);
	NEED(fails_with(EINVAL, ioctl(uts, NS_GET_OWNER_UID, &uid)));
	NEED(fails_with(EINVAL, ioctl(uts, NS_GET_PARENT)));
	owner = ioctl(uts, NS_GET_USERNS);
	NEED(owner >= 0 && fstat(owner, &a) == 0 && fstat(own, &b) == 0 && a.st_ino == b.st_ino);
	NEED(fcntl(owner, F_GETFD) == FD_CLOEXEC);
	return 0;
}

static void files_tell_whose_they_are(void)
{
	EXPECT_EQUAL(as_user(ask), 0);
}

int main(void)
{
	RUN(a_new_one_maps_nothing_and_gives_all_capabilities);
	RUN(whoever_makes_one_may_be_root_in_it);
	RUN(a_map_is_written_once_and_well_formed);
	RUN(a_map_has_at_most_340_lines);
	RUN(strangers_write_no_map);
	RUN(they_nest_up_to_a_limit);
	RUN(not_without_ids_nor_after_chroot);
	RUN(a_process_is_in_one_with_all_its_threads);
	RUN(those_above_may_enter_it);
	RUN(files_tell_whose_they_are);
	return check_end();
}
