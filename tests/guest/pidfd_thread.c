/*
 * Descriptors of threads (PIDFD_THREAD), as Linux has them from 6.9 on: how they come about, that
 * each names its thread for good, its end, and which of pidfd_send_signal's flags reach whom.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "as_user.h"
#include "ipc_help.h"
#include "signal_help.h"

#define P_PIDFD_TYPE 3
#define THREAD       O_EXCL
#define TO_THREAD    1
#define TO_PROCESS   2
#define TO_GROUP     4

static int pidfd_open(pid_t pid, unsigned flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send_signal(int fd, int signal, siginfo_t *info, unsigned flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}

static pid_t own_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

static int events_of(int fd, int timeout_ms)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	return poll(&poller, 1, timeout_ms) < 0 ? -1 : poller.revents;
}

/* ---- a thread that waits until it is told to end ---- */

static struct {
	pthread_t thread;
	pid_t tid;
	sem_t begun, end;
} other;
static volatile pid_t signalled; /* whose handler ran last */

static void note_thread(int signal, siginfo_t *info, void *context)
{
	note_info(signal, info, context);
	signalled = own_tid();
}

static void *wait_for_end(void *unused)
{
	(void)unused;
	other.tid = own_tid();
	sem_post(&other.begun);
	while (sem_wait(&other.end))
		;
	return NULL;
}

static bool begin_other(void)
{
	sem_init(&other.begun, 0, 0);
	sem_init(&other.end, 0, 0);
	return pthread_create(&other.thread, NULL, wait_for_end, NULL) == 0 &&
	       sem_wait(&other.begun) == 0;
}

static bool end_other(void)
{
	return sem_post(&other.end) == 0 && pthread_join(other.thread, NULL) == 0;
}

/* ---- making one ---- */

static void pidfd_open_takes_any_thread(void)
{
	char path[64], text[512] = "", line[32];
	int fd, info;

	EXPECT(begin_other());
	EXPECT_EQUAL(pidfd_open(other.tid, 0), -1);
	EXPECT(errno == EINVAL || errno == ENOENT); /* by its age */
	fd = pidfd_open(other.tid, THREAD);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EXPECT_EQUAL(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK | O_EXCL), O_RDWR | O_EXCL);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	EXPECT(read(info, text, sizeof(text) - 1) > 0);
	snprintf(line, sizeof(line), "Pid:\t%d\n", other.tid);
	EXPECT(strstr(text, line) != NULL);
	close(info), close(fd);
	fd = pidfd_open(getpid(), THREAD | O_NONBLOCK);
	EXPECT(fd >= 0 && fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	EXPECT_ERRNO(ESRCH, pidfd_open(4000000, THREAD));
	EXPECT_ERRNO(EINVAL, pidfd_open(0, THREAD));
	EXPECT(end_other());
}

static char stack[65536] __attribute__((aligned(16)));

static int clone_body(void *end)
{
	char byte;

	syscall(SYS_read, *(int *)end, &byte, 1);
	return 0;
}

/* clone() gives one of a thread that it makes. */
static void clone_gives_a_descriptor_of_a_thread(void)
{
	int pair[2], fd = -1;
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		    CLONE_SYSVSEM | CLONE_PIDFD;
	pid_t tid;

	EXPECT_EQUAL(pipe(pair), 0);
	tid = clone(clone_body, stack + sizeof(stack), flags, &pair[0], &fd);
	EXPECT(tid > 0 && fd >= 0);
	EXPECT(fcntl(fd, F_GETFL) & O_EXCL);
	EXPECT_EQUAL(events_of(fd, 0), 0);
	EXPECT_EQUAL(send_signal(fd, 0, NULL, 0), 0);
	EXPECT_EQUAL(write(pair[1], "x", 1), 1);
	EXPECT_EQUAL(events_of(fd, -1) & POLLIN, POLLIN);
	close(fd), close(pair[0]), close(pair[1]);
}

/* ---- its end ---- */

