/*
 * Scheduling as Linux's calls know it: which policy a thread has, what it may become, what its
 * copies inherit. The scheduler has three kinds; BATCH and IDLE are its ordinary ones that do not
 * hurry when they wake. Linux's 99 priorities share the levels below the kernel's own threads, two
 * of a level taking turns. What a thread was given is under its process's signal_lock.
 */
#include "uthread.h"

#include "../futex/futex.h"
#include "../namespace/pid.h"
#include "../user_struct.h"
#include "capability.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/sched.h>
#include <arch/user.h>

/* The kernel's own work goes on above (sched/task.c). */
#define PROGRAM_PRIORITY_MAX 49u

/* A wish that has been checked. */
struct wish {
	uint8_t policy;
	uint8_t priority;
	int nice;
	bool reset;
	bool keep_nice; /* of OTHER and BATCH: the calls that have no field for it */
};

static bool is_realtime(unsigned policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static struct thread_policy policy_of(const struct uthread *uthread)
{
	struct thread_policy policy = {.policy = POLICY_OTHER, .nice = uthread->sched_nice};

	switch (uthread->sched_policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		policy.policy = uthread->sched_policy == SCHED_RR ? POLICY_RR : POLICY_FIFO;
		policy.priority = (uthread->sched_priority * PROGRAM_PRIORITY_MAX +
				   SCHED_RT_PRIORITY_MAX - 1) /
				  SCHED_RT_PRIORITY_MAX;
		break;
	case SCHED_IDLE:
		policy.nice = NICE_MAX;
		policy.unhurried = true;
		break;
	case SCHED_BATCH:
		policy.unhurried = true;
		break;
	default:
		break;
	}
	return policy;
}

/* Its own, or what is lent to it where that is more. */
static struct thread_policy effective_policy(const struct uthread *uthread)
{
	struct thread_policy policy = policy_of(uthread);

	if (uthread->sched_lent > policy.priority)
		policy = (struct thread_policy){.policy = POLICY_FIFO,
						.priority = uthread->sched_lent};
	return policy;
}

static void apply(struct uthread *uthread)
{
	const struct thread_policy policy = effective_policy(uthread);

	thread_set_policy(uthread->thread, &policy);
}

unsigned uthread_urgency(const struct uthread *uthread)
{
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	unsigned urgency = effective_policy(uthread).priority;

	spin_unlock_irqrestore(&process->signal_lock, flags);
	return urgency;
}

bool uthread_lend(struct uthread *uthread, unsigned urgency)
{
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	unsigned before = effective_policy(uthread).priority;
	bool changes;

	uthread->sched_lent = (uint8_t)urgency;
	changes = effective_policy(uthread).priority != before;
	if (changes)
		apply(uthread);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	return changes;
}

void uthread_set_nice_locked(UNUSED struct process *process, struct uthread *uthread, int nice)
{
	uthread->sched_nice = nice;
	if (uthread->sched_policy == SCHED_OTHER || uthread->sched_policy == SCHED_BATCH)
		thread_set_nice(uthread->thread, nice);
}

void uthread_inherit_policy(struct uthread *child)
{
	const struct uthread *parent = uthread_current();

	child->sched_policy = parent->sched_policy;
	child->sched_priority = parent->sched_priority;
	child->sched_nice = parent->sched_nice;
	if (parent->sched_reset) {
		if (is_realtime(child->sched_policy)) {
			child->sched_policy = SCHED_OTHER;
			child->sched_priority = 0;
		}
		child->sched_nice = MAX(child->sched_nice, 0);
	}
	apply(child);
}

/* ---- what is allowed ---- */

bool may_be_nice(const struct process *process, int nice)
{
	/* 1 .. 40 for 19 .. -20. */
	return capable(CAP_SYS_NICE) ||
	       (uint64_t)(20 - nice) <= read_once(&process->limits[RLIMIT_NICE].rlim_cur);
}

static bool is_ours(const struct process *process)
{
	uint32_t own = uthread_current()->ids.euid;

	return own == read_once(&process->ids.euid) || own == read_once(&process->ids.uid);
}

/* sched(7): what needs no privilege. */
static err_t may_become(const struct uthread *uthread, const struct wish *wish)
{
	const struct process *process = uthread->process;
	uint64_t priority_max = read_once(&process->limits[RLIMIT_RTPRIO].rlim_cur);

	if (capable(CAP_SYS_NICE))
		return 0;
	if (!is_ours(process) || (uthread->sched_reset && !wish->reset))
		return -EPERM;
	if (is_realtime(wish->policy)) {
		if (wish->policy != uthread->sched_policy && !priority_max)
			return -EPERM;
		return wish->priority > uthread->sched_priority && wish->priority > priority_max
			       ? -EPERM
			       : 0;
	}
	if (wish->nice < uthread->sched_nice && !may_be_nice(process, wish->nice))
		return -EPERM;
	if (uthread->sched_policy == SCHED_IDLE && wish->policy != SCHED_IDLE &&
	    !may_be_nice(process, uthread->sched_nice))
		return -EPERM;
	return 0;
}

static err_t check_wish(int policy, int priority)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return priority >= SCHED_RT_PRIORITY_MIN && priority <= SCHED_RT_PRIORITY_MAX
			       ? 0
			       : -EINVAL;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return priority ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

/* ---- of any thread ---- */

struct sched_call {
	void (*get)(const struct uthread *uthread, struct sched_call *call);
	err_t (*prepare)(const struct uthread *uthread, struct sched_call *call);
	struct wish wish; /* to set, or what was got */
	uint64_t slice_ns;
	unsigned keep; /* SCHED_FLAG_KEEP_* */
};

/* Under its process's signal_lock. */
static err_t set_locked(struct uthread *uthread, struct sched_call *call)
{
	struct wish *wish = &call->wish;
	err_t err;

	if (call->prepare) {
		err = call->prepare(uthread, call);
		if (err)
			return err;
	}
	if (wish->keep_nice || is_realtime(wish->policy))
		wish->nice = uthread->sched_nice;
	err = may_become(uthread, wish);
	if (err)
		return err;
	uthread->sched_policy = wish->policy;
	uthread->sched_priority = wish->priority;
	uthread->sched_nice = wish->nice;
	uthread->sched_reset = wish->reset;
	apply(uthread);
	return 0;
}

static err_t visit(struct uthread *uthread, void *argument)
{
	struct sched_call *call = argument;
	struct process *process = uthread->process;
	irqflags_t flags = spin_lock_irqsave(&process->signal_lock);
	err_t err = 0;

	if (!uthread->listed)
		err = -ESRCH;
	else if (call->get)
		call->get(uthread, call);
	else
		err = set_locked(uthread, call);
	spin_unlock_irqrestore(&process->signal_lock, flags);
	if (!err && !call->get)
		pi_futex_priority_changed(uthread);
	return err;
}

static err_t visit_number(int pid, struct sched_call *call)
{
	if (pid < 0)
		return -EINVAL;
	return pid ? uthread_visit(pid_meant(pid), visit, call) : visit(uthread_current(), call);
}

static void get_wish(const struct uthread *uthread, struct sched_call *call)
{
	call->wish = (struct wish){.policy = uthread->sched_policy,
				   .priority = uthread->sched_priority,
				   .nice = uthread->sched_nice,
				   .reset = uthread->sched_reset};
	call->slice_ns =
		uthread->sched_policy == SCHED_FIFO ? 0 : uthread->thread->sched.slice_full_ns;
}

/* ---- the older calls ---- */

int sys_sched_setscheduler(int pid, int policy, uptr_t parameters)
{
	bool reset = policy >= 0 && policy & SCHED_RESET_ON_FORK;
	struct abi_sched_param param;
	struct sched_call call = {0};
	err_t err;

	if (pid < 0 || policy < 0 || uptr_is_null(parameters))
		return -EINVAL;
	if (user_get(&param, parameters))
		return -EFAULT;
	policy &= ~SCHED_RESET_ON_FORK;
	err = check_wish(policy, param.sched_priority);
	if (err)
		return err;
	call.wish = (struct wish){.policy = (uint8_t)policy,
				  .priority = (uint8_t)param.sched_priority,
				  .reset = reset,
				  .keep_nice = true};
	return visit_number(pid, &call);
}

int sys_sched_getscheduler(int pid)
{
	struct sched_call call = {.get = get_wish};
	err_t err = visit_number(pid, &call);

	return err ? err : call.wish.policy | (call.wish.reset ? SCHED_RESET_ON_FORK : 0);
}

/* The policy stays: the priority has to be one of its. */
static err_t keep_policy(const struct uthread *uthread, struct sched_call *call)
{
	call->wish.policy = uthread->sched_policy;
	call->wish.reset = uthread->sched_reset;
	return check_wish(call->wish.policy, call->wish.priority);
}

int sys_sched_setparam(int pid, uptr_t parameters)
{
	struct sched_call call = {.prepare = keep_policy, .wish = {.keep_nice = true}};
	struct abi_sched_param param;

	if (pid < 0 || uptr_is_null(parameters))
		return -EINVAL;
	if (user_get(&param, parameters))
		return -EFAULT;
	if (param.sched_priority < 0 || param.sched_priority > SCHED_RT_PRIORITY_MAX)
		return -EINVAL;
	call.wish.priority = (uint8_t)param.sched_priority;
	return visit_number(pid, &call);
}

int sys_sched_getparam(int pid, uptr_t out)
{
	struct sched_call call = {.get = get_wish};
	struct abi_sched_param param;
	err_t err;

	if (uptr_is_null(out))
		return -EINVAL;
	err = visit_number(pid, &call);
	if (err)
		return err;
	param.sched_priority = call.wish.priority;
	return user_put(out, &param);
}

static int priority_bound(int policy, int bound)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return bound;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

int sys_sched_get_priority_max(int policy)
{
	return priority_bound(policy, SCHED_RT_PRIORITY_MAX);
}

int sys_sched_get_priority_min(int policy)
{
	return priority_bound(policy, SCHED_RT_PRIORITY_MIN);
}

int sys_sched_rr_get_interval(int pid, uptr_t out)
{
	struct sched_call call = {.get = get_wish};
	struct abi_timespec interval = {0};
	err_t err = visit_number(pid, &call);

	if (err)
		return err;
	interval.tv_nsec = (int64_t)call.slice_ns;
	return user_put(out, &interval);
}

/* ---- sched_attr ---- */

static int too_long(uptr_t attributes)
{
	const uint32_t ours = sizeof(struct abi_sched_attr);

	return user_put(attributes, &ours) ? -EFAULT : -E2BIG;
}

/* The struct, whatever length the program knows it by: what is beyond ours has to be zero. */
static int read_attributes(uptr_t from, struct abi_sched_attr *out)
{
	uint32_t size;
	err_t err;

	if (user_get(&size, from))
		return -EFAULT;
	if (!size)
		size = SCHED_ATTR_SIZE_VER0;
	err = user_get_struct(out, sizeof(*out), SCHED_ATTR_SIZE_VER0, from, size);
	return err == -EINVAL || err == -E2BIG ? too_long(from) : err;
}

static err_t keep_wanted(const struct uthread *uthread, struct sched_call *call)
{
	struct wish *wish = &call->wish;

	if (call->keep & SCHED_FLAG_KEEP_POLICY) {
		wish->policy = uthread->sched_policy;
		wish->reset = uthread->sched_reset;
	}
	if (call->keep & SCHED_FLAG_KEEP_PARAMS) {
		wish->priority = uthread->sched_priority;
		wish->nice = uthread->sched_nice;
	}
	return check_wish(wish->policy, wish->priority);
}

int sys_sched_setattr(int pid, uptr_t attributes, unsigned flags)
{
	struct sched_call call = {.prepare = keep_wanted};
	struct abi_sched_attr attr;
	err_t err;

	if (pid < 0 || uptr_is_null(attributes) || flags)
		return -EINVAL;
	err = read_attributes(attributes, &attr);
	if (err)
		return err;
	/* Deadlines and bounds of speed are not served, as by a Linux built without them. */
	if (attr.sched_flags &
	    ~(SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS))
		return -EINVAL;
	if (attr.sched_policy > SCHED_IDLE || attr.sched_priority > SCHED_RT_PRIORITY_MAX)
		return -EINVAL;
	call.keep = (unsigned)attr.sched_flags;
	call.wish = (struct wish){
		.policy = (uint8_t)attr.sched_policy,
		.priority = (uint8_t)attr.sched_priority,
		.nice = MAX(NICE_MIN, MIN(NICE_MAX, attr.sched_nice)),
		.reset = attr.sched_flags & SCHED_FLAG_RESET_ON_FORK,
	};
	return visit_number(pid, &call);
}

int sys_sched_getattr(int pid, uptr_t out, unsigned size, unsigned flags)
{
	struct sched_call call = {.get = get_wish};
	struct abi_sched_attr attr = {.size = MIN(size, (unsigned)sizeof(attr))};
	err_t err;

	if (pid < 0 || uptr_is_null(out) || size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE ||
	    flags)
		return -EINVAL;
	err = visit_number(pid, &call);
	if (err)
		return err;
	attr.sched_policy = call.wish.policy;
	attr.sched_flags = call.wish.reset ? SCHED_FLAG_RESET_ON_FORK : 0;
	if (is_realtime(call.wish.policy))
		attr.sched_priority = call.wish.priority;
	else
		attr.sched_nice = call.wish.nice;
	return user_copy_out(out, &attr, attr.size);
}
