/*
 * epoll: what is told when, how often and to whom; entries and their ends; errors.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "epoll_help.h"
#include "signal_help.h"

/* Also where it makes no sense, which the headers know. */
static long raw_wait(int ep, long events, long nevents)
{
	return syscall(SYS_epoll_wait, ep, events, nevents, 0);
}

static int bump(int fd, uint64_t value)
{
	return (int)write(fd, &value, sizeof(value));
}

static int drain(int fd)
{
	uint64_t value;

	return (int)read(fd, &value, sizeof(value));
}

static void levels_are_told_while_they_last(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int fds[2];

	EXPECT(ep >= 0 && fcntl(ep, F_GETFD) == FD_CLOEXEC && pipe(fds) == 0);
	EXPECT_EQUAL(add(ep, fds[0], EPOLLIN), 0);
	EXPECT_EQUAL(look(ep), 0);
	EXPECT(put(fds[1]) == 1 && put(fds[1]) == 1);
	EXPECT_EQUAL(events_for(ep, fds[0]), EPOLLIN);
	EXPECT_EQUAL(events_for(ep, fds[0]), EPOLLIN);
	EXPECT_EQUAL(take(fds[0]), 1);
	EXPECT_EQUAL(events_for(ep, fds[0]), EPOLLIN);
	EXPECT_EQUAL(take(fds[0]), 1);
	EXPECT_EQUAL(look(ep), 0);
	EXPECT_EQUAL(add(ep, fds[1], EPOLLOUT), 0); /* what holds already is told, too */
	EXPECT_EQUAL(events_for(ep, fds[1]), EPOLLOUT);
	EXPECT_EQUAL(change(ep, fds[1], 0), 0);
	EXPECT_EQUAL(look(ep), 0);
	close(fds[0]);
	EXPECT_EQUAL(events_for(ep, fds[1]), EPOLLERR); /* whoever asks or not */
	close(fds[1]);
	EXPECT_EQUAL(look(ep), 0);
	close(ep);
}

static void edges_are_told_once(void)
{
	int ep = epoll_create1(0);
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(put(fds[1]), 1);
	EXPECT_EQUAL(add(ep, fds[0], EPOLLIN | EPOLLET), 0);
	EXPECT_EQUAL(events_for(ep, fds[0]), EPOLLIN);
	EXPECT_EQUAL(look(ep), 0);
	EXPECT_EQUAL(put(fds[1]), 1); /* more is an edge of its own */
	EXPECT_EQUAL(events_for(ep, fds[0]), EPOLLIN);
	EXPECT_EQUAL(look(ep), 0);
	EXPECT_EQUAL(change(ep, fds[0], EPOLLIN | EPOLLET), 0); /* and so is to ask anew */
	EXPECT_EQUAL(events_for(ep, fds[0]), EPOLLIN);
	EXPECT_EQUAL(look(ep), 0);
	close(fds[1]);
	EXPECT_EQUAL(events_for(ep, fds[0]), EPOLLIN | EPOLLHUP);
	EXPECT_EQUAL(look(ep), 0);
	close(fds[0]);
	close(ep);
}

static void one_shot_is_told_once_until_it_is_asked_for_again(void)
{
	int ep = epoll_create1(0);
	int fd = eventfd(1, EFD_NONBLOCK);

	EXPECT_EQUAL(add(ep, fd, EPOLLIN | EPOLLONESHOT), 0);
	EXPECT_EQUAL(events_for(ep, fd), EPOLLIN);
	EXPECT_EQUAL(look(ep), 0);
	EXPECT_EQUAL(bump(fd, 1), 8);
	EXPECT_EQUAL(look(ep), 0);
	EXPECT_EQUAL(change(ep, fd, EPOLLIN | EPOLLONESHOT), 0);
	EXPECT_EQUAL(events_for(ep, fd), EPOLLIN);
	EXPECT_EQUAL(look(ep), 0);
	close(fd);
	close(ep);
}

