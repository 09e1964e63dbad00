/*
 * The names of POSIX message queues, and opening them. Owns the list of the queues of all
 * namespaces, those that have no name any more but are open included: they count as well. A queue
 * has a reference of its name and one of each object that opens it.
 */
#include "mqueue_priv.h"

#include <abi/capability.h>
#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/slab.h>

/* What Linux counts for each message and priority beside the bytes. */
#define MESSAGE_BYTES  48
#define PRIORITY_BYTES 48

static MUTEX(names_lock, LOCK_SYSVS);
static LIST_HEAD(queues);    /* names_lock: struct mqueue, by serial number */
static uint64_t last_serial; /* names_lock */

/* What opens one. */
struct opened {
	struct object object;
	struct mqueue *queue; /* constant: a reference */
	uint64_t read_bytes;  /* atomic: how much of the state was read */
};

SLAB_CACHE(mqueue_cache, struct mqueue);
SLAB_CACHE(opened_cache, struct opened);

static struct opened *opened_of(struct object *object)
{
	return container_of(object, struct opened, object);
}

static void queue_put(struct mqueue *queue)
{
	if (!refcount_put(&queue->references))
		return;
	mutex_lock(&names_lock);
	list_del(&queue->link);
	queue->ipc->nmqueues--;
	mutex_unlock(&names_lock);
	if (queue->notify)
		queue->notify->end(queue->notify, NULL);
	mqueue_free_messages(queue);
	slab_free(&mqueue_cache, queue);
}

/* ---- what was opened ---- */

static ssize_t opened_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct opened *opened = opened_of(object);
	uint64_t from = offset ? *offset : read_once(&opened->read_bytes);
	char state[MQUEUE_STATE_SIZE];
	size_t len_bytes = mqueue_state(opened->queue, state, sizeof(state));
	size_t wanted, moved;

	if (from >= len_bytes)
		return 0;
	wanted = MIN(len_bytes - from, buffer_remaining(buffer));
	moved = buffer_copy_to(buffer, state + from, wanted);
	if (!offset)
		write_once(&opened->read_bytes, from + moved);
	return buffer_result(moved, wanted);
}

static unsigned opened_poll(struct object *object, struct waitq **queue)
{
	struct mqueue *mqueue = opened_of(object)->queue;
	uint64_t nmessages = read_once(&mqueue->nmessages);

	*queue = &mqueue->changed;
	return (nmessages ? POLLIN : 0) | (nmessages < mqueue->maxmsg ? POLLOUT : 0);
}

static err_t opened_stat(struct object *object, struct abi_stat *out)
{
	const struct mqueue *queue = opened_of(object)->queue;

	*out = (struct abi_stat){
		.st_ino = queue->serial,
		.st_mode = S_IFREG | read_once(&queue->mode),
		.st_nlink = 1,
		.st_uid = read_once(&queue->uid),
		.st_gid = read_once(&queue->gid),
		.st_size = MQUEUE_STATE_SIZE,
		.st_blksize = PAGE_SIZE,
		.st_atim = queue->made,
		.st_mtim = queue->made,
		.st_ctim = queue->made,
	};
	return 0;
}

static void opened_describe(struct object *object, char *to, size_t to_bytes)
{
	kernel_format(to, to_bytes, "/%s", opened_of(object)->queue->name);
}

/* Who is to be told and closes any descriptor of the queue gives that up (mq_close). */
static err_t opened_closed(struct object *object, uint64_t owner)
{
	(void)owner;
	return mqueue_set_notify(object, NULL);
}

static void opened_release(struct object *object)
{
	struct mqueue *queue = opened_of(object)->queue;
	struct ipc_namespace *ipc = queue->ipc;

	queue_put(queue);
	ipc_namespace_put(ipc);
}

static void opened_free(struct object *object)
{
	slab_free(&opened_cache, opened_of(object));
}

static const struct object_ops opened_ops = {
	.read = opened_read,
	.poll = opened_poll,
	.stat = opened_stat,
	.describe = opened_describe,
	.closed = opened_closed,
	.release = opened_release,
	.free = opened_free,
};

struct mqueue *mqueue_of_object(struct object *object, unsigned access)
{
	unsigned mode = object_flags(object) & O_ACCMODE;

	if (object->ops != &opened_ops)
		return NULL;
	if ((access == O_RDONLY && mode == O_WRONLY) || (access == O_WRONLY && mode == O_RDONLY))
		return NULL;
	return opened_of(object)->queue;
}

/* Consumes the reference to the queue, whose namespace cannot go meanwhile. */
static err_t open_queue(struct mqueue *queue, unsigned flags, struct object **out)
{
	struct opened *opened = slab_alloc_zeroed(&opened_cache);

	if (!opened) {
		queue_put(queue);
		return -ENOMEM;
	}
	object_init(&opened->object, &opened_ops, OBJECT_OTHER, flags & (O_ACCMODE | O_NONBLOCK));
	opened->queue = queue;
	ipc_namespace_get(queue->ipc);
	*out = &opened->object;
	return 0;
}

