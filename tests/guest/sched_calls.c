/*
 * Scheduling policies, priorities and who may change them; limits of files and processes.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"

#include "as_user.h"

#define RESET    0x40000000
#define BATCH    3
#define IDLE     5
#define DEADLINE 6

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t bounds[2];
};

/* musl's own wrappers say ENOSYS. */
static long set_policy(int pid, int policy, int priority)
{
	struct sched_param param = {.sched_priority = priority};

	return syscall(SYS_sched_setscheduler, pid, policy, &param);
}

static long get_policy(int pid)
{
	return syscall(SYS_sched_getscheduler, pid);
}

static int get_priority(int pid)
{
	struct sched_param param = {.sched_priority = -1};

	return syscall(SYS_sched_getparam, pid, &param) ? -1 : param.sched_priority;
}

static int policies_of_root(void)
{
	struct sched_param param = {.sched_priority = 7};

	NEED(get_policy(0) == SCHED_OTHER && get_priority(0) == 0);
	NEED(set_policy(0, SCHED_FIFO, 10) == 0);
	NEED(get_policy(0) == SCHED_FIFO && get_priority(0) == 10);
	NEED(get_policy(getpid()) == SCHED_FIFO);
	NEED(syscall(SYS_sched_setparam, 0, &param) == 0 && get_priority(0) == 7);
	NEED(sched_yield() == 0);
	NEED(set_policy(0, SCHED_RR, 99) == 0);
	NEED(get_policy(0) == SCHED_RR && get_priority(0) == 99);
	NEED(set_policy(0, SCHED_RR, 1) == 0);
	NEED(set_policy(0, BATCH, 0) == 0 && get_policy(0) == BATCH);
	NEED(set_policy(0, IDLE, 0) == 0 && get_policy(0) == IDLE && get_priority(0) == 0);
	NEED(set_policy(0, SCHED_OTHER, 0) == 0 && get_policy(0) == SCHED_OTHER);
	return 0;
}

static void a_policy_is_set_and_told(void)
{
	EXPECT_EQUAL(in_child_as(0, policies_of_root), 0);
}

static void what_is_no_policy_is_refused(void)
{
	struct sched_param param = {.sched_priority = 1};

	EXPECT_ERRNO(EINVAL, set_policy(0, SCHED_FIFO, 0));
	EXPECT_ERRNO(EINVAL, set_policy(0, SCHED_FIFO, 100));
	EXPECT_ERRNO(EINVAL, set_policy(0, SCHED_RR, -1));
	EXPECT_ERRNO(EINVAL, set_policy(0, SCHED_OTHER, 1));
	EXPECT_ERRNO(EINVAL, set_policy(0, 4, 0));
	EXPECT_ERRNO(EINVAL, set_policy(0, 77, 0));
	EXPECT_ERRNO(EINVAL, set_policy(0, -1, 0));
	EXPECT_ERRNO(EINVAL, set_policy(-1, SCHED_OTHER, 0));
	EXPECT_ERRNO(ESRCH, set_policy(0x7ffffffe, SCHED_OTHER, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, (void *)8));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_setparam, 0, &param));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_setparam, 0, NULL));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_getparam, 0, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sched_getparam, 0, (void *)8));
	EXPECT_ERRNO(EINVAL, get_policy(-1));
	EXPECT_ERRNO(ESRCH, get_policy(0x7ffffffe));
}

static void priorities_have_bounds(void)
{
	static const int ordinary[] = {SCHED_OTHER, BATCH, IDLE, DEADLINE};

	for (int i = 0; i < 4; i++) {
		EXPECT_EQUAL(syscall(SYS_sched_get_priority_max, ordinary[i]), 0);
		EXPECT_EQUAL(syscall(SYS_sched_get_priority_min, ordinary[i]), 0);
	}
	EXPECT_EQUAL(syscall(SYS_sched_get_priority_max, SCHED_FIFO), 99);
	EXPECT_EQUAL(syscall(SYS_sched_get_priority_min, SCHED_RR), 1);
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_get_priority_max, 4));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_get_priority_min, -1));
}

