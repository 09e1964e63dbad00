/*
 * System calls on processes: numbers, ids, ending, waiting, limits, priorities, names. What a
 * process is stands in process.h. Owns no state.
 */
#include "process.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/prctl.h>
#include <abi/wait.h>
#include <arch/context.h>
#include <arch/paging.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <lib/string.h>
#include <mm/space.h>

/* ---- who ---- */

int sys_getpid(void)
{
	return process_current()->pid;
}

int sys_gettid(void)
{
	return process_current()->pid;
}

int sys_getppid(void)
{
	const struct process *parent;
	int pid;

	/* The parent may let go of us at any time; its struct stays for a grace period. */
	rcu_read_lock();
	parent = read_once(&process_current()->parent);
	pid = parent ? parent->pid : 0;
	rcu_read_unlock();
	return pid;
}

int sys_getuid(void)
{
	return (int)process_current()->fs.uid;
}

int sys_geteuid(void)
{
	return (int)process_current()->fs.uid;
}

int sys_getgid(void)
{
	return (int)process_current()->fs.gid;
}

int sys_getegid(void)
{
	return (int)process_current()->fs.gid;
}

static int put_three(uint32_t id, uptr_t real, uptr_t effective, uptr_t saved)
{
	if (user_put(real, &id) || user_put(effective, &id))
		return -EFAULT;
	return user_put(saved, &id);
}

int sys_getresuid(uptr_t real, uptr_t effective, uptr_t saved)
{
	return put_three(process_current()->fs.uid, real, effective, saved);
}

int sys_getresgid(uptr_t real, uptr_t effective, uptr_t saved)
{
	return put_three(process_current()->fs.gid, real, effective, saved);
}

/* No supplementary groups. */
int sys_getgroups(int ngroups, UNUSED uptr_t out)
{
	return ngroups < 0 ? -EINVAL : 0;
}

/* ---- groups and sessions ---- */

int sys_getpgid(int pid)
{
	struct process *process;
	int group;

	if (pid == 0)
		return process_current()->group;
	process = process_find(pid);
	if (!process)
		return -ESRCH;
	group = read_once(&process->group);
	process_put(process);
	return group;
}

int sys_getpgrp(void)
{
	return process_current()->group;
}

int sys_getsid(int pid)
{
	struct process *process;
	int session;

	if (pid == 0)
		return process_current()->session;
	process = process_find(pid);
	if (!process)
		return -ESRCH;
	session = read_once(&process->session);
	process_put(process);
	return session;
}

struct group_search {
	int32_t group;
	int32_t session;
	bool found;
};

static void search_group(void *argument, struct process *process)
{
	struct group_search *search = argument;

	if (read_once(&process->group) == search->group &&
	    read_once(&process->session) == search->session)
		search->found = true;
}

/* Only the caller itself: there are no children to name before there is fork. */
int sys_setpgid(int pid, int pgid)
{
	struct process *process = process_current();
	struct group_search search = {.group = pgid, .session = process->session};

	if (pgid < 0)
		return -EINVAL;
	if (pid != 0 && pid != process->pid)
		return -ESRCH;
	if (process->session == process->pid)
		return -EPERM; /* a session leader stays where it is */
	if (pgid != 0 && pgid != process->pid) {
		pid_for_each_rcu(search_group, &search);
		if (!search.found)
			return -EPERM;
	}
	write_once(&process->group, pgid ? pgid : process->pid);
	return 0;
}

static void search_members(void *argument, struct process *process)
{
	struct group_search *search = argument;

	if (read_once(&process->group) == search->group)
		search->found = true;
}

int sys_setsid(void)
{
	struct process *process = process_current();
	struct group_search search = {.group = process->pid};

	/* Not while a group of our number has members: it would be in two sessions. */
	pid_for_each_rcu(search_members, &search);
	if (search.found)
		return -EPERM;
	write_once(&process->group, process->pid);
	write_once(&process->session, process->pid);
	write_once(&process->tty, NULL);
	return process->pid;
}

/* ---- ending and waiting ---- */

int sys_exit(int status)
{
	process_exit(WAIT_STATUS_EXIT(status));
}

int sys_exit_group(int status)
{
	process_exit(WAIT_STATUS_EXIT(status));
}

static struct abi_timeval timeval_of(uint64_t ns)
{
	return (struct abi_timeval){.tv_sec = (int64_t)(ns / NSEC_PER_SEC),
				    .tv_usec = (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC)};
}

int sys_wait4(int pid, uptr_t status, unsigned options, uptr_t usage)
{
	struct process_usage used;
	struct abi_rusage report = {0};
	int child_status;
	int result;

	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	result = process_wait_child(pid, options, &child_status, &used);
	if (result <= 0)
		return result;
	if (!uptr_is_null(status) && user_put(status, &child_status))
		return -EFAULT;
	report.ru_utime = timeval_of(used.cpu_ns);
	if (!uptr_is_null(usage) && user_put(usage, &report))
		return -EFAULT;
	return result;
}

int sys_set_tid_address(uptr_t word)
{
	struct process *process = process_current();

	process->tid_address = word.value;
	return process->pid;
}

/* The list would be walked for other threads' sake when this one ends; there are none. */
int sys_set_robust_list(UNUSED uint64_t head, size_t len)
{
	return len == 24 ? 0 : -EINVAL; /* struct robust_list_head */
}

/* ---- usage and limits ---- */