/* ---- finding ---- */

static struct mqueue *find_locked(const struct ipc_namespace *ipc, const char *name)
	REQUIRES(names_lock)
{
	struct mqueue *queue;

	list_for_each (queue, &queues, link) {
		if (queue->ipc == ipc && queue->has_name && strcmp(queue->name, name) == 0)
			return queue;
	}
	return NULL;
}

/* The first with a serial number of at least this. */
static struct mqueue *find_serial_locked(const struct ipc_namespace *ipc, uint64_t serial)
	REQUIRES(names_lock)
{
	struct mqueue *queue;

	list_for_each (queue, &queues, link) {
		if (queue->ipc == ipc && queue->has_name && queue->serial >= serial)
			return queue;
	}
	return NULL;
}

static bool describe(const struct mqueue *queue, struct mqueue_info *out)
{
	if (!queue)
		return false;
	*out = (struct mqueue_info){.serial = queue->serial,
				    .mode = queue->mode,
				    .uid = queue->uid,
				    .gid = queue->gid,
				    .made = queue->made};
	string_copy(out->name, sizeof(out->name), queue->name);
	return true;
}

bool mqueue_find(const struct ipc_namespace *ipc, const char *name, struct mqueue_info *out)
{
	bool found;

	mutex_lock(&names_lock);
	found = describe(find_locked(ipc, name), out);
	mutex_unlock(&names_lock);
	return found;
}

bool mqueue_next(const struct ipc_namespace *ipc, uint64_t serial, struct mqueue_info *out)
{
	bool found;

	mutex_lock(&names_lock);
	found = describe(find_serial_locked(ipc, serial + 1), out);
	mutex_unlock(&names_lock);
	return found;
}

bool mqueue_find_by_serial(const struct ipc_namespace *ipc, uint64_t serial,
			   struct mqueue_info *out)
{
	return serial && mqueue_next(ipc, serial - 1, out) && out->serial == serial;
}

err_t mqueue_set_owner(const struct ipc_namespace *ipc, uint64_t serial, uint32_t uid, uint32_t gid,
		       uint32_t mode)
{
	struct mqueue *queue;
	bool found;

	mutex_lock(&names_lock);
	queue = find_serial_locked(ipc, serial);
	found = queue && queue->serial == serial;
	if (found) {
		write_once(&queue->uid, uid);
		write_once(&queue->gid, gid);
		write_once(&queue->mode, mode & 07777);
	}
	mutex_unlock(&names_lock);
	return found ? 0 : -ENOENT;
}

err_t mqueue_reopen(const struct ipc_namespace *ipc, uint64_t serial, unsigned flags,
		    struct object **out)
{
	struct mqueue *queue;

	mutex_lock(&names_lock);
	queue = find_serial_locked(ipc, serial);
	if (queue && queue->serial == serial)
		refcount_get(&queue->references);
	else
		queue = NULL;
	mutex_unlock(&names_lock);
	return queue ? open_queue(queue, flags, out) : -ENOENT;
}

/* ---- making ---- */

static err_t check_shape(const struct mqueue_limits *limits, const struct abi_mq_attr *shape)
{
	bool may_more = sysv_caller_capable(CAP_SYS_RESOURCE);
	uint64_t max = may_more ? MQUEUE_MSG_MAX : read_once(&limits->msg_max);
	uint64_t size_max = may_more ? MQUEUE_MSGSIZE_MAX : read_once(&limits->msgsize_max);

	return shape->mq_maxmsg <= 0 || shape->mq_msgsize <= 0 ||
			       (uint64_t)shape->mq_maxmsg > max ||
			       (uint64_t)shape->mq_msgsize > size_max
		       ? -EINVAL
		       : 0;
}

static uint64_t limit_bytes_of(uint64_t maxmsg, uint64_t msgsize)
{
	return maxmsg * (MESSAGE_BYTES + msgsize) +
	       MIN(maxmsg, (uint64_t)MQ_PRIO_MAX) * PRIORITY_BYTES;
}

/* What may be made now. */
static err_t fits_locked(const struct ipc_namespace *ipc, uint64_t bytes) REQUIRES(names_lock)
{
	uint32_t uid = sysv_caller().uid;
	const struct mqueue *queue;

	if (ipc->nmqueues >= MQUEUE_QUEUES_MAX ||
	    (ipc->nmqueues >= read_once(&ipc->mqueue_limits.queues_max) &&
	     !sysv_caller_capable(CAP_SYS_RESOURCE)))
		return -ENOSPC;
	list_for_each (queue, &queues, link)
		bytes += queue->creator == uid ? queue->limit_bytes : 0;
	return bytes > mqueue_caller_limit_bytes() ? -EMFILE : 0;
}