static int intervals(void)
{
	struct timespec interval;

	NEED(set_policy(0, SCHED_RR, 1) == 0);
	NEED(syscall(SYS_sched_rr_get_interval, 0, &interval) == 0);
	NEED(interval.tv_sec == 0 && interval.tv_nsec >= 1000000 && interval.tv_nsec <= 200000000);
	NEED(set_policy(0, SCHED_FIFO, 1) == 0);
	NEED(syscall(SYS_sched_rr_get_interval, 0, &interval) == 0);
	NEED(interval.tv_sec == 0 && interval.tv_nsec == 0);
	NEED(syscall(SYS_sched_rr_get_interval, -1, &interval) == -1 && errno == EINVAL);
	NEED(syscall(SYS_sched_rr_get_interval, 0x7ffffffe, &interval) == -1 && errno == ESRCH);
	NEED(syscall(SYS_sched_rr_get_interval, 0, (void *)8) == -1 && errno == EFAULT);
	return 0;
}

static void round_robin_has_an_interval(void)
{
	EXPECT_EQUAL(in_child_as(0, intervals), 0);
}

static int in_grandchild(int (*body)(void))
{
	return in_child_as(0, body);
}

static int is_ordinary(void)
{
	NEED(get_policy(0) == SCHED_OTHER && get_priority(0) == 0);
	NEED(syscall(SYS_getpriority, PRIO_PROCESS, 0) == 20);
	return 0;
}

static int is_urgent(void)
{
	NEED(get_policy(0) == SCHED_FIFO && get_priority(0) == 3);
	return 0;
}

static int inheriting(void)
{
	NEED(setpriority(PRIO_PROCESS, 0, -5) == 0);
	NEED(set_policy(0, SCHED_FIFO, 3) == 0);
	NEED(in_grandchild(is_urgent) == 0);
	NEED(set_policy(0, SCHED_FIFO | RESET, 3) == 0);
	NEED(get_policy(0) == (SCHED_FIFO | RESET));
	NEED(in_grandchild(is_ordinary) == 0);
	return 0;
}

static void children_inherit_unless_reset(void)
{
	EXPECT_EQUAL(in_child_as(0, inheriting), 0);
}

/* ---- sched_attr ---- */

static long set_attributes(struct attributes *attributes)
{
	return syscall(SYS_sched_setattr, 0, attributes, 0);
}

/* Where there are none, or no room for one, nothing has changed. */
static int deadlines(void)
{
	struct attributes wish = {.size = 48,
				  .policy = DEADLINE,
				  .runtime = 1000000,
				  .deadline = 10000000,
				  .period = 10000000};

	if (set_attributes(&wish) == 0)
		NEED(get_policy(0) == DEADLINE);
	else
		NEED((errno == EINVAL || errno == EBUSY || errno == EPERM) &&
		     get_policy(0) == SCHED_OTHER);
	wish.runtime = 20000000; /* more than there is until then */
	NEED(set_attributes(&wish) == -1 && errno == EINVAL);
	return 0;
}

static void a_deadline_is_kept_or_refused(void)
{
	EXPECT_EQUAL(in_child_as(0, deadlines), 0);
}

static int attributes_of_root(void)
{
	struct attributes in = {.size = 48, .policy = SCHED_RR, .priority = 12}, out = {0};
	char large[64] = {0};

	NEED(set_attributes(&in) == 0);
	NEED(syscall(SYS_sched_getattr, 0, &out, 56, 0) == 0);
	NEED(out.size == 56 && out.policy == SCHED_RR && out.priority == 12 && out.flags == 0);
	in = (struct attributes){.size = 56, .policy = BATCH, .nice = 7, .flags = 1};
	NEED(set_attributes(&in) == 0);
	NEED(syscall(SYS_sched_getattr, 0, &out, 48, 0) == 0);
	NEED(out.size == 48 && out.policy == BATCH && out.nice == 7 && out.flags == 1);
	NEED(getpriority(PRIO_PROCESS, 0) == 7);
	/* Policy, with its flag, and parameters stay. */
	in = (struct attributes){.size = 48, .flags = 0x18};
	NEED(set_attributes(&in) == 0);
	NEED(syscall(SYS_sched_getattr, 0, &out, 48, 0) == 0);
	NEED(out.policy == BATCH && out.nice == 7 && out.flags == 1);
	/* Longer than any kernel's, but with nothing in it that is not known. */
	memcpy(large, &(struct attributes){.size = 64, .policy = SCHED_OTHER, .nice = 3}, 56);
	NEED(syscall(SYS_sched_setattr, 0, large, 0) == 0 && getpriority(PRIO_PROCESS, 0) == 3);
	large[63] = 1;
	NEED(syscall(SYS_sched_setattr, 0, large, 0) == -1 && errno == E2BIG);
	NEED(*(uint32_t *)(void *)large >= 48 && *(uint32_t *)(void *)large <= 64);
	return 0;
}

