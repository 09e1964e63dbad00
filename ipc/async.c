/*
 * Who is signalled about an object: see ipc/async.h. A struct async comes with the first call that
 * needs one and ends with the object. Its lock (LOCK_ASYNC) is outside of those of signals and wait
 * queues; what wakes and the task share is `told` alone.
 */
#include <ipc/async.h>

#include <abi/fcntl.h>
#include <lib/atomic.h>
#include <mm/slab.h>
#include <sched/task.h>
#include <sched/wait.h>

/*
 *   [c] constant
 *   [l] lock
 *   [a] atomic
 */
struct async {
	struct object *object;    /* [c] which it ends with */
	struct spinlock lock;     /* LOCK_ASYNC */
	struct async_owner owner; /* [l] */
	int signal;               /* [l] */
	int fd;                   /* [l] that O_ASYNC was set by */
	struct waitq *queue;      /* [l] that `watch` is on; NULL: O_ASYNC is off */
	struct waitq_watch watch; /* [l] on `queue` or not; its list is the queue's */
	struct task task;         /* the executor's */
	uint32_t told;            /* [a] of POLL* and ASYNC_*: since the task looked last */
	int message_fd;           /* [a] of the last ASYNC_MESSAGE */
	struct rcu_head rcu;      /* [c] until async_forget() */
};

SLAB_CACHE(async_cache, struct async);

/* What may come to hold, as a wait queue tells it. */
#define QUEUE_EVENTS 0xffffu

/* ---- being told ---- */

static void note(struct async *async, uint32_t events)
{
	uint32_t told = read_once(&async->told);

	while (!atomic_cas(&async->told, &told, told | events))
		;
	task_wake(&async->task);
}

/* Under the lock of the object's queue. */
static bool notify(struct waitq_watch *watch, unsigned events)
{
	note(container_of(watch, struct async, watch), poll_synonyms(events) & QUEUE_EVENTS);
	return false; /* it takes nothing of what others wait for */
}

void async_tell_slowly(struct object *object, int fd, unsigned event)
{
	struct async *async;

	rcu_read_lock();
	async = rcu_dereference(&object->async);
	if (async) {
		if (event == ASYNC_MESSAGE)
			write_once(&async->message_fd, fd);
		note(async, event);
	}
	rcu_read_unlock();
}

/* ---- telling ---- */

/* As Linux says it of pipes: their ends are an input's or an output's. */
static unsigned as_told(const struct async *async, unsigned events)
{
	if (async->object->kind != OBJECT_PIPE)
		return events;
	return (events & (POLLIN | POLLOUT)) | (events & POLLHUP ? POLLIN : 0) |
	       (events & POLLERR ? POLLOUT : 0);
}

static void tell(struct async *async, uint32_t told, unsigned hold)
{
	spin_lock(&async->lock);
	if (told & ASYNC_URGENT)
		async_owner_signal(&async->owner, 0, async->fd, ASYNC_URGENT);
	if (told & ASYNC_MESSAGE)
		async_owner_signal(&async->owner, async->signal, read_once(&async->message_fd),
				   ASYNC_MESSAGE);
	if (async->queue && (hold & told))
		async_owner_signal(&async->owner, async->signal, async->fd,
				   as_told(async, hold & told));
	spin_unlock(&async->lock);
}

static enum task_poll async_poll(struct task *task)
{
	struct async *async = container_of(task, struct async, task);
	struct waitq *queue;
	uint32_t told;

	told = atomic_exchange_full(&async->told, 0);
	if (told)
		tell(async, told,
		     told & QUEUE_EVENTS ? object_poll(async->object, &queue) & QUEUE_EVENTS : 0);
	/* What came before the end was told. */
	return task_cancelled(task) ? TASK_DONE : task_pending(task, "something to tell of");
}

/* ---- its life ---- */

static struct async *async_create(struct object *object)
{
	struct async *async = slab_alloc_zeroed(&async_cache);

