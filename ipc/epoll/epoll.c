/*
 * The epoll object: waiting, being polled itself, its life. See epoll_priv.h for the locks.
 *
 * Programs' memory is written with no lock held: a wait takes a few events at a time out of the
 * list, copies them, and puts back what could not be copied.
 */
#include "epoll_priv.h"

#include <abi/fcntl.h>
#include <ipc/anonymous.h>
#include <lib/string.h>
#include <mm/slab.h>

#define TOLD_MAX 32 /* at a time */

/* An event on its way to a program, and which entry it is of: that may end meanwhile. */
struct told {
	struct abi_epoll_event event;
	int fd;
	const struct object *object; /* to compare, not to look at */
};

SLAB_CACHE(epoll_cache, struct epoll);
static const struct object_ops epoll_ops;

struct epoll *epoll_of(struct object *object)
{
	return container_of(object, struct epoll, object);
}

bool object_is_epoll(const struct object *object)
{
	return object->ops == &epoll_ops;
}

/* ---- waiting ---- */

/* The first of `taken`, on no list then; what happens to it from here on puts it on the ready. */
static struct epoll_item *pop(struct epoll *epoll, struct list *taken)
{
	struct epoll_item *item = NULL;
	irqflags_t flags = spin_lock_irqsave(&epoll->ready_lock);

	if (!list_empty(taken)) {
		item = list_first_entry(taken, struct epoll_item, ready_link);
		list_del(&item->ready_link);
	}
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
	return item;
}

static void take_ready(struct epoll *epoll, struct list *taken)
{
	irqflags_t flags = spin_lock_irqsave(&epoll->ready_lock);

	list_add_tail(&epoll->ready, &epoll->taken);
	list_cut_before(taken, &epoll->ready, &epoll->taken);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
}

/* Before those that have come meanwhile. */
static void put_back(struct epoll *epoll, struct list *taken)
{
	irqflags_t flags = spin_lock_irqsave(&epoll->ready_lock);

	list_splice_head(&epoll->ready, taken);
	list_del(&epoll->taken);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
}

/* `call`: of epoll->nwaits. How many were told. */
static unsigned take(struct epoll *epoll, uint64_t call, struct told *told, unsigned room)
	REQUIRES(epoll->lock);
static unsigned take(struct epoll *epoll, uint64_t call, struct told *told, unsigned room)
{
	LIST_HEAD(taken);
	struct epoll_item *item;
	unsigned ntold = 0;

	take_ready(epoll, &taken);
	while (ntold < room && (item = pop(epoll, &taken))) {
		unsigned events;

		if (item->told_in == call) { /* and so was all that stands behind it */
			(void)epoll_make_ready(item);
			break;
		}
		events = epoll_look(epoll, item);
		if (!events)
			continue;
		item->told_in = call;
		told[ntold++] = (struct told){.event = {.events = events, .data = item->data},
					      .fd = item->fd,
					      .object = item->object};
		if (item->events & EPOLLONESHOT)
			write_once(&item->wanted, 0);
		else if (!(item->events & EPOLLET))
			(void)epoll_make_ready(item);
	}
	put_back(epoll, &taken);
	return ntold;
}

/* Events that the program's memory did not take: as if they had not been told. */
static void take_back(struct epoll *epoll, const struct told *told, unsigned ntold)
{
	mutex_lock(&epoll->lock);
	for (unsigned i = 0; i < ntold; i++) {
		struct epoll_item *item = epoll_find(epoll, told[i].fd, told[i].object);

		if (!item)
			continue;
		if (!item->wanted)
			write_once(&item->wanted, epoll_wanted(item));
		(void)epoll_make_ready(item);
	}
	mutex_unlock(&epoll->lock);
	(void)epoll_tell(epoll);
}

static unsigned copy_out(struct buffer *to, const struct told *told, unsigned ntold)
{
	for (unsigned i = 0; i < ntold; i++) {
		if (buffer_copy_to(to, &told[i].event, sizeof(told[i].event)) <
		    sizeof(told[i].event))
			return i;
	}
	return ntold;
}

