/*
 * Operations on semaphores, and those who wait for theirs: see semaphore.h. Invariant: whoever
 * waits is in the list of the semaphore that stops it, in the order of arrival; outside of the
 * set's lock no waiter could go on.
 */
#include "semaphore.h"

#include <abi/errno.h>
#include <arch/clock.h>
#include <lib/panic.h>
#include <mm/slab.h>

struct semaphore_wait {
	struct sysv_wait wait; /* first; its link is in semaphore->waiters */
	struct semaphore_call call;
	unsigned stuck;   /* [set's lock] the operation that cannot be done */
	uint64_t arrival; /* [c] */
};

static struct semaphore_wait *wait_of(struct sysv_wait *wait)
{
	return container_of(wait, struct semaphore_wait, wait);
}

void semaphore_changed_locked(struct semaphore_set *set, struct semaphore *semaphore)
{
	if (!list_linked(&semaphore->changed_link))
		list_add_tail(&set->changed, &semaphore->changed_link);
}

/* ---- a call's operations, all or none ---- */

static err_t adjust(struct semaphore_undo *undo, const struct abi_sembuf *operation, int sign)
{
	int32_t sum = undo->adjust[operation->sem_num] - sign * operation->sem_op;

	if (sum < -SEMAEM - 1 || sum > SEMAEM)
		return -ERANGE;
	undo->adjust[operation->sem_num] = (int16_t)sum;
	return 0;
}

/* One of them; SYSV_WAITING: not yet. */
static err_t operate_locked(struct semaphore_set *set, const struct abi_sembuf *operation,
			    struct semaphore_undo *undo) REQUIRES(set->base.lock)
{
	struct semaphore *semaphore = &set->semaphores[operation->sem_num];
	int32_t value = semaphore->value + operation->sem_op;
	err_t err = 0;

	if (operation->sem_op ? value < 0 : value != 0)
		return operation->sem_flg & IPC_NOWAIT ? -EAGAIN : SYSV_WAITING;
	if (value > SEMVMX)
		return -ERANGE;
	if (operation->sem_flg & SEM_UNDO && operation->sem_op)
		err = adjust(undo, operation, 1);
	if (!err)
		semaphore->value = value;
	return err;
}

static void take_back_locked(struct semaphore_set *set, const struct abi_sembuf *operation,
			     struct semaphore_undo *undo) REQUIRES(set->base.lock)
{
	set->semaphores[operation->sem_num].value -= operation->sem_op;
	if (operation->sem_flg & SEM_UNDO && operation->sem_op)
		(void)!adjust(undo, operation, -1); /* what was there is in range */
}

/* `*stuck`: the first that could not be done, if the result is not 0. */
static err_t perform_locked(struct semaphore_set *set, const struct semaphore_call *call,
			    unsigned *stuck) REQUIRES(set->base.lock)
{
	unsigned i;
	err_t err = 0;

	for (i = 0; i < call->noperations && !err; i++)
		err = operate_locked(set, &call->operations[i], call->undo);
	if (err) {
		*stuck = --i;
		while (i-- > 0)
			take_back_locked(set, &call->operations[i], call->undo);
		return err;
	}
	for (i = 0; i < call->noperations; i++) {
		struct semaphore *semaphore = &set->semaphores[call->operations[i].sem_num];

		semaphore->pid = call->pid;
		if (call->operations[i].sem_op)
			semaphore_changed_locked(set, semaphore);
	}
	set->operated_s = sysv_now_s();
	return 0;
}

/* ---- those who wait ---- */

/* To where it is stuck, behind those who came before. */
static void place_locked(struct semaphore_set *set, struct semaphore_wait *wait)
	REQUIRES(set->base.lock)
{
	unsigned index = wait->call.operations[wait->stuck].sem_num;
	struct list *waiters = &set->semaphores[index].waiters;
	struct list *before = waiters->prev;

	while (before != waiters &&
	       wait_of(list_entry(before, struct sysv_wait, link))->arrival > wait->arrival)
		before = before->prev;
	list_insert_between(&wait->wait.link, before, before->next);
}

/* It goes on, stays, or waits for another semaphore from now on. */
static void retry_locked(struct semaphore_set *set, struct semaphore_wait *wait, struct list *woken)
	REQUIRES(set->base.lock)
{
	unsigned before = wait->call.operations[wait->stuck].sem_num;
	err_t err = perform_locked(set, &wait->call, &wait->stuck);

	if (err != SYSV_WAITING) {
		sysv_wait_decide(&wait->wait, err, woken);
	} else if (wait->call.operations[wait->stuck].sem_num != before) {
		list_del(&wait->wait.link);
		place_locked(set, wait);
	}
}

