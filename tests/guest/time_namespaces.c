/*
 * Time namespaces (CLONE_NEWTIME): clocks with offsets, for whom and since when, by the call and by
 * the vDSO. What goes by these clocks is in time_namespace_timers.c.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>

#include "check.h"

#include "as_user.h"
#include "in_user_namespace.h"
#include "time_namespace.h"

#define NS_GET_USERNS 0xb701
#define NS_GET_PARENT 0xb702
#define NS_GET_NSTYPE 0xb703

static const char *own_path;

static int nothing(void)
{
	return 0;
}

/* ---- setting ---- */

static int refuse_offsets(void)
{
	NEED(fails_with(EACCES, write_text(OFFSETS, "monotonic 1 0"))); /* the first one's */
	NEED(unshare(CLONE_NEWTIME) == 0);
	NEED(fails_with(EINVAL, write_text(OFFSETS, "\n")));
	NEED(fails_with(EINVAL, write_text(OFFSETS, "realtime 1 0\n")));
	NEED(fails_with(EINVAL, write_text(OFFSETS, "monotonic 1\n")));
	NEED(fails_with(EINVAL, write_text(OFFSETS, "monotonic x 0\n")));
	NEED(fails_with(EINVAL, write_text(OFFSETS, "monotonic +1 0\n")));
	NEED(fails_with(EINVAL, write_text(OFFSETS, "monotonic 1 -1\n")));
	NEED(fails_with(EINVAL, write_text(OFFSETS, "monotonic 1 1000000000\n")));
	NEED(fails_with(ERANGE, write_text(OFFSETS, "monotonic 9223372036 0\n")));
	NEED(fails_with(ERANGE, write_text(OFFSETS, "monotonic 9223372036854775807 0\n")));
	NEED(fails_with(ERANGE, write_text(OFFSETS, "boottime -9000000000 0\n")));
	/* None of two, if one is wrong. */
	NEED(fails_with(ERANGE, write_text(OFFSETS, "1 5 0\n7 -9000000000 0\n")));
	NEED(offsets_are(0, 0, 0, 0));
	return 0;
}

static int set_offsets(void)
{
	NEED(unshare(CLONE_NEWTIME) == 0 && offsets_are(0, 0, 0, 0));
	NEED(write_text(OFFSETS, "monotonic 7 8\nboottime 9 10\n") == 0);
	NEED(offsets_are(7, 8, 9, 10));
	NEED(write_text(OFFSETS, " 7 4611686 500000000 and more") == 0);
	NEED(offsets_are(7, 8, 4611686, 500000000));
	NEED(write_text(OFFSETS, "1 -1 999999999\n") == 0); /* a nanosecond less */
	NEED(offsets_are(-1, 999999999, 4611686, 500000000));
	return 0;
}

static int set_them_for_nobody(void)
{
	NEED(fails_with(EPERM, unshare(CLONE_NEWTIME)));
	NEED(fails_with(EACCES, write_of(getppid(), "timens_offsets", "1 1 0")));
	return 0;
}

static int freeze(void)
{
	NEED(unshare(CLONE_NEWTIME) == 0 && write_text(OFFSETS, "monotonic 5 0") == 0);
	NEED(!in_child_as(0, nothing));
	NEED(fails_with(EACCES, write_text(OFFSETS, "monotonic 6 0")));
	NEED(offsets_are(5, 0, 0, 0));
	/* The next one begins with them. */
	NEED(unshare(CLONE_NEWTIME) == 0 && offsets_are(5, 0, 0, 0));
	NEED(write_text(OFFSETS, "boottime 6 0") == 0 && offsets_are(5, 0, 6, 0));
	return 0;
}

static void offsets_are_set_until_somebody_is_there(void)
{
	EXPECT_EQUAL(in_child_as(0, refuse_offsets), 0);
	EXPECT_EQUAL(in_child_as(0, set_offsets), 0);
	EXPECT_EQUAL(in_child_as(0, freeze), 0);
	EXPECT_EQUAL(as_user(set_them_for_nobody), 0);
}

/* ---- clocks ---- */

static int is_ahead(void)
{
	static const clockid_t monotonic[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
					      CLOCK_MONOTONIC_COARSE};

	for (unsigned i = 0; i < sizeof(monotonic) / sizeof(*monotonic); i++) {
		NEED(seconds_by_call(monotonic[i]) >= AHEAD);
		NEED(seconds_by_call(monotonic[i]) < BOOT_AHEAD);
		NEED(seconds(monotonic[i]) >= AHEAD && seconds(monotonic[i]) < BOOT_AHEAD);
	}
	NEED(seconds_by_call(CLOCK_BOOTTIME) >= BOOT_AHEAD);
	NEED(seconds(CLOCK_BOOTTIME) >= BOOT_AHEAD);
	return 0;
}

