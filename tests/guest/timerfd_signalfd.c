/*
 * Time and signals as descriptors: timerfd and signalfd, waited for by read, poll and epoll.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "as_user.h"
#include "check.h"
#include "signal_help.h"

#define MS 1000000LL

static long long now_ns(int clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static struct itimerspec spec(long long value_ns, long long interval_ns)
{
	return (struct itimerspec){
		.it_value = {value_ns / 1000000000, value_ns % 1000000000},
		.it_interval = {interval_ns / 1000000000, interval_ns % 1000000000},
	};
}

static int set(int fd, int flags, long long value_ns, long long interval_ns)
{
	struct itimerspec wanted = spec(value_ns, interval_ns);

	return timerfd_settime(fd, flags, &wanted, NULL);
}

/* How often it has come, or -1. */
static long long count(int fd)
{
	uint64_t value;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? (long long)value : -1;
}

static int events_of(int fd, int timeout_ms)
{
	struct pollfd item = {.fd = fd, .events = POLLIN};

	return poll(&item, 1, timeout_ms) < 0 ? -1 : item.revents;
}

static void a_timer_comes_once_and_not_early(void)
{
	const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_REALTIME_ALARM,
			      CLOCK_BOOTTIME_ALARM};
	const int shown[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_REALTIME,
			     CLOCK_BOOTTIME};

	for (int i = 0; i < 5; i++) {
		int fd = timerfd_create(clocks[i], TFD_CLOEXEC);
		long long before = now_ns(CLOCK_MONOTONIC);

		EXPECT(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
		EXPECT_EQUAL(set(fd, 0, 5 * MS, 0), 0);
		EXPECT_EQUAL(count(fd), 1);
		EXPECT(now_ns(CLOCK_MONOTONIC) - before >= 5 * MS);
		EXPECT_EQUAL(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
		EXPECT(count(fd) == -1 && errno == EAGAIN);
		EXPECT_EQUAL(events_of(fd, 0), 0);
		/* The same by the hour, and one that has passed. */
		EXPECT_EQUAL(set(fd, TFD_TIMER_ABSTIME, now_ns(shown[i]) + 3 * MS, 0), 0);
		EXPECT_EQUAL(events_of(fd, -1), POLLIN);
		EXPECT_EQUAL(count(fd), 1);
		EXPECT_EQUAL(set(fd, TFD_TIMER_ABSTIME, 1, 0), 0);
		EXPECT_EQUAL(count(fd), 1);
		close(fd);
	}
}

static void intervals_are_counted(void)
{
	const struct timespec a_while = {.tv_nsec = 10 * MS};
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	long long begin = now_ns(CLOCK_MONOTONIC);
	long long sum = 0;

	EXPECT_EQUAL(set(fd, 0, 2 * MS, 2 * MS), 0);
	for (int i = 0; i < 3; i++) {
		long long n = count(fd);

		EXPECT(n >= 1);
		sum += n;
	}
	nanosleep(&a_while, NULL);
	sum += count(fd);
	EXPECT(sum >= 8);
	EXPECT(sum <= (now_ns(CLOCK_MONOTONIC) - begin) / (2 * MS));
	/* From 1970 on, once an hour. */
	close(fd);
	fd = timerfd_create(CLOCK_REALTIME, 0);
	EXPECT_EQUAL(set(fd, TFD_TIMER_ABSTIME, 1, 3600 * 1000 * MS), 0);
	sum = now_ns(CLOCK_REALTIME) / (3600 * 1000 * MS);
	EXPECT(count(fd) - sum <= 2);
	close(fd);
}

static void what_is_left_is_told(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec wanted = spec(3600 * 1000 * MS, 7);
	struct itimerspec told;

	EXPECT_EQUAL(timerfd_gettime(fd, &told), 0);
	EXPECT(!told.it_value.tv_sec && !told.it_value.tv_nsec && !told.it_interval.tv_nsec);
	EXPECT_EQUAL(timerfd_settime(fd, 0, &wanted, &told), 0);
	EXPECT(!told.it_value.tv_sec && !told.it_value.tv_nsec);
	EXPECT_EQUAL(timerfd_gettime(fd, &told), 0);
	EXPECT(told.it_value.tv_sec >= 3500 && told.it_value.tv_sec <= 3600);
	EXPECT(told.it_interval.tv_nsec == 7);
	wanted = spec(0, 9);
	EXPECT_EQUAL(timerfd_settime(fd, 0, &wanted, &told), 0); /* off */
	EXPECT(told.it_value.tv_sec >= 3500);
	EXPECT_EQUAL(timerfd_gettime(fd, &told), 0);
	EXPECT(!told.it_value.tv_sec && !told.it_value.tv_nsec && told.it_interval.tv_nsec == 9);
	EXPECT_EQUAL(set(fd, TFD_TIMER_ABSTIME, 1, 0), 0);
	EXPECT_EQUAL(events_of(fd, -1), POLLIN);
	EXPECT_EQUAL(set(fd, 0, 0, 0), 0); /* what was not read is forgotten */
	EXPECT_EQUAL(events_of(fd, 0), 0);
	close(fd);
}

static void epoll_hears_each_beat_that_is_read(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int ep = epoll_create1(0);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	EXPECT_EQUAL(set(fd, 0, 2 * MS, 2 * MS), 0);
	for (int i = 0; i < 5; i++) {
		EXPECT_EQUAL(epoll_wait(ep, &event, 1, -1), 1);
		EXPECT(count(fd) >= 1);
	}
	close(fd); /* while it runs */
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 0);
	close(ep);
}

