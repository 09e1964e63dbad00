/*
 * Who waits on which word. Owns the hash of waiters, each bucket under its own lock (LOCK_FUTEX;
 * two of them: the lower address first; that of pi.c is inside of them).
 *
 * The word is read after the waiter is listed: who changes the word first and wakes afterwards
 * either is seen by the read or finds the waiter. A waiter lies on its thread's stack, and that
 * thread takes the bucket's lock before it leaves, so a waker that holds it may touch it.
 */
#include "futex_priv.h"

#include "../process/uthread.h"

#include <abi/errno.h>
#include <abi/futex.h>
#include <arch/spin.h>
#include <arch/user.h>
#include <mm/object.h>
#include <mm/space.h>

#define BUCKETS 256u

struct futex_bucket {
	struct spinlock lock;
	struct list waiters; /* [lock]; next NULL: not used yet */
};

static struct futex_bucket buckets[BUCKETS] = {
	[0 ... BUCKETS - 1] = {.lock = SPINLOCK_INIT(LOCK_FUTEX)},
};

/* ---- keys ---- */

err_t futex_key_get(struct futex_key *key, uint64_t address, bool is_private)
{
	struct space *space = uthread_current()->space;

	*key = (struct futex_key){.memory = space, .offset = address};
	if (is_private)
		return 0;
	if (space_shared_place(space, address, &key->object, &key->offset))
		return -EFAULT;
	if (key->object)
		key->memory = key->object;
	return 0;
}

void futex_key_put(struct futex_key *key)
{
	if (key->object)
		memory_object_put(key->object);
}

static struct futex_bucket *bucket_of(const struct futex_key *key)
{
	uint64_t mixed = ((uint64_t)key->memory >> 6) * 31 + key->offset / sizeof(uint32_t);

	return &buckets[(mixed ^ mixed >> 8) % BUCKETS];
}

/* Buckets begin as zeros: a list is made when it is first needed. */
static void bucket_lock(struct futex_bucket *bucket) ACQUIRE(bucket->lock)
{
	spin_lock(&bucket->lock);
	if (!bucket->waiters.next)
		list_init(&bucket->waiters);
}

/* The analysis cannot follow that the two may be one. */
static void bucket_lock_two(struct futex_bucket *a, struct futex_bucket *b) NO_THREAD_SAFETY
{
	if (a > b) {
		bucket_lock(b);
		bucket_lock(a);
	} else {
		bucket_lock(a);
		if (a != b)
			bucket_lock(b);
	}
}

static void bucket_unlock_two(struct futex_bucket *a, struct futex_bucket *b) NO_THREAD_SAFETY
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static bool waits_on(const struct futex_waiter *waiter, const struct futex_key *key)
{
	return waiter->memory == key->memory && waiter->offset == key->offset;
}

/* ---- waking ---- */

static void take_off_locked(struct futex_waiter *waiter)
{
	list_del(&waiter->link);
	list_init(&waiter->link);
	/* Release: pairs with the acquire of the waiter's condition. */
	store_release(&waiter->woken, true);
}

static void wake_locked(struct futex_waiter *waiter)
{
	take_off_locked(waiter);
	waitq_wake_one(waiter->queue);
}

/* -EINVAL: one waits to be passed to a lock. */
static err_t wake_all_locked(struct futex_bucket *bucket, const struct futex_key *key,
			     unsigned nwake, uint32_t bits)
{
	struct futex_waiter *waiter;
	struct futex_waiter *following;
	unsigned nwoken = 0;

	list_for_each_safe (waiter, following, &bucket->waiters, link) {
		if (nwoken == nwake)
			break;
		if (!waits_on(waiter, key))
			continue;
		if (waiter->pi)
			return -EINVAL;
		if (!(waiter->bits & bits))
			continue;
		wake_locked(waiter);
		nwoken++;
	}
	return (err_t)nwoken;
}

err_t futex_wake(uint64_t address, bool is_private, unsigned nwake, uint32_t bits)
{
	struct futex_bucket *bucket;
	struct futex_key key;
	err_t nwoken;

	if (futex_key_get(&key, address, is_private))
		return -EFAULT;
	bucket = bucket_of(&key);
	bucket_lock(bucket);
	nwoken = wake_all_locked(bucket, &key, nwake, bits);
	spin_unlock(&bucket->lock);
	futex_key_put(&key);
	return nwoken;
}

