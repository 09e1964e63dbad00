/*
 * What semaphores get back at the end of those who asked for it (SEM_UNDO). A process's list of it
 * is shared by its threads; the last one who leaves carries it out. Each entry is on its owner's
 * list and, until the set is removed, on the set's; it is freed by its owner alone, so one whose
 * set has gone stays until the owner makes another one or ends.
 */
#include "semaphore.h"

#include <abi/errno.h>
#include <mm/kva.h>
#include <mm/slab.h>

struct semaphore_undos {
	struct refcount references;
	struct mutex lock;
	struct list entries; /* lock */
};

SLAB_CACHE(undos_cache, struct semaphore_undos);

static size_t undo_bytes(const struct semaphore_set *set)
{
	return sizeof(struct semaphore_undo) + set->nsemaphores * sizeof(int16_t);
}

static struct semaphore_undos *undos_create(void)
{
	struct semaphore_undos *undos = slab_alloc(&undos_cache);

	if (!undos)
		return NULL;
	refcount_init(&undos->references);
	mutex_init(&undos->lock, LOCK_UNDO);
	list_init(&undos->entries);
	return undos;
}

struct semaphore_undos *semaphore_undos_share(struct semaphore_undos **undos)
{
	if (!*undos)
		*undos = undos_create();
	if (*undos)
		refcount_get(&(*undos)->references);
	return *undos;
}

/* It is on no list. */
static void undo_free(struct semaphore_undo *undo)
{
	struct semaphore_set *set = undo->set;
	size_t bytes = undo_bytes(set);

	kvfree(undo, bytes);
	sysv_uncharge(bytes);
	sysv_put(&set->base);
}

/* ---- of a set ---- */

void semaphore_undo_clear_locked(struct semaphore_set *set, unsigned index)
{
	struct semaphore_undo *undo;

	list_for_each (undo, &set->undos, by_set)
		undo->adjust[index] = 0;
}

void semaphore_undo_forget_locked(struct semaphore_set *set)
{
	while (!list_empty(&set->undos))
		list_del(set->undos.next);
}

/* ---- of an owner ---- */

/* The set's lock says whether it has gone, and that who removed it is through with the entry. */
static bool set_is_gone(struct semaphore_set *set)
{
	bool gone;

	mutex_lock(&set->base.lock);
	gone = set->base.gone;
	mutex_unlock(&set->base.lock);
	return gone;
}

static struct semaphore_undo *find_locked(struct semaphore_undos *undos,
					  const struct semaphore_set *set) REQUIRES(undos->lock)
{
	struct semaphore_undo *undo;

	list_for_each (undo, &undos->entries, by_owner) {
		if (undo->set == set)
			return undo;
	}
	return NULL;
}

static void drop_gone_locked(struct semaphore_undos *undos) REQUIRES(undos->lock)
{
	struct semaphore_undo *undo, *next;

	list_for_each_safe (undo, next, &undos->entries, by_owner) {
		if (!set_is_gone(undo->set))
			continue;
		list_del(&undo->by_owner);
		undo_free(undo);
	}
}

static err_t make_locked(struct semaphore_undos *undos, struct semaphore_set *set,
			 struct semaphore_undo **out) REQUIRES(undos->lock)
{
	struct semaphore_undo *undo = NULL;
	err_t err = sysv_charge(undo_bytes(set));

	if (err)
		return err;
	undo = kvmalloc(undo_bytes(set));
	if (!undo) {
		sysv_uncharge(undo_bytes(set));
		return -ENOMEM;
	}
	*undo = (struct semaphore_undo){.set = set};
	for (unsigned i = 0; i < set->nsemaphores; i++)
		undo->adjust[i] = 0;
	refcount_get(&set->base.references);
	list_init(&undo->by_set);
	mutex_lock(&set->base.lock);
	if (set->base.gone)
		err = -EIDRM;
	else
		list_add_tail(&set->undos, &undo->by_set);
	mutex_unlock(&set->base.lock);
	if (err) {
		undo_free(undo);
		return err;
	}
	list_add_tail(&undos->entries, &undo->by_owner);
	*out = undo;
	return 0;
}

err_t semaphore_undo_get(struct semaphore_undos *undos, struct semaphore_set *set,
			 struct semaphore_undo **out)
{
	err_t err = 0;

	mutex_lock(&undos->lock);
	*out = find_locked(undos, set);
	if (!*out) {
		drop_gone_locked(undos);
		err = make_locked(undos, set, out);
	}
	mutex_unlock(&undos->lock);
	return err;
}

/* ---- the end ---- */

static void carry_out_locked(struct semaphore_set *set, struct semaphore_undo *undo,
			     struct list *woken) REQUIRES(set->base.lock)
{
	list_del(&undo->by_set);
	for (unsigned i = 0; i < set->nsemaphores; i++) {
		struct semaphore *semaphore = &set->semaphores[i];

		if (!undo->adjust[i])
			continue;
		/* As Linux: what would not be a value is the nearest one. */
		semaphore->value = MIN(MAX(semaphore->value + undo->adjust[i], 0), SEMVMX);
		semaphore->pid = sysv_caller().pid;
		semaphore_changed_locked(set, semaphore);
	}
	semaphore_update_locked(set, woken);
}

void semaphore_undos_put(struct semaphore_undos *undos)
{
	struct semaphore_undo *undo, *next;

	if (!undos || !refcount_put(&undos->references))
		return;
	list_for_each_safe (undo, next, &undos->entries, by_owner) {
		struct semaphore_set *set = undo->set;
		LIST_HEAD(woken);

		mutex_lock(&set->base.lock);
		if (!set->base.gone)
			carry_out_locked(set, undo, &woken);
		mutex_unlock(&set->base.lock);
		sysv_wake(&woken);
		list_del(&undo->by_owner);
		undo_free(undo);
	}
	slab_free(&undos_cache, undos);
}
