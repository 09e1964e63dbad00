/*
 * Pipes: their ends, which are objects that share one struct pipe. It is freed with the last of
 * them, and its bytes go when nobody can take them any more.
 *
 * `lock` is a mutex, since bytes are copied to and from programs under it; it is outside of the
 * address space's lock, which a page fault in the copy takes. Waiters look at the counters without
 * it, before they take it again.
 */
#include "pipe_priv.h"

#include <abi/fcntl.h>
#include <abi/termios.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <lib/fmt.h>
#include <mm/slab.h>

SLAB_CACHE(pipe_cache, struct pipe);
SLAB_CACHE(pipe_end_cache, struct pipe_end);
static uint64_t last_number; /* atomic */

void pipe_wake_writers(struct pipe *pipe)
{
	waitq_wake_all(&pipe->writers);
	if (unlikely(read_once(&pipe->nboth)))
		waitq_wake_all(&pipe->readers);
}

/* ---- reading ---- */

static ssize_t pipe_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct pipe *pipe = end_of(object)->pipe;
	size_t wanted = buffer_remaining(buffer);
	err_t err;

	if (offset)
		return -ESPIPE;
	while (wanted) {
		size_t moved = 0;
		bool had_bytes;
		bool ended;

		mutex_lock(&pipe->lock);
		had_bytes = pipe_readable(pipe);
		ended = pipe_ended(pipe);
		if (had_bytes)
			moved = ring_take(&pipe->ring, buffer);
		mutex_unlock(&pipe->lock);
		if (moved)
			pipe_wake_writers(pipe);
		if (moved || had_bytes)
			return buffer_result(moved, wanted);
		if (ended)
			return 0;
		if (object_call_flags(object, buffer) & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&pipe->readers,
					       pipe_readable(pipe) || pipe_ended(pipe));
		if (err)
			return err;
	}
	return 0;
}

/* ---- writing ---- */

/* Room enough to begin: all of a write that must stay in one piece, else anything. */
static bool has_room(const struct pipe *pipe, size_t want_bytes)
{
	return ring_room(&pipe->ring) >= (want_bytes <= PIPE_ATOMIC ? want_bytes : 1);
}

static ssize_t pipe_write(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct pipe *pipe = end_of(object)->pipe;
	size_t wanted = buffer_remaining(buffer);
	size_t moved = 0;
	err_t err = 0;

	if (offset)
		return -ESPIPE;
	while (moved < wanted && !err) {
		ssize_t step = 0;

		mutex_lock(&pipe->lock);
		if (!pipe->nreaders)
			step = -EPIPE;
		else if (has_room(pipe, moved ? SIZE_MAX : wanted))
			step = ring_put(&pipe->ring, buffer);
		mutex_unlock(&pipe->lock);
		if (step < 0) {
			err = (err_t)step;
			break;
		}
		moved += (size_t)step;
		if (step)
			waitq_wake_all(&pipe->readers);
		if (moved == wanted)
			break;
		if (object_call_flags(object, buffer) & O_NONBLOCK)
			err = -EAGAIN;
		else
			err = wait_event_interruptible(&pipe->writers,
						       has_room(pipe, moved ? SIZE_MAX : wanted) ||
							       !read_once(&pipe->nreaders));
	}
	return moved ? (ssize_t)moved : err;
}

/* ---- the rest ---- */

static err_t pipe_stat(struct object *object, struct abi_stat *out)
{
	const struct pipe *pipe = end_of(object)->pipe;

	*out = (struct abi_stat){
		.st_ino = pipe->number,
		.st_nlink = 1,
		.st_mode = S_IFIFO | 0600,
		.st_uid = pipe->owner.uid,
		.st_gid = pipe->owner.gid,
		.st_blksize = PAGE_SIZE,
		.st_atim = {(int64_t)(pipe->created_ns / NSEC_PER_SEC),
			    (int64_t)(pipe->created_ns % NSEC_PER_SEC)},
	};
	out->st_mtim = out->st_atim;
	out->st_ctim = out->st_atim;
	return 0;
}

static ssize_t pipe_ioctl(struct object *object, unsigned command, uptr_t argument)
{
	int nbytes = (int)ring_bytes(&end_of(object)->pipe->ring);

	return command == FIONREAD ? user_put(argument, &nbytes) : -ENOTTY;
}

static unsigned pipe_poll(struct object *object, struct waitq **queue)
{
	struct pipe_end *end = end_of(object);
	struct pipe *pipe = end->pipe;
	unsigned events = 0;

	*queue = end->reads ? &pipe->readers : &pipe->writers;
	if (end->writes) {
		if (!read_once(&pipe->nreaders))
			events |= POLLERR;
		if (has_room(pipe, PIPE_ATOMIC))
			events |= POLLOUT;
	}
	if (end->reads) {
		if (pipe_readable(pipe))
			events |= POLLIN;
		if (!read_once(&pipe->nwriters) &&
		    read_once(&pipe->nwrite_opens) != end->nopens_before)
			events |= POLLHUP;
	}
	return events;
}

static void pipe_describe(struct object *object, char *to, size_t to_bytes)
{
	kernel_format(to, to_bytes, "pipe:[%lu]", end_of(object)->pipe->number);
}

/* As many ends more, or fewer. */
static void count_end_locked(struct pipe *pipe, const struct pipe_end *end, uint32_t by)
	REQUIRES(pipe->lock)
{
	if (end->reads)
		write_once(&pipe->nreaders, pipe->nreaders + by);
	if (end->writes)
		write_once(&pipe->nwriters, pipe->nwriters + by);
	if (end->reads && end->writes)
		write_once(&pipe->nboth, pipe->nboth + by);
}

