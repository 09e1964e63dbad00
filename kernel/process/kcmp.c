/*
 * kcmp(2): do two threads share a thing of the kernel's, and if not, in which order do they come,
 * for who sorts many. The order says nothing of where anything lies. Owns the key that hides it.
 */
#include "inspect.h"
#include "uthread.h"

#include "../namespace/pid.h"
#include "../random.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/kcmp.h>
#include <arch/user.h>
#include <ipc/epoll.h>
#include <ipc/fdtable.h>
#include <lib/siphash.h>
#include <mm/space.h>
#include <sched/lock.h>

/* ---- the order ---- */

static struct siphash_key order_key(void)
{
	static MUTEX(lock, LOCK_NODE);
	static struct siphash_key key; /* lock until it is made, then constant */
	static bool made;              /* lock */

	mutex_lock(&lock);
	if (!made)
		random_bytes(&key, sizeof(key));
	made = true;
	mutex_unlock(&lock);
	return key;
}

/* Each type has an order of its own, as on Linux. */
static int compare(const void *left, const void *right, int type)
{
	const struct siphash_key key = order_key();
	const uint64_t left_words[] = {(uint64_t)left, (uint64_t)type};
	const uint64_t right_words[] = {(uint64_t)right, (uint64_t)type};

	if (left == right)
		return KCMP_EQUAL;
	return siphash_words(&key, left_words, ARRAY_SIZE(left_words)) <
			       siphash_words(&key, right_words, ARRAY_SIZE(right_words))
		       ? KCMP_LESS
		       : KCMP_GREATER;
}

/* ---- the two threads ---- */

struct side {
	struct process *process; /* a reference */
	int32_t tid;
};

static void put_side(struct side *side)
{
	process_put(side->process);
}

static err_t get_side(int32_t tid, struct side *out)
{
	tid = pid_meant(tid);
	*out = (struct side){.process = process_find_by_thread(tid), .tid = tid};
	return out->process ? 0 : -ESRCH;
}

static bool may_see(const struct side *side)
{
	return process_may_trace(side->process, &side->process->ids);
}

/* ---- open files ---- */

/* A reference. -EBADF. */
static err_t get_file(const struct side *side, uint64_t fd, struct object **out)
{
	struct fd_table *fds = process_fds(side->process, side->tid);

	*out = fds && fd <= INT32_MAX ? fd_get(fds, (int)fd) : NULL;
	if (fds)
		fd_table_put(fds);
	return *out ? 0 : -EBADF;
}

static int compare_files(const struct side sides[2], uint64_t left_fd, uint64_t right_fd)
{
	struct object *left, *right;
	int result = get_file(&sides[0], left_fd, &left);

	if (result)
		return result;
	result = get_file(&sides[1], right_fd, &right);
	if (!result) {
		result = compare(left, right, KCMP_FILE);
		object_put(right);
	}
	object_put(left);
	return result;
}

/* A file of the left one, and what an entry of the right one's epoll watches. */
static int compare_watched(const struct side sides[2], uint64_t fd, uptr_t from)
{
	struct abi_kcmp_epoll_slot slot;
	struct object *file, *epoll;
	const struct object *watched;
	int result;

	if (user_get(&slot, from))
		return -EFAULT;
	result = get_file(&sides[0], fd, &file);
	if (result)
		return result;
	result = get_file(&sides[1], slot.epoll_fd, &epoll);
	if (result)
		goto put_file;
	result = object_is_epoll(epoll)
			 ? epoll_watched(epoll, (int)slot.target_fd, slot.nth, &watched)
			 : -EINVAL;
	if (!result)
		result = compare(file, watched, KCMP_EPOLL_TFD);
	object_put(epoll);
put_file:
	object_put(file);
	return result;
}

/* ---- the call ---- */

static int compare_shared(const struct side sides[2], enum process_shared what, int type)
{
	return compare(process_shared(sides[0].process, sides[0].tid, what),
		       process_shared(sides[1].process, sides[1].tid, what), type);
}

static int compare_sides(const struct side sides[2], int type, uint64_t left, uint64_t right)
{
	switch (type) {
	case KCMP_FILE:
		return compare_files(sides, left, right);
	case KCMP_VM:
		return compare_shared(sides, PROCESS_SPACE, type);
	case KCMP_FILES:
		return compare_shared(sides, PROCESS_FILES, type);
	case KCMP_FS:
		return compare_shared(sides, PROCESS_PLACE, type);
	case KCMP_SIGHAND:
		return compare_shared(sides, PROCESS_ACTIONS, type);
	case KCMP_SYSVSEM:
		return compare_shared(sides, PROCESS_UNDOS, type);
	case KCMP_EPOLL_TFD:
		return compare_watched(sides, left, uptr(right));
	case KCMP_IO: /* as a Linux without block devices */
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

int sys_kcmp(int left_tid, int right_tid, int type, uint64_t left, uint64_t right)
{
	struct side sides[2];
	int result = get_side(left_tid, &sides[0]);

	if (result)
		return result;
	result = get_side(right_tid, &sides[1]);
	if (result)
		goto put_left;
	result = may_see(&sides[0]) && may_see(&sides[1]) ? compare_sides(sides, type, left, right)
							  : -EPERM;
	put_side(&sides[1]);
put_left:
	put_side(&sides[0]);
	return result;
}