/* One way between two of the other. */
static int ways_agree(void)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
					   CLOCK_BOOTTIME};

	for (unsigned i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		int64_t before = ns_by_call(clocks[i]);
		int64_t between = ns_of(clocks[i]);

		NEED(before <= between && between <= ns_by_call(clocks[i]));
	}
	NEED(llabs((long long)(time(NULL) - ns_by_call(CLOCK_REALTIME) / NS_PER_S)) <= 1);
	return is_ahead();
}

static int be_ahead(void)
{
	int64_t before = ns_of(CLOCK_MONOTONIC);

	NEED(unshare(CLONE_NEWTIME) == 0 && go_ahead());
	NEED(inode_of(OWN) != inode_of(CHILDREN));
	NEED(seconds(CLOCK_MONOTONIC) < AHEAD); /* the caller itself stays */
	NEED(seconds_by_call(CLOCK_MONOTONIC) < AHEAD);
	NEED(!in_child_as(0, is_ahead) && !in_child_as(0, ways_agree));
	NEED(ns_of(CLOCK_MONOTONIC) >= before && seconds(CLOCK_MONOTONIC) < AHEAD);
	return 0;
}

static int be_in_it(void)
{
	NEED(inode_of(OWN) == inode_of(CHILDREN));
	NEED(!is_ahead() && !in_child_as(0, is_ahead));
	return 0;
}

static int have_one_at_birth(void)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, size, tls;
	} args = {.flags = CLONE_NEWTIME, .exit_signal = SIGCHLD};
	long own = inode_of(OWN);
	pid_t child;

	NEED(unshare(CLONE_NEWTIME) == 0 && go_ahead());
	child = (pid_t)syscall(CLONE3, &args, sizeof(args));
	if (!child)
		_exit(be_in_it() || inode_of(OWN) == own ||
		      !fails_with(EACCES, write_text(OFFSETS, "monotonic 6 0")));
	NEED(child > 0 && child_failed_not());
	args.flags = 1; /* of the signal's bits that is the only one */
	NEED(syscall(CLONE3, &args, sizeof(args)) == -1 && errno == EINVAL);
	return 0;
}

static void children_have_its_clocks(void)
{
	EXPECT_EQUAL(in_child_as(0, be_ahead), 0);
	EXPECT_EQUAL(in_child_as(0, have_one_at_birth), 0);
}

/* ---- sharing memory, and programs ---- */

static volatile int64_t seen_s;

static void *look(void *nothing_else)
{
	seen_s = seconds(CLOCK_MONOTONIC) + seconds_by_call(CLOCK_MONOTONIC);
	return nothing_else;
}

static int stay(void)
{
	pthread_t thread;
	pid_t child;

	NEED(unshare(CLONE_NEWTIME) == 0 && go_ahead());
	NEED(pthread_create(&thread, NULL, look, NULL) == 0 && !pthread_join(thread, NULL));
	NEED(seen_s < AHEAD);
	child = vfork();
	if (!child) {
		look(NULL);
		_exit(0);
	}
	NEED(child > 0 && child_failed_not() && seen_s < AHEAD);
	NEED(write_text(OFFSETS, "monotonic 1000000 5") == 0); /* so nobody was in it */
	return 0;
}

static int execute(void)
{
	pid_t child;

	NEED(unshare(CLONE_NEWTIME) == 0 && go_ahead());
	child = vfork();
	if (!child) {
		execl(own_path, own_path, "in it", (char *)NULL);
		_exit(99);
	}
	NEED(child > 0 && child_failed_not());
	execl(own_path, own_path, "in it", (char *)NULL);
	return 98;
}

static void who_shares_memory_gets_into_it_with_a_program(void)
{
	EXPECT_EQUAL(in_child_as(0, stay), 0);
	EXPECT_EQUAL(in_child_as(0, execute), 0);
}

/* ---- setns ---- */

static int come_and_go(void)
{
	int back = open(OWN, O_RDONLY), there;
	pid_t child;

	NEED(unshare(CLONE_NEWTIME) == 0 && go_ahead());
	there = open(CHILDREN, O_RDONLY);
	NEED(back >= 0 && there >= 0);
	NEED(fails_with(EINVAL, setns(there, CLONE_NEWUTS)));
	for (unsigned i = 0; i < 3; i++) {
		NEED(seconds(CLOCK_MONOTONIC) < AHEAD);
		NEED(setns(there, i ? CLONE_NEWTIME : 0) == 0 && !be_in_it());
		NEED(setns(back, CLONE_NEWTIME) == 0);
		NEED(inode_of(OWN) == inode_of(CHILDREN));
	}
	child = fork();
	if (!child)
		_exit(!(setns(there, CLONE_NEWTIME) == 0 && !be_in_it() && !ways_agree()));
	NEED(child > 0 && child_failed_not());
	return 0;
}