static void entries_are_by_descriptor_and_go_with_the_last_one(void)
{
	int ep = epoll_create(1);
	int fd = eventfd(1, 0);
	int copy = dup(fd);

	EXPECT_EQUAL(add(ep, fd, EPOLLIN), 0);
	EXPECT_ERRNO(EEXIST, add(ep, fd, EPOLLIN));
	EXPECT_EQUAL(add(ep, copy, EPOLLIN), 0);
	EXPECT_EQUAL(look(ep), 2);
	EXPECT_EQUAL(control(ep, EPOLL_CTL_DEL, copy, 0), 0);
	EXPECT_ERRNO(ENOENT, control(ep, EPOLL_CTL_DEL, copy, 0));
	EXPECT_ERRNO(ENOENT, change(ep, copy, EPOLLIN));
	EXPECT_EQUAL(events_for(ep, fd), EPOLLIN);
	close(fd); /* but the object lives on, as Linux has it */
	EXPECT_EQUAL(events_for(ep, fd), EPOLLIN);
	EXPECT_ERRNO(EBADF, control(ep, EPOLL_CTL_DEL, fd, 0));
	close(copy);
	EXPECT_EQUAL(look(ep), 0);
	fd = eventfd(1, 0); /* the same number is another one */
	EXPECT_EQUAL(look(ep), 0);
	EXPECT_EQUAL(add(ep, fd, EPOLLIN), 0);
	EXPECT_EQUAL(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL), 0);
	close(fd);
	close(ep);
}

static void many_are_told_in_turn(void)
{
	int ep = epoll_create1(0);
	bool told[MANY] = {false};
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

		fds[i] = eventfd(1, 0);
		EXPECT(fds[i] >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &event) == 0);
	}
	EXPECT_EQUAL(look(ep), MANY); /* each of them once */
	for (int i = 0; i < MANY; i++)
		told[got[i].data.u32] = true;
	for (int i = 0; i < MANY; i++)
		EXPECT(told[i]);
	memset(told, 0, sizeof(told));
	for (int i = 0; i < MANY / 10; i++) { /* whoever was told goes to the end of the line */
		EXPECT_EQUAL(epoll_wait(ep, got, 10, 0), 10);
		for (int j = 0; j < 10; j++)
			told[got[j].data.u32] = true;
	}
	for (int i = 0; i < MANY; i++) {
		EXPECT(told[i]);
		EXPECT_EQUAL(drain(fds[i]), 8);
	}
	EXPECT_EQUAL(look(ep), 0);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	close(ep);
}

/* ---- waiting ---- */

struct waiter {
	pthread_t thread;
	int ep;
	int timeout_ms;
	int result;
	uint32_t events;
};

static void *wait_for_it(void *argument)
{
	struct waiter *waiter = argument;
	struct epoll_event event = {0};

	waiter->result = epoll_wait(waiter->ep, &event, 1, waiter->timeout_ms);
	waiter->events = event.events;
	return NULL;
}

static void a_wait_ends_with_the_event(void)
{
	struct waiter waiter = {.ep = epoll_create1(0), .timeout_ms = -1};
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	for (int i = 0; i < 50; i++) {
		EXPECT_EQUAL(pthread_create(&waiter.thread, NULL, wait_for_it, &waiter), 0);
		if (i % 2)
			EXPECT_EQUAL(add(waiter.ep, fds[0], EPOLLIN), 0);
		EXPECT_EQUAL(put(fds[1]), 1);
		if (i % 2 == 0)
			EXPECT_EQUAL(add(waiter.ep, fds[0], EPOLLIN), 0);
		pthread_join(waiter.thread, NULL);
		EXPECT(waiter.result == 1 && waiter.events == EPOLLIN);
		EXPECT_EQUAL(take(fds[0]), 1);
		EXPECT_EQUAL(control(waiter.ep, EPOLL_CTL_DEL, fds[0], 0), 0);
	}
	close(fds[0]);
	close(fds[1]);
	close(waiter.ep);
}

/* One event and two who wait: one gets it, and the other what comes then. */
static void an_event_is_for_one_of_those_who_wait(void)
{
	struct waiter waiters[2];
	int ep = epoll_create1(0);
	int fd = eventfd(0, 0);
	int end = eventfd(0, 0);

	EXPECT_EQUAL(add(ep, fd, EPOLLIN | EPOLLET), 0);
	for (int i = 0; i < 2; i++) {
		waiters[i] = (struct waiter){.ep = ep, .timeout_ms = -1};
		EXPECT_EQUAL(pthread_create(&waiters[i].thread, NULL, wait_for_it, &waiters[i]), 0);
	}
	EXPECT_EQUAL(bump(fd, 1), 8);
	EXPECT_EQUAL(add(ep, end, EPOLLIN | EPOLLET), 0);
	EXPECT_EQUAL(bump(end, 1), 8);
	for (int i = 0; i < 2; i++) {
		pthread_join(waiters[i].thread, NULL);
		EXPECT_EQUAL(waiters[i].result, 1);
	}
	EXPECT_EQUAL(look(ep), 0);
	close(fd);
	close(end);
	close(ep);
}

