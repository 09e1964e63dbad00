/*
 * poll, ppoll, select, pselect6: waiting for several descriptors at once. All of them make a set of
 * items, each a descriptor and its place in the wait queue that wakes it, and differ in how they
 * are asked and how they answer. Owns no state.
 */
#include "sys_poll.h"
#include "process/uthread.h"
#include "signal/signal.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/personality.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>
#include <mm/kva.h>
#include <mm/slab.h>
#include <sched/wait.h>

#include <lib/string.h>

/* One descriptor that is waited for. */
struct poll_item {
	struct abi_pollfd asked;
	struct object *object; /* a reference, or NULL */
	struct waitq *queue;   /* that wakes us; NULL: never changes */
	struct wait_entry entry;
};

/* Most calls ask for so few that they fit beside the set. */
#define FEW_ITEMS 4u

struct poll_set {
	struct poll_item *items;
	unsigned nitems; /* that are filled in */
	unsigned room;
	struct poll_item few[FEW_ITEMS];
};

/* ---- the set ---- */

static err_t poll_set_init(struct poll_set *set, unsigned nitems)
{
	set->items = set->few;
	set->nitems = 0;
	set->room = nitems;
	if (nitems <= FEW_ITEMS)
		return 0;
	set->items = kvmalloc(nitems * sizeof(*set->items));
	return set->items ? 0 : -ENOMEM;
}

static void poll_set_add(struct poll_set *set, const struct abi_pollfd *asked)
{
	struct poll_item *item = &set->items[set->nitems];

	*item = (struct poll_item){.asked = *asked, .entry = WAIT_ENTRY_INIT(item->entry)};
	if (asked->fd >= 0)
		item->object = fd_get(current_fds(), asked->fd);
	set->nitems++;
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
		kvfree(set->items, set->room * sizeof(*set->items));
}

/* `ask`: whoever has to be asked, too, which sleeps. */
static int poll_item_look(struct poll_item *item, bool ask)
{
	unsigned events;

	item->asked.revents = 0;
	if (item->asked.fd < 0)
		return 0;
	if (!item->object) {
		item->asked.revents = POLLNVAL;
		return 1;
	}
	if (ask)
		object_poll_ask(item->object);
	events = object_poll(item->object, &item->queue);
	events &= (unsigned)(uint16_t)item->asked.events | POLLERR | POLLHUP | POLLNVAL;
	item->asked.revents = (int16_t)events;
	return events != 0;
}

