/*
 * Self-test of what is seen of an epoll from the middle of a look, with an object that takes one
 * when it is polled itself.
 */
#include <ipc/epoll.h>
#include <lib/selftest.h>
#include <mm/slab.h>
#include <sched/wait.h>

struct peeker {
	struct object object;
	struct object *epoll;
	struct waitq changed;
	unsigned seen;   /* the epoll's events while this one was asked */
	unsigned nlooks; /* with `epoll` set */
};

static struct peeker *peeker_of(struct object *object)
{
	return container_of(object, struct peeker, object);
}

static unsigned peeker_poll(struct object *object, struct waitq **queue)
{
	struct peeker *peeker = peeker_of(object);
	struct waitq *unused;

	*queue = &peeker->changed;
	if (peeker->epoll) {
		peeker->seen |= object_poll(peeker->epoll, &unused);
		peeker->nlooks++;
	}
	return POLLIN;
}

static void peeker_free(struct object *object)
{
	kfree(peeker_of(object));
}

static const struct object_ops peeker_ops = {.poll = peeker_poll, .free = peeker_free};

static struct peeker *peeker_create(void)
{
	struct peeker *peeker = kzalloc(sizeof(*peeker));

	if (!peeker)
		return NULL;
	object_init(&peeker->object, &peeker_ops, OBJECT_OTHER, O_RDWR);
	waitq_init(&peeker->changed);
	return peeker;
}

/* The only entry is taken off the list, and will be put back: whoever finds nothing there, and
 * sleeps, is not woken by that. */
SELFTEST(epoll_entry_that_is_looked_at_is_not_missed)
{
	const struct abi_epoll_event event = {.events = POLLIN};
	struct object *epoll = epoll_create();
	struct peeker *peeker = peeker_create();
	struct abi_epoll_event told;
	struct waitq *queue;
	struct buffer to;

	if (!selftest_check(epoll && peeker) ||
	    !selftest_check(epoll_add(epoll, 0, &peeker->object, &event) == 0))
		goto out;
	peeker->epoll = epoll;
	buffer_init_kernel(&to, &told, sizeof(told));
	selftest_check(epoll_wait(epoll, &to, 0) == 1);
	selftest_check(peeker->nlooks == 1 && peeker->seen & POLLIN);
	peeker->seen = 0;
	selftest_check(object_poll(epoll, &queue) & POLLIN);
	selftest_check(peeker->nlooks == 2 && peeker->seen & POLLIN);
out:
	object_put(peeker ? &peeker->object : NULL);
	object_put(epoll);
}
