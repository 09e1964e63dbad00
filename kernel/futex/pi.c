/*
 * Futexes whose owner runs with the priority of the most urgent one that waits for it. The word has
 * the owner's number (futex(2), FUTEX_LOCK_PI); a struct pi_futex stands for it in the kernel
 * while somebody waits, or while the heir of a dead owner has not yet written the word.
 *
 * One lock (`lock`, LOCK_PI) has all of them: a thread that waits for an owner that waits for
 * another one makes a chain across futexes and processes, which is walked under it, so priorities
 * and deadlocks are always seen whole. It is only taken where the word alone did not do; who passes
 * on those that wait elsewhere (requeue_pi.c) holds their bucket's lock. Inside of it are taken the
 * signal_lock of a thread whose priority changes, and the run queue's lock.
 *
 * Words are read and changed under the lock, so without serving a fault: one that faults is touched
 * with the lock dropped, and everything begins anew.
 *
 * An owner stays: a thread gives up what it owns (pi_futex_exit) before its struct can go.
 */
#include "futex_priv.h"

#include "../namespace/pid.h"
#include "../process/uthread.h"
#include "../signal/signal.h"

#include <abi/errno.h>
#include <arch/spin.h>
#include <arch/user.h>
#include <mm/slab.h>

#define BUCKETS   64u
#define CHAIN_MAX 1024 /* as Linux: a longer chain counts as a ring */

struct pi_futex {
	struct list link;  /* in its bucket */
	struct list owned; /* on owner->pi_owned */
	const void *memory;
	uint64_t offset; /* the key's; references are those of who waits, or of the heir */
	struct uthread *owner;
	struct list waiters; /* the one that waits longest first */
	bool inherited;      /* by the owner, which has not written the word yet */
};

static struct spinlock lock = SPINLOCK_INIT(LOCK_PI);
static struct list buckets[BUCKETS]; /* next NULL: not used yet */

/* ---- finding ---- */

static struct list *bucket_of(const struct futex_key *key)
{
	uint64_t mixed = ((uint64_t)key->memory >> 6) * 31 + key->offset / sizeof(uint32_t);
	struct list *bucket = &buckets[(mixed ^ mixed >> 8) % BUCKETS];

	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

static struct pi_futex *find_locked(const struct futex_key *key) REQUIRES(lock);
static struct pi_futex *find_locked(const struct futex_key *key)
{
	struct pi_futex *futex;

	list_for_each (futex, bucket_of(key), link) {
		if (futex->memory == key->memory && futex->offset == key->offset)
			return futex;
	}
	return NULL;
}

static err_t get_owner(struct uthread *uthread, void *argument)
{
	struct uthread **out = argument;

	/* Under the lock: one that has not given up what it owns will not before it is dropped. One
	 * that is not listed yet may never come to do so. */
	if (uthread->pi_over || !read_once(&uthread->listed))
		return -ESRCH;
	*out = uthread;
	return 0;
}

/* ---- priorities ---- */

static unsigned most_urgent_locked(const struct pi_futex *futex) REQUIRES(lock);
static unsigned most_urgent_locked(const struct pi_futex *futex)
{
	const struct pi_waiter *waiter;
	unsigned urgency = 0;

	list_for_each (waiter, &futex->waiters, link)
		urgency = MAX(urgency, uthread_urgency(waiter->uthread));
	return urgency;
}

/* What the thread's waiters lend it, and what it lends on. */
static void lend_locked(struct uthread *uthread) REQUIRES(lock);
static void lend_locked(struct uthread *uthread)
{
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		const struct pi_futex *futex;
		unsigned urgency = 0;

		list_for_each (futex, &uthread->pi_owned, owned)
			urgency = MAX(urgency, most_urgent_locked(futex));
		if (!uthread_lend(uthread, urgency) || !uthread->pi_waits)
			break;
		uthread = uthread->pi_waits->futex->owner;
	}
}

void pi_futex_priority_changed(struct uthread *uthread)
{
	spin_lock(&lock);
	if (!uthread->pi_over && uthread->pi_waits)
		lend_locked(uthread->pi_waits->futex->owner);
	spin_unlock(&lock);
}

/* The owner, or one that it waits for, is who is to wait. */
static bool would_deadlock_locked(const struct uthread *owner, const struct uthread *uthread)
	REQUIRES(lock);
