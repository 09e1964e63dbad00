/*
 * Pipes. A pipe owns up to PIPE_PAGES frames used as a ring of bytes; a frame is there only while
 * it holds any. Both ends are objects that share one struct pipe, freed with the second of them.
 *
 * `lock` is a mutex, since bytes are copied to and from programs under it; it is outside of the
 * address space's lock, which a page fault in the copy takes. Waiters look at the counters without
 * it, before they take it again.
 */
#include <ipc/pipe.h>

#include <abi/fcntl.h>
#include <arch/clock.h>
#include <lib/fmt.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/slab.h>
#include <sched/lock.h>
#include <sched/wait.h>

#define PIPE_PAGES (PIPE_BYTES / PAGE_SIZE)

/*
 *   [c] constant after pipe_create()
 *   [l] lock; read without it by those who are about to wait
 */
struct pipe {
	struct mutex lock;
	struct waitq readers;
	struct waitq writers;
	uint64_t written;                /* [l] bytes ever put in */
	uint64_t taken;                  /* [l] bytes ever taken out */
	uint32_t nreaders;               /* [l] ends that read */
	uint32_t nwriters;               /* [l] ends that write */
	uint64_t number;                 /* [c] its inode number */
	uint64_t created_ns;             /* [c] wall clock */
	struct pipe_owner owner;         /* [c] */
	struct refcount ends;            /* objects that name it */
	struct frame *pages[PIPE_PAGES]; /* [l] NULL: nothing in it */
};

struct pipe_end {
	struct object object;
	struct pipe *pipe; /* [c] */
	bool writes;       /* [c] */
};

SLAB_CACHE(pipe_cache, struct pipe);
SLAB_CACHE(pipe_end_cache, struct pipe_end);
static uint64_t last_number; /* atomic */

static struct pipe_end *end_of(struct object *object)
{
	return container_of(object, struct pipe_end, object);
}

static size_t bytes_in(const struct pipe *pipe)
{
	return read_once(&pipe->written) - read_once(&pipe->taken);
}

/* What lies in one page from `position` on, at most. */
static size_t piece_bytes(uint64_t position, size_t want_bytes)
{
	return MIN(want_bytes, PAGE_SIZE - position % PAGE_SIZE);
}

static struct frame **page_of(struct pipe *pipe, uint64_t position)
{
	return &pipe->pages[position / PAGE_SIZE % PIPE_PAGES];
}

/* ---- reading ---- */

/* Gives back the page that the last byte was taken from, if nothing in it is still to be read:
 * neither behind that byte nor, when the writer has come round, before it. */
static void drop_emptied_locked(struct pipe *pipe) REQUIRES(pipe->lock)
{
	struct frame **page = page_of(pipe, pipe->taken - 1);
	bool round = page_of(pipe, pipe->written - 1) == page;

	if (bytes_in(pipe) && (pipe->taken % PAGE_SIZE || round))
		return;
	frame_put(*page);
	*page = NULL;
}

/* As much as there is, or the buffer takes. */
static size_t take_locked(struct pipe *pipe, struct buffer *buffer) REQUIRES(pipe->lock)
{
	size_t moved = 0;

	while (bytes_in(pipe) && buffer_remaining(buffer)) {
		size_t want =
			piece_bytes(pipe->taken, MIN(bytes_in(pipe), buffer_remaining(buffer)));
		struct frame **page = page_of(pipe, pipe->taken);
		char *bytes = (char *)frame_virt(*page) + pipe->taken % PAGE_SIZE;
		size_t copied = buffer_copy_to(buffer, bytes, want);

		write_once(&pipe->taken, pipe->taken + copied);
		moved += copied;
		if (copied)
			drop_emptied_locked(pipe);
		if (copied < want)
			break;
	}
	return moved;
}