/* As long as one waits, its thread stays. */
static struct futex_waiter *most_urgent_locked(struct futex_bucket *bucket,
					       const struct futex_key *key)
{
	struct futex_waiter *waiter, *best = NULL;
	unsigned most = 0;

	list_for_each (waiter, &bucket->waiters, link) {
		unsigned urgency;

		if (!waits_on(waiter, key))
			continue;
		urgency = waiter->pi ? uthread_urgency(waiter->pi->waiter.uthread) : 0;
		if (best && urgency <= most)
			continue;
		best = waiter;
		most = urgency;
	}
	return best;
}

err_t futex_pass_one(const struct futex_key *from, struct pi_call *by)
{
	struct futex_bucket *bucket = bucket_of(from);
	struct futex_waiter *waiter;
	err_t result = 0;

	bucket_lock(bucket);
	waiter = most_urgent_locked(bucket, from);
	if (waiter && waiter->pi && futex_key_equal(&waiter->pi->key, &by->key)) {
		result = pi_futex_pass(by, &waiter->pi->waiter);
		if (!result) {
			take_off_locked(waiter);
			result = 1;
		}
	} else if (waiter) {
		result = -EINVAL;
	}
	spin_unlock(&bucket->lock);
	return result;
}

err_t futex_wake_address(uint64_t address, unsigned nwake)
{
	return futex_wake(address, false, nwake, FUTEX_BITS_ALL);
}

/* ---- moving ---- */

static bool none_waits_for_lock_locked(const struct futex_bucket *bucket,
				       const struct futex_key *key)
{
	const struct futex_waiter *waiter;

	list_for_each (waiter, &bucket->waiters, link) {
		if (waits_on(waiter, key) && waiter->pi)
			return false;
	}
	return true;
}

static unsigned move_locked(struct futex_bucket *from, const struct futex_key *from_key,
			    struct futex_bucket *to, const struct futex_key *to_key, unsigned nmove)
{
	struct futex_waiter *waiter;
	struct futex_waiter *following;
	unsigned nmoved = 0;
	LIST_HEAD(moved);

	list_for_each_safe (waiter, following, &from->waiters, link) {
		if (nmoved == nmove)
			break;
		if (!waits_on(waiter, from_key))
			continue;
		list_del(&waiter->link);
		list_add_tail(&moved, &waiter->link);
		waiter->object = to_key->object;
		if (to_key->object)
			memory_object_get(to_key->object);
		waiter->memory = to_key->memory;
		waiter->offset = to_key->offset;
		write_once(&waiter->bucket, to);
		nmoved++;
	}
	list_splice_tail(&to->waiters, &moved);
	return nmoved;
}

static err_t requeue_keys(const struct futex_key *from_key, const struct futex_key *to_key,
			  unsigned nwake, unsigned nmove)
{
	struct futex_bucket *from = bucket_of(from_key);
	struct futex_bucket *to = bucket_of(to_key);
	unsigned nmoved = 0;
	err_t nwoken = -EINVAL;

	bucket_lock_two(from, to);
	if (none_waits_for_lock_locked(from, from_key)) {
		nwoken = wake_all_locked(from, from_key, nwake, FUTEX_BITS_ALL);
		nmoved = move_locked(from, from_key, to, to_key, nmove);
	}
	bucket_unlock_two(from, to);
	/* Each had a reference of its own to the object that it waits at no more. */
	for (unsigned i = 0; i < nmoved && from_key->object; i++)
		memory_object_put(from_key->object);
	return nwoken + (err_t)nmoved;
}

err_t futex_requeue(const struct futex_place *from, const struct futex_place *to, unsigned nwake,
		    unsigned nmove, const uint32_t *expected)
{
	struct futex_key from_key;
	struct futex_key to_key;
	uint32_t value;
	err_t result;

	if (futex_key_get(&from_key, from->address, from->is_private))
		return -EFAULT;
	result = futex_key_get(&to_key, to->address, to->is_private);
	if (result)
		goto put_from;
	if (expected)
		result = user_get(&value, uptr(from->address));
	if (!result && expected && value != *expected)
		result = -EAGAIN;
	/* Who changes the word after this look and then wakes finds the waiters at one place or at
	 * the other; the caller holds the lock that the word belongs to. */
	if (!result)
		result = requeue_keys(&from_key, &to_key, nwake, nmove);
	futex_key_put(&to_key);
put_from:
	futex_key_put(&from_key);
	return result;
}