static int make_alarms(void)
{
	NEED(timerfd_create(CLOCK_REALTIME_ALARM, 0) == -1 && errno == EPERM);
	NEED(timerfd_create(CLOCK_BOOTTIME_ALARM, 0) == -1 && errno == EPERM);
	NEED(timerfd_create(CLOCK_BOOTTIME, 0) >= 0);
	return 0;
}

static void only_the_administrator_may_wake_the_machine(void)
{
	EXPECT_EQUAL(as_user(make_alarms), 0);
}

static void timers_refuse_what_makes_no_sense(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec wanted = spec(1, 0);
	struct stat stat;
	char small[7];

	EXPECT_ERRNO(EINVAL, timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	EXPECT_ERRNO(EINVAL, timerfd_create(CLOCK_MONOTONIC, 1));
	EXPECT_ERRNO(EINVAL, timerfd_settime(fd, 4, &wanted, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_timerfd_settime, fd, 0, 8, NULL));
	EXPECT_ERRNO(EFAULT, syscall(SYS_timerfd_gettime, fd, 8));
	EXPECT_ERRNO(EBADF, timerfd_gettime(999, &wanted));
	EXPECT_ERRNO(EINVAL, timerfd_gettime(epoll_create1(0), &wanted));
	wanted = spec(1, 0);
	wanted.it_value.tv_nsec = 1000000000;
	EXPECT_ERRNO(EINVAL, timerfd_settime(fd, 0, &wanted, NULL));
	wanted = spec(1, 0);
	wanted.it_interval.tv_sec = -1;
	EXPECT_ERRNO(EINVAL, timerfd_settime(fd, 0, &wanted, NULL));
	EXPECT_ERRNO(EINVAL, read(fd, small, sizeof(small)));
	EXPECT_ERRNO(EINVAL, write(fd, &wanted, 8));
	EXPECT_ERRNO(ESPIPE, pread(fd, &wanted, 8, 0));
	EXPECT(fstat(fd, &stat) == 0 && stat.st_mode == 0600);
	close(fd);
}

/* ---- signals ---- */

static struct signalfd_siginfo got;

static int take(int fd)
{
	memset(&got, 0, sizeof(got));
	return (int)read(fd, &got, sizeof(got));
}

static sigset_t set_of(int first, int second)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, first);
	sigaddset(&signals, second);
	return signals;
}

static void blocked_signals_are_read(void)
{
	sigset_t signals = set_of(SIGUSR1, SIGRTMIN);
	struct signalfd_siginfo both[3];
	int fd;

	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
	fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	EXPECT(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	EXPECT(take(fd) == -1 && errno == EAGAIN);
	EXPECT_EQUAL(events_of(fd, 0), 0);
	EXPECT_EQUAL(kill(getpid(), SIGUSR1), 0);
	EXPECT_EQUAL(events_of(fd, 0), POLLIN);
	EXPECT_EQUAL(take(fd), 128);
	EXPECT(got.ssi_signo == SIGUSR1 && got.ssi_code == SI_USER);
	EXPECT(got.ssi_pid == (uint32_t)getpid() && got.ssi_uid == getuid());
	EXPECT_EQUAL(events_of(fd, 0), 0);
	EXPECT_EQUAL(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 5}), 0);
	EXPECT_EQUAL(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 6}), 0);
	EXPECT_EQUAL(read(fd, both, sizeof(both)), 2 * 128);
	EXPECT(both[0].ssi_int == 5 && both[1].ssi_int == 6);
	EXPECT(both[0].ssi_code == SI_QUEUE && both[0].ssi_signo == (uint32_t)SIGRTMIN);
	close(fd);
}

static void *send_later(void *argument)
{
	kill(getpid(), SIGUSR1);
	return argument;
}

