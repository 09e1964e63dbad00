/*
 * Self-tests of epoll where its ends meet: an epoll, what it watches, and an epoll that watches it
 * go at the same moment on several CPUs, while somebody wakes.
 */
#include "kthread.h"

#include <abi/fcntl.h>
#include <ipc/epoll.h>
#include <ipc/eventfd.h>
#include <lib/atomic.h>
#include <lib/selftest.h>
#include <sched/wait.h>

#define ROUNDS  300
#define WORKERS 3

/* A worker has one object a round, and gives up its reference. */
struct end_race {
	struct waitq begin;
	struct waitq end;
	uint32_t round;       /* atomic: 1 .. ROUNDS */
	uint32_t ndone;       /* atomic: of this round; workers that have ended behind it */
	uint32_t next_worker; /* atomic */
	struct object *objects[WORKERS]; /* written before the round begins */
};

static struct end_race race;

static void give_up_references(UNUSED void *argument)
{
	uint32_t number = __atomic_fetch_add(&race.next_worker, 1, __ATOMIC_RELAXED);

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		wait_event(&race.begin, load_acquire(&race.round) == round);
		object_put(race.objects[number]);
		(void)atomic_fetch_add_full(&race.ndone, 1);
		waitq_wake_all(&race.end);
	}
}

static err_t watch(struct object *epoll, struct object *target)
{
	const struct abi_epoll_event event = {.events = POLLIN | EPOLLET};

	return epoll_add(epoll, 0, target, &event);
}

/* An eventfd, an epoll that watches it, and one that watches both. */
static bool make_objects(void)
{
	race.objects[0] = eventfd_create(0, false, O_NONBLOCK);
	race.objects[1] = epoll_create();
	race.objects[2] = epoll_create();
	return race.objects[0] && race.objects[1] && race.objects[2] &&
	       !watch(race.objects[1], race.objects[0]) &&
	       !watch(race.objects[2], race.objects[0]) && !watch(race.objects[2], race.objects[1]);
}

SELFTEST(epoll_ends_meet)
{
	race = (struct end_race){0};
	waitq_init(&race.begin);
	waitq_init(&race.end);
	for (unsigned i = 0; i < WORKERS; i++) {
		if (!selftest_check(!kthread_start("epoll", give_up_references, NULL, NULL)))
			return; /* the others wait for ever, and the leak is told as well */
	}
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		const uint64_t one = 1;
		struct object *bumped = NULL;

		if (selftest_check(make_objects()))
			bumped = object_get(race.objects[0]);
		write_once(&race.ndone, 0);
		store_release(&race.round, round);
		waitq_wake_all(&race.begin);
		/* Every other time the eventfd is woken while its watchers go, and goes last. */
		if (bumped && round % 2)
			selftest_check(object_write_kernel(bumped, &one, sizeof(one)) == 8);
		object_put(bumped);
		wait_event(&race.end, load_acquire(&race.ndone) == WORKERS);
	}
}

static int look(struct object *epoll, uint64_t deadline_ns)
{
	struct abi_epoll_event events[4];
	struct buffer to;

	buffer_init_kernel(&to, events, sizeof(events));
	return epoll_wait(epoll, &to, deadline_ns);
}

/* Whoever makes an event finds it in every epoll around it. */
SELFTEST(epoll_around_an_epoll_has_the_event_at_once)
{
	const uint64_t one = 1;
	struct object *counter = eventfd_create(0, false, O_NONBLOCK);
	struct object *inner = epoll_create();
	struct object *outer = epoll_create();
	unsigned nseen = 0;

	if (selftest_check(counter && inner && outer) && selftest_check(!watch(inner, counter)) &&
	    selftest_check(!watch(outer, inner))) {
		for (unsigned i = 0; i < ROUNDS; i++) {
			selftest_check(object_write_kernel(counter, &one, sizeof(one)) == 8);
			nseen += look(outer, 0) == 1;
			selftest_check(look(inner, 0) == 1);
		}
		selftest_check(nseen == ROUNDS);
	}
	object_put(outer);
	object_put(inner);
	object_put(counter);
}

SELFTEST(epoll_tells_edges_of_what_was_asked_alone)
{
	const uint64_t one = 1;
	struct object *epoll = epoll_create();
	struct object *counter = eventfd_create(5, true, O_NONBLOCK);
	uint64_t value;
	struct buffer to;

	buffer_init_kernel(&to, &value, sizeof(value));
	if (selftest_check(epoll && counter && !watch(epoll, counter))) {
		selftest_check(look(epoll, 0) == 1);
		selftest_check(look(epoll, 0) == 0);
		/* It is readable still, but only room to write has come. */
		selftest_check(object_read(counter, &to, NULL) == 8);
		selftest_check(look(epoll, 0) == 0);
		selftest_check(object_write_kernel(counter, &one, sizeof(one)) == 8);
		selftest_check(look(epoll, 0) == 1);
	}
	object_put(counter);
	object_put(epoll);
}