/* ---- FUTEX_WAKE_OP ---- */

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

/* Twelve bits with a sign. */
static int32_t argument_of(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

static uint32_t changed(uint32_t value, unsigned op, uint32_t operand)
{
	switch (op) {
	case OP_SET:
		return operand;
	case OP_ADD:
		return value + operand;
	case OP_OR:
		return value | operand;
	case OP_ANDN:
		return value & ~operand;
	default:
		return value ^ operand;
	}
}

static bool compares(int32_t value, unsigned how, int32_t with)
{
	switch (how) {
	case CMP_EQ:
		return value == with;
	case CMP_NE:
		return value != with;
	case CMP_LT:
		return value < with;
	case CMP_LE:
		return value <= with;
	case CMP_GT:
		return value > with;
	default:
		return value >= with;
	}
}

/* The word's old value is in *before. */
static err_t change_word(uint64_t address, uint32_t encoded, uint32_t *before)
{
	unsigned op = encoded >> 28 & 7;
	uint32_t operand = (uint32_t)argument_of(encoded >> 12 & 0xfff);
	uint32_t expected;

	if (encoded >> 31)
		operand = UINT32_C(1) << (operand & 31);
	if (op > OP_XOR || (encoded >> 24 & 15) > CMP_GE)
		return -ENOSYS;
	if (user_get(before, uptr(address)))
		return -EFAULT;
	for (;;) {
		expected = *before;
		if (user_cas(uptr(address), before, changed(expected, op, operand)))
			return -EFAULT;
		if (*before == expected)
			return 0;
		if (thread_killed())
			return -EINTR;
	}
}

err_t futex_wake_op(uint64_t first, uint64_t second, bool is_private, unsigned nwake,
		    unsigned nwake_second, uint32_t encoded)
{
	uint32_t before;
	err_t nfirst;
	err_t nsecond = 0;
	err_t err = change_word(second, encoded, &before);

	if (err)
		return err;
	nfirst = futex_wake(first, is_private, nwake, FUTEX_BITS_ALL);
	if (nfirst < 0)
		return nfirst;
	if (compares((int32_t)before, encoded >> 24 & 15, argument_of(encoded & 0xfff)))
		nsecond = futex_wake(second, is_private, nwake_second, FUTEX_BITS_ALL);
	return nsecond < 0 ? nsecond : nfirst + nsecond;
}

/* ---- waiting ---- */

void futex_enlist(struct futex_waiter *waiter, const struct futex_key *key)
{
	waiter->bucket = bucket_of(key);
	waiter->object = key->object;
	if (key->object)
		memory_object_get(key->object);
	waiter->memory = key->memory;
	waiter->offset = key->offset;
	bucket_lock(waiter->bucket);
	list_add_tail(&waiter->bucket->waiters, &waiter->link);
	spin_unlock(&waiter->bucket->lock);
}

bool futex_leave(struct futex_waiter *waiter)
{
	struct memory_object *object;
	struct futex_bucket *bucket;
	bool woken;

	for (;;) {
		bucket = read_once(&waiter->bucket);
		spin_lock(&bucket->lock);
		if (bucket == read_once(&waiter->bucket))
			break;
		spin_unlock(&bucket->lock); /* it was moved meanwhile */
	}
	woken = waiter->woken;
	if (!woken)
		list_del(&waiter->link);
	object = waiter->object;
	spin_unlock(&bucket->lock);
	if (object)
		memory_object_put(object);
	return woken;
}

static err_t wait_on(const struct futex_wait *wait, const struct futex_key *key)
{
	WAITQ(queue);
	struct futex_waiter waiter = {.bits = wait->bits, .queue = &queue};
	uint32_t value;
	err_t err;

	futex_enlist(&waiter, key);
	err = user_get(&value, uptr(wait->address));
	if (!err && value != wait->expected)
		err = -EAGAIN;
	if (!err)
		err = wait_event_interruptible_timeout(&queue, load_acquire(&waiter.woken),
						       wait->deadline_ns);
	return futex_leave(&waiter) ? 0 : err;
}

err_t futex_wait(const struct futex_wait *wait)
{
	struct futex_key key;
	err_t err = futex_key_get(&key, wait->address, wait->is_private);

	if (err)
		return err;
	err = wait_on(wait, &key);
	futex_key_put(&key);
	return err;
}