/* Looks at the waiters of one; those that had to stay have another chance when somebody behind them
 * has changed it. */
static void update_one_locked(struct semaphore_set *set, struct semaphore *semaphore,
			      struct list *woken) REQUIRES(set->base.lock)
{
	struct sysv_wait *wait, *next;

	list_for_each_safe (wait, next, &semaphore->waiters, link) {
		retry_locked(set, wait_of(wait), woken);
		if (list_linked(&semaphore->changed_link))
			break;
	}
}

void semaphore_update_locked(struct semaphore_set *set, struct list *woken)
{
	while (!list_empty(&set->changed)) {
		struct semaphore *semaphore =
			list_first_entry(&set->changed, struct semaphore, changed_link);

		list_del(&semaphore->changed_link);
		update_one_locked(set, semaphore, woken);
	}
}

void semaphore_expel_locked(struct semaphore_set *set, err_t result, struct list *woken)
{
	struct sysv_wait *wait, *next;

	for (unsigned i = 0; i < set->nsemaphores; i++) {
		list_for_each_safe (wait, next, &set->semaphores[i].waiters, link)
			sysv_wait_decide(wait, result, woken);
	}
}

int semaphore_waiters_locked(struct semaphore_set *set, unsigned index, bool zero)
{
	struct sysv_wait *wait;
	int count = 0;

	list_for_each (wait, &set->semaphores[index].waiters, link) {
		const struct semaphore_wait *waiter = wait_of(wait);

		count += (waiter->call.operations[waiter->stuck].sem_op == 0) == zero;
	}
	return count;
}

/* ---- semop ---- */

/* What the operations want as a whole. */
static void summarize(const struct abi_sembuf *operations, unsigned noperations, unsigned *highest,
		      bool *alter, bool *undo)
{
	for (unsigned i = 0; i < noperations; i++) {
		*highest = MAX(*highest, (unsigned)operations[i].sem_num);
		*alter |= operations[i].sem_op != 0;
		*undo |= operations[i].sem_op != 0 && operations[i].sem_flg & SEM_UNDO;
	}
}

/* Does them, or fails, or SYSV_WAITING: then it waits, if there is a `wait`. */
static err_t attempt(struct semaphore_set *set, const struct semaphore_call *call, unsigned wanted,
		     struct semaphore_wait *wait)
{
	LIST_HEAD(woken);
	unsigned stuck = 0;
	err_t err;

	mutex_lock(&set->base.lock);
	err = sysv_check_locked(&set->base, wanted);
	if (!err)
		err = perform_locked(set, call, &stuck);
	if (!err) {
		semaphore_update_locked(set, &woken);
	} else if (err == SYSV_WAITING && wait) {
		wait->call = *call;
		wait->stuck = stuck;
		wait->arrival = ++set->narrivals;
		place_locked(set, wait);
	}
	mutex_unlock(&set->base.lock);
	sysv_wake(&woken);
	return err;
}

static err_t operate(struct semaphore_set *set, const struct semaphore_call *call, bool alter,
		     uint64_t deadline_ns)
{
	unsigned wanted = alter ? SYSV_WRITE : SYSV_READ;
	struct semaphore_wait *wait;
	err_t err = attempt(set, call, wanted, NULL);

	if (err != SYSV_WAITING)
		return err;
	wait = kzalloc(sizeof(*wait));
	if (!wait)
		return -ENOMEM;
	sysv_wait_init(&wait->wait);
	err = attempt(set, call, wanted, wait);
	if (err == SYSV_WAITING)
		err = sysv_wait_for(&set->base.lock, &wait->wait, deadline_ns);
	sysv_wait_put(&wait->wait);
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

err_t semaphore_operate(int32_t id, const struct abi_sembuf *operations, unsigned noperations,
			struct semaphore_undos **undos, uint64_t deadline_ns)
{
	struct sysv_object *object = sysv_find(semaphore_sets(), id);
	struct semaphore_call call = {
		.operations = operations, .noperations = noperations, .pid = sysv_caller().pid};
	struct semaphore_undos *shared = NULL;
	unsigned highest = 0;
	bool alter = false, undo = false;
	err_t err = 0;

	if (!object)
		return -EINVAL;
	summarize(operations, noperations, &highest, &alter, &undo);
	if (highest >= semaphore_set_of(object)->nsemaphores)
		err = -EFBIG;
	if (!err && undo) {
		shared = semaphore_undos_share(undos);
		err = shared ? semaphore_undo_get(shared, semaphore_set_of(object), &call.undo)
			     : -ENOMEM;
	}
	if (!err)
		err = operate(semaphore_set_of(object), &call, alter, deadline_ns);
	semaphore_undos_put(shared);
	sysv_put(object);
	return err;
}