static void a_reader_and_an_epoll_are_woken(void)
{
	sigset_t signals = set_of(SIGUSR1, SIGUSR2);
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	pthread_t thread;
	int fd;

	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
	fd = signalfd(-1, &signals, 0);
	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event), 0);
	for (int i = 0; i < 10; i++) {
		EXPECT_EQUAL(pthread_create(&thread, NULL, send_later, NULL), 0);
		if (i % 2)
			EXPECT_EQUAL(epoll_wait(ep, &event, 1, -1), 1);
		EXPECT_EQUAL(take(fd), 128);
		EXPECT_EQUAL(got.ssi_signo, SIGUSR1);
		pthread_join(thread, NULL);
	}
	EXPECT_EQUAL(epoll_wait(ep, &event, 1, 0), 0);
	close(fd);
	close(ep);
}

static void the_end_of_a_child_is_read(void)
{
	sigset_t signals = set_of(SIGCHLD, SIGUSR2);
	pid_t pid;
	int fd;

	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
	fd = signalfd(-1, &signals, 0);
	pid = fork();
	if (pid == 0)
		_exit(9);
	EXPECT_EQUAL(take(fd), 128);
	EXPECT(got.ssi_signo == SIGCHLD && got.ssi_code == CLD_EXITED);
	EXPECT(got.ssi_pid == (uint32_t)pid && got.ssi_status == 9);
	EXPECT_EQUAL(waitpid(pid, NULL, 0), pid);
	close(fd);
}

/* The signals are those of who reads. */
static void a_child_reads_its_own(void)
{
	sigset_t signals = set_of(SIGUSR1, SIGUSR2);
	int status;
	pid_t pid;
	int fd;

	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &signals, NULL), 0);
	fd = signalfd(-1, &signals, 0);
	EXPECT_EQUAL(raise(SIGUSR1), 0);
	pid = fork();
	if (pid == 0) {
		alarm(20);
		_exit(take(fd) == 128 && got.ssi_signo == SIGUSR2 ? 0 : 1);
	}
	EXPECT_EQUAL(kill(pid, SIGUSR2), 0);
	EXPECT_EQUAL(waitpid(pid, &status, 0), pid);
	EXPECT_EQUAL(status, 0);
	EXPECT(take(fd) == 128 && got.ssi_signo == SIGUSR1);
	close(fd);
}

static void the_set_can_be_changed_and_the_rest_is_refused(void)
{
	sigset_t first = set_of(SIGUSR1, SIGKILL);
	sigset_t second = set_of(SIGUSR2, SIGUSR2);
	sigset_t both = set_of(SIGUSR1, SIGUSR2);
	uint64_t raw = 0;
	int fd;

	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &both, NULL), 0);
	fd = signalfd(-1, &first, SFD_NONBLOCK);
	EXPECT_EQUAL(raise(SIGUSR2), 0);
	EXPECT(take(fd) == -1 && errno == EAGAIN);
	EXPECT_EQUAL(signalfd(fd, &second, 0), fd);
	EXPECT(take(fd) == 128 && got.ssi_signo == SIGUSR2 && got.ssi_code == SI_TKILL);
	EXPECT_ERRNO(EINVAL, read(fd, &got, 127));
	EXPECT_ERRNO(EINVAL, write(fd, &got, 128));
	EXPECT_ERRNO(EINVAL, syscall(SYS_signalfd4, -1, &raw, 8, 1));
	EXPECT_ERRNO(EINVAL, syscall(SYS_signalfd4, -1, &raw, 16, 0));
	EXPECT_ERRNO(EFAULT, syscall(SYS_signalfd4, -1, 8, 8, 0));
	EXPECT_ERRNO(EBADF, syscall(SYS_signalfd4, 999, &raw, 8, 0));
	EXPECT_ERRNO(EINVAL, syscall(SYS_signalfd4, epoll_create1(0), &raw, 8, 0));
	close(fd);
	fd = (int)syscall(SYS_signalfd, -1, &raw, 8);
	EXPECT(fd >= 0);
	close(fd);
}

int main(void)
{
	RUN(a_timer_comes_once_and_not_early);
	RUN(intervals_are_counted);
	RUN(what_is_left_is_told);
	RUN(epoll_hears_each_beat_that_is_read);
	RUN(only_the_administrator_may_wake_the_machine);
	RUN(timers_refuse_what_makes_no_sense);
	RUN(blocked_signals_are_read);
	RUN(a_reader_and_an_epoll_are_woken);
	RUN(the_end_of_a_child_is_read);
	RUN(a_child_reads_its_own);
	RUN(the_set_can_be_changed_and_the_rest_is_refused);
	return check_end();
}
