/*
 * Waiting for an answer: see struct sysv_wait. Owns nothing.
 */
#include "sysv.h"

#include <abi/errno.h>
#include <mm/slab.h>

void sysv_wait_init(struct sysv_wait *wait)
{
	refcount_init(&wait->references);
	list_init(&wait->link);
	waitq_init(&wait->queue);
	wait->result = SYSV_WAITING;
}

void sysv_wait_put(struct sysv_wait *wait)
{
	if (refcount_put(&wait->references))
		kfree(wait);
}

void sysv_wait_decide(struct sysv_wait *wait, err_t result, struct list *woken)
{
	refcount_get(&wait->references);
	list_del(&wait->link);
	list_add_tail(woken, &wait->link);
	/* Release: what it was given is there; pairs with the acquire in sysv_wait_for(). From here
	 * on it may have returned: only our reference keeps the memory. */
	store_release(&wait->result, result);
}

void sysv_wake(struct list *woken)
{
	struct sysv_wait *wait, *next;

	list_for_each_safe (wait, next, woken, link) {
		list_del(&wait->link);
		waitq_wake_all(&wait->queue);
		sysv_wait_put(wait);
	}
}

err_t sysv_wait_for(struct mutex *lock, struct sysv_wait *wait, uint64_t deadline_ns)
{
	err_t err = wait_event_interruptible_timeout(
		&wait->queue, load_acquire(&wait->result) != SYSV_WAITING, deadline_ns);

	if (err) {
		mutex_lock(lock);
		if (wait->result == SYSV_WAITING) {
			list_del(&wait->link);
			wait->result = err;
		}
		mutex_unlock(lock);
	}
	return wait->result;
}
