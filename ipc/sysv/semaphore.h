/*
 * What the files on semaphores share.
 *
 * A call that cannot go on waits in the list of that semaphore which the first of its operations
 * that fails is about: it cannot succeed before this one changes. So a change looks at the waiters
 * of what has changed alone, the longest waiting first; one of them that fails elsewhere then moves
 * there, to its place by arrival.
 */
#ifndef IPC_SYSV_SEMAPHORE_H
#define IPC_SYSV_SEMAPHORE_H

#include "sysv.h"

/* All under set->base.lock. */
struct semaphore {
	int32_t value;
	int32_t pid;              /* who operated on it last */
	struct list waiters;      /* struct semaphore_wait, the longest waiting first */
	struct list changed_link; /* on set->changed */
};

/*
 *   [c] constant
 *   [l] base.lock
 */
struct semaphore_set {
	struct sysv_object base;
	int64_t operated_s;   /* [l] */
	uint64_t narrivals;   /* [l] of waiters, ever */
	struct list changed;  /* [l] struct semaphore: whose waiters are to be looked at */
	struct list undos;    /* [l] struct semaphore_undo */
	unsigned nsemaphores; /* [c] */
	struct semaphore semaphores[];
};

/* What one process has done to one set. */
struct semaphore_undo {
	struct list by_owner;      /* [owner->lock] */
	struct list by_set;        /* [set's lock], or nowhere: the set is gone */
	struct semaphore_set *set; /* [c] a reference */
	int16_t adjust[];          /* [set's lock] what is added to each value at the end */
};

/* One call's operations. */
struct semaphore_call {
	const struct abi_sembuf *operations;
	unsigned noperations;
	struct semaphore_undo *undo; /* NULL: none wants one */
	int32_t pid;
};

static inline struct semaphore_set *semaphore_set_of(struct sysv_object *object)
{
	return container_of(object, struct semaphore_set, base);
}

/* The sets of who calls. */
static inline struct sysv_kind *semaphore_sets(void)
{
	return &ipc_namespace_caller()->sets;
}

/* The waiters of a semaphore are to be looked at. */
void semaphore_changed_locked(struct semaphore_set *set, struct semaphore *semaphore)
	REQUIRES(set->base.lock);
/* Lets all go that can: they are put on `woken`, for sysv_wake(). */
void semaphore_update_locked(struct semaphore_set *set, struct list *woken)
	REQUIRES(set->base.lock);
/* Everybody who waits gets this result. */
void semaphore_expel_locked(struct semaphore_set *set, err_t result, struct list *woken)
	REQUIRES(set->base.lock);
/* Who waits for it to become 0 (`zero`), or larger. */
int semaphore_waiters_locked(struct semaphore_set *set, unsigned index, bool zero)
	REQUIRES(set->base.lock);

/* What `undos` holds of a set: made when there is none. Valid while the caller has a reference to
 * `undos`, and under the set's lock if the set is not gone. -ENOMEM, -EIDRM. */
err_t must_check semaphore_undo_get(struct semaphore_undos *undos, struct semaphore_set *set,
				    struct semaphore_undo **out) EXCLUDES(set->base.lock);
/* Nobody gives back what they did to this semaphore. */
void semaphore_undo_clear_locked(struct semaphore_set *set, unsigned index)
	REQUIRES(set->base.lock);
/* The set goes: so do all of them. */
void semaphore_undo_forget_locked(struct semaphore_set *set) REQUIRES(set->base.lock);

#endif