static bool would_deadlock_locked(const struct uthread *owner, const struct uthread *uthread)
{
	for (unsigned i = 0; i < CHAIN_MAX; i++) {
		if (owner == uthread)
			return true;
		if (!owner->pi_waits)
			return false;
		owner = owner->pi_waits->futex->owner;
	}
	return true;
}

/* ---- owning ---- */

static void own_locked(struct pi_futex *futex, struct uthread *owner) REQUIRES(lock);
static void own_locked(struct pi_futex *futex, struct uthread *owner)
{
	futex->owner = owner;
	list_add_tail(&owner->pi_owned, &futex->owned);
}

/* Nobody waits any more: it goes, unless the word is still to be written. */
static void drop_unused_locked(struct pi_futex *futex) REQUIRES(lock);
static void drop_unused_locked(struct pi_futex *futex)
{
	if (!list_empty(&futex->waiters) || futex->inherited)
		return;
	list_del(&futex->owned);
	list_del(&futex->link);
	kfree(futex);
}

static struct pi_waiter *heir_locked(const struct pi_futex *futex) REQUIRES(lock);
static struct pi_waiter *heir_locked(const struct pi_futex *futex)
{
	struct pi_waiter *waiter;
	struct pi_waiter *heir = NULL;

	list_for_each (waiter, &futex->waiters, link) {
		if (!heir || uthread_urgency(waiter->uthread) > uthread_urgency(heir->uthread))
			heir = waiter;
	}
	return heir;
}

static void grant_locked(struct pi_waiter *waiter) REQUIRES(lock);
static void grant_locked(struct pi_waiter *waiter)
{
	/* Release: pairs with the acquire of its condition. It takes the lock before it leaves. */
	store_release(&waiter->granted, true);
	waitq_wake_one(&waiter->queue);
}

/* From its owner to one that waits. */
static void hand_over_locked(struct pi_futex *futex, struct pi_waiter *heir) REQUIRES(lock);
static void hand_over_locked(struct pi_futex *futex, struct pi_waiter *heir)
{
	struct uthread *before = futex->owner;
	struct uthread *owner = heir->uthread;

	list_del(&futex->owned);
	list_del(&heir->link);
	owner->pi_waits = NULL;
	own_locked(futex, owner);
	drop_unused_locked(futex);
	lend_locked(before);
	lend_locked(owner);
	grant_locked(heir);
}

/* ---- the word ---- */

/* With the lock dropped: the page comes, or -EFAULT. */
static err_t touch(uint64_t address)
{
	uint32_t value;

	if (user_get(&value, uptr(address)))
		return -EFAULT;
	return user_cas(uptr(address), &value, value);
}

/* -EAGAIN: it was something else. -EFAULT: touch() it. */
static err_t change_locked(uint64_t address, uint32_t from, uint32_t to) REQUIRES(lock);
static err_t change_locked(uint64_t address, uint32_t from, uint32_t to)
{
	uint32_t value = from;

	if (user_cas_no_fault(uptr(address), &value, to))
		return -EFAULT;
	return value == from ? 0 : -EAGAIN;
}

/* A value that nobody else writes is exchanged by itself. */
static err_t read_locked(uint64_t address, uint32_t *value) REQUIRES(lock);
static err_t read_locked(uint64_t address, uint32_t *value)
{
	*value = 0;
	return user_cas_no_fault(uptr(address), value, 0) ? -EFAULT : 0;
}

bool pi_futex_try_again(err_t *err, uint64_t address)
{
	if (*err == -EFAULT)
		*err = touch(address);
	else if (*err == -EAGAIN && thread_interrupted())
		*err = -ERESTARTNOINTR;
	else if (*err == -EAGAIN)
		*err = 0;
	else
		return false;
	return !*err;
}

/* ---- locking ---- */

/* Nobody has it by the word, and nobody waits. */
static err_t take_locked(const struct pi_call *call, uint32_t value, uint32_t tid) REQUIRES(lock);
static err_t take_locked(const struct pi_call *call, uint32_t value, uint32_t tid)
{
	return change_locked(call->request->address, value, (value & FUTEX_OWNER_DIED) | tid);
}