int sys_getrusage(int who, uptr_t out)
{
	struct process *process = process_current();
	struct abi_rusage report = {0};
	struct space_stats stats;

	switch (who) {
	case RUSAGE_SELF:
	case RUSAGE_THREAD:
		space_stats(process->space, &stats);
		report.ru_utime = timeval_of(thread_cpu_time_ns(current_thread()));
		report.ru_maxrss = (int64_t)(stats.resident_pages * PAGE_SIZE / KIB);
		break;
	case RUSAGE_CHILDREN:
		report.ru_utime = timeval_of(process->children_ns);
		break;
	default:
		return -EINVAL;
	}
	return user_put(out, &report);
}

static err_t change_limit(struct process *process, unsigned resource,
			  const struct abi_rlimit *wanted) REQUIRES(process->lock);
static err_t change_limit(struct process *process, unsigned resource,
			  const struct abi_rlimit *wanted)
{
	struct abi_rlimit *limit = &process->limits[resource];

	if (wanted->rlim_cur > wanted->rlim_max)
		return -EINVAL;
	if (wanted->rlim_max > limit->rlim_max && process_current()->fs.uid != 0)
		return -EPERM;
	if (resource == RLIMIT_NOFILE) {
		if (wanted->rlim_max > FD_MAX)
			return -EPERM;
		write_once(&process->fds->limit, (uint32_t)wanted->rlim_cur);
	}
	*limit = *wanted;
	return 0;
}

static int limits_call(unsigned resource, uptr_t limit, uptr_t before)
{
	struct process *process = process_current();
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

int sys_prlimit64(int pid, unsigned resource, uptr_t limit, uptr_t before)
{
	/* Of others: their descriptor table may be on its way out. */
	if (pid != 0 && pid != process_current()->pid)
		return -ESRCH;
	return limits_call(resource, limit, before);
}

int sys_getrlimit(unsigned resource, uptr_t out)
{
	if (uptr_is_null(out))
		return -EFAULT;
	return limits_call(resource, uptr(0), out);
}

int sys_setrlimit(unsigned resource, uptr_t limit)
{
	if (uptr_is_null(limit))
		return -EFAULT;
	return limits_call(resource, limit, uptr(0));
}

/* ---- priorities ---- */

struct nice_call {
	int32_t group; /* 0: `pid` */
	int32_t pid;
	bool set;
	int nice; /* to set; else the most urgent that was found */
	unsigned nfound;
};

static void nice_each(void *argument, struct process *process)
{
	struct nice_call *call = argument;
	irqflags_t flags;

	if (call->group ? read_once(&process->group) != call->group : process->pid != call->pid)
		return;
	flags = spin_lock_irqsave(&process->signal_lock);
	if (process->thread) {
		call->nfound++;
		if (call->set)
			thread_set_nice(process->thread, call->nice);
		else
			call->nice = MIN(call->nice, (int)process->thread->sched.nice);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

static err_t nice_call(int which, int who, struct nice_call *call)
{
	const struct process *process = process_current();

	if (which == PRIO_PROCESS)
		call->pid = who ? who : process->pid;
	else if (which == PRIO_PGRP)
		call->group = who ? who : process->group;
	else
		return -EINVAL;
	pid_for_each_rcu(nice_each, call);
	return call->nfound ? 0 : -ESRCH;
}

/* The call returns 20 - nice, so that results are never negative (getpriority(2)). */
int sys_getpriority(int which, int who)
{
	struct nice_call call = {.nice = NICE_MAX};
	err_t err = nice_call(which, who, &call);

	return err ? err : 20 - call.nice;
}

int sys_setpriority(int which, int who, int nice)
{
	struct nice_call call = {.set = true, .nice = MAX(NICE_MIN, MIN(NICE_MAX, nice))};

	/* Becoming more urgent is the administrator's. */
	if (process_current()->fs.uid != 0 && call.nice < current_thread()->sched.nice)
		return -EACCES;
	return nice_call(which, who, &call);
}

/* ---- the odd ones ---- */

static int64_t set_name(uptr_t from)
{
	char name[PROCESS_NAME_BYTES];
	ssize_t len = user_copy_string(name, from, sizeof(name));

	if (len == -EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = '\0'; /* longer ones are cut */
	string_copy(process_current()->name, PROCESS_NAME_BYTES, name);
	thread_set_name(name);
	return 0;
}

int64_t sys_prctl(int option, uint64_t a, UNUSED uint64_t b, UNUSED uint64_t c, UNUSED uint64_t d)
{
	struct process *process = process_current();

	switch (option) {
	case PR_SET_NAME:
		return set_name(uptr(a));
	case PR_GET_NAME:
		return user_copy_out(uptr(a), process->name, PROCESS_NAME_BYTES);
	case PR_SET_DUMPABLE:
		if (a > 1)
			return -EINVAL;
		process->not_dumpable = !a;
		return 0;
	case PR_GET_DUMPABLE:
		return !process->not_dumpable;
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1)
			return -EINVAL;
		process->no_new_privileges = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return process->no_new_privileges;
	default:
		return -EINVAL;
	}
}

int sys_arch_prctl(int base, uint64_t address)
{
	uint64_t value;

	switch (base) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (address >= USER_MAX)
			return -EPERM;
		context_set_user_base(base == ARCH_SET_FS ? USER_BASE_FS : USER_BASE_GS, address);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		value = context_user_base(base == ARCH_GET_FS ? USER_BASE_FS : USER_BASE_GS);
		return user_put(uptr(address), &value);
	default:
		return -EINVAL;
	}
}
