/*
 * Objects: their life, and the checks that hold for every kind before an operation is called. No
 * lock: the count and the flags are atomic, the rest is constant.
 */
#include <ipc/object.h>

#include <ipc/async.h>
#include <ipc/epoll.h>
#include <lib/string.h>

void object_init(struct object *object, const struct object_ops *ops, enum object_kind kind,
		 unsigned flags)
{
	object->ops = ops;
	object->kind = kind;
	object->flags = flags;
	object->watches = NULL;
	object->async = NULL;
	refcount_init(&object->references);
}

static void free_later(struct rcu_head *head)
{
	struct object *object = container_of(head, struct object, rcu);

	object->ops->free(object);
}

void object_put(struct object *object)
{
	if (!object || !refcount_put(&object->references))
		return;
	if (unlikely(read_once(&object->watches)))
		epoll_forget(object);
	if (unlikely(read_once(&object->async)))
		async_forget(object);
	if (object->ops->release)
		object->ops->release(object);
	/* A look-up may be between reading the slot and failing to get a reference. */
	rcu_call(&object->rcu, free_later);
}

err_t object_set_flags(struct object *object, unsigned flags)
{
	unsigned old = object_flags(object);
	unsigned changed = (old ^ flags) & (O_APPEND | O_NONBLOCK | O_DIRECT);
	unsigned settable = OBJECT_FLAGS_SETTABLE;

	if (old & O_PATH)
		return -EBADF;
	if (object->ops->can_direct && object->ops->can_direct(object))
		settable |= O_DIRECT;
	if (changed & ~settable)
		return -EINVAL;
	/* Access mode and creation flags in `flags` are ignored, as F_SETFL does. */
	while (!atomic_cas(&object->flags, &old, (old & ~settable) | (flags & settable)))
		;
	return 0;
}

void object_mark(struct object *object, unsigned flag, bool on)
{
	unsigned old = object_flags(object);

	while (!atomic_cas(&object->flags, &old, on ? old | flag : old & ~flag))
		;
}

bool object_signals_always(UNUSED const struct object *object)
{
	return true;
}

static bool may_read(const struct object *object)
{
	unsigned flags = object_flags(object);

	return !(flags & O_PATH) && (flags & O_ACCMODE) != O_WRONLY;
}

static bool may_write(const struct object *object)
{
	unsigned flags = object_flags(object);

	return !(flags & O_PATH) &&
	       ((flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR);
}

static bool is_path_only(const struct object *object)
{
	return (object_flags(object) & O_PATH) != 0;
}

ssize_t object_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	if (!may_read(object))
		return -EBADF;
	if (!object->ops->read)
		return -EINVAL;
	if (offset && *offset > INT64_MAX)
		return -EINVAL;
	return object->ops->read(object, buffer, offset);
}

ssize_t object_write(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	if (!may_write(object))
		return -EBADF;
	if (!object->ops->write)
		return -EINVAL;
	if (offset && *offset > INT64_MAX)
		return -EINVAL;
	return object->ops->write(object, buffer, offset);
}

err_t object_seek(struct object *object, int64_t offset, int whence, uint64_t *position)
{
	if (is_path_only(object))
		return -EBADF;
	if (!object->ops->seek)
		return -ESPIPE;
	return object->ops->seek(object, offset, whence, position);
}

ssize_t object_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	if (is_path_only(object))
		return -EBADF;
	if (!object->ops->ioctl)
		return -ENOTTY;
	return object->ops->ioctl(object, command, argument);
}

err_t object_stat(struct object *object, struct abi_stat *out)
{
	if (!object->ops->stat)
		return -EBADF;
	return object->ops->stat(object, out);
}

ssize_t object_getdents(struct object *object, struct buffer *buffer, enum dirent_form form)
{
	if (is_path_only(object))
		return -EBADF;
	if (!object->ops->getdents)
		return -ENOTDIR;
	return object->ops->getdents(object, buffer, form);
}

err_t object_truncate(struct object *object, uint64_t size_bytes)
{
	if (is_path_only(object))
		return -EBADF;
	if (!may_write(object) || !object->ops->truncate || size_bytes > INT64_MAX)
		return -EINVAL;
	return object->ops->truncate(object, size_bytes);
}

err_t object_sync(struct object *object)
{
	if (is_path_only(object))
		return -EBADF;
	if (!object->ops->sync)
		return -EINVAL;
	return object->ops->sync(object);
}

/* Punching keeps the size; the two that move what is behind the range change it. */
static bool allocate_mode_ok(unsigned mode)
{
	switch (mode & ~FALLOC_FL_KEEP_SIZE) {
	case 0:
	case FALLOC_FL_ZERO_RANGE:
	case FALLOC_FL_UNSHARE_RANGE:
		return true;
	case FALLOC_FL_PUNCH_HOLE:
		return mode & FALLOC_FL_KEEP_SIZE;
	case FALLOC_FL_COLLAPSE_RANGE:
	case FALLOC_FL_INSERT_RANGE:
		return !(mode & FALLOC_FL_KEEP_SIZE);
	default:
		return false;
	}
}