/* One that exists goes with what the word says, if its owner has not died. */
static err_t check_owner(const struct pi_futex *futex, uint32_t value)
{
	uint32_t tid = value & FUTEX_TID_MASK;

	if (futex->inherited || (value & FUTEX_OWNER_DIED && !tid))
		return 0;
	return pid_meant((int32_t)tid) == futex->owner->tid ? 0 : -EINVAL;
}

/* The owner by the word gets the spare one, since this thread is to wait for it. */
static err_t make_locked(struct pi_call *call, uint32_t value, const struct uthread *waits,
			 struct pi_futex **out) REQUIRES(lock);
static err_t make_locked(struct pi_call *call, uint32_t value, const struct uthread *waits,
			 struct pi_futex **out)
{
	struct pi_futex *futex = call->spare;
	struct uthread *owner;
	err_t err = uthread_visit(pid_meant((int32_t)(value & FUTEX_TID_MASK)), get_owner, &owner);

	if (!err && would_deadlock_locked(owner, waits))
		err = -EDEADLK;
	if (!err && !(value & FUTEX_WAITERS))
		err = change_locked(call->request->address, value, value | FUTEX_WAITERS);
	if (err)
		return err;
	*futex = (struct pi_futex){.memory = call->key.memory, .offset = call->key.offset};
	list_init(&futex->waiters);
	list_add_tail(bucket_of(&call->key), &futex->link);
	own_locked(futex, owner);
	call->spare = NULL;
	*out = futex;
	return 0;
}

/* 0: it is the waiter's; 1: it waits for it. The word is the caller's to reach. */
static err_t lock_or_enlist_locked(struct pi_call *call, struct pi_waiter *waiter) REQUIRES(lock);
static err_t lock_or_enlist_locked(struct pi_call *call, struct pi_waiter *waiter)
{
	struct uthread *uthread = waiter->uthread;
	struct pi_futex *futex = find_locked(&call->key);
	uint32_t value;
	err_t err = read_locked(call->request->address, &value);

	if (err)
		return err;
	if ((value & FUTEX_TID_MASK) == (uint32_t)uthread->own_tid)
		return -EDEADLK;
	if (!futex && !(value & FUTEX_TID_MASK))
		return take_locked(call, value, (uint32_t)uthread->own_tid);
	if (call->request->only_try)
		return -EBUSY;
	if (futex) {
		err = check_owner(futex, value);
		if (!err && would_deadlock_locked(futex->owner, uthread))
			err = -EDEADLK;
	} else {
		err = make_locked(call, value, uthread, &futex);
	}
	if (err)
		return err;
	waiter->futex = futex;
	list_add_tail(&futex->waiters, &waiter->link);
	uthread->pi_waits = waiter;
	lend_locked(futex->owner);
	return 1;
}

err_t pi_futex_pass(struct pi_call *by, struct pi_waiter *waiter)
{
	err_t result;

	spin_lock(&lock);
	result = lock_or_enlist_locked(by, waiter);
	if (!result)
		grant_locked(waiter);
	spin_unlock(&lock);
	return MIN(result, 0);
}

/* The heir cannot write the word: the next one that waits shall try. */
static void renounce(const struct pi_call *call)
{
	struct pi_futex *futex;
	struct pi_waiter *heir;

	spin_lock(&lock);
	futex = find_locked(&call->key);
	if (futex && futex->owner == uthread_current() && futex->inherited) {
		heir = heir_locked(futex);
		if (heir) {
			hand_over_locked(futex, heir); /* who inherits it as well */
		} else {
			futex->inherited = false;
			drop_unused_locked(futex);
		}
	}
	spin_unlock(&lock);
}

/* The heir of a dead owner: only now the word, which it alone can be sure to reach, becomes its. */
static err_t claim(const struct pi_call *call)
{
	struct uthread *self = uthread_current();
	struct pi_futex *futex;
	uint32_t value;
	err_t err;

	do {
		spin_lock(&lock);
		futex = find_locked(&call->key);
		err = 0;
		if (futex && futex->owner == self && futex->inherited) {
			err = read_locked(call->request->address, &value);
			if (!err)
				err = change_locked(call->request->address, value,
						    (uint32_t)self->own_tid | FUTEX_WAITERS |
							    FUTEX_OWNER_DIED);
			if (!err) {
				futex->inherited = false;
				drop_unused_locked(futex);
			}
		}
		spin_unlock(&lock);
	} while (err == -EAGAIN || (err && !(err = touch(call->request->address))));
	if (err)
		renounce(call);
	return err;
}

