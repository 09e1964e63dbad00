/*
 * eventfd: one number under a spinlock (LOCK_PIPE), and one queue for all who wait for it to
 * change. Bytes are copied from and to programs without the lock: a read whose copy fails has taken
 * what it took, as on Linux.
 */
#include <ipc/eventfd.h>

#include <abi/fcntl.h>
#include <arch/spin.h>
#include <ipc/anonymous.h>
#include <lib/string.h>
#include <mm/slab.h>

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	struct object object;
	struct spinlock lock;
	uint64_t count; /* lock; read without it by who polls */
	bool semaphore; /* constant */
	struct waitq changed;
};

SLAB_CACHE(eventfd_cache, struct eventfd);

static struct eventfd *eventfd_of(struct object *object)
{
	return container_of(object, struct eventfd, object);
}

/* 0: there is nothing to take. */
static uint64_t take(struct eventfd *eventfd)
{
	uint64_t taken;

	spin_lock(&eventfd->lock);
	taken = eventfd->semaphore ? MIN(eventfd->count, UINT64_C(1)) : eventfd->count;
	write_once(&eventfd->count, eventfd->count - taken);
	spin_unlock(&eventfd->lock);
	return taken;
}

static bool add(struct eventfd *eventfd, uint64_t value)
{
	bool fits;

	spin_lock(&eventfd->lock);
	fits = value <= COUNT_MAX - eventfd->count;
	if (fits)
		write_once(&eventfd->count, eventfd->count + value);
	spin_unlock(&eventfd->lock);
	return fits;
}

static ssize_t eventfd_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct eventfd *eventfd = eventfd_of(object);
	uint64_t value = 0;
	err_t err = number_check(buffer, offset);

	if (!err)
		err = object_wait(object, &eventfd->changed, (value = take(eventfd)) != 0);
	if (err)
		return err;
	waitq_wake_all_events(&eventfd->changed, POLLOUT);
	return number_give(buffer, value);
}

static ssize_t eventfd_write(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct eventfd *eventfd = eventfd_of(object);
	uint64_t value;
	err_t err = number_check(buffer, offset);

	if (err)
		return err;
	if (buffer_copy_from(buffer, &value, sizeof(value)) < sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	err = object_wait(object, &eventfd->changed, add(eventfd, value));
	if (err)
		return err;
	waitq_wake_all_events(&eventfd->changed, POLLIN);
	return sizeof(value);
}

static unsigned eventfd_poll(struct object *object, struct waitq **queue)
{
	struct eventfd *eventfd = eventfd_of(object);
	uint64_t count = read_once(&eventfd->count);

	*queue = &eventfd->changed;
	return (count ? POLLIN : 0) | (count < COUNT_MAX ? POLLOUT : 0);
}

static void eventfd_describe(struct object *object, char *to, size_t to_bytes)
{
	(void)object;
	string_copy(to, to_bytes, "anon_inode:[eventfd]");
}

static void eventfd_free(struct object *object)
{
	slab_free(&eventfd_cache, eventfd_of(object));
}

static const struct object_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.stat = anonymous_stat,
	.describe = eventfd_describe,
	.free = eventfd_free,
};

struct object *eventfd_create(uint32_t count, bool semaphore, unsigned flags)
{
	struct eventfd *eventfd = slab_alloc_zeroed(&eventfd_cache);

	if (!eventfd)
		return NULL;
	object_init(&eventfd->object, &eventfd_ops, OBJECT_OTHER, flags | O_RDWR);
	spin_init(&eventfd->lock, LOCK_PIPE);
	waitq_init(&eventfd->changed);
	eventfd->count = count;
	eventfd->semaphore = semaphore;
	return &eventfd->object;
}
