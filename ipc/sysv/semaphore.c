/*
 * Sets of semaphores, and what semctl does to them. What waits is semaphore_wait.c's.
 */
#include "semaphore.h"

#include <abi/errno.h>
#include <mm/kva.h>

#define SEMUSZ 20 /* Linux's, of old */

static size_t set_bytes(unsigned nsemaphores)
{
	return sizeof(struct semaphore_set) + nsemaphores * sizeof(struct semaphore);
}

static void set_free(struct sysv_object *object)
{
	struct semaphore_set *set = semaphore_set_of(object);
	size_t bytes = set_bytes(set->nsemaphores);

	kvfree(set, bytes);
	sysv_uncharge(bytes);
}

/* ---- semget ---- */

static err_t set_fits(const struct sysv_object *object, uint64_t size)
{
	return container_of(object, const struct semaphore_set, base)->nsemaphores < size ? -EINVAL
											  : 0;
}

static err_t set_check(const struct sysv_kind *kind, uint64_t size, UNUSED unsigned flags)
{
	if (!size)
		return -EINVAL;
	return kind->total + size > read_once(&kind->ipc->sysv_limits.semmns) ? -ENOSPC : 0;
}

static err_t set_make(struct sysv_kind *kind, uint64_t size, struct sysv_object **out)
{
	unsigned nsemaphores = (unsigned)size;
	struct semaphore_set *set;
	err_t err = sysv_charge(set_bytes(nsemaphores));

	if (err)
		return err;
	set = kvmalloc(set_bytes(nsemaphores));
	if (!set) {
		sysv_uncharge(set_bytes(nsemaphores));
		return -ENOMEM;
	}
	*set = (struct semaphore_set){.nsemaphores = nsemaphores};
	list_init(&set->changed);
	list_init(&set->undos);
	for (unsigned i = 0; i < nsemaphores; i++) {
		struct semaphore *semaphore = &set->semaphores[i];

		*semaphore = (struct semaphore){0};
		list_init(&semaphore->waiters);
		list_init(&semaphore->changed_link);
	}
	kind->total += nsemaphores;
	*out = &set->base;
	return 0;
}

int semaphore_get(int32_t key, int nsems, unsigned flags)
{
	if (nsems < 0 || (unsigned)nsems > read_once(&sysv_limits()->semmsl))
		return -EINVAL;
	return sysv_get(semaphore_sets(), &(struct sysv_request){
						  .key = key,
						  .flags = flags,
						  .size = (uint64_t)nsems,
						  .fits = set_fits,
						  .check = set_check,
						  .make = set_make,
					  });
}

/* ---- one of them ---- */

/* Locked, with a reference. */
static err_t lock_set(int32_t id, unsigned wanted, struct semaphore_set **out) NO_THREAD_SAFETY
{
	struct sysv_object *object = sysv_find(semaphore_sets(), id);
	err_t err;

	if (!object)
		return -EINVAL;
	mutex_lock(&object->lock);
	err = sysv_check_locked(object, wanted);
	if (err) {
		mutex_unlock(&object->lock);
		sysv_put(object);
		return err;
	}
	*out = semaphore_set_of(object);
	return 0;
}

static void unlock_set(struct semaphore_set *set) NO_THREAD_SAFETY
{
	mutex_unlock(&set->base.lock);
	sysv_put(&set->base);
}

static int ask_locked(struct semaphore_set *set, unsigned index, unsigned command)
	REQUIRES(set->base.lock)
{
	if (index >= set->nsemaphores)
		return -EINVAL;
	switch (command) {
	case GETVAL:
		return set->semaphores[index].value;
	case GETPID:
		return set->semaphores[index].pid;
	case GETNCNT:
		return semaphore_waiters_locked(set, index, false);
	case GETZCNT:
		return semaphore_waiters_locked(set, index, true);
	default:
		return -EINVAL;
	}
}

int semaphore_ask(int32_t id, unsigned index, unsigned command) NO_THREAD_SAFETY
{
	struct semaphore_set *set;
	int result = lock_set(id, SYSV_READ, &set);

	if (result)
		return result;
	result = ask_locked(set, index, command);
	unlock_set(set);
	return result;
}

static void set_value_locked(struct semaphore_set *set, unsigned index, int value)
	REQUIRES(set->base.lock)
{
	struct semaphore *semaphore = &set->semaphores[index];

	semaphore->value = value;
	semaphore->pid = sysv_caller().pid;
	semaphore_undo_clear_locked(set, index);
	semaphore_changed_locked(set, semaphore);
}

err_t semaphore_set_value(int32_t id, unsigned index, int value) NO_THREAD_SAFETY
{
	struct semaphore_set *set;
	LIST_HEAD(woken);
	err_t err = value < 0 || value > SEMVMX ? -ERANGE : lock_set(id, 0, &set);

	if (err)
		return err;
	err = index >= set->nsemaphores ? -EINVAL : sysv_check_locked(&set->base, SYSV_WRITE);
	if (!err) {
		set_value_locked(set, index, value);
		set->base.changed_s = sysv_now_s();
		semaphore_update_locked(set, &woken);
	}
	unlock_set(set);
	sysv_wake(&woken);
	return err;
}

/* ---- all of them ---- */

int semaphore_count(int32_t id, bool read) NO_THREAD_SAFETY
{
	struct semaphore_set *set;
	int result = lock_set(id, read ? SYSV_READ : SYSV_WRITE, &set);

	if (result)
		return result;
	result = (int)set->nsemaphores;
	unlock_set(set);
	return result;
}

