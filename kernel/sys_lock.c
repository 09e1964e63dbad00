/*
 * System calls that lock parts of files: fcntl's commands and flock. Owns no state.
 */
#include "sys_lock.h"

#include "namespace/pid.h"
#include "process/uthread.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/fcntl.h>
#include <abi/stat.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <ipc/object.h>

/* Where the range is counted from. */
static err_t get_base(struct object *object, int whence, uint64_t *base)
{
	struct abi_stat stat;
	err_t err;

	switch (whence) {
	case SEEK_SET:
		*base = 0;
		return 0;
	case SEEK_CUR:
		return object_seek(object, 0, SEEK_CUR, base);
	case SEEK_END:
		err = object_stat(object, &stat);
		*base = (uint64_t)stat.st_size;
		return err;
	default:
		return -EINVAL;
	}
}

/* A length below 0 is what lies before the start. */
static err_t get_range(struct object *object, const struct abi_flock *flock,
		       struct object_lock *out)
{
	uint64_t base;
	int64_t start, end;
	err_t err = get_base(object, flock->l_whence, &base);

	if (err)
		return err;
	if (__builtin_add_overflow((int64_t)base, flock->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (flock->l_len > 0) {
		if (__builtin_add_overflow(start, flock->l_len - 1, &end))
			return -EOVERFLOW;
	} else if (flock->l_len < 0) {
		end = start - 1;
		start += flock->l_len;
		if (start < 0)
			return -EINVAL;
	} else {
		end = INT64_MAX;
	}
	out->start = (uint64_t)start;
	out->end = (uint64_t)end;
	return 0;
}

static err_t decode(struct object *object, const struct abi_flock *flock, bool of_open_file,
		    struct object_lock *out)
{
	*out = (struct object_lock){
		.kind = of_open_file ? OBJECT_LOCK_OPEN : OBJECT_LOCK_PROCESS,
		.owner = of_open_file ? 0 : current_fds()->number,
		.pid = of_open_file ? -1 : uthread_fs()->pid,
		.type = (uint16_t)flock->l_type,
	};
	if (flock->l_type < F_RDLCK || flock->l_type > F_UNLCK || (of_open_file && flock->l_pid))
		return -EINVAL;
	return get_range(object, flock, out);
}

static err_t test(struct object *object, struct object_lock *lock, struct abi_flock *flock)
{
	err_t err = lock->type == F_UNLCK ? -EINVAL : object_lock_test(object, lock);

	if (err)
		return err;
	flock->l_type = (int16_t)lock->type;
	if (lock->type == F_UNLCK)
		return 0;
	flock->l_whence = SEEK_SET;
	flock->l_start = (int64_t)lock->start;
	flock->l_len = lock->end == INT64_MAX ? 0 : (int64_t)(lock->end - lock->start) + 1;
	flock->l_pid = pid_shown(lock->pid);
	return 0;
}

/* If another thread closed the descriptor meanwhile, nobody would ever give the lock back. */
static err_t set(int fd, struct object *object, struct object_lock *lock, bool wait)
{
	err_t err = object_lock(object, lock, wait);
	struct object *still;

	if (err || lock->kind != OBJECT_LOCK_PROCESS || lock->type == F_UNLCK)
		return err;
	still = fd_get(current_fds(), fd);
	if (still != object) {
		lock->type = F_UNLCK;
		(void)!object_lock(object, lock, false);
		err = -EBADF;
	}
	object_put(still);
	return err;
}

err_t fcntl_lock(int fd, struct object *object, int command, uptr_t argument)
{
	bool of_open_file = command >= F_OFD_GETLK;
	struct object_lock lock;
	struct abi_flock flock;
	err_t err;

	if (object_flags(object) & O_PATH)
		return -EBADF;
	if (user_get(&flock, argument))
		return -EFAULT;
	err = decode(object, &flock, of_open_file, &lock);
	if (err)
		return err;
	switch (command) {
	case F_GETLK:
	case F_OFD_GETLK:
		err = test(object, &lock, &flock);
		return err ? err : user_put(argument, &flock);
	case F_SETLKW:
	case F_OFD_SETLKW:
		return set(fd, object, &lock, true);
	default:
		return set(fd, object, &lock, false);
	}
}

int sys_flock(int fd, unsigned operation)
{
	static const uint16_t types[] = {
		[LOCK_SH] = F_RDLCK, [LOCK_EX] = F_WRLCK, [LOCK_UN] = F_UNLCK};
	unsigned what = operation & ~LOCK_NB;
	struct object_lock lock = {.kind = OBJECT_LOCK_WHOLE, .end = INT64_MAX};
	struct object *object;
	err_t err;

	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	lock.type = types[what];
	object = fd_get(current_fds(), fd);
	if (!object)
		return -EBADF;
	err = object_lock(object, &lock, !(operation & LOCK_NB));
	object_put(object);
	return err;
}
