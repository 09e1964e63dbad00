/*
 * Locks on parts of open files: the server's own where it keeps them, else the kernel's (locks.h).
 * No state, no locks.
 */
#include "locks.h"
#include "open_file.h"

/* As an owner of locks: a number of its own above those of descriptor tables, which says nothing to
 * a driver. */
static uint64_t own_number(struct file *file)
{
	static uint64_t last; /* atomic */
	uint64_t number = read_once(&file->lock_owner), nobody = 0;

	if (number)
		return number;
	number = (UINT64_C(1) << 63) | (atomic_fetch_add_full(&last, 1) + 1);
	return atomic_cas(&file->lock_owner, &nobody, number) ? number : nobody;
}

static void set_owner(struct file *file, struct object_lock *lock)
{
	if (lock->kind == OBJECT_LOCK_PROCESS)
		return;
	lock->owner = own_number(file);
	lock->pid = -1;
}

err_t file_lock(struct object *object, const struct object_lock *lock, bool wait)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;
	struct object_lock own = *lock;
	err_t err = -ENOSYS;

	set_owner(file, &own);
	if (ops->lock)
		err = ops->lock(file->server, file->id, file->open.handle, &own, wait);
	return err == -ENOSYS ? locks_set(file->node, &own, wait) : err;
}

err_t file_lock_test(struct object *object, struct object_lock *lock)
{
	struct file *file = file_of(object);
	const struct server_ops *ops = file->server->ops;
	err_t err = -ENOSYS;

	set_owner(file, lock);
	if (ops->lock_test)
		err = ops->lock_test(file->server, file->id, file->open.handle, lock);
	if (err != -ENOSYS)
		return err;
	locks_test(file->node, lock);
	return 0;
}

void file_locks_closed(struct file *file, uint64_t process)
{
	locks_drop(file->node, OBJECT_LOCK_PROCESS, process);
}

void file_locks_released(struct file *file)
{
	uint64_t number = read_once(&file->lock_owner);

	if (!number)
		return;
	locks_drop(file->node, OBJECT_LOCK_OPEN, number);
	locks_drop(file->node, OBJECT_LOCK_WHOLE, number);
}