err_t semaphore_get_all(int32_t id, uint16_t *values, unsigned nvalues) NO_THREAD_SAFETY
{
	struct semaphore_set *set;
	err_t err = lock_set(id, SYSV_READ, &set);

	if (err)
		return err;
	if (set->nsemaphores == nvalues) {
		for (unsigned i = 0; i < nvalues; i++)
			values[i] = (uint16_t)set->semaphores[i].value;
	} else {
		err = -EIDRM; /* another one has its id by now */
	}
	unlock_set(set);
	return err;
}

err_t semaphore_set_all(int32_t id, const uint16_t *values, unsigned nvalues) NO_THREAD_SAFETY
{
	struct semaphore_set *set;
	LIST_HEAD(woken);
	err_t err;

	for (unsigned i = 0; i < nvalues; i++) {
		if (values[i] > SEMVMX)
			return -ERANGE;
	}
	err = lock_set(id, SYSV_WRITE, &set);
	if (err)
		return err;
	if (set->nsemaphores == nvalues) {
		for (unsigned i = 0; i < nvalues; i++)
			set_value_locked(set, i, values[i]);
		set->base.changed_s = sysv_now_s();
		semaphore_update_locked(set, &woken);
	} else {
		err = -EIDRM;
	}
	unlock_set(set);
	sysv_wake(&woken);
	return err;
}

/* ---- the set ---- */

static err_t remove(struct semaphore_set *set, bool check)
{
	struct sysv_kind *kind = set->base.kind;
	LIST_HEAD(woken);
	err_t err;

	mutex_lock(&kind->lock);
	mutex_lock(&set->base.lock);
	err = check ? sysv_owns_locked(&set->base) : 0;
	if (!err) {
		semaphore_undo_forget_locked(set);
		semaphore_expel_locked(set, -EIDRM, &woken);
		kind->total -= set->nsemaphores;
		sysv_remove_locked(kind, &set->base);
	}
	mutex_unlock(&set->base.lock);
	mutex_unlock(&kind->lock);
	sysv_wake(&woken);
	return err;
}

static void remove_unchecked(struct sysv_object *object)
{
	(void)!remove(semaphore_set_of(object), false);
}

const struct sysv_kind_ops semaphore_kind_ops = {.free = set_free, .remove = remove_unchecked};

err_t semaphore_remove(int32_t id)
{
	struct sysv_object *object = sysv_find(semaphore_sets(), id);
	err_t err;

	if (!object)
		return -EINVAL;
	err = remove(semaphore_set_of(object), true);
	sysv_put(object);
	return err;
}

err_t semaphore_set_owner(int32_t id, const struct sysv_owner *owner)
{
	struct sysv_object *object = sysv_find(semaphore_sets(), id);
	err_t err;

	if (!object)
		return -EINVAL;
	mutex_lock(&object->lock);
	err = sysv_owns_locked(object);
	if (!err)
		err = sysv_set_owner_locked(object, owner);
	mutex_unlock(&object->lock);
	sysv_put(object);
	return err;
}

static void describe_locked(const struct semaphore_set *set, struct abi_semid_ds *out)
	REQUIRES(set->base.lock)
{
	*out = (struct abi_semid_ds){
		.otime = set->operated_s,
		.ctime = set->base.changed_s,
		.nsems = set->nsemaphores,
	};
	sysv_describe_locked(&set->base, &out->perm);
}

int semaphore_stat(int32_t id, enum sysv_lookup lookup, struct abi_semid_ds *out)
{
	struct sysv_object *object;
	struct semaphore_set *set;
	int result = sysv_look_up(semaphore_sets(), id, lookup, &object);

	if (result)
		return result;
	set = semaphore_set_of(object);
	mutex_lock(&set->base.lock);
	result = sysv_check_locked(&set->base, sysv_lookup_wants(lookup));
	if (!result) {
		describe_locked(set, out);
		result = object->id;
	}
	mutex_unlock(&set->base.lock);
	sysv_put(object);
	return result;
}

int semaphore_next(uint32_t *index, struct abi_semid_ds *out)
{
	struct sysv_object *object = sysv_next(semaphore_sets(), index);
	struct semaphore_set *set;
	int id;

	if (!object)
		return -1;
	set = semaphore_set_of(object);
	mutex_lock(&set->base.lock);
	describe_locked(set, out);
	id = object->id;
	mutex_unlock(&set->base.lock);
	sysv_put(object);
	return id;
}

int semaphore_info(bool in_use, struct abi_seminfo *out)
{
	const struct sysv_limits *limits = sysv_limits();
	struct sysv_kind *kind = semaphore_sets();

	*out = (struct abi_seminfo){
		.semmap = (int32_t)read_once(&limits->semmns),
		.semmni = (int32_t)read_once(&limits->semmni),
		.semmns = (int32_t)read_once(&limits->semmns),
		.semmnu = (int32_t)read_once(&limits->semmns),
		.semmsl = (int32_t)read_once(&limits->semmsl),
		.semopm = (int32_t)read_once(&limits->semopm),
		.semume = (int32_t)read_once(&limits->semopm),
		.semusz = SEMUSZ,
		.semvmx = SEMVMX,
		.semaem = SEMAEM,
	};
	if (in_use) {
		mutex_lock(&kind->lock);
		out->semusz = (int32_t)kind->count;
		out->semaem = (int32_t)kind->total;
		mutex_unlock(&kind->lock);
	}
	return sysv_highest(kind);
}
