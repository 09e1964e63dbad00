/*
 * Epolls in epolls: events come through all of them, at once; circles, long chains and crowds are
 * refused.
 */
#include <pthread.h>

#include "check.h"
#include "epoll_help.h"

static void an_epoll_can_be_polled_and_watched(void)
{
	int inner = epoll_create1(0);
	int outer = epoll_create1(0);
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(add(inner, fds[0], EPOLLIN), 0);
	EXPECT_EQUAL(add(outer, inner, EPOLLIN), 0);
	EXPECT_EQUAL(events_of(inner), 0);
	EXPECT_EQUAL(look(outer), 0);
	EXPECT_EQUAL(put(fds[1]), 1);
	EXPECT_EQUAL(events_of(inner), POLLIN);
	EXPECT_EQUAL(events_of(outer), POLLIN);
	EXPECT_EQUAL(epoll_wait(outer, got, 1, -1), 1);
	EXPECT_EQUAL(events_for(inner, fds[0]), EPOLLIN);
	EXPECT_EQUAL(events_of(outer), POLLIN);
	EXPECT_EQUAL(take(fds[0]), 1);
	EXPECT_EQUAL(events_of(outer), 0); /* nobody has looked, but it knows */
	EXPECT_EQUAL(look(outer), 0);
	EXPECT_EQUAL(events_of(inner), 0);
	close(inner);
	EXPECT_EQUAL(put(fds[1]), 1);
	EXPECT_EQUAL(look(outer), 0);
	close(outer);
	close(fds[0]);
	close(fds[1]);
}

static void *put_one(void *fd)
{
	return put(*(int *)fd) == 1 ? fd : NULL;
}

static void a_wake_comes_through_all_of_them(void)
{
	struct pollfd item = {.events = POLLIN};
	pthread_t thread;
	int eps[4];
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	for (int i = 0; i < 4; i++) {
		eps[i] = epoll_create1(0);
		EXPECT_EQUAL(add(eps[i], i ? eps[i - 1] : fds[0], EPOLLIN), 0);
	}
	for (int i = 0; i < 20; i++) {
		EXPECT_EQUAL(pthread_create(&thread, NULL, put_one, &fds[1]), 0);
		if (i % 2) {
			EXPECT_EQUAL(epoll_wait(eps[3], got, 1, -1), 1);
		} else {
			item.fd = eps[3];
			EXPECT_EQUAL(poll(&item, 1, -1), 1);
		}
		pthread_join(thread, NULL);
		EXPECT_EQUAL(take(fds[0]), 1);
	}
	for (int i = 0; i < 4; i++)
		close(eps[i]);
	close(fds[0]);
	close(fds[1]);
}

static void circles_and_long_chains_are_refused(void)
{
	int eps[8];
	int i;

	for (i = 0; i < 8; i++)
		eps[i] = epoll_create1(0);
	EXPECT_ERRNO(EINVAL, add(eps[0], eps[0], EPOLLIN));
	for (i = 1; i < 5; i++)
		EXPECT_EQUAL(add(eps[i], eps[i - 1], EPOLLIN), 0);
	EXPECT_ERRNO(ELOOP, add(eps[5], eps[4], EPOLLIN));
	EXPECT_ERRNO(ELOOP, add(eps[0], eps[4], EPOLLIN));
	EXPECT_ERRNO(ELOOP, add(eps[0], eps[1], EPOLLIN));
	EXPECT_EQUAL(control(eps[2], EPOLL_CTL_DEL, eps[1], 0), 0); /* 1 > 0, and 4 > 3 > 2 */
	EXPECT_EQUAL(add(eps[0], eps[2], EPOLLIN), 0);
	EXPECT_EQUAL(add(eps[5], eps[4], EPOLLIN), 0);
	EXPECT_ERRNO(ELOOP, add(eps[2], eps[1], EPOLLIN)); /* 1 > 0 > 2 by now */
	EXPECT_EQUAL(add(eps[1], eps[5], EPOLLIN), 0);
	EXPECT_ERRNO(ELOOP, add(eps[6], eps[1], EPOLLIN));
	for (i = 0; i < 8; i++)
		close(eps[i]);
}

/* One wake goes through all that is around an epoll, so that is bounded. */
static void few_may_be_around_an_epoll(void)
{
	enum { MOST = 500 };
	int inner = epoll_create1(0);
	int outer[MOST + 1];
	int fds[2];

	EXPECT_EQUAL(pipe(fds), 0);
	EXPECT_EQUAL(add(inner, fds[0], EPOLLIN), 0);
	for (int i = 0; i < MOST; i++) {
		outer[i] = epoll_create1(0);
		EXPECT_EQUAL(add(outer[i], inner, EPOLLIN), 0);
	}
	outer[MOST] = epoll_create1(0);
	EXPECT_ERRNO(EINVAL, add(outer[MOST], inner, EPOLLIN));
	EXPECT_EQUAL(put(fds[1]), 1);
	for (int i = 0; i < MOST; i++)
		EXPECT_EQUAL(look(outer[i]), 1);
	EXPECT_EQUAL(control(outer[0], EPOLL_CTL_DEL, inner, 0), 0);
	EXPECT_EQUAL(add(outer[MOST], inner, EPOLLIN), 0);
	EXPECT_EQUAL(look(outer[MOST]), 1);
	for (int i = 0; i <= MOST; i++)
		close(outer[i]);
	close(inner);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	RUN(an_epoll_can_be_polled_and_watched);
	RUN(a_wake_comes_through_all_of_them);
	RUN(circles_and_long_chains_are_refused);
	RUN(few_may_be_around_an_epoll);
	return check_end();
}
