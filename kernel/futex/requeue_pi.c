/*
 * Waiting on a word for whoever passes the thread on to a lock: a condition variable whose mutex
 * lends priority. One that waits so is on its word's bucket list with the lock named beside it
 * (waiter->pi). Who passes it on takes it off the list under the bucket's lock, inside of which the
 * lock becomes its or it is one that waits for it (pi.c): so it always is at one of the two. Owns
 * no state.
 */
#include "futex_priv.h"

#include "../process/uthread.h"
#include "../signal/signal.h"

#include <abi/errno.h>
#include <arch/user.h>

/* ---- waiting ---- */

static err_t wait_on(const struct futex_wait *wait, const struct futex_key *key,
		     struct pi_call *call)
{
	struct futex_waiter waiter = {
		.bits = FUTEX_BITS_ALL, .queue = &call->waiter.queue, .pi = call};
	uint32_t value;
	err_t err;

	futex_enlist(&waiter, key);
	err = user_get(&value, uptr(wait->address));
	if (!err && value != wait->expected)
		err = -EAGAIN;
	if (!err)
		err = wait_event_interruptible_timeout(
			waiter.queue, load_acquire(&call->waiter.granted), wait->deadline_ns);
	if (!futex_leave(&waiter))
		return err == -EINTR ? -ERESTARTNOINTR : err;
	err = pi_futex_wait(call);
	/* Begun anew it would find the word changed. */
	return err == -ERESTARTNOINTR ? -EAGAIN : err;
}

err_t futex_wait_requeue_pi(const struct futex_wait *wait, const struct futex_lock *request)
{
	struct futex_key key;
	struct pi_call call;
	err_t err = futex_key_get(&key, wait->address, wait->is_private);

	if (err)
		return err;
	err = pi_futex_begin(&call, request);
	if (err)
		goto put_key;
	err = futex_key_equal(&key, &call.key) ? -EINVAL : wait_on(wait, &key, &call);
	pi_futex_end(&call);
put_key:
	futex_key_put(&key);
	return err;
}

/* ---- passing on ---- */

/* Each with the locks taken anew: who comes to wait meanwhile is passed on as well, which is as if
 * it had come before. */
static err_t pass_all(const struct futex_key *from, struct pi_call *by, unsigned nmove)
{
	unsigned npassed = 0;
	err_t result = 0;

	/* Who has waited for long is not made to wait for all: the caller asks again. */
	while (npassed <= nmove && !(npassed && thread_interrupted())) {
		result = pi_futex_prepare(by);
		if (result)
			break;
		result = futex_pass_one(from, by);
		if (!result)
			break;
		if (result > 0)
			npassed++;
		else if (!pi_futex_try_again(&result, by->request->address))
			break;
	}
	/* An error is of one that still waits: the next call comes across it. */
	return npassed ? (err_t)npassed : result;
}

err_t futex_requeue_pi(const struct futex_place *from, const struct futex_place *to, unsigned nmove,
		       uint32_t expected)
{
	const struct futex_lock lock = {.address = to->address, .is_private = to->is_private};
	struct futex_key key;
	struct pi_call by;
	uint32_t value;
	err_t result = futex_key_get(&key, from->address, from->is_private);

	if (result)
		return result;
	result = pi_futex_begin(&by, &lock);
	if (result)
		goto put_key;
	if (futex_key_equal(&key, &by.key))
		result = -EINVAL;
	else
		result = user_get(&value, uptr(from->address));
	if (!result && value != expected)
		result = -EAGAIN;
	if (!result)
		result = pass_all(&key, &by, nmove);
	pi_futex_end(&by);
put_key:
	futex_key_put(&key);
	return result;
}
