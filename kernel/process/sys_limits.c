/*
 * System calls on limits. A process's limits are written under its lock, and each number is read
 * without it. What others keep of a limit (the descriptor table, the address space) is told here.
 */
#include "uthread.h"

#include "../memory/memory.h"
#include "../namespace/pid.h"
#include "../signal/signal.h"
#include "../time/cpu_time.h"
#include "capability.h"
#include "inspect.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/user.h>
#include <fusek/server.h>
#include <ipc/fdtable.h>
#include <mm/space.h>

/* Where else it is known. A process that ends has neither. */
static void tell_limit(struct process *process, unsigned resource, uint64_t value)
	REQUIRES(process->lock);
static void tell_limit(struct process *process, unsigned resource, uint64_t value)
{
	struct fd_table *fds;
	struct space *space;

	switch (resource) {
	case RLIMIT_NOFILE:
		fds = process == process_current() ? fd_table_get(current_fds())
						   : process_fds(process, 0);
		if (fds) {
			write_once(&fds->limit, (uint32_t)value);
			fd_table_put(fds);
		}
		break;
	case RLIMIT_CPU:
	case RLIMIT_RTTIME:
		cpu_time_watch(process);
		break;
	case RLIMIT_AS:
	case RLIMIT_DATA:
	case RLIMIT_MEMLOCK:
	case RLIMIT_STACK:
		space = process_space_get(process);
		if (space) {
			limit_space(process, space);
			space_put(space);
		}
		break;
	default:
		break;
	}
}

static err_t change_limit(struct process *process, unsigned resource,
			  const struct abi_rlimit *wanted) REQUIRES(process->lock);
static err_t change_limit(struct process *process, unsigned resource,
			  const struct abi_rlimit *wanted)
{
	struct abi_rlimit *limit = &process->limits[resource];

	if (wanted->rlim_cur > wanted->rlim_max)
		return -EINVAL;
	if (wanted->rlim_max > limit->rlim_max && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (resource == RLIMIT_NOFILE && wanted->rlim_max > FD_MAX)
		return -EPERM;
	write_once(&limit->rlim_cur, wanted->rlim_cur);
	write_once(&limit->rlim_max, wanted->rlim_max);
	tell_limit(process, resource, wanted->rlim_cur);
	return 0;
}

static int limits_of(struct process *process, unsigned resource, uptr_t limit, uptr_t before)
{
	struct abi_rlimit wanted;
	struct abi_rlimit old;
	err_t err = 0;

	if (resource >= RLIMIT_COUNT)
		return -EINVAL;
	if (!uptr_is_null(limit) && user_get(&wanted, limit))
		return -EFAULT;
	mutex_lock(&process->lock);
	old = process->limits[resource];
	if (!uptr_is_null(limit))
		err = change_limit(process, resource, &wanted);
	mutex_unlock(&process->lock);
	if (err)
		return err;
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

/* Of others: all ids alike, or the administrator (prlimit(2)). */
static bool may_limit(const struct process *process)
{
	const struct credentials *own = &uthread_current()->ids;
	const struct credentials *ids = &process->ids;

	return process == process_current() || capable_over(process, CAP_SYS_RESOURCE) ||
	       (read_once(&ids->uid) == own->uid && read_once(&ids->euid) == own->uid &&
		read_once(&ids->suid) == own->uid && read_once(&ids->gid) == own->gid &&
		read_once(&ids->egid) == own->gid && read_once(&ids->sgid) == own->gid);
}

int sys_prlimit64(int pid, unsigned resource, uptr_t limit, uptr_t before)
{
	struct process *process;
	int result;

	if (pid == 0)
		return limits_of(process_current(), resource, limit, before);
	process = process_find_by_thread(pid_meant(pid));
	if (!process)
		return -ESRCH;
	result = may_limit(process) ? limits_of(process, resource, limit, before) : -EPERM;
	process_put(process);
	return result;
}

int sys_getrlimit(unsigned resource, uptr_t out)
{
	if (uptr_is_null(out))
		return -EFAULT;
	return limits_of(process_current(), resource, uptr(0), out);
}

int sys_setrlimit(unsigned resource, uptr_t limit)
{
	if (uptr_is_null(limit))
		return -EFAULT;
	return limits_of(process_current(), resource, limit, uptr(0));
}

/* ---- of files ---- */

uint64_t file_limit_bytes(void)
{
	const struct process *process = process_current();

	return process ? read_once(&process->limits[RLIMIT_FSIZE].rlim_cur) : UINT64_MAX;
}

void file_limit_met(void)
{
	signal_raise(SIGXFSZ);
}

/* ---- of processes ---- */

struct count {
	uint32_t uid;
	uint64_t nthreads;
};

static void count_threads(void *argument, struct process *process)
{
	struct count *count = argument;

	if (read_once(&process->ids.uid) == count->uid)
		count->nthreads += read_once(&process->nthreads) + read_once(&process->nkept);
}

/* Counted when it is asked for: who has no limit, which is nearly everybody, pays nothing. */
err_t check_process_limit(void)
{
	const struct uthread *self = uthread_current();
	uint64_t limit = read_once(&self->process->limits[RLIMIT_NPROC].rlim_cur);
	struct count count = {.uid = self->ids.uid};

	if (limit == RLIM_INFINITY || self->ids.uid == 0 || capable(CAP_SYS_RESOURCE) ||
	    capable(CAP_SYS_ADMIN))
		return 0;
	pid_for_each_rcu(count_threads, &count);
	return count.nthreads >= limit ? -EAGAIN : 0;
}