static int by_process(void)
{
	int orders[2], pidfd;
	pid_t child;
	char byte;

	NEED(pipe(orders) == 0 && unshare(CLONE_NEWTIME) == 0 && go_ahead());
	child = fork();
	if (!child)
		_exit(read(orders[0], &byte, 1) != 1);
	pidfd = (int)syscall(PIDFD_OPEN, child, 0);
	NEED(pidfd >= 0 && setns(pidfd, CLONE_NEWTIME | CLONE_NEWUTS) == 0 && !be_in_it());
	NEED(write(orders[1], "x", 1) == 1 && child_failed_not());
	return 0;
}

static int ends[2];

static void *wait_for_end(void *nothing_else)
{
	char byte;

	return read(ends[0], &byte, 1) == 1 ? nothing_else : NULL;
}

static int not_with_threads(void)
{
	int own = open(OWN, O_RDONLY);
	pthread_t thread;

	NEED(pipe(ends) == 0 && !pthread_create(&thread, NULL, wait_for_end, NULL));
	NEED(fails_with(EUSERS, setns(own, CLONE_NEWTIME)));
	NEED(write(ends[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0);
	return 0;
}

static volatile int vforks_error;

static int not_in_shared_memory(void)
{
	int own = open(OWN, O_RDONLY);
	pid_t child = vfork();

	if (!child) {
		vforks_error = setns(own, CLONE_NEWTIME) ? errno : 0;
		_exit(0);
	}
	NEED(child > 0 && child_failed_not() && vforks_error == EUSERS);
	NEED(setns(own, CLONE_NEWTIME) == 0);
	return 0;
}

static int not_without_rights(void)
{
	NEED(fails_with(EPERM, setns(open(OWN, O_RDONLY), CLONE_NEWTIME)));
	return 0;
}

static void one_enters_it(void)
{
	EXPECT_EQUAL(in_child_as(0, come_and_go), 0);
	EXPECT_EQUAL(in_child_as(0, by_process), 0);
	EXPECT_EQUAL(in_child_as(0, not_with_threads), 0);
	EXPECT_EQUAL(in_child_as(0, not_in_shared_memory), 0);
	EXPECT_EQUAL(as_user(not_without_rights), 0);
}

/* ---- whose it is ---- */

static int be_somebody_elses(void)
{
	int own = open(OWN, O_RDONLY);

	NEED(unshare(CLONE_NEWUSER | CLONE_NEWTIME) == 0);
	NEED(go_ahead());
	NEED(!in_child_as(0, is_ahead));
	NEED(fails_with(EPERM, setns(own, CLONE_NEWTIME)));
	return 0;
}

static int be_the_parents(void)
{
	NEED(unshare(CLONE_NEWTIME) == 0 && unshare(CLONE_NEWUSER) == 0);
	NEED(fails_with(EPERM, write_text(OFFSETS, "monotonic 1 0")));
	return 0;
}

static void it_belongs_to_a_user_namespace(void)
{
	EXPECT_EQUAL(in_child_as(0, be_somebody_elses), 0);
	EXPECT_EQUAL(in_child_as(0, be_the_parents), 0);
}

static void files_stand_for_them(void)
{
	char text[64] = "", children[64] = "", expected[64];
	int fd = open(OWN, O_RDONLY);

	EXPECT(fd >= 0);
	EXPECT_EQUAL(ioctl(fd, NS_GET_NSTYPE), CLONE_NEWTIME);
	EXPECT_ERRNO(EINVAL, ioctl(fd, NS_GET_PARENT));
	close(fd);
	EXPECT(readlink(OWN, text, sizeof(text) - 1) > 0);
	EXPECT(readlink(CHILDREN, children, sizeof(children) - 1) > 0);
	snprintf(expected, sizeof(expected), "time:[%ld]", inode_of(OWN));
	EXPECT(strcmp(text, expected) == 0 && strcmp(children, expected) == 0);
}

int main(int argc, char **argv)
{
	own_path = argv[0];
	if (argc > 1)
		return be_in_it() || ways_agree();
	if (time_namespaces_are_forbidden()) {
		printf("ok # skip: no time namespaces here\n");
		return 0;
	}
	RUN(offsets_are_set_until_somebody_is_there);
	RUN(children_have_its_clocks);
	RUN(who_shares_memory_gets_into_it_with_a_program);
	RUN(one_enters_it);
	RUN(it_belongs_to_a_user_namespace);
	RUN(files_stand_for_them);
	return check_end();
}