static void time_ends_a_wait(void)
{
	const struct timespec short_time = {.tv_nsec = 3000000};
	struct timespec before;
	struct timespec after;
	int ep = epoll_create1(0);
	int fd = eventfd(0, 0);
	long long ns;

	EXPECT_EQUAL(add(ep, fd, EPOLLIN), 0);
	clock_gettime(CLOCK_MONOTONIC, &before);
	EXPECT_EQUAL(epoll_wait(ep, got, 1, 3), 0);
	EXPECT_EQUAL(syscall(SYS_epoll_pwait2, ep, got, 1, &short_time, NULL, 0), 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ns = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
	EXPECT(ns >= 6000000);
	EXPECT_EQUAL(bump(fd, 1), 8);
	EXPECT_EQUAL(syscall(SYS_epoll_pwait2, ep, got, 1, NULL, NULL, 0), 1);
	close(fd);
	close(ep);
}

static void signals_end_a_wait_and_the_mask_is_swapped(void)
{
	int ep = epoll_create1(0);
	sigset_t usr1;
	sigset_t none;

	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	install(SIGUSR1, note, SA_RESTART);
	EXPECT_EQUAL(sigprocmask(SIG_BLOCK, &usr1, NULL), 0);
	raise(SIGUSR1);
	EXPECT_EQUAL(epoll_pwait(ep, got, 1, 0, &none), 0); /* which does not even look */
	EXPECT_ERRNO(EINTR, epoll_pwait(ep, got, 1, -1, &none));
	EXPECT_EQUAL(sigprocmask(SIG_UNBLOCK, &usr1, NULL), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_epoll_pwait, ep, got, 1, 0, &none, 4));
	close(ep);
}

/* ---- the rest ---- */

static void exclusive_entries_have_rules(void)
{
	int ep = epoll_create1(0);
	int other = epoll_create1(0);
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(add(ep, fds[0], EPOLLIN | EPOLLEXCLUSIVE), 0);
	EXPECT_ERRNO(EINVAL, change(ep, fds[0], EPOLLIN));
	EXPECT_ERRNO(EINVAL, change(ep, fds[0], EPOLLIN | EPOLLEXCLUSIVE));
	EXPECT_ERRNO(EINVAL, add(other, fds[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT));
	EXPECT_ERRNO(EINVAL, add(other, fds[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP));
	EXPECT_ERRNO(EINVAL, add(other, ep, EPOLLIN | EPOLLEXCLUSIVE));
	EXPECT_EQUAL(add(other, fds[0], EPOLLIN | EPOLLET | EPOLLEXCLUSIVE), 0);
	EXPECT_EQUAL(put(fds[1]), 1);
	EXPECT(look(ep) + look(other) >= 1);
	close(fds[0]);
	close(fds[1]);
	close(ep);
	close(other);
}

/* Two epolls, a thread in each, one event: it comes to one of them at least, and is taken by one.
 */
static void exclusive_events_are_not_lost(void)
{
	struct waiter waiters[2];
	int end = eventfd(0, 0);
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	for (int i = 0; i < 2; i++) {
		waiters[i] = (struct waiter){.ep = epoll_create1(0), .timeout_ms = -1};
		EXPECT_EQUAL(add(waiters[i].ep, fds[0], EPOLLIN | EPOLLEXCLUSIVE), 0);
		EXPECT_EQUAL(add(waiters[i].ep, end, EPOLLOUT << 1 | EPOLLET), 0);
	}
	for (int round = 0; round < 20; round++) {
		EXPECT_EQUAL(pthread_create(&waiters[0].thread, NULL, wait_for_it, &waiters[0]), 0);
		EXPECT_EQUAL(pthread_create(&waiters[1].thread, NULL, wait_for_it, &waiters[1]), 0);
		EXPECT_EQUAL(put(fds[1]), 1);
		EXPECT_EQUAL(put(fds[1]), 1); /* for the other one, or for nobody */
		pthread_join(waiters[0].thread, NULL);
		pthread_join(waiters[1].thread, NULL);
		EXPECT(waiters[0].result == 1 && waiters[1].result == 1);
		EXPECT(take(fds[0]) == 1 && take(fds[0]) == 1);
	}
	for (int i = 0; i < 2; i++)
		close(waiters[i].ep);
	close(end);
	close(fds[0]);
	close(fds[1]);
}

static void what_makes_no_sense_is_refused(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	int null = open("/dev/null", O_RDWR);
	int directory = open("/", O_RDONLY | O_DIRECTORY);
	int path = open("/", O_PATH);
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_ERRNO(EINVAL, syscall(SYS_epoll_create, 0));
	EXPECT_ERRNO(EINVAL, epoll_create1(1));
	EXPECT_ERRNO(EPERM, add(ep, null, EPOLLIN));
	EXPECT_ERRNO(EPERM, add(ep, directory, EPOLLIN));
	EXPECT_ERRNO(EBADF, add(ep, path, EPOLLIN));
	EXPECT_ERRNO(EBADF, add(ep, 999, EPOLLIN));
	EXPECT_ERRNO(EBADF, add(999, fds[0], EPOLLIN));
	EXPECT_ERRNO(EINVAL, add(fds[0], fds[1], EPOLLIN));
	EXPECT_ERRNO(EINVAL, epoll_ctl(ep, 4, fds[0], &event));
	EXPECT_ERRNO(EFAULT, epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], (void *)8));
	EXPECT_ERRNO(EINVAL, raw_wait(ep, (long)got, 0));
	EXPECT_ERRNO(EINVAL, raw_wait(ep, (long)got, -1));
	EXPECT_ERRNO(EFAULT, raw_wait(ep, INT64_MIN, 1));
	EXPECT_ERRNO(EINVAL, epoll_wait(fds[0], got, 1, 0));
	EXPECT_ERRNO(EBADF, epoll_wait(999, got, 1, 0));
	close(fds[0]);
	close(ep);
	close(null);
	close(directory);
	close(path);
}