static void poll_tells_the_end_of_the_thread(void)
{
	int fd, process, first;
	siginfo_t info;

	EXPECT(begin_other());
	fd = pidfd_open(other.tid, THREAD);
	first = pidfd_open(getpid(), THREAD);
	process = pidfd_open(getpid(), 0);
	EXPECT(fd >= 0 && process >= 0 && first >= 0);
	EXPECT_EQUAL(events_of(fd, 0), 0);
	EXPECT_ERRNO(ECHILD, waitid(P_PIDFD_TYPE, (id_t)fd, &info, WEXITED));
	EXPECT_ERRNO(ECHILD, waitid(P_PIDFD_TYPE, (id_t)fd, &info, WEXITED | __WALL | WNOHANG));
	EXPECT(end_other());
	EXPECT_EQUAL(events_of(fd, -1), POLLIN | POLLHUP);
	EXPECT_EQUAL(events_of(process, 0), 0);
	EXPECT_EQUAL(events_of(first, 0), 0);
	EXPECT_ERRNO(ESRCH, send_signal(fd, SIGUSR1, NULL, 0));
	EXPECT_ERRNO(ESRCH, send_signal(fd, SIGUSR1, NULL, TO_PROCESS));
	EXPECT_ERRNO(ESRCH, syscall(SYS_pidfd_getfd, fd, 1, 0));
	EXPECT_ERRNO(ECHILD, waitid(P_PIDFD_TYPE, (id_t)fd, &info, WEXITED));
	close(fd), close(process), close(first);
}

static void that_of_the_first_thread_is_the_process_s(void)
{
	siginfo_t info = {0};
	pid_t child = fork();
	int fd;

	if (!child)
		for (;;)
			pause();
	fd = pidfd_open(child, THREAD);
	EXPECT(fd >= 0);
	EXPECT_EQUAL(events_of(fd, 0), 0);
	EXPECT_EQUAL(send_signal(fd, SIGKILL, NULL, 0), 0);
	EXPECT_EQUAL(events_of(fd, -1), POLLIN);
	EXPECT_EQUAL(waitid(P_PIDFD_TYPE, (id_t)fd, &info, WEXITED), 0);
	EXPECT_EQUAL(info.si_pid, child);
	EXPECT_EQUAL(info.si_status, SIGKILL);
	EXPECT_EQUAL(events_of(fd, 0) & POLLIN, POLLIN);
	EXPECT_ERRNO(ESRCH, send_signal(fd, 0, NULL, 0));
	close(fd);
}

/* A tracer waits for a thread by it. */
static int trace(void)
{
	siginfo_t info = {0};
	int told[2], end[2], fd;
	pid_t child, tid;

	NEED(pipe(told) == 0 && pipe(end) == 0);
	child = fork();
	if (!child) {
		char byte;

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* not traced, it is told nothing */
		NEED(begin_other() && write(told[1], &other.tid, sizeof(tid)) == sizeof(tid));
		NEED(read(end[0], &byte, 1) == 1 && end_other());
		_exit(0);
	}
	NEED(read(told[0], &tid, sizeof(tid)) == sizeof(tid));
	fd = pidfd_open(tid, THREAD);
	NEED(fd >= 0 && ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0);
	NEED(waitid(P_PIDFD_TYPE, (id_t)fd, &info, WEXITED | WNOHANG | __WALL) == 0);
	NEED(info.si_pid == 0 && write(end[1], "x", 1) == 1);
	NEED(waitid(P_PIDFD_TYPE, (id_t)fd, &info, WEXITED | __WALL) == 0);
	NEED(info.si_pid == tid && info.si_code == CLD_EXITED);
	return end_of(child);
}

static void a_tracer_waits_for_a_thread(void)
{
	EXPECT_EQUAL(in_child_as(0, trace), 0);
}

/* ---- signals ---- */