err_t object_allocate(struct object *object, unsigned mode, int64_t offset_bytes, int64_t len_bytes)
{
	int64_t end_bytes;

	if (is_path_only(object))
		return -EBADF;
	if (offset_bytes < 0 || len_bytes <= 0)
		return -EINVAL;
	if (!allocate_mode_ok(mode))
		return -EOPNOTSUPP;
	if (!may_write(object))
		return -EBADF;
	if (!object->ops->allocate)
		return object->kind == OBJECT_PIPE ? -ESPIPE : -ENODEV;
	if (__builtin_add_overflow(offset_bytes, len_bytes, &end_bytes))
		return -EFBIG;
	return object->ops->allocate(object, mode, (uint64_t)offset_bytes, (uint64_t)len_bytes);
}

ssize_t object_copy_range(struct object *from, uint64_t from_bytes, struct object *to,
			  uint64_t to_bytes, uint32_t len_bytes)
{
	if (from->ops != to->ops || !from->ops->copy_range)
		return -EOPNOTSUPP;
	return from->ops->copy_range(from, from_bytes, to, to_bytes, len_bytes);
}

err_t object_lock(struct object *object, const struct object_lock *lock, bool wait)
{
	if (is_path_only(object))
		return -EBADF;
	if (!object->ops->lock)
		return -EINVAL;
	/* fcntl's are for who may read, or write; flock's for everybody. */
	if (lock->kind != OBJECT_LOCK_WHOLE && ((lock->type == F_RDLCK && !may_read(object)) ||
						(lock->type == F_WRLCK && !may_write(object))))
		return -EBADF;
	return object->ops->lock(object, lock, wait);
}

err_t object_lock_test(struct object *object, struct object_lock *lock)
{
	if (is_path_only(object))
		return -EBADF;
	return object->ops->lock_test ? object->ops->lock_test(object, lock) : -EINVAL;
}

void object_poll_ask(struct object *object)
{
	if (object->ops->poll_ask && !is_path_only(object))
		object->ops->poll_ask(object);
}

unsigned object_poll(struct object *object, struct waitq **queue)
{
	*queue = NULL;
	if (is_path_only(object))
		return POLLNVAL;
	return poll_synonyms(object->ops->poll ? object->ops->poll(object, queue)
					       : POLLIN | POLLOUT);
}

err_t object_map(struct object *object, const struct object_map_request *request,
		 struct memory_object **out)
{
	if (is_path_only(object))
		return -EBADF;
	/* Even a write-only mapping reads: the page is filled first. */
	if (!may_read(object) || (request->shared && request->write && !may_write(object)))
		return -EACCES;
	if (!object->ops->map)
		return -ENODEV;
	return object->ops->map(object, request, out);
}

err_t object_seal(struct object *object, unsigned add, unsigned *seals)
{
	if (object_flags(object) & O_PATH)
		return -EBADF;
	if (!object->ops->seal)
		return -EINVAL;
	if (add && (object_flags(object) & O_ACCMODE) == O_RDONLY)
		return -EPERM;
	return object->ops->seal(object, add, seals);
}

void object_describe(struct object *object, char *to, size_t to_bytes)
{
	if (object->ops->describe)
		object->ops->describe(object, to, to_bytes);
	else
		string_copy(to, to_bytes, "(object)");
}

err_t object_reopen(struct object *object, unsigned flags, struct object **out)
{
	return object->ops->reopen ? object->ops->reopen(object, flags, out) : -ENXIO;
}

err_t object_reopen_same(struct object *object, unsigned flags, struct object **out)
{
	bool reads = (flags & O_ACCMODE) != O_WRONLY;
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	if ((reads && !may_read(object)) || (writes && !may_write(object)))
		return -EACCES;
	*out = object_get(object);
	return 0;
}

ssize_t object_read_kernel(struct object *object, void *to, size_t len_bytes, uint64_t offset_bytes)
{
	struct buffer buffer;
	ssize_t done;

	buffer_init_kernel(&buffer, to, len_bytes);
	while (buffer_remaining(&buffer)) {
		uint64_t here = offset_bytes + (len_bytes - buffer_remaining(&buffer));

		done = object_read(object, &buffer, &here);
		if (done < 0)
			return done;
		if (done == 0)
			break;
	}
	return (ssize_t)(len_bytes - buffer_remaining(&buffer));
}

ssize_t object_write_kernel(struct object *object, const void *from, size_t len_bytes)
{
	struct buffer buffer;
	size_t written = 0;
	ssize_t done;

	while (written < len_bytes) {
		/* A writer only reads the buffer, and one that throws the bytes away (/dev/null)
		 * need not even do that: what counts is what it returns. */
		buffer_init_kernel(&buffer, (char *)from + written, len_bytes - written);
		done = object_write(object, &buffer, NULL);
		if (done < 0)
			return done;
		if (done == 0)
			break;
		written += (size_t)done;
	}
	return (ssize_t)written;
}
