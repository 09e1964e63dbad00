/*
 * System calls on descriptors themselves: closing, duplicating, flags, control, syncing, pipes,
 * poll. Owns no state.
 */
#include "process.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <ipc/pipe.h>
#include <mm/kva.h>
#include <sched/wait.h>

static struct fd_table *table(void)
{
	return process_current()->fds;
}

int sys_close(int fd)
{
	return fd_close(table(), fd);
}

/* ---- duplicating ---- */

int sys_dup(int oldfd)
{
	return fd_dup(table(), oldfd, 0, 0);
}

int sys_dup2(int oldfd, int newfd)
{
	struct object *object;

	if (oldfd != newfd)
		return fd_dup_to(table(), oldfd, newfd, 0);
	object = fd_get(table(), oldfd);
	if (!object)
		return -EBADF;
	object_put(object);
	return newfd;
}

int sys_dup3(int oldfd, int newfd, unsigned open_flags)
{
	/* dup2 allows equal numbers, dup3 does not. */
	if ((open_flags & ~(unsigned)O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	return fd_dup_to(table(), oldfd, newfd, open_flags);
}

/* ---- flags ---- */

static int64_t set_status_flags(struct object *object, uint64_t argument)
{
	/* Access mode and creation flags are ignored, as on Linux. */
	unsigned wanted =
		(unsigned)argument & (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME);

	return object_set_flags(object, wanted);
}

static int64_t fcntl_object(struct object *object, int command, uint64_t argument)
{
	switch (command) {
	case F_GETFL:
		return object_flags(object);
	case F_SETFL:
		return set_status_flags(object, argument);
	default:
		return -EINVAL;
	}
}

int64_t sys_fcntl(int fd, int command, uint64_t argument)
{
	struct object *object;
	int64_t result;

	switch (command) {
	case F_DUPFD:
		return argument < FD_MAX ? fd_dup(table(), fd, (int)argument, 0) : -EINVAL;
	case F_DUPFD_CLOEXEC:
		return argument < FD_MAX ? fd_dup(table(), fd, (int)argument, O_CLOEXEC) : -EINVAL;
	case F_GETFD:
		return fd_flags(table(), fd);
	case F_SETFD:
		return fd_set_flags(table(), fd, (unsigned)argument & FD_CLOEXEC);
	default:
		break;
	}
	object = fd_get(table(), fd);
	if (!object)
		return -EBADF;
	result = fcntl_object(object, command, argument);
	object_put(object);
	return result;
}

/* FIONBIO, FIOCLEX and FIONCLEX are every descriptor's, the rest is the object's. */
static int64_t set_nonblocking(struct object *object, uptr_t argument)
{
	unsigned flags = object_flags(object) & OBJECT_FLAGS_SETTABLE;
	int on;

	if (user_get(&on, argument))
		return -EFAULT;
	return object_set_flags(object, on ? flags | O_NONBLOCK : flags & ~(unsigned)O_NONBLOCK);
}

int64_t sys_ioctl(int fd, unsigned command, uint64_t argument)
{
	struct object *object;
	int64_t result;

	if (command == FIOCLEX || command == FIONCLEX)
		return fd_set_flags(table(), fd, command == FIOCLEX ? FD_CLOEXEC : 0);
	object = fd_get(table(), fd);
	if (!object)
		return -EBADF;
	result = command == FIONBIO ? set_nonblocking(object, uptr(argument))
				    : object_ioctl(object, command, uptr(argument));
	object_put(object);
	return result;
}

/* ---- syncing ---- */

int sys_fsync(int fd)
{
	struct object *object = fd_get(table(), fd);
	err_t err;

	if (!object)
		return -EBADF;
	err = object_sync(object);
	object_put(object);
	return err;
}

int sys_fdatasync(int fd)
{
	return sys_fsync(fd);
}

int sys_syncfs(int fd)
{
	struct object *object = fd_get(table(), fd);

	if (!object)
		return -EBADF;
	object_put(object);
	return sys_sync();
}

/* No server holds anything back: what was written is where it belongs when write returns. */
int sys_sync(void)
{
	return 0;
}

/* ---- pipes ---- */

int sys_pipe2(uptr_t fds, unsigned open_flags)
{
	struct object *reader;
	struct object *writer;
	int numbers[2];
	err_t err;

	if (open_flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(open_flags & O_NONBLOCK, &reader, &writer);
	if (err)
		return err;
	err = fd_reserve(table(), 0, open_flags & O_CLOEXEC, &numbers[0]);
	if (err)
		goto put_pipe;
	err = fd_reserve(table(), 0, open_flags & O_CLOEXEC, &numbers[1]);
	if (err)
		goto unreserve_first;
	err = user_copy_out(fds, numbers, sizeof(numbers));
	if (err)
		goto unreserve_second;

	/* ---- committed ---- */
	fd_install(table(), numbers[0], reader);
	fd_install(table(), numbers[1], writer);
	return 0;

unreserve_second:
	fd_unreserve(table(), numbers[1]);
unreserve_first:
	fd_unreserve(table(), numbers[0]);
put_pipe:
	object_put(reader);
	object_put(writer);
	return err;
}

int sys_pipe(uptr_t fds)
{
	return sys_pipe2(fds, 0);
}

/* ---- poll ---- */

/* One descriptor that is waited for. */
struct poll_item {
	struct abi_pollfd asked;
	struct object *object; /* a reference, or NULL */
	struct waitq *queue;   /* that wakes us; NULL: never changes */
	struct wait_entry entry;
};

/* As many as programs wait for as a rule; they need no memory but the stack's. */
#define POLL_FEW 4

struct poll_set {
	struct poll_item *items;
	unsigned nitems; /* that are filled in */
	struct poll_item few[POLL_FEW];
};

static err_t poll_set_get(struct poll_set *set, uptr_t fds, unsigned nfds)
{
	set->items = NULL;
	set->nitems = 0;
	if (nfds > FD_MAX)
		return -EINVAL;
	if (!nfds)
		return 0;
	set->items = set->few;
	if (nfds > POLL_FEW)
		set->items =
			kva_alloc(ALIGN_UP(nfds * sizeof(*set->items), PAGE_SIZE) >> PAGE_SHIFT);
	if (!set->items)
		return -ENOMEM;
	for (unsigned i = 0; i < nfds; i++) {
		struct poll_item *item = &set->items[i];

		*item = (struct poll_item){.entry = WAIT_ENTRY_INIT(item->entry)};
		if (user_get(&item->asked, uptr_add(fds, i * sizeof(item->asked))))
			return -EFAULT;
		if (item->asked.fd >= 0)
			item->object = fd_get(table(), item->asked.fd);
		set->nitems = i + 1;
	}
	return 0;
}

static void poll_set_put(struct poll_set *set)
{
	for (unsigned i = 0; i < set->nitems; i++) {
		struct poll_item *item = &set->items[i];

		/* Never answered: a wake-one that came to us is meant for a reader, too. */
		if (item->queue)
			waitq_finish(item->queue, &item->entry);
		object_put(item->object);
	}
	if (set->items != set->few)
		kva_free(set->items);
}

/* The two names of each that System V told apart, as Linux has it for all but sockets. */
static unsigned add_synonyms(unsigned events)
{
	return events | (events & POLLIN ? POLLRDNORM : 0) | (events & POLLOUT ? POLLWRNORM : 0);
}

static int poll_item_look(struct poll_item *item)
{
	unsigned events;

	item->asked.revents = 0;
	if (item->asked.fd < 0)
		return 0;
	if (!item->object) {
		item->asked.revents = POLLNVAL;
		return 1;
	}
	events = add_synonyms(object_poll(item->object, &item->queue));
	events &= (unsigned)(uint16_t)item->asked.events | POLLERR | POLLHUP | POLLNVAL;
	item->asked.revents = (int16_t)events;
	return events != 0;
}

/* How many have something to tell. */
static int poll_look(struct poll_set *set)
{
	int nready = 0;

	for (unsigned i = 0; i < set->nitems; i++)
		nready += poll_item_look(&set->items[i]);
	return nready;
}

/* Queues on everything that may wake us; the last of them, or a queue that nobody wakes. */
static struct poll_item *poll_prepare(struct poll_set *set, struct poll_item *nothing)
{
	struct poll_item *last = NULL;

	for (unsigned i = 0; i < set->nitems; i++) {
		struct poll_item *item = &set->items[i];

		if (!item->queue)
			continue;
		waitq_prepare(item->queue, &item->entry);
		last = item;
	}
	if (last)
		return last;
	waitq_prepare(nothing->queue, &nothing->entry);
	return nothing;
}

static int poll_wait(struct poll_set *set, uint64_t deadline_ns)
{
	WAITQ(never);
	struct poll_item nothing = {.queue = &never};
	int nready = poll_look(set);
	err_t err = 0;

	nothing.entry = (struct wait_entry)WAIT_ENTRY_INIT(nothing.entry);
	while (!nready && !err) {
		struct poll_item *last = poll_prepare(set, &nothing);

		nready = poll_look(set);
		if (nready)
			break;
		/* waitq_prepare() of a queued entry does nothing, so say anew what we wait on. */
		current_thread()->waits_on = last->queue;
		err = waitq_block(last->queue, &last->entry, THREAD_KILLED | THREAD_INTERRUPTED,
				  deadline_ns);
		if (err)
			nready = poll_look(set);
	}
	waitq_finish(&never, &nothing.entry);
	if (nready || err == -ETIMEDOUT)
		return nready;
	return err;
}

static int poll_until(uptr_t fds, unsigned nfds, uint64_t deadline_ns)
{
	struct poll_set set;
	int result;

	result = poll_set_get(&set, fds, nfds);
	if (!result)
		result = poll_wait(&set, deadline_ns);
	for (unsigned i = 0; i < set.nitems && result >= 0; i++) {
		uptr_t to = uptr_add(fds, i * sizeof(struct abi_pollfd) +
						  offsetof(struct abi_pollfd, revents));

		if (user_put(to, &set.items[i].asked.revents))
			result = -EFAULT;
	}
	poll_set_put(&set);
	return result;
}

static uint64_t deadline_after(uint64_t duration_ns)
{
	uint64_t now_ns = clock_ns();

	return duration_ns < UINT64_MAX - now_ns ? now_ns + duration_ns : UINT64_MAX;
}

int sys_poll(uptr_t fds, unsigned nfds, int timeout_ms)
{
	if (timeout_ms < 0)
		return poll_until(fds, nfds, UINT64_MAX);
	return poll_until(fds, nfds, deadline_after((uint64_t)timeout_ms * NSEC_PER_MSEC));
}

int sys_ppoll(uptr_t fds, unsigned nfds, uptr_t timeout, uptr_t set, size_t set_bytes)
{
	uint64_t deadline_ns = UINT64_MAX;
	uint64_t before = process_current()->blocked;
	struct abi_timespec duration;
	uint64_t blocked;
	int result;

	if (!uptr_is_null(timeout)) {
		if (user_get(&duration, timeout))
			return -EFAULT;
		if (duration.tv_sec < 0 || duration.tv_nsec < 0 ||
		    duration.tv_nsec >= (int64_t)NSEC_PER_SEC)
			return -EINVAL;
		if ((uint64_t)duration.tv_sec < UINT64_MAX / NSEC_PER_SEC / 2)
			deadline_ns = deadline_after((uint64_t)duration.tv_sec * NSEC_PER_SEC +
						     (uint64_t)duration.tv_nsec);
	}
	if (uptr_is_null(set))
		return poll_until(fds, nfds, deadline_ns);
	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&blocked, set))
		return -EFAULT;
	process_set_blocked(blocked);
	result = poll_until(fds, nfds, deadline_ns);
	process_set_blocked(before);
	return result;
}
