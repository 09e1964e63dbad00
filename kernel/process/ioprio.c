/*
 * ioprio_set and ioprio_get: how urgent a thread's input and output is. It is kept with the thread
 * and told again; no device here has a queue that would go by it, as on a Linux without an I/O
 * scheduler.
 */
#include "capability.h"

#include "../namespace/pid.h"
#include "syscall_table.h"
#include "uthread.h"

#include <abi/errno.h>
#include <abi/ioprio.h>
#include <abi/resource.h>

struct ioprio_call {
	int which, who; /* IOPRIO_WHO_* */
	bool set;
	uint16_t value; /* to set, or the most urgent that was found */
	unsigned nfound;
	err_t err; /* of the first that may not be set */
};

static unsigned class_of(uint16_t value)
{
	return value >> IOPRIO_CLASS_SHIFT;
}

static err_t check_value(int value)
{
	if (value < 0 || value > (int)UINT16_MAX)
		return -EINVAL;
	switch (class_of((uint16_t)value)) {
	case IOPRIO_CLASS_RT:
		return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
	case IOPRIO_CLASS_BE:
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return value & IOPRIO_LEVEL_MASK ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* What a thread without a class of its own counts as, beside others. */
static uint16_t effective(const struct uthread *uthread)
{
	if (class_of(uthread->ioprio) != IOPRIO_CLASS_NONE)
		return uthread->ioprio;
	return (uint16_t)(IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT |
			  (uthread->sched_nice - NICE_MIN) / 5);
}

static bool may_set(const struct uthread *uthread)
{
	const struct credentials *own = &uthread_current()->ids;
	uint32_t uid = read_once(&uthread->process->ids.uid);

	return own->euid == uid || own->uid == uid || capable(CAP_SYS_NICE);
}

/* Under its process's signal_lock. */
static void one_locked(struct uthread *uthread, struct ioprio_call *call)
{
	bool is_alone = call->which == IOPRIO_WHO_PROCESS;
	uint16_t value = is_alone ? uthread->ioprio : effective(uthread);

	if (call->set && !may_set(uthread))
		call->err = -EPERM;
	else if (call->set)
		uthread->ioprio = call->value;
	else if (!call->nfound || value < call->value)
		call->value = value;
	call->nfound++;
}

static err_t visit(struct uthread *uthread, void *argument)
{
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);

	if (uthread->listed)
		one_locked(uthread, argument);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return 0;
}

static bool is_meant(const struct ioprio_call *call, const struct process *process)
{
	if (call->which == IOPRIO_WHO_PGRP)
		return read_once(&process->group) == call->who;
	return read_once(&process->ids.uid) == (uint32_t)call->who &&
	       pid_namespace_sees(process_current()->pid_namespace, process);
}

static void visit_process(void *argument, struct process *process)
{
	struct ioprio_call *call = argument;
	struct uthread *uthread;
	irqflags_t flags;

	if (!is_meant(call, process))
		return;
	flags = spin_lock_irqsave(&process->signal_lock);
	list_for_each (uthread, &process->threads, sibling) {
		if (!call->err)
			one_locked(uthread, call);
	}
	spin_unlock_irqrestore(&process->signal_lock, flags);
}

static err_t find(struct ioprio_call *call)
{
	err_t err = 0;

	switch (call->which) {
	case IOPRIO_WHO_PROCESS:
		err = uthread_visit(call->who ? pid_meant(call->who) : uthread_current()->tid,
				    visit, call);
		break;
	case IOPRIO_WHO_PGRP:
		call->who = call->who ? pid_meant(call->who) : process_current()->group;
		pid_for_each_rcu(visit_process, call);
		break;
	case IOPRIO_WHO_USER:
		call->who = (int)(call->who ? id_from_program(ID_USER, (uint32_t)call->who)
					    : uthread_current()->ids.uid);
		pid_for_each_rcu(visit_process, call);
		break;
	default:
		return -EINVAL;
	}
	if (err || !call->nfound)
		return -ESRCH;
	return call->err;
}

int sys_ioprio_set(int which, int who, int value)
{
	struct ioprio_call call = {
		.which = which, .who = who, .set = true, .value = (uint16_t)value};
	err_t err = check_value(value);

	return err ? err : find(&call);
}

int sys_ioprio_get(int which, int who)
{
	struct ioprio_call call = {.which = which, .who = who};
	err_t err = find(&call);

	return err ? err : call.value;
}
