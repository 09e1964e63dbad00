/*
 * epoll's entries: how one comes, is told of a wake, and goes. See epoll_priv.h for the locks.
 */
#include "epoll_priv.h"

#include <abi/fcntl.h>
#include <lib/atomic.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define WATCH_LOCKS 32

/* What Linux lets stand beside EPOLLEXCLUSIVE. */
#define EXCLUSIVE_MAY_HAVE                                                                         \
	(POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

SLAB_CACHE(item_cache, struct epoll_item);
static uint64_t nitems; /* atomic: in all epolls */
static struct spinlock watch_locks[WATCH_LOCKS] = {[0 ... WATCH_LOCKS - 1] =
							   SPINLOCK_INIT(LOCK_WATCHES)};
static WAITQ(entries_gone); /* an epoll that ends has let go of its entries */

/* ---- an object's entries ---- */

static struct spinlock *watch_lock_of(const struct object *object)
{
	return &watch_locks[(uintptr_t)object / 64 % WATCH_LOCKS];
}

static void watch_object(struct epoll_item *item)
{
	struct object *object = item->object;

	spin_lock(watch_lock_of(object));
	item->next_watch = object->watches;
	item->at_watch = &object->watches;
	if (item->next_watch)
		item->next_watch->at_watch = &item->next_watch;
	write_once(&object->watches, item);
	spin_unlock(watch_lock_of(object));
}

static void unwatch_object(struct epoll_item *item)
{
	struct object *object = item->object;

	spin_lock(watch_lock_of(object));
	write_once(item->at_watch, item->next_watch);
	if (item->next_watch)
		item->next_watch->at_watch = item->at_watch;
	spin_unlock(watch_lock_of(object));
}

/* ---- being told ---- */

bool epoll_make_ready(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	irqflags_t flags = spin_lock_irqsave(&epoll->ready_lock);
	bool fresh = !list_linked(&item->ready_link);

	if (fresh)
		list_add_tail(&epoll->ready, &item->ready_link);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
	return fresh;
}

bool epoll_tell(struct epoll *epoll)
{
	/* With a barrier before it looks who waits, for both. */
	bool woken = waitq_wake_one(&epoll->sleepers);

	if (waitq_has_waiters(&epoll->pollers)) {
		waitq_wake_all_events(&epoll->pollers, POLLIN);
		woken = true;
	}
	return woken;
}

/* Under the lock of the object's queue. */
static bool notify(struct waitq_watch *watch, unsigned events)
{
	struct epoll_item *item = container_of(watch, struct epoll_item, watch);

	if (!(poll_synonyms(events) & read_once(&item->wanted)))
		return false;
	return epoll_make_ready(item) && epoll_tell(item->epoll);
}

/* Most objects have their queue from the beginning; /dev/fuse gets it with its mount. */
static void change_queue(struct epoll_item *item, struct waitq *queue)
{
	if (item->queue)
		waitq_unwatch(item->queue, &item->watch);
	item->queue = queue;
	if (queue)
		waitq_watch(queue, &item->watch);
}

unsigned epoll_look(UNUSED struct epoll *epoll, struct epoll_item *item)
{
	struct waitq *queue;
	unsigned events = object_poll(item->object, &queue);

	if (unlikely(queue != item->queue)) {
		change_queue(item, queue);
		events = object_poll(item->object, &queue); /* what came before we were told */
	}
	return events & item->wanted;
}

/* ---- coming ---- */

struct epoll_item *epoll_find(struct epoll *epoll, int fd, const struct object *object)
{
	struct tree_node *at = epoll->items.root;

	while (at) {
		struct epoll_item *item = tree_entry(at, struct epoll_item, node);

		if (item->object == object && item->fd == fd)
			return item;
		at = object < item->object || (object == item->object && fd < item->fd) ? at->left
											: at->right;
	}
	return NULL;
}

static void insert(struct epoll *epoll, struct epoll_item *item) REQUIRES(epoll->lock);
static void insert(struct epoll *epoll, struct epoll_item *item)
{
	struct tree_node **at = &epoll->items.root;
	struct tree_node *parent = NULL;

	while (*at) {
		const struct epoll_item *other = tree_entry(*at, struct epoll_item, node);

		parent = *at;
		at = item->object < other->object ||
				     (item->object == other->object && item->fd < other->fd)
			     ? &parent->left
			     : &parent->right;
	}
	tree_insert(&epoll->items, &item->node, parent, at);
}

static void set_events(struct epoll_item *item, const struct abi_epoll_event *event)
{
	item->events = event->events;
	item->data = event->data;
	write_once(&item->wanted, epoll_wanted(item));
	/* Either a waker sees what is wanted now, or the look that follows sees what it did. */
	memory_barrier();
}

/* At most a 25th of memory, as on Linux. */
static bool is_room(void)
{
	uint64_t most = frames_total() * PAGE_SIZE / 25 / sizeof(struct epoll_item);

	if (atomic_fetch_add_full(&nitems, 1) < most)
		return true;
	(void)atomic_fetch_add_full(&nitems, (uint64_t)-1);
	return false;
}

static void item_free(struct epoll_item *item)
{
	(void)atomic_fetch_add_full(&nitems, (uint64_t)-1);
	slab_free(&item_cache, item);
}

static err_t item_create(struct epoll *epoll, int fd, struct object *target, bool exclusive,
			 struct epoll_item **out)
{
	struct epoll_item *item;

	if (!is_room())
		return -ENOSPC;
	item = slab_alloc_zeroed(&item_cache);
	if (!item) {
		(void)atomic_fetch_add_full(&nitems, (uint64_t)-1);
		return -ENOMEM;
	}
	item->epoll = epoll;
	item->object = target;
	item->fd = fd;
	item->watch.notify = notify;
	item->watch.exclusive = exclusive;
	list_init(&item->ready_link);
	*out = item;
	return 0;
}

static void tell_if_ready(struct epoll *epoll, struct epoll_item *item) REQUIRES(epoll->lock);
static void tell_if_ready(struct epoll *epoll, struct epoll_item *item)
{
	if (epoll_look(epoll, item) && epoll_make_ready(item))
		(void)epoll_tell(epoll);
}

static err_t add_item(struct epoll_item *item, const struct abi_epoll_event *event)
{
	struct epoll *epoll = item->epoll;
	err_t err = 0;

	mutex_lock(&epoll->lock);
	if (epoll_find(epoll, item->fd, item->object)) {
		err = -EEXIST;
	} else {
		insert(epoll, item);
		watch_object(item);
		set_events(item, event);
		tell_if_ready(epoll, item);
	}
	mutex_unlock(&epoll->lock);
	return err;
}

static err_t add_epoll(struct epoll_item *item, const struct abi_epoll_event *event)
{
	struct epoll *inner = epoll_of(item->object);
	err_t err;

	mutex_lock(&nesting_lock);
	err = epoll_check_nesting(item->epoll, inner);
	if (!err)
		err = add_item(item, event);
	if (!err) {
		list_add_tail(&item->epoll->inner, &item->inner_link);
		list_add_tail(&inner->outer, &item->outer_link);
	}
	mutex_unlock(&nesting_lock);
	return err;
}

err_t epoll_add(struct object *object, int fd, struct object *target,
		const struct abi_epoll_event *event)
{
	bool exclusive = event->events & EPOLLEXCLUSIVE;
	struct epoll_item *item;
	err_t err;

	if (exclusive && (event->events & ~EXCLUSIVE_MAY_HAVE || object_is_epoll(target)))
		return -EINVAL;
	err = item_create(epoll_of(object), fd, target, exclusive, &item);
	if (err)
		return err;
	err = object_is_epoll(target) ? add_epoll(item, event) : add_item(item, event);
	if (err)
		item_free(item);
	return err;
}

err_t epoll_change(struct object *object, int fd, struct object *target,
		   const struct abi_epoll_event *event)
{
	struct epoll *epoll = epoll_of(object);
	struct epoll_item *item;
	err_t err = 0;

	if (event->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	mutex_lock(&epoll->lock);
	item = epoll_find(epoll, fd, target);
	if (!item) {
		err = -ENOENT;
	} else if (item->events & EPOLLEXCLUSIVE) {
		err = -EINVAL;
	} else {
		set_events(item, event);
		tell_if_ready(epoll, item);
	}
	mutex_unlock(&epoll->lock);
	return err;
}

/* ---- going ---- */

/* Under epoll->lock, and under nesting_lock if its object is an epoll. */
static void item_end(struct epoll_item *item) NO_THREAD_SAFETY
{
	struct epoll *epoll = item->epoll;
	irqflags_t flags;

	if (item->queue)
		waitq_unwatch(item->queue, &item->watch); /* nobody puts it on the list now */
	flags = spin_lock_irqsave(&epoll->ready_lock);
	list_del(&item->ready_link);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
	tree_remove(&epoll->items, &item->node);
	if (object_is_epoll(item->object)) {
		list_del(&item->inner_link);
		list_del(&item->outer_link);
	}
	unwatch_object(item); /* the last that needs the object */
	item_free(item);
}

static void lock_for_end(struct epoll *epoll, bool nests) NO_THREAD_SAFETY
{
	if (nests)
		mutex_lock(&nesting_lock);
	mutex_lock(&epoll->lock);
}

static void unlock_after_end(struct epoll *epoll, bool nests) NO_THREAD_SAFETY
{
	mutex_unlock(&epoll->lock);
	if (nests)
		mutex_unlock(&nesting_lock);
}

err_t epoll_remove(struct object *object, int fd, struct object *target) NO_THREAD_SAFETY
{
	struct epoll *epoll = epoll_of(object);
	bool nests = object_is_epoll(target);
	struct epoll_item *item;

	lock_for_end(epoll, nests);
	item = epoll_find(epoll, fd, target);
	if (item)
		item_end(item);
	unlock_after_end(epoll, nests);
	return item ? 0 : -ENOENT;
}

void epoll_remove_all(struct epoll *epoll) NO_THREAD_SAFETY
{
	bool nests = !list_empty(&epoll->inner); /* nobody has a reference to change that by */
	struct epoll_item *item;

	lock_for_end(epoll, nests);
	while ((item = tree_entry(tree_first(&epoll->items), struct epoll_item, node)))
		item_end(item);
	unlock_after_end(epoll, nests);
	waitq_wake_all(&entries_gone);
}

/* The first entry of the object, and a reference to its epoll if that has not begun to end. */
static struct epoll_item *first_watch(struct object *object, struct epoll **epoll)
{
	struct epoll_item *item;

	*epoll = NULL;
	spin_lock(watch_lock_of(object));
	item = object->watches;
	if (item && refcount_try_get(&item->epoll->object.references))
		*epoll = item->epoll;
	spin_unlock(watch_lock_of(object));
	return item;
}

void epoll_forget(struct object *object) NO_THREAD_SAFETY
{
	bool nests = object_is_epoll(object);
	struct epoll_item *item;
	struct epoll *epoll;

	/* No reference is left to add or remove one by. */
	while ((item = first_watch(object, &epoll))) {
		if (!epoll) {
			wait_event(&entries_gone, read_once(&object->watches) != item);
			continue;
		}
		lock_for_end(epoll, nests);
		item_end(item);
		unlock_after_end(epoll, nests);
		object_put(&epoll->object);
	}
}

err_t epoll_watched(struct object *object, int fd, uint32_t nth, const struct object **target)
{
	struct epoll *epoll = epoll_of(object);
	const struct epoll_item *item;
	err_t err = -ENOENT;

	mutex_lock(&epoll->lock);
	tree_for_each (item, &epoll->items, node) {
		if (item->fd != fd || nth--)
			continue;
		*target = item->object;
		err = 0;
		break;
	}
	mutex_unlock(&epoll->lock);
	return err;
}