	if (!async)
		return NULL;
	async->object = object;
	async->fd = -1;
	async->watch.notify = notify;
	spin_init(&async->lock, LOCK_ASYNC);
	task_init(&async->task, "async", async_poll, NULL);
	task_start(&async->task);
	return async;
}

static void async_destroy(struct async *async)
{
	task_cancel_and_join(&async->task);
	slab_free(&async_cache, async);
}

/* The caller has a reference to the object. NULL: no memory. */
static struct async *async_of(struct object *object)
{
	struct async *before = NULL;
	struct async *async = load_acquire(&object->async);

	if (async)
		return async;
	async = async_create(object);
	if (!async || atomic_cas(&object->async, &before, async))
		return async;
	async_destroy(async); /* somebody else was faster */
	return before;
}

static void free_later(struct rcu_head *head)
{
	slab_free(&async_cache, container_of(head, struct async, rcu));
}

void async_forget(struct object *object)
{
	struct async *async = object->async;

	if (!async)
		return;
	if (async->queue)
		waitq_unwatch(async->queue, &async->watch);
	rcu_assign(&object->async, NULL);
	task_cancel_and_join(&async->task);
	async_owner_put(&async->owner);
	rcu_call(&async->rcu, free_later); /* who tells may have found it */
}

/* ---- what programs set ---- */

err_t async_switch(struct object *object, int fd, bool on)
{
	struct waitq *queue = NULL;
	struct async *async;

	if (!object->ops->signals || !object->ops->signals(object))
		return -ENOTTY;
	if (on)
		(void)!object_poll(object, &queue);
	async = on ? async_of(object) : load_acquire(&object->async);
	if (!async)
		return on ? -ENOMEM : 0;
	spin_lock(&async->lock);
	if (on)
		async->fd = fd;
	if (on && queue && !async->queue) {
		async->queue = queue;
		waitq_watch(queue, &async->watch);
	} else if (!on && async->queue) {
		waitq_unwatch(async->queue, &async->watch);
		async->queue = NULL;
	}
	object_mark(object, O_ASYNC, async->queue != NULL);
	spin_unlock(&async->lock);
	return 0;
}

err_t async_set_owner(struct object *object, const struct async_owner *owner, bool only_if_none)
{
	struct async *async = async_of(object);
	struct async_owner gone = *owner;

	if (async) {
		spin_lock(&async->lock);
		if (!only_if_none || !async->owner.number) {
			gone = async->owner;
			async->owner = *owner;
		}
		spin_unlock(&async->lock);
	}
	async_owner_put(&gone);
	return async ? 0 : -ENOMEM;
}

void async_drop_owner(struct object *object, int32_t pid)
{
	struct async *async = load_acquire(&object->async);
	struct async_owner gone = {.type = ASYNC_PROCESS};

	if (!async)
		return;
	spin_lock(&async->lock);
	if (async->owner.type == ASYNC_PROCESS && async->owner.number == pid) {
		gone = async->owner;
		async->owner = (struct async_owner){.type = ASYNC_PROCESS};
	}
	spin_unlock(&async->lock);
	async_owner_put(&gone);
}

void async_get_owner(struct object *object,
		     void (*look)(void *argument, const struct async_owner *owner), void *argument)
{
	struct async *async = load_acquire(&object->async);
	const struct async_owner nobody = {.type = ASYNC_PROCESS};

	if (!async) {
		look(argument, &nobody);
		return;
	}
	spin_lock(&async->lock);
	look(argument, async->owner.number ? &async->owner : &nobody);
	spin_unlock(&async->lock);
}

err_t async_set_signal(struct object *object, int signal)
{
	struct async *async;

	if (!signal && !load_acquire(&object->async))
		return 0;
	async = async_of(object);
	if (!async)
		return -ENOMEM;
	spin_lock(&async->lock);
	async->signal = signal;
	spin_unlock(&async->lock);
	return 0;
}

int async_signal(struct object *object)
{
	const struct async *async = load_acquire(&object->async);

	return async ? read_once(&async->signal) : 0;
}