static void give_up_locked(struct pi_waiter *waiter) REQUIRES(lock);
static void give_up_locked(struct pi_waiter *waiter)
{
	struct pi_futex *futex = waiter->futex;
	struct uthread *owner = futex->owner;

	list_del(&waiter->link);
	waiter->uthread->pi_waits = NULL;
	drop_unused_locked(futex);
	lend_locked(owner);
}

err_t pi_futex_wait(struct pi_call *call)
{
	struct pi_waiter *waiter = &call->waiter;
	err_t err = wait_event_interruptible_timeout(&waiter->queue, load_acquire(&waiter->granted),
						     call->request->deadline_ns);
	bool granted;

	spin_lock(&lock);
	granted = waiter->granted;
	if (!granted)
		give_up_locked(waiter);
	spin_unlock(&lock);
	if (granted)
		return claim(call);
	/* As Linux: it begins anew whatever handler ran; the time is one of a clock. */
	return err == -EINTR ? -ERESTARTNOINTR : err;
}

err_t pi_futex_prepare(struct pi_call *call)
{
	if (!call->spare)
		call->spare = kzalloc(sizeof(*call->spare));
	return call->spare ? 0 : -ENOMEM;
}

static err_t lock_call(struct pi_call *call)
{
	err_t result;

	do {
		result = pi_futex_prepare(call);
		if (result)
			return result;
		spin_lock(&lock);
		result = lock_or_enlist_locked(call, &call->waiter);
		spin_unlock(&lock);
	} while (result < 0 && pi_futex_try_again(&result, call->request->address));
	if (result == -EBUSY)
		result = -EAGAIN;
	return result == 1 ? pi_futex_wait(call) : result;
}

err_t pi_futex_begin(struct pi_call *call, const struct futex_lock *request)
{
	*call = (struct pi_call){.request = request, .waiter.uthread = uthread_current()};
	waitq_init(&call->waiter.queue);
	return futex_key_get(&call->key, request->address, request->is_private);
}

void pi_futex_end(struct pi_call *call)
{
	kfree(call->spare);
	futex_key_put(&call->key);
}

err_t futex_lock_pi(const struct futex_lock *request)
{
	struct pi_call call;
	err_t err = pi_futex_begin(&call, request);

	if (err)
		return err;
	err = lock_call(&call);
	pi_futex_end(&call);
	return err;
}

/* ---- unlocking ---- */

static err_t unlock_locked(const struct futex_key *key, uint64_t address) REQUIRES(lock);
static err_t unlock_locked(const struct futex_key *key, uint64_t address)
{
	const struct uthread *self = uthread_current();
	struct pi_futex *futex = find_locked(key);
	struct pi_waiter *heir = futex ? heir_locked(futex) : NULL;
	uint32_t value;
	err_t err = read_locked(address, &value);

	if (err)
		return err;
	if ((value & FUTEX_TID_MASK) != (uint32_t)self->own_tid)
		return -EPERM;
	if (!heir)
		return change_locked(address, value, 0);
	if (futex->owner != self)
		return -EINVAL;
	err = change_locked(address, value, (uint32_t)heir->uthread->own_tid | FUTEX_WAITERS);
	if (!err)
		hand_over_locked(futex, heir);
	return err;
}

err_t futex_unlock_pi(uint64_t address, bool is_private)
{
	struct futex_key key;
	err_t err = futex_key_get(&key, address, is_private);

	if (err)
		return err;
	do {
		spin_lock(&lock);
		err = unlock_locked(&key, address);
		spin_unlock(&lock);
	} while (err && pi_futex_try_again(&err, address));
	futex_key_put(&key);
	return err;
}

/* ---- the end of an owner ---- */

void pi_futex_exit(struct uthread *uthread, bool for_good)
{
	struct pi_futex *futex;
	struct pi_futex *following;

	spin_lock(&lock);
	uthread->pi_over = for_good;
	list_for_each_safe (futex, following, &uthread->pi_owned, owned) {
		struct pi_waiter *heir = heir_locked(futex);

		/* Without one it was inherited, and the word was never written. */
		futex->inherited = heir != NULL;
		if (heir)
			hand_over_locked(futex, heir);
		else
			drop_unused_locked(futex);
	}
	spin_unlock(&lock);
}