/* With one reference, its name's. */
static err_t make_locked(struct ipc_namespace *ipc, const char *name, uint32_t mode,
			 const struct abi_mq_attr *shape, struct mqueue **out) REQUIRES(names_lock)
{
	const struct mqueue_limits *limits = &ipc->mqueue_limits;
	struct abi_mq_attr usual = {
		.mq_maxmsg = MIN(read_once(&limits->msg_default), read_once(&limits->msg_max)),
		.mq_msgsize =
			MIN(read_once(&limits->msgsize_default), read_once(&limits->msgsize_max)),
	};
	struct sysv_caller caller = sysv_caller();
	uint64_t now_ns = clock_wall_ns();
	struct mqueue *queue;
	uint64_t bytes;
	err_t err = shape ? check_shape(limits, shape) : 0;

	if (err)
		return err;
	shape = shape ? shape : &usual;
	bytes = limit_bytes_of((uint64_t)shape->mq_maxmsg, (uint64_t)shape->mq_msgsize);
	err = fits_locked(ipc, bytes);
	if (err)
		return err;
	queue = slab_alloc_zeroed(&mqueue_cache);
	if (!queue)
		return -ENOMEM;
	refcount_init(&queue->references);
	mutex_init(&queue->lock, LOCK_SYSV);
	list_init(&queue->receivers);
	list_init(&queue->senders);
	waitq_init(&queue->changed);
	queue->ipc = ipc;
	queue->has_name = true;
	queue->serial = ++last_serial;
	queue->mode = mode & 07777;
	queue->uid = queue->creator = caller.uid;
	queue->gid = caller.gid;
	queue->limit_bytes = bytes;
	queue->made = (struct abi_timespec){.tv_sec = (int64_t)(now_ns / NSEC_PER_SEC),
					    .tv_nsec = (int64_t)(now_ns % NSEC_PER_SEC)};
	queue->maxmsg = (uint64_t)shape->mq_maxmsg;
	queue->msgsize = (uint64_t)shape->mq_msgsize;
	string_copy(queue->name, sizeof(queue->name), name);
	list_add_tail(&queues, &queue->link);
	ipc->nmqueues++;
	*out = queue;
	return 0;
}

/* ---- the calls ---- */

static err_t check_name(const char *name)
{
	if (!*name)
		return -ENOENT;
	if (strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EACCES;
	return strlen(name) > MQUEUE_NAME_MAX ? -ENAMETOOLONG : 0;
}

static err_t may_open_locked(const struct mqueue *queue, unsigned flags) REQUIRES(names_lock)
{
	static const unsigned wanted_by_mode[] = {4, 2, 6, 6};
	unsigned granted = queue->mode;

	if (sysv_caller().uid == queue->uid)
		granted >>= 6;
	else if (sysv_caller_in_group(queue->gid))
		granted >>= 3;
	return wanted_by_mode[flags & O_ACCMODE] & ~granted &&
			       !sysv_caller_capable(CAP_DAC_OVERRIDE)
		       ? -EACCES
		       : 0;
}

static err_t find_or_make_locked(struct ipc_namespace *ipc, const char *name, unsigned flags,
				 uint32_t mode, const struct abi_mq_attr *shape,
				 struct mqueue **out) REQUIRES(names_lock)
{
	*out = find_locked(ipc, name);
	if (!*out)
		return flags & O_CREAT ? make_locked(ipc, name, mode, shape, out) : -ENOENT;
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	return may_open_locked(*out, flags);
}

err_t mqueue_open(const char *name, unsigned flags, uint32_t mode, const struct abi_mq_attr *shape,
		  struct object **out)
{
	struct mqueue *queue;
	err_t err = check_name(name);

	if (err)
		return err;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	mutex_lock(&names_lock);
	err = find_or_make_locked(ipc_namespace_caller(), name, flags, mode, shape, &queue);
	if (!err)
		refcount_get(&queue->references);
	mutex_unlock(&names_lock);
	return err ? err : open_queue(queue, flags, out);
}

static err_t remove(const struct ipc_namespace *ipc, const char *name, bool check)
{
	struct mqueue *queue;
	err_t err = 0;

	mutex_lock(&names_lock);
	queue = find_locked(ipc, name);
	if (!queue)
		err = -ENOENT;
	else if (check && sysv_caller().uid != queue->uid && !sysv_caller_capable(CAP_FOWNER))
		err = -EPERM; /* they lie in a sticky directory of user 0 */
	else
		queue->has_name = false;
	mutex_unlock(&names_lock);
	if (!err)
		queue_put(queue);
	return err;
}

err_t mqueue_unlink(const char *name)
{
	err_t err = check_name(name);

	return err ? err : remove(ipc_namespace_caller(), name, true);
}

err_t mqueue_remove(const struct ipc_namespace *ipc, const char *name)
{
	return remove(ipc, name, false);
}

void mqueue_drop_names(struct ipc_namespace *ipc)
{
	struct mqueue *queue;

	do {
		mutex_lock(&names_lock);
		queue = find_serial_locked(ipc, 0);
		if (queue)
			queue->has_name = false;
		mutex_unlock(&names_lock);
		if (queue)
			queue_put(queue);
	} while (queue);
}