static ssize_t pipe_read(struct object *object, struct buffer *buffer, const uint64_t *offset)
{
	struct pipe *pipe = end_of(object)->pipe;
	size_t wanted = buffer_remaining(buffer);
	err_t err;

	if (offset)
		return -ESPIPE;
	while (wanted) {
		size_t moved;
		bool had_bytes;
		bool ended;

		mutex_lock(&pipe->lock);
		had_bytes = bytes_in(pipe);
		ended = !pipe->nwriters;
		moved = take_locked(pipe, buffer);
		mutex_unlock(&pipe->lock);
		if (moved)
			waitq_wake_all(&pipe->writers);
		if (moved || had_bytes)
			return buffer_result(moved, wanted);
		if (ended)
			return 0;
		if (object_call_flags(object, buffer) & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_interruptible(&pipe->readers,
					       bytes_in(pipe) || !read_once(&pipe->nwriters));
		if (err)
			return err;
	}
	return 0;
}

/* ---- writing ---- */

/* The page for the next byte written, with all that is in it; NULL: no memory. */
static struct frame *page_for_write_locked(struct pipe *pipe) REQUIRES(pipe->lock)
{
	struct frame **page = page_of(pipe, pipe->written);

	if (!*page)
		*page = frame_alloc(0, 0);
	return *page;
}

/* There is room, and something to write. Bytes moved, or if it is none -ENOMEM or -EFAULT. */
static ssize_t put_locked(struct pipe *pipe, struct buffer *buffer) REQUIRES(pipe->lock)
{
	size_t moved = 0;
	err_t err = -EFAULT;

	while (bytes_in(pipe) < PIPE_BYTES && buffer_remaining(buffer)) {
		size_t room = PIPE_BYTES - bytes_in(pipe);
		size_t want = piece_bytes(pipe->written, MIN(room, buffer_remaining(buffer)));
		struct frame *page = page_for_write_locked(pipe);
		size_t copied;

		if (!page) {
			err = -ENOMEM;
			break;
		}
		copied = buffer_copy_from(
			buffer, (char *)frame_virt(page) + pipe->written % PAGE_SIZE, want);
		write_once(&pipe->written, pipe->written + copied);
		moved += copied;
		if (copied < want)
			break;
	}
	/* A page taken for a copy that failed at once would be nobody's to free. */
	if (!bytes_in(pipe)) {
		struct frame **page = page_of(pipe, pipe->written);

		if (*page)
			frame_put(*page);
		*page = NULL;
	}
	return moved ? (ssize_t)moved : err;
}

/* Room enough to begin: all of a write that must stay in one piece, else anything. */
static bool has_room(const struct pipe *pipe, size_t want_bytes)
{
	return PIPE_BYTES - bytes_in(pipe) >= (want_bytes <= PIPE_ATOMIC ? want_bytes : 1);
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
		else if (has_room(pipe, moved ? PIPE_BYTES : wanted))
			step = put_locked(pipe, buffer);
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
			err = wait_event_interruptible(
				&pipe->writers, has_room(pipe, moved ? PIPE_BYTES : wanted) ||
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

static unsigned pipe_poll(struct object *object, struct waitq **queue)
{
	struct pipe_end *end = end_of(object);
	const struct pipe *pipe = end->pipe;
	unsigned events = 0;

	if (end->writes) {
		*queue = &end->pipe->writers;
		if (!read_once(&pipe->nreaders))
			events |= POLLERR;
		if (has_room(pipe, PIPE_ATOMIC))
			events |= POLLOUT;
	} else {
		*queue = &end->pipe->readers;
		if (bytes_in(pipe))
			events |= POLLIN;
		if (!read_once(&pipe->nwriters))
			events |= POLLHUP;
	}
	return events;
}

static void pipe_describe(struct object *object, char *to, size_t to_bytes)
{
	kernel_format(to, to_bytes, "pipe:[%lu]", end_of(object)->pipe->number);
}

static void pipe_put(struct pipe *pipe)
{
	if (!refcount_put(&pipe->ends))
		return;
	for (unsigned i = 0; i < PIPE_PAGES; i++) {
		if (pipe->pages[i])
			frame_put(pipe->pages[i]);
	}
	slab_free(&pipe_cache, pipe);
}

static void pipe_release(struct object *object)
{
	struct pipe_end *end = end_of(object);
	struct pipe *pipe = end->pipe;

	mutex_lock(&pipe->lock);
	if (end->writes)
		write_once(&pipe->nwriters, pipe->nwriters - 1);
	else
		write_once(&pipe->nreaders, pipe->nreaders - 1);
	mutex_unlock(&pipe->lock);
	waitq_wake_all(&pipe->readers);
	waitq_wake_all(&pipe->writers);
	pipe_put(pipe);
}

static void pipe_free(struct object *object)
{
	slab_free(&pipe_end_cache, end_of(object));
}

static err_t pipe_reopen(struct object *object, unsigned flags, struct object **out);

static const struct object_ops reader_ops = {
	.read = pipe_read,
	.stat = pipe_stat,
	.poll = pipe_poll,
	.describe = pipe_describe,
	.reopen = pipe_reopen,
	.release = pipe_release,
	.free = pipe_free,
};

static const struct object_ops writer_ops = {
	.write = pipe_write,
	.stat = pipe_stat,
	.poll = pipe_poll,
	.describe = pipe_describe,
	.reopen = pipe_reopen,
	.release = pipe_release,
	.free = pipe_free,
};

static struct pipe_end *end_alloc(struct pipe *pipe, bool writes, unsigned flags)
{
	struct pipe_end *end = slab_alloc_zeroed(&pipe_end_cache);

	if (!end)
		return NULL;
	object_init(&end->object, writes ? &writer_ops : &reader_ops, OBJECT_PIPE,
		    flags | (writes ? O_WRONLY : O_RDONLY));
	end->pipe = pipe;
	end->writes = writes;
	return end;
}

/* One end more, of either kind: the pipe ends for the other side when the last one has gone. An
 * end that does both, which Linux allows, is -EINVAL. */
static err_t pipe_reopen(struct object *object, unsigned flags, struct object **out)
{
	struct pipe *pipe = end_of(object)->pipe;
	bool writes = (flags & O_ACCMODE) == O_WRONLY;
	struct pipe_end *end;

	if ((flags & O_ACCMODE) == O_RDWR)
		return -EINVAL;
	end = end_alloc(pipe, writes, flags & ~(unsigned)O_ACCMODE);
	if (!end)
		return -ENOMEM;
	refcount_get(&pipe->ends);
	mutex_lock(&pipe->lock);
	if (writes)
		write_once(&pipe->nwriters, pipe->nwriters + 1);
	else
		write_once(&pipe->nreaders, pipe->nreaders + 1);
	mutex_unlock(&pipe->lock);
	*out = &end->object;
	return 0;
}

err_t pipe_create(unsigned flags, struct pipe_owner owner, struct object **reader,
		  struct object **writer)
{
	struct pipe *pipe = slab_alloc_zeroed(&pipe_cache);
	struct pipe_end *read_end;
	struct pipe_end *write_end;

	if (!pipe)
		return -ENOMEM;
	read_end = end_alloc(pipe, false, flags);
	if (!read_end)
		goto free_pipe;
	write_end = end_alloc(pipe, true, flags);
	if (!write_end)
		goto free_read_end;
	mutex_init(&pipe->lock, LOCK_STREAM);
	waitq_init(&pipe->readers);
	waitq_init(&pipe->writers);
	pipe->nreaders = 1;
	pipe->nwriters = 1;
	pipe->owner = owner;
	pipe->number = atomic_fetch_add_full(&last_number, 1) + 1;
	pipe->created_ns = clock_wall_ns();
	refcount_init(&pipe->ends);
	refcount_get(&pipe->ends);
	*reader = &read_end->object;
	*writer = &write_end->object;
	return 0;

free_read_end:
	slab_free(&pipe_end_cache, read_end);
free_pipe:
	slab_free(&pipe_cache, pipe);
	return -ENOMEM;
}