static void attributes_are_set_and_told(void)
{
	EXPECT_EQUAL(in_child_as(0, attributes_of_root), 0);
}

static void attributes_are_checked(void)
{
	struct attributes attributes = {.size = 40, .policy = SCHED_OTHER};

	EXPECT_ERRNO(E2BIG, set_attributes(&attributes));
	attributes.size = 48;
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_setattr, 0, &attributes, 1));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_setattr, -1, &attributes, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_setattr, 0, NULL, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_sched_setattr, 0, (void *)8, 0));
	attributes.flags = 0x1000;
	EXPECT_ERRNO(EINVAL, set_attributes(&attributes));
	attributes = (struct attributes){.size = 48, .policy = 99};
	EXPECT_ERRNO(EINVAL, set_attributes(&attributes));
	attributes = (struct attributes){.size = 48, .policy = SCHED_FIFO, .priority = 100};
	EXPECT_ERRNO(EINVAL, set_attributes(&attributes));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_getattr, 0, &attributes, 47, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_getattr, 0, &attributes, 48, 1));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_getattr, 0, NULL, 48, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_sched_getattr, -1, &attributes, 48, 0));
	EXPECT_ERRNO(ESRCH, syscall(SYS_sched_getattr, 0x7ffffffe, &attributes, 48, 0));
}

/* ---- who may ---- */

static int as_nobody(void)
{
	struct rlimit limit;

	NEED(set_policy(0, SCHED_FIFO, 1) == -1 && errno == EPERM);
	NEED(set_policy(getppid(), SCHED_OTHER, 0) == -1 && errno == EPERM);
	NEED(set_policy(0, BATCH, 0) == 0);
	NEED(setpriority(PRIO_PROCESS, 0, 5) == 0);
	NEED(setpriority(PRIO_PROCESS, 0, 4) == -1 && errno == EACCES);
	NEED(set_policy(0, IDLE, 0) == 0);
	NEED(set_policy(0, SCHED_OTHER, 0) == -1 && errno == EPERM);
	NEED(getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur == 0);
	return 0;
}

static int within_limits(void)
{
	NEED(getpriority(PRIO_PROCESS, 0) == 0);
	NEED(setpriority(PRIO_PROCESS, 0, -3) == 0); /* RLIMIT_NICE 24: up to -4 */
	NEED(setpriority(PRIO_PROCESS, 0, -5) == -1 && errno == EACCES);
	NEED(set_policy(0, SCHED_FIFO, 5) == 0);
	NEED(set_policy(0, SCHED_FIFO, 6) == -1 && errno == EPERM);
	NEED(set_policy(0, SCHED_OTHER | RESET, 0) == 0);
	NEED(set_policy(0, SCHED_OTHER, 0) == -1 && errno == EPERM);
	return 0;
}

static int with_limits(void)
{
	const struct rlimit nice = {24, 24}, priority = {5, 5};

	if (setrlimit(RLIMIT_NICE, &nice) && may_be_restricted())
		return 0;
	NEED(setrlimit(RLIMIT_RTPRIO, &priority) == 0);
	return as_user(within_limits);
}

static void urgency_is_limited(void)
{
	EXPECT_EQUAL(as_user(as_nobody), 0);
	EXPECT_EQUAL(in_child_as(0, with_limits), 0);
}

static int by_user(void)
{
	NEED(setpriority(PRIO_USER, 0, 9) == 0);
	NEED(getpriority(PRIO_USER, 0) == 9);
	NEED(getpriority(PRIO_USER, 4321) == 9);
	NEED(getpriority(PRIO_USER, 4322) == -1 && errno == ESRCH);
	NEED(setpriority(3, 0, 9) == -1 && errno == EINVAL);
	return 0;
}

static void users_have_priorities(void)
{
	EXPECT_EQUAL(in_child_as(4321, by_user), 0);
}