static void pipe_release(struct object *object)
{
	struct pipe_end *end = end_of(object);
	struct pipe *pipe = end->pipe;

	mutex_lock(&pipe->lock);
	count_end_locked(pipe, end, UINT32_MAX);
	if (!pipe->nreaders && !pipe->nwriters)
		ring_free(&pipe->ring);
	mutex_unlock(&pipe->lock);
	waitq_wake_all(&pipe->readers);
	waitq_wake_all(&pipe->writers);
	pipe_put(pipe);
}

static void pipe_free(struct object *object)
{
	slab_free(&pipe_end_cache, end_of(object));
}

static err_t pipe_reopen(struct object *object, unsigned flags, struct object **out)
{
	*out = pipe_add_end(end_of(object)->pipe, flags);
	return *out ? 0 : -ENOMEM;
}

static struct object *pipe_itself(struct object *object)
{
	return object;
}

/* The two ends have one half each. */
static uint64_t pipe_held_bytes(struct object *object)
{
	const struct pipe_ring *ring = &end_of(object)->pipe->ring;

	uint64_t taken = read_once(&ring->taken);
	uint64_t written = read_once(&ring->written);

	/* The one may be older than the other, and the size older than both. */
	return MIN(ALIGN_UP(written - taken, PAGE_SIZE), (uint64_t)MIB) / 2;
}

static const struct object_ops end_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.stat = pipe_stat,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
	.signals = object_signals_always,
	.describe = pipe_describe,
	.reopen = pipe_reopen,
	.pipe_end = pipe_itself,
	.held_bytes = pipe_held_bytes,
	.release = pipe_release,
	.free = pipe_free,
};

struct object *pipe_add_end(struct pipe *pipe, unsigned flags)
{
	struct pipe_end *end = slab_alloc_zeroed(&pipe_end_cache);

	if (!end)
		return NULL;
	object_init(&end->object, &end_ops, OBJECT_PIPE, flags);
	end->reads = (flags & O_ACCMODE) != O_WRONLY;
	end->writes = (flags & O_ACCMODE) != O_RDONLY;
	end->pipe = pipe;
	refcount_get(&pipe->references);
	mutex_lock(&pipe->lock);
	if (end->reads)
		end->nopens_before = pipe->nwriters ? 0 : pipe->nwrite_opens;
	else
		end->nopens_before = pipe->nreaders ? 0 : pipe->nread_opens;
	count_end_locked(pipe, end, 1);
	if (end->reads)
		write_once(&pipe->nread_opens, pipe->nread_opens + 1);
	if (end->writes)
		write_once(&pipe->nwrite_opens, pipe->nwrite_opens + 1);
	mutex_unlock(&pipe->lock);
	return &end->object;
}

/* ---- life ---- */

struct pipe *pipe_alloc(struct pipe_owner owner)
{
	struct pipe *pipe = slab_alloc_zeroed(&pipe_cache);

	if (!pipe)
		return NULL;
	mutex_init(&pipe->lock, LOCK_STREAM);
	waitq_init(&pipe->readers);
	waitq_init(&pipe->writers);
	ring_init(&pipe->ring);
	pipe->owner = owner;
	pipe->number = atomic_fetch_add_full(&last_number, 1) + 1;
	pipe->created_ns = clock_wall_ns();
	refcount_init(&pipe->references);
	return pipe;
}

void pipe_put(struct pipe *pipe)
{
	if (!pipe || !refcount_put(&pipe->references))
		return;
	ring_free(&pipe->ring);
	slab_free(&pipe_cache, pipe);
}

err_t pipe_create(unsigned flags, struct pipe_owner owner, struct object **reader,
		  struct object **writer)
{
	struct pipe *pipe = pipe_alloc(owner);
	err_t err = -ENOMEM;

	if (!pipe)
		return err;
	*writer = pipe_add_end(pipe, flags | O_WRONLY);
	*reader = *writer ? pipe_add_end(pipe, flags | O_RDONLY) : NULL;
	if (*reader)
		err = 0;
	else
		object_put(*writer);
	pipe_put(pipe);
	return err;
}

/* ---- the size ---- */

uint32_t pipe_bytes_max = MIB;

err_t pipe_round_size(uint64_t size_bytes, uint64_t *out)
{
	uint64_t rounded = PAGE_SIZE;

	if (size_bytes > PIPE_BYTES_MAX)
		return -EINVAL;
	while (rounded < size_bytes)
		rounded *= 2;
	*out = rounded;
	return 0;
}

size_t pipe_size(struct object *object)
{
	return ring_capacity(&end_of(object)->pipe->ring);
}

err_t pipe_set_size(struct object *object, uint64_t size_bytes, bool privileged, size_t *set_bytes)
{
	struct pipe *pipe = end_of(object)->pipe;
	uint64_t rounded;
	err_t err = pipe_round_size(size_bytes, &rounded);

	if (err)
		return err;
	err = mutex_lock_killable(&pipe->lock);
	if (err)
		return err;
	if (rounded > ring_capacity(&pipe->ring) && rounded > read_once(&pipe_bytes_max) &&
	    !privileged)
		err = -EPERM;
	else
		err = ring_resize(&pipe->ring, (uint32_t)(rounded / PAGE_SIZE));
	mutex_unlock(&pipe->lock);
	if (err)
		return err;
	pipe_wake_writers(pipe);
	*set_bytes = rounded;
	return 0;
}
