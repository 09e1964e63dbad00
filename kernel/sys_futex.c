/*
 * Futexes: threads that wait on a word of their own process. Owns the hash of waiters, each bucket
 * under its own lock (LOCK_PIPE: wait queues and the scheduler come after it).
 *
 * The word is read after the waiter is listed: who changes the word first and wakes afterwards
 * either is seen by the read or finds the waiter.
 */
#include "sys_futex.h"

#include "process.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/prctl.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/spin.h>
#include <arch/user.h>

#define BUCKETS    64u
#define BITSET_ALL UINT32_MAX

struct futex_bucket {
	struct spinlock lock;
	struct list waiters; /* [lock]; next NULL: not used yet */
};

/* On the stack of the thread that waits. */
struct futex_waiter {
	struct list link;        /* [bucket lock] */
	struct process *process; /* [c] */
	uint64_t address;        /* [c] */
	uint32_t bits;           /* [c] */
	bool woken;              /* [bucket lock] */
	struct waitq queue;      /* only this thread sleeps on it */
};

static struct futex_bucket buckets[BUCKETS] = {
	[0 ... BUCKETS - 1] = {.lock = SPINLOCK_INIT(LOCK_PIPE)},
};

static struct futex_bucket *bucket_of(const struct process *process, uint64_t address)
{
	uint64_t key = address / sizeof(uint32_t) + (uint64_t)process->pid * 31;

	return &buckets[key % BUCKETS];
}

/* Buckets begin as zeros: a list is made when it is first needed. */
static void bucket_lock(struct futex_bucket *bucket) ACQUIRE(bucket->lock)
{
	spin_lock(&bucket->lock);
	if (!bucket->waiters.next)
		list_init(&bucket->waiters);
}

/* ---- waking ---- */

static int wake(struct process *process, uint64_t address, unsigned nwake, uint32_t bits)
{
	struct futex_bucket *bucket = bucket_of(process, address);
	struct futex_waiter *waiter;
	struct futex_waiter *following;
	unsigned nwoken = 0;

	bucket_lock(bucket);
	list_for_each_safe (waiter, following, &bucket->waiters, link) {
		if (nwoken == nwake)
			break;
		if (waiter->process != process || waiter->address != address ||
		    !(waiter->bits & bits))
			continue;
		list_del(&waiter->link);
		waiter->woken = true;
		/* Under the lock: the waiter takes it before its stack goes. */
		waitq_wake_one(&waiter->queue);
		nwoken++;
	}
	spin_unlock(&bucket->lock);
	return (int)nwoken;
}

int futex_wake_address(struct process *process, uint64_t address, unsigned nwake)
{
	return wake(process, address, nwake, BITSET_ALL);
}

/* ---- waiting ---- */

static bool is_woken(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	bool woken;

	spin_lock(&bucket->lock);
	woken = waiter->woken;
	spin_unlock(&bucket->lock);
	return woken;
}

/* Off the list, whoever takes it off; true: it was a waker. */
static bool leave(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	bool woken;

	spin_lock(&bucket->lock);
	woken = waiter->woken;
	list_del(&waiter->link);
	spin_unlock(&bucket->lock);
	return woken;
}

static int wait(uint64_t address, uint32_t expected, uint32_t bits, uint64_t deadline_ns)
{
	struct process *process = process_current();
	struct futex_bucket *bucket = bucket_of(process, address);
	struct futex_waiter waiter = {.process = process, .address = address, .bits = bits};
	uint32_t value;
	err_t err;

	list_init(&waiter.link);
	waitq_init(&waiter.queue);
	bucket_lock(bucket);
	list_add_tail(&bucket->waiters, &waiter.link);
	spin_unlock(&bucket->lock);

	err = user_get(&value, uptr(address));
	if (!err && value != expected)
		err = -EAGAIN;
	if (!err)
		err = wait_event_interruptible_timeout(&waiter.queue, is_woken(bucket, &waiter),
						       deadline_ns);
	return leave(bucket, &waiter) ? 0 : err;
}

/* WAIT counts from now, WAIT_BITSET names a time of the clock that the flag chooses. */
static err_t read_deadline(uint64_t timeout, int futex_op, uint64_t *deadline_ns)
{
	struct abi_timespec time;
	uint64_t time_ns;

	*deadline_ns = UINT64_MAX;
	if (!timeout)
		return 0;
	if (user_get(&time, uptr(timeout)))
		return -EFAULT;
	if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	if ((uint64_t)time.tv_sec >= UINT64_MAX / NSEC_PER_SEC / 2)
		return 0;
	time_ns = (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
	if ((futex_op & FUTEX_CMD_MASK) == FUTEX_WAIT)
		*deadline_ns = clock_ns() + time_ns;
	else if (futex_op & FUTEX_CLOCK_REALTIME)
		*deadline_ns = clock_ns() + (time_ns - MIN(time_ns, clock_wall_ns()));
	else
		*deadline_ns = time_ns;
	return 0;
}

int sys_futex(uptr_t word, int futex_op, unsigned value, uint64_t timeout, UNUSED uptr_t word2,
	      unsigned value3)
{
	int command = futex_op & FUTEX_CMD_MASK;
	uint64_t deadline_ns;
	err_t err;

	if ((futex_op & ~(FUTEX_CMD_MASK | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)) ||
	    ((futex_op & FUTEX_CLOCK_REALTIME) && command != FUTEX_WAIT_BITSET))
		return -ENOSYS;
	if (word.value % sizeof(uint32_t))
		return -EINVAL;
	if (command == FUTEX_WAIT || command == FUTEX_WAKE)
		value3 = BITSET_ALL;
	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		if (!value3)
			return -EINVAL;
		err = read_deadline(timeout, futex_op, &deadline_ns);
		return err ? err : wait(word.value, value, value3, deadline_ns);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		if (!value3)
			return -EINVAL;
		return wake(process_current(), word.value, value, value3);
	default:
		return -ENOSYS;
	}
}