/* ---- limits of files and processes ---- */

static volatile int excesses;

static void count_excess(int signal)
{
	(void)signal;
	excesses++;
}

static int short_files(void)
{
	char block[3000] = {0}, path[] = "/tmp/short-XXXXXX";
	int fd = mkstemp(path);

	NEED(fd >= 0 && unlink(path) == 0);
	signal(SIGXFSZ, count_excess);
	NEED(set_limit(RLIMIT_FSIZE, 4000));
	NEED(write(fd, block, 3000) == 3000);
	NEED(write(fd, block, 3000) == 1000 && excesses == 0); /* what fits */
	NEED(write(fd, block, 1) == -1 && errno == EFBIG && excesses == 1);
	NEED(pwrite(fd, block, 10, 3995) == 5 && excesses == 1);
	NEED(ftruncate(fd, 4001) == -1 && errno == EFBIG && excesses == 2);
	NEED(ftruncate(fd, 4000) == 0 && ftruncate(fd, 100) == 0);
	NEED(syscall(SYS_fallocate, fd, 0, 0L, 4001L) == -1 && errno == EFBIG && excesses == 3);
	NEED(fcntl(fd, F_SETFL, O_APPEND) == 0);
	NEED(lseek(fd, 0, SEEK_SET) == 0 && write(fd, block, 3000) == 3000);
	NEED(write(fd, block, 3000) == 900);
	signal(SIGXFSZ, SIG_DFL);
	(void)!write(fd, block, 1);
	return 1;
}

static void the_length_of_files_is_limited(void)
{
	EXPECT_EQUAL(as_user(short_files), -1 - SIGXFSZ);
}

static int few_processes(void)
{
	int status;
	pid_t child;

	NEED(set_limit(RLIMIT_NPROC, 2));
	child = fork();
	if (child == 0)
		_exit(fork() == -1 && errno == EAGAIN ? 0 : 1);
	NEED(child > 0 && waitpid(child, &status, 0) == child && status == 0);
	NEED(set_limit(RLIMIT_NPROC, 1));
	NEED(fork() == -1 && errno == EAGAIN);
	return 0;
}

static void the_number_of_processes_is_limited(void)
{
	EXPECT_EQUAL(in_child_as(7654, few_processes), 0);
}

static int leave_for_the_other_cpu(void)
{
	const struct sched_param first = {.sched_priority = 1};
	cpu_set_t all, one;
	pid_t child;

	/* So that a child does not run before we let it; musl's own function does nothing. */
	syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &first);
	NEED(sched_getaffinity(0, sizeof(all), &all) == 0);
	for (int i = 0; i < 20; i++) {
		CPU_ZERO(&one);
		CPU_SET(i % 2, &one);
		if (!CPU_ISSET(i % 2, &all) || CPU_COUNT(&all) < 2)
			return 0;
		NEED(sched_setaffinity(0, sizeof(one), &one) == 0);
		child = fork(); /* waits here until we leave */
		if (child == 0)
			_exit(0);
		NEED(child > 0);
		NEED(sched_setaffinity(0, sizeof(all), &all) == 0);
		CPU_CLR(i % 2, &all);
		NEED(sched_setaffinity(0, sizeof(all), &all) == 0);
		CPU_SET(i % 2, &all);
		NEED(waitpid(child, NULL, 0) == child);
		usleep(100); /* the queues are changed by interrupts, too */
	}
	return 0;
}

/* Who may no longer run on its CPU leaves it to a thread that has never run. */
static void a_new_thread_takes_the_cpu_that_is_left(void)
{
	EXPECT_EQUAL(in_child_as(0, leave_for_the_other_cpu), 0);
}

int main(void)
{
	RUN(a_policy_is_set_and_told);
	RUN(what_is_no_policy_is_refused);
	RUN(priorities_have_bounds);
	RUN(round_robin_has_an_interval);
	RUN(a_deadline_is_kept_or_refused);
	RUN(children_inherit_unless_reset);
	RUN(attributes_are_set_and_told);
	RUN(attributes_are_checked);
	RUN(urgency_is_limited);
	RUN(users_have_priorities);
	RUN(a_new_thread_takes_the_cpu_that_is_left);
	RUN(the_length_of_files_is_limited);
	RUN(the_number_of_processes_is_limited);
	return check_end();
}
