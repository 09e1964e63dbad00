/*
 * System calls on processes: numbers, ending, limits, usage, priorities, names. Waiting, groups and
 * ids have files of their own beside this one. Owns no state.
 */
#include "../namespace/pid.h"
#include "../time/clocks.h"
#include "../time/cpu_time.h"

#include "capability.h"
#include "exit.h"
#include "syscall_table.h"
#include "uthread.h"

#include <abi/errno.h>
#include <abi/personality.h>
#include <abi/prctl.h>
#include <abi/wait.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/paging.h>
#include <arch/user.h>
#include <ipc/fdtable.h>
#include <lib/string.h>
#include <mm/space.h>

/* ---- who ---- */

int sys_getpid(void)
{
	return process_current()->own_pid;
}

int sys_gettid(void)
{
	return uthread_current()->own_tid;
}

int sys_getppid(void)
{
	const struct process *parent;
	int pid;

	/* The parent may let go of us at any time; its struct stays for a grace period. */
	rcu_read_lock();
	parent = read_once(&process_current()->parent);
	pid = parent ? pid_shown(parent->pid) : 0;
	rcu_read_unlock();
	return pid;
}

/* ---- ending ---- */

int sys_exit(int status)
{
	uthread_exit(WAIT_STATUS_EXIT(status));
}

int sys_exit_group(int status)
{
	process_exit(WAIT_STATUS_EXIT(status));
}

int sys_set_tid_address(uptr_t word)
{
	struct uthread *self = uthread_current();

	self->clear_tid = word.value;
	return self->own_tid;
}

/* ---- usage ---- */

struct abi_rusage process_rusage(const struct process_usage *usage)
{
	return (struct abi_rusage){
		.ru_utime = timeval_of_ns(usage->cpu_ns - usage->system_ns),
		.ru_stime = timeval_of_ns(usage->system_ns),
		.ru_maxrss = (int64_t)(usage->max_resident_pages * PAGE_SIZE / KIB),
		.ru_minflt = (int64_t)(usage->nfaults - usage->nmajor),
		.ru_majflt = (int64_t)usage->nmajor,
		.ru_nvcsw = (int64_t)(usage->nswitches - usage->npreempted),
		.ru_nivcsw = (int64_t)usage->npreempted,
	};
}

static void add_switches(struct process_usage *usage, const struct thread *thread)
{
	usage->npreempted += read_once(&thread->npreempted);
	/* Counted when it came back: one that is preempted just now is not yet. */
	usage->nswitches += MAX(read_once(&thread->nswitches), read_once(&thread->npreempted));
}

static struct process_usage usage_so_far(bool of_thread)
{
	struct uthread *self = uthread_current();
	struct process *process = self->process;
	struct process_usage usage = {0};
	const struct uthread *uthread;
	struct cpu_times times;
	struct space_stats stats;
	irqflags_t flags;

	space_stats(self->space, &stats);
	flags = spin_lock_irqsave(&process->signal_lock);
	if (of_thread) {
		times = uthread_times(self);
		add_switches(&usage, self->thread);
	} else {
		times = process_times_locked(process);
		usage = process->usage;
		list_for_each (uthread, &process->threads, sibling)
			add_switches(&usage, uthread->thread);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	usage.cpu_ns = times.user_ns + times.system_ns;
	usage.system_ns = times.system_ns;
	usage.max_resident_pages = MAX(usage.max_resident_pages, stats.peak_pages);
	usage.nfaults += stats.faults;
	usage.nmajor += stats.major_faults;
	return usage;
}

int sys_getrusage(int who, uptr_t out)
{
	struct process_usage usage;
	struct abi_rusage report;

	if (who == RUSAGE_SELF || who == RUSAGE_THREAD)
		usage = usage_so_far(who == RUSAGE_THREAD);
	else if (who == RUSAGE_CHILDREN)
		usage = process_current()->waited;
	else
		return -EINVAL;
	report = process_rusage(&usage);
	return user_put(out, &report);
}

/* ---- priorities ---- */

struct nice_call {
	int which; /* PRIO_* */
	int who;
	bool set;
	int nice; /* to set; else the most urgent that was found */
	unsigned nfound;
	err_t err; /* of the last that may not be set */
};

/* setpriority(2): of one's own processes, and becoming more urgent is the administrator's. */
static err_t may_set_nice(struct process *process, int before, int nice)
	REQUIRES(process->signal_lock);
static err_t may_set_nice(struct process *process, int before, int nice)
{
	const struct credentials *own = &uthread_current()->ids;

	if (own->euid != read_once(&process->ids.uid) &&
	    own->euid != read_once(&process->ids.euid) && !capable_over(process, CAP_SYS_NICE))
		return -EPERM;
	return nice < before && !may_be_nice(process, nice) ? -EACCES : 0;
}

static bool is_meant(const struct nice_call *call, const struct process *process)
{
	if (call->which == PRIO_PGRP)
		return read_once(&process->group) == call->who;
	return read_once(&process->ids.uid) == (uint32_t)call->who &&
	       pid_namespace_sees(process_current()->pid_namespace, process);
}

static void nice_each(void *argument, struct process *process)
{
	struct nice_call *call = argument;
	int before = NICE_MAX;
	irqflags_t flags;
	err_t err = 0;

	if (!is_meant(call, process))
		return;
	flags = spin_lock_irqsave(&process->signal_lock);
	(void)process_nice_locked(process, false, &before);
	if (call->set)
		err = may_set_nice(process, before, call->nice);
	if (err)
		call->err = err;
	else if (process_nice_locked(process, call->set, &call->nice))
		call->nfound++;
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

static err_t nice_one(struct uthread *uthread, void *argument)
{
	struct process *process = uthread->process;
	struct nice_call *call = argument;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	if (uthread->listed) {
		call->nfound++;
		if (call->set)
			call->err = may_set_nice(process, uthread->sched_nice, call->nice);
		if (call->set && !call->err)
			uthread_set_nice_locked(process, uthread, call->nice);
		else if (!call->set)
			call->nice = uthread->sched_nice;
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return 0;
}

/* PRIO_PROCESS is one thread, as on Linux. */
static err_t nice_call(int which, int who, struct nice_call *call)
{
	const struct uthread *self = uthread_current();

	call->which = which;
	call->who = who;
	switch (which) {
	case PRIO_PROCESS:
		if (uthread_visit(who ? pid_meant(who) : self->tid, nice_one, call))
			return -ESRCH;
		break;
	case PRIO_PGRP:
		call->who = who ? pid_meant(who) : self->process->group;
		pid_for_each_rcu(nice_each, call);
		break;
	case PRIO_USER:
		call->who = (int)(who ? id_from_program(ID_USER, (uint32_t)who) : self->ids.uid);
		pid_for_each_rcu(nice_each, call);
		break;
	default:
		return -EINVAL;
	}
	if (call->err)
		return call->err;
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

	return nice_call(which, who, &call);
}

/* ---- the odd ones ---- */

/* Anything, as on Linux. Those that have an effect here: abi/personality.h; where programs and
 * mappings lie by themselves is the kernel's choice. */
int sys_personality(unsigned persona)
{
	struct process *process = process_current();
	uint32_t before = read_once(&process->personality);

	if (persona == PERSONALITY_ASK)
		return (int)before;
	write_once(&process->personality, persona);
	return (int)before;
}