/* How many have something to tell. */
static int poll_look(struct poll_set *set, bool ask)
{
	int nready = 0;

	for (unsigned i = 0; i < set->nitems; i++)
		nready += poll_item_look(&set->items[i], ask);
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

/* Once it is queued it does not ask any more, since that would sleep: a wake that comes meanwhile
 * is the end of that sleep, and not of the one that follows. Who is not asked says so by a wake. */
static int poll_wait(struct poll_set *set, uint64_t deadline_ns)
{
	WAITQ(never);
	struct poll_item nothing = {.queue = &never};
	int nready = poll_look(set, true);
	err_t err = 0;

	nothing.entry = (struct wait_entry)WAIT_ENTRY_INIT(nothing.entry);
	while (!nready && !err) {
		struct poll_item *last = poll_prepare(set, &nothing);

		nready = poll_look(set, false);
		if (nready)
			break;
		err = waitq_block(last->queue, &last->entry, THREAD_KILLED | THREAD_INTERRUPTED,
				  deadline_ns);
		if (err)
			nready = poll_look(set, err == -ETIMEDOUT);
	}
	waitq_finish(&never, &nothing.entry);
	if (nready || err == -ETIMEDOUT)
		return nready;
	return err;
}

/* ---- time ---- */

static uint64_t deadline_after(uint64_t duration_ns)
{
	uint64_t now_ns = clock_ns();

	return duration_ns < UINT64_MAX - now_ns ? now_ns + duration_ns : UINT64_MAX;
}

err_t poll_read_deadline(uptr_t timeout, uint64_t *deadline_ns)
{
	struct abi_timespec duration;

	*deadline_ns = UINT64_MAX;
	if (uptr_is_null(timeout))
		return 0;
	if (user_get(&duration, timeout))
		return -EFAULT;
	if (duration.tv_sec < 0 || duration.tv_nsec < 0 ||
	    duration.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	if ((uint64_t)duration.tv_sec < UINT64_MAX / NSEC_PER_SEC / 2)
		*deadline_ns = deadline_after((uint64_t)duration.tv_sec * NSEC_PER_SEC +
					      (uint64_t)duration.tv_nsec);
	return 0;
}

static uint64_t left_until(uint64_t deadline_ns)
{
	uint64_t now_ns = clock_ns();

	return deadline_ns > now_ns ? deadline_ns - now_ns : 0;
}

static bool tells_what_is_left(uint64_t deadline_ns)
{
	return deadline_ns != UINT64_MAX &&
	       !(read_once(&process_current()->personality) & STICKY_TIMEOUTS);
}

/* As Linux: what is left is told if it can be; whoever has it in memory that cannot be written to
 * does not want to know. */
void poll_put_left(uptr_t timeout, uint64_t deadline_ns)
{
	uint64_t left_ns = left_until(deadline_ns);
	const struct abi_timespec left = {.tv_sec = (int64_t)(left_ns / NSEC_PER_SEC),
					  .tv_nsec = (int64_t)(left_ns % NSEC_PER_SEC)};

	if (tells_what_is_left(deadline_ns))
		(void)!user_put(timeout, &left);
}

/* ---- poll ---- */

static err_t poll_read(struct poll_set *set, uptr_t fds, unsigned nfds)
{
	for (unsigned i = 0; i < nfds; i++) {
		struct abi_pollfd asked;

		if (user_get(&asked, uptr_add(fds, i * sizeof(asked))))
			return -EFAULT;
		poll_set_add(set, &asked);
	}
	return 0;
}

static int poll_until(uptr_t fds, unsigned nfds, uint64_t deadline_ns)
{
	struct poll_set set;
	int result;

	if (nfds > FD_MAX)
		return -EINVAL;
	result = poll_set_init(&set, nfds);
	if (result)
		return result;
	result = poll_read(&set, fds, nfds);
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

/* One that counts time must not begin to count anew. */
static int poll_restartable(uptr_t fds, unsigned nfds, uint64_t deadline_ns)
{
	int result = poll_until(fds, nfds, deadline_ns);

	if (result == -EINTR && deadline_ns != UINT64_MAX)
		uthread_current()->restart = (struct restart){.kind = RESTART_POLL,
							      .deadline_ns = deadline_ns,
							      .address = fds.value,
							      .value = nfds};
	return result;
}

int poll_again(const struct restart *restart)
{
	return poll_restartable(uptr(restart->address), restart->value, restart->deadline_ns);
}

int sys_poll(uptr_t fds, unsigned nfds, int timeout_ms)
{
	if (timeout_ms < 0)
		return poll_until(fds, nfds, UINT64_MAX);
	return poll_restartable(fds, nfds, deadline_after((uint64_t)timeout_ms * NSEC_PER_MSEC));
}

/* ---- masks for the time of a call ---- */

err_t poll_begin_mask(uptr_t set, size_t set_bytes)
{
	uint64_t blocked;

	if (uptr_is_null(set))
		return 0;
	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&blocked, set))
		return -EFAULT;
	signal_set_blocked_for_now(blocked);
	return 0;
}

int poll_end_mask(int result)
{
	if (result != -EINTR)
		signal_end_blocked_for_now();
	return result;
}

int sys_ppoll(uptr_t fds, unsigned nfds, uptr_t timeout, uptr_t set, size_t set_bytes)
{
	uint64_t deadline_ns;
	int result;
	err_t err = poll_read_deadline(timeout, &deadline_ns);

	if (!err)
		err = poll_begin_mask(set, set_bytes);
	if (err)
		return err;
	result = poll_until(fds, nfds, deadline_ns);
	poll_put_left(timeout, deadline_ns);
	return poll_end_mask(result);
}

/* ---- select ---- */

#define SET_BITS 64u

enum { READABLE, WRITABLE, EXCEPTIONAL, SETS };

static const unsigned asked_events[SETS] = {POLLIN, POLLOUT, POLLPRI};
/* What puts a descriptor into each answer, as on Linux: select(2). */
static const unsigned told_events[SETS] = {POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI};

struct select_call {
	uptr_t where[SETS];
	unsigned nfds;
	unsigned nwords;
	uint64_t words[SETS][FD_MAX / SET_BITS];
};

static err_t select_read(struct select_call *call)
{
	for (unsigned i = 0; i < SETS; i++) {
		if (uptr_is_null(call->where[i]))
			continue;
		if (user_copy_in(call->words[i], call->where[i], call->nwords * sizeof(uint64_t)))
			return -EFAULT;
	}
	return 0;
}

static err_t select_write(struct select_call *call)
{
	for (unsigned i = 0; i < SETS; i++) {
		if (uptr_is_null(call->where[i]))
			continue;
		if (user_copy_out(call->where[i], call->words[i], call->nwords * sizeof(uint64_t)))
			return -EFAULT;
	}
	return 0;
}

static bool has(const struct select_call *call, unsigned which, unsigned fd)
{
	return call->words[which][fd / SET_BITS] >> (fd % SET_BITS) & 1;
}

static unsigned events_of(const struct select_call *call, unsigned fd)
{
	unsigned events = 0;

	for (unsigned i = 0; i < SETS; i++)
		events |= has(call, i, fd) ? asked_events[i] : 0;
	return events;
}

static err_t select_fill(const struct select_call *call, struct poll_set *set)
{
	err_t err = 0;

	for (unsigned fd = 0; !err && fd < call->nfds; fd++) {
		unsigned events = events_of(call, fd);

		if (!events)
			continue;
		poll_set_add(set, &(struct abi_pollfd){.fd = (int)fd, .events = (int16_t)events});
		if (!set->items[set->nitems - 1].object)
			err = -EBADF;
	}
	return err;
}

/* The answer takes the place of the question; how many bits it has. */
static int select_answer(struct select_call *call, const struct poll_set *set)
{
	int nset = 0;

	for (unsigned i = 0; i < SETS; i++) {
		uint64_t asked[FD_MAX / SET_BITS];

		memcpy(asked, call->words[i], sizeof(asked));
		memset(call->words[i], 0, sizeof(call->words[i]));
		for (unsigned j = 0; j < set->nitems; j++) {
			const struct abi_pollfd *item = &set->items[j].asked;
			unsigned fd = (unsigned)item->fd;
			uint64_t bit = UINT64_C(1) << (fd % SET_BITS);

			if (!(asked[fd / SET_BITS] & bit) ||
			    !((unsigned)(uint16_t)item->revents & told_events[i]))
				continue;
			call->words[i][fd / SET_BITS] |= bit;
			nset++;
		}
	}
	return nset;
}

static int select_with(struct select_call *call, uint64_t deadline_ns)
{
	struct poll_set set;
	unsigned nitems = 0;
	int result = select_read(call);

	for (unsigned fd = 0; fd < call->nfds; fd++)
		nitems += events_of(call, fd) != 0;
	if (!result)
		result = poll_set_init(&set, nitems);
	if (result)
		return result;
	result = select_fill(call, &set);
	if (!result)
		result = poll_wait(&set, deadline_ns);
	if (result >= 0) {
		result = select_answer(call, &set);
		if (select_write(call))
			result = -EFAULT;
	}
	poll_set_put(&set);
	return result;
}

static int select_until(int nfds, const uptr_t where[SETS], uint64_t deadline_ns)
{
	struct select_call *call;
	int result;

	if (nfds < 0)
		return -EINVAL;
	call = kzalloc(sizeof(*call));
	if (!call)
		return -ENOMEM;
	/* As Linux: descriptors that cannot be are not looked at. */
	call->nfds = MIN((unsigned)nfds, (unsigned)FD_MAX);
	call->nwords = (call->nfds + SET_BITS - 1) / SET_BITS;
	memcpy(call->where, where, sizeof(call->where));
	result = select_with(call, deadline_ns);
	kfree(call);
	return result;
}

int sys_select(int nfds, uptr_t readable, uptr_t writable, uptr_t exceptional, uptr_t timeout)
{
	const uptr_t where[SETS] = {readable, writable, exceptional};
	uint64_t deadline_ns = UINT64_MAX;
	struct abi_timeval time;
	uint64_t left_ns;
	int result;

	if (!uptr_is_null(timeout)) {
		if (user_get(&time, timeout))
			return -EFAULT;
		if (time.tv_sec < 0 || time.tv_usec < 0)
			return -EINVAL;
		if ((uint64_t)time.tv_sec < UINT64_MAX / NSEC_PER_SEC / 4 &&
		    (uint64_t)time.tv_usec < UINT64_MAX / NSEC_PER_USEC / 4)
			deadline_ns = deadline_after((uint64_t)time.tv_sec * NSEC_PER_SEC +
						     (uint64_t)time.tv_usec * NSEC_PER_USEC);
	}
	result = select_until(nfds, where, deadline_ns);
	if (!tells_what_is_left(deadline_ns))
		return result;
	left_ns = left_until(deadline_ns);
	time.tv_sec = (int64_t)(left_ns / NSEC_PER_SEC);
	time.tv_usec = (int64_t)(left_ns % NSEC_PER_SEC / NSEC_PER_USEC);
	(void)!user_put(timeout, &time); /* as put_left() */
	return result;
}

int sys_pselect6(int nfds, uptr_t readable, uptr_t writable, uptr_t exceptional, uptr_t timeout,
		 uptr_t mask)
{
	const uptr_t where[SETS] = {readable, writable, exceptional};
	struct {
		uint64_t set;
		uint64_t set_bytes;
	} given = {0};
	uint64_t deadline_ns;
	int result;
	err_t err = poll_read_deadline(timeout, &deadline_ns);

	if (!err && !uptr_is_null(mask))
		err = user_get(&given, mask);
	if (!err)
		err = poll_begin_mask(uptr(given.set), given.set_bytes);
	if (err)
		return err;
	result = select_until(nfds, where, deadline_ns);
	poll_put_left(timeout, deadline_ns);
	return poll_end_mask(result);
}