static void a_bad_address_loses_nothing(void)
{
	int ep = epoll_create1(0);
	int fd = eventfd(1, 0);

	EXPECT_EQUAL(add(ep, fd, EPOLLIN | EPOLLET | EPOLLONESHOT), 0);
	EXPECT_ERRNO(EFAULT, raw_wait(ep, 8, 1));
	EXPECT_EQUAL(events_for(ep, fd), EPOLLIN);
	EXPECT_EQUAL(look(ep), 0);
	close(fd);
	close(ep);
}

/* Entries come and go, from both ends, while others wait and write. */
static volatile bool stop;
static int shared_ep;

static void *wait_and_wait(void *argument)
{
	struct epoll_event events[4];

	(void)argument;
	while (!stop)
		(void)epoll_wait(shared_ep, events, 4, 1);
	return NULL;
}

static void *come_and_go(void *argument)
{
	(void)argument;
	for (int i = 0; i < 150; i++) {
		int fds[2];

		if (pipe(fds))
			break;
		add(shared_ep, fds[0], i % 3 ? EPOLLIN : EPOLLIN | EPOLLET);
		put(fds[1]);
		if (i % 2)
			control(shared_ep, EPOLL_CTL_DEL, fds[0], 0);
		close(fds[i % 4 < 2]);
		close(fds[i % 4 >= 2]);
	}
	return NULL;
}

static void entries_come_and_go_while_others_wait(void)
{
	pthread_t waiters[2];
	pthread_t others[2];

	stop = false;
	shared_ep = epoll_create1(0);
	for (int i = 0; i < 2; i++)
		EXPECT_EQUAL(pthread_create(&waiters[i], NULL, wait_and_wait, NULL), 0);
	for (int i = 0; i < 2; i++)
		EXPECT_EQUAL(pthread_create(&others[i], NULL, come_and_go, NULL), 0);
	for (int i = 0; i < 30; i++) {
		int outer = epoll_create1(0);

		EXPECT_EQUAL(add(outer, shared_ep, EPOLLIN), 0);
		(void)events_of(outer);
		close(outer);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(others[i], NULL);
	stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(waiters[i], NULL);
	EXPECT_EQUAL(look(shared_ep), 0);
	close(shared_ep);
}

int main(void)
{
	RUN(levels_are_told_while_they_last);
	RUN(edges_are_told_once);
	RUN(one_shot_is_told_once_until_it_is_asked_for_again);
	RUN(entries_are_by_descriptor_and_go_with_the_last_one);
	RUN(many_are_told_in_turn);
	RUN(a_wait_ends_with_the_event);
	RUN(an_event_is_for_one_of_those_who_wait);
	RUN(time_ends_a_wait);
	RUN(signals_end_a_wait_and_the_mask_is_swapped);
	RUN(exclusive_entries_have_rules);
	RUN(exclusive_events_are_not_lost);
	RUN(what_makes_no_sense_is_refused);
	RUN(a_bad_address_loses_nothing);
	RUN(entries_come_and_go_while_others_wait);
	return check_end();
}