/* All that is ready, or fits. How many, or -EFAULT. */
static int deliver(struct epoll *epoll, struct buffer *to)
{
	struct told told[TOLD_MAX];
	unsigned ndone = 0;
	uint64_t call = 0;
	unsigned ntold;

	do {
		size_t room = buffer_remaining(to) / sizeof(told->event);
		unsigned ncopied;

		mutex_lock(&epoll->lock);
		if (!call)
			call = ++epoll->nwaits;
		ntold = take(epoll, call, told, (unsigned)MIN(room, (size_t)TOLD_MAX));
		mutex_unlock(&epoll->lock);
		/* Others may have the rest, and what is told again. */
		if (epoll_has_ready(epoll))
			(void)waitq_wake_one(&epoll->sleepers);
		ncopied = copy_out(to, told, ntold);
		ndone += ncopied;
		if (ncopied < ntold) {
			take_back(epoll, told + ncopied, ntold - ncopied);
			return ndone ? (int)ndone : -EFAULT;
		}
	} while (ntold == TOLD_MAX);
	return (int)ndone;
}

int epoll_wait(struct object *object, struct buffer *to, uint64_t deadline_ns)
{
	struct epoll *epoll = epoll_of(object);

	for (;;) {
		int ntold = epoll_has_ready(epoll) ? deliver(epoll, to) : 0;
		err_t err;

		if (ntold || !deadline_ns)
			return ntold;
		if (thread_interrupted())
			return -EINTR;
		err = wait_event_interruptible_timeout(&epoll->sleepers, epoll_has_ready(epoll),
						       deadline_ns);
		if (err)
			return err == -ETIMEDOUT ? 0 : err;
	}
}

/* ---- being polled ---- */

/* Lets go of what has nothing to tell any more, up to the first that has. */
static bool finds_one(struct epoll *epoll) REQUIRES(epoll->lock);
static bool finds_one(struct epoll *epoll)
{
	LIST_HEAD(taken);
	struct epoll_item *item;
	bool found = false;

	take_ready(epoll, &taken);
	while (!found && (item = pop(epoll, &taken))) {
		found = epoll_look(epoll, item);
		if (found)
			(void)epoll_make_ready(item);
	}
	put_back(epoll, &taken);
	return found;
}

/* Does not sleep: while others are at the list, what is on it counts. */
static unsigned epoll_poll(struct object *object, struct waitq **queue)
{
	struct epoll *epoll = epoll_of(object);
	bool found;

	*queue = &epoll->pollers;
	if (!epoll_has_ready(epoll))
		return 0;
	if (!mutex_trylock(&epoll->lock))
		return POLLIN;
	found = finds_one(epoll);
	mutex_unlock(&epoll->lock);
	return found ? POLLIN : 0;
}

/* ---- its life ---- */

static void epoll_describe(UNUSED struct object *object, char *to, size_t to_bytes)
{
	string_copy(to, to_bytes, "anon_inode:[eventpoll]");
}

static void epoll_release(struct object *object)
{
	epoll_remove_all(epoll_of(object));
}

static void epoll_free(struct object *object)
{
	slab_free(&epoll_cache, epoll_of(object));
}

static const struct object_ops epoll_ops = {
	.poll = epoll_poll,
	.stat = anonymous_stat,
	.describe = epoll_describe,
	.release = epoll_release,
	.free = epoll_free,
};

struct object *epoll_create(void)
{
	struct epoll *epoll = slab_alloc_zeroed(&epoll_cache);

	if (!epoll)
		return NULL;
	object_init(&epoll->object, &epoll_ops, OBJECT_OTHER, O_RDWR);
	mutex_init(&epoll->lock, LOCK_EPOLL);
	epoll->items = (struct tree)TREE_INIT(NULL);
	spin_init(&epoll->ready_lock, LOCK_READY);
	list_init(&epoll->ready);
	list_init(&epoll->taken);
	waitq_init(&epoll->sleepers);
	spin_init(&epoll->sleepers.lock, LOCK_SLEEPERS);
	waitq_init(&epoll->pollers);
	spin_init(&epoll->pollers.lock, LOCK_POLLERS);
	list_init(&epoll->inner);
	list_init(&epoll->outer);
	return &epoll->object;
}