static void a_signal_goes_to_whom_the_flags_say(void)
{
	int fd, process;

	EXPECT_EQUAL(install_info(SIGUSR1, note_thread, 0), 0);
	EXPECT(begin_other());
	fd = pidfd_open(other.tid, THREAD);
	process = pidfd_open(getpid(), 0);
	EXPECT_EQUAL(send_signal(fd, SIGUSR1, NULL, 0), 0);
	while (signalled != other.tid)
		sched_yield();
	EXPECT_EQUAL(last_info.si_code, SI_TKILL);
	EXPECT_EQUAL(last_info.si_pid, getpid());
	signalled = 0;
	EXPECT_EQUAL(send_signal(fd, SIGUSR1, NULL, TO_PROCESS), 0); /* we do not block it */
	while (!signalled)
		sched_yield();
	EXPECT_EQUAL(last_info.si_code, SI_USER);
	signalled = 0;
	EXPECT_EQUAL(send_signal(process, SIGUSR1, NULL, TO_THREAD), 0);
	EXPECT_EQUAL(signalled, getpid());
	EXPECT_EQUAL(last_info.si_code, SI_TKILL);
	EXPECT_ERRNO(EINVAL, send_signal(fd, SIGUSR1, NULL, TO_THREAD | TO_PROCESS));
	EXPECT_ERRNO(EINVAL, send_signal(fd, SIGUSR1, NULL, 8));
	EXPECT_ERRNO(ESRCH, send_signal(fd, SIGUSR1, NULL, TO_GROUP)); /* it leads none */
	EXPECT(end_other());
	close(fd), close(process);
}

static void what_it_says_may_be_made_up_for_oneself_alone(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_TKILL};
	int own = pidfd_open(getpid(), THREAD), fd;

	EXPECT_EQUAL(install_info(SIGUSR1, note_thread, 0), 0);
	EXPECT(begin_other());
	fd = pidfd_open(other.tid, THREAD);
	signalled = 0;
	EXPECT_EQUAL(send_signal(own, SIGUSR1, &info, 0), 0);
	EXPECT_EQUAL(signalled, getpid());
	EXPECT_ERRNO(EPERM, send_signal(fd, SIGUSR1, &info, 0));
	EXPECT_ERRNO(EPERM, send_signal(own, SIGUSR1, &info, TO_GROUP));
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = 9;
	EXPECT_EQUAL(send_signal(fd, SIGUSR1, &info, 0), 0);
	while (signalled != other.tid)
		sched_yield();
	EXPECT_EQUAL(last_info.si_value.sival_int, 9);
	EXPECT(end_other());
	close(fd), close(own);
}

static pid_t child_of_group(pid_t leader)
{
	pid_t child = fork();

	if (!child)
		for (;;)
			pause();
	return setpgid(child, leader ? leader : child) ? -1 : child;
}

static void a_group_gets_one_by_its_leader(void)
{
	pid_t leader = child_of_group(0), member = child_of_group(leader);
	int fd = pidfd_open(member, 0);

	EXPECT_ERRNO(ESRCH, send_signal(fd, SIGTERM, NULL, TO_GROUP));
	close(fd);
	fd = pidfd_open(leader, 0);
	EXPECT_EQUAL(send_signal(fd, SIGTERM, NULL, TO_GROUP), 0);
	EXPECT_EQUAL(end_of(leader), -1 - SIGTERM);
	EXPECT_EQUAL(end_of(member), -1 - SIGTERM);
	close(fd);
}

/* ... also when that has gone. */
static void a_group_gets_one_without_its_leader(void)
{
	pid_t leader = child_of_group(0), member = child_of_group(leader);
	int fd = pidfd_open(leader, 0);

	EXPECT_EQUAL(send_signal(fd, SIGKILL, NULL, 0), 0);
	EXPECT_EQUAL(end_of(leader), -1 - SIGKILL);
	EXPECT_ERRNO(ESRCH, send_signal(fd, SIGTERM, NULL, TO_PROCESS));
	EXPECT_EQUAL(send_signal(fd, SIGTERM, NULL, TO_GROUP), 0);
	EXPECT_EQUAL(end_of(member), -1 - SIGTERM);
	EXPECT_ERRNO(ESRCH, send_signal(fd, SIGTERM, NULL, TO_GROUP));
	close(fd);
}

int main(void)
{
	if (may_be_restricted() && pidfd_open(getpid(), THREAD) == -1)
		return check_end(); /* an older Linux */
	RUN(pidfd_open_takes_any_thread);
	RUN(clone_gives_a_descriptor_of_a_thread);
	RUN(poll_tells_the_end_of_the_thread);
	RUN(that_of_the_first_thread_is_the_process_s);
	RUN(a_tracer_waits_for_a_thread);
	RUN(a_signal_goes_to_whom_the_flags_say);
	RUN(what_it_says_may_be_made_up_for_oneself_alone);
	RUN(a_group_gets_one_by_its_leader);
	RUN(a_group_gets_one_without_its_leader);
	return check_end();
}
