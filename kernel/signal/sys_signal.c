/*
 * System calls on signals. What a signal does stands in signal.h. Owns no state.
 */
#include "signal.h"

#include "../namespace/pid.h"
#include "../process/capability.h"
#include "../process/family.h"
#include "../sys_poll.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/time.h>
#include <arch/clock.h>
#include <arch/context.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <ipc/user_namespace.h>
#include <lib/string.h>
#include <sched/wait.h>

/* ---- actions and masks ---- */

int sys_rt_sigaction(int signal, uptr_t action, uptr_t before, size_t set_bytes)
{
	struct abi_sigaction wanted;
	struct abi_sigaction old;

	if (set_bytes != ABI_SIGSET_BYTES || signal < 1 || signal > SIGNAL_MAX)
		return -EINVAL;
	if (!uptr_is_null(action)) {
		if (user_get(&wanted, action))
			return -EFAULT;
		if (SIGNAL_BIT(signal) & UNBLOCKABLE_SIGNALS)
			return -EINVAL;
	}
	signal_get_action(signal, &old);
	if (!uptr_is_null(action))
		signal_set_action(signal, &wanted);
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

int sys_rt_sigprocmask(int how, uptr_t set, uptr_t before, size_t set_bytes)
{
	uint64_t old = uthread_current()->blocked;
	uint64_t value;

	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (!uptr_is_null(set)) {
		if (user_get(&value, set))
			return -EFAULT;
		switch (how) {
		case SIG_BLOCK:
			value |= old;
			break;
		case SIG_UNBLOCK:
			value = old & ~value;
			break;
		case SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		signal_set_blocked(value);
	}
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

int sys_rt_sigpending(uptr_t out, size_t set_bytes)
{
	const struct uthread *self = uthread_current();
	uint64_t pending = signal_pending_set(self) & self->blocked;

	/* As Linux: a smaller set is filled as far as it goes. */
	if (set_bytes > ABI_SIGSET_BYTES)
		return -EINVAL;
	return user_copy_out(out, &pending, set_bytes);
}

int sys_sigaltstack(uptr_t stack, uptr_t before)
{
	struct uthread *self = uthread_current();
	uint64_t sp = context_user_frame(&self->thread->context)->rsp;
	struct abi_stack old = self->alternate_stack;
	struct abi_stack wanted;
	err_t err;

	if (signal_is_on_stack(self, sp))
		old.ss_flags |= SS_ONSTACK;
	if (!uptr_is_null(stack)) {
		if (user_get(&wanted, stack))
			return -EFAULT;
		if (old.ss_flags & SS_ONSTACK)
			return -EPERM;
		err = signal_set_stack(self, &wanted);
		if (err)
			return err;
	}
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

int64_t sys_rt_sigreturn(void)
{
	struct trap_frame *frame = context_user_frame(&current_thread()->context);

	signal_return(frame);
	return (int64_t)frame->rax; /* what the interrupted code had there */
}

/* ---- waiting for one ---- */

static int wait_for_signal(void)
{
	WAITQ(never);

	return wait_event_interruptible(&never, false);
}

int sys_pause(void)
{
	return wait_for_signal();
}

int sys_rt_sigsuspend(uptr_t set, size_t set_bytes)
{
	uint64_t blocked;

	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&blocked, set))
		return -EFAULT;
	signal_set_blocked_for_now(blocked);
	return wait_for_signal();
}

int signal_try_take(uint64_t set, struct signal_info *info)
{
	struct uthread *self = uthread_current();
	irqflags_t flags = spin_lock_irqsave(&self->process->signal_lock);
	int signal = signal_take_locked(self->process, self, set, info);

	if (signal) {
		self->awaited = 0;
		signal_recalculate_locked(self->process, self);
	}
	spin_unlock_irqrestore(&self->process->signal_lock, flags);
	return signal;
}

static void await(uint64_t set)
{
	struct uthread *self = uthread_current();
	irqflags_t flags = spin_lock_irqsave(&self->process->signal_lock);

	self->awaited = set;
	signal_recalculate_locked(self->process, self);
	spin_unlock_irqrestore(&self->process->signal_lock, flags);
}

static int wait_for_one_of(uint64_t set, uint64_t deadline_ns, struct signal_info *info)
{
	WAITQ(never);
	int signal = 0;
	err_t err;

	await(set);
	err = wait_event_interruptible_timeout(&never, (signal = signal_try_take(set, info)) != 0,
					       deadline_ns);
	if (!signal)
		signal = signal_try_take(set, info);
	await(0);
	if (signal)
		return signal;
	return err == -ETIMEDOUT ? -EAGAIN : err;
}

int sys_rt_sigtimedwait(uptr_t set, uptr_t info, uptr_t timeout, size_t set_bytes)
{
	struct abi_siginfo report = {0};
	struct signal_info taken;
	uint64_t deadline_ns;
	uint64_t wanted;
	int signal;
	err_t err;

	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&wanted, set))
		return -EFAULT;
	err = poll_read_deadline(timeout, &deadline_ns);
	if (err)
		return err;
	wanted &= ~UNBLOCKABLE_SIGNALS;
	signal = signal_try_take(wanted, &taken);
	if (!signal)
		signal = wait_for_one_of(wanted, deadline_ns, &taken);
	if (signal < 0 || uptr_is_null(info))
		return signal;
	memcpy(&report, &taken, sizeof(taken));
	return user_put(info, &report) ? -EFAULT : signal;
}

/* ---- sending ---- */

/* kill(2): the sender's real or effective user is the receiver's real or saved one; SIGCONT goes to
 * the whole session. */
static bool may_signal(const struct process *process, int signal)
{
	const struct credentials *own = &uthread_current()->ids;
	uint32_t uid = read_once(&process->ids.uid);
	uint32_t suid = read_once(&process->ids.suid);

	if (process == process_current())
		return true;
	if (own->uid == uid || own->uid == suid || own->euid == uid || own->euid == suid)
		return true;
	if (capable_over(process, CAP_KILL))
		return true;
	return signal == SIGCONT &&
	       read_once(&process->session) == read_once(&process_current()->session);
}

err_t signal_send_allowed(struct process *process, const struct signal_info *info)
{
	if (!may_signal(process, info->signal))
		return -EPERM;
	return info->signal ? signal_send(process, info) : 0;
}

/* As on Linux the number may be that of any thread: the signal is for its process. */
static int signal_one(int32_t pid, const struct signal_info *info)
{
	struct process *process = process_find_by_thread(pid_meant(pid));
	int result;

	if (!process)
		return -ESRCH;
	result = signal_send_allowed(process, info);
	process_put(process);
	return result;
}

struct kill_many {
	int32_t group;   /* 0: everybody who is in one and seen, but the caller and init */
	uint64_t serial; /* of that number; 0: any */
	struct signal_info info;
	unsigned nfound;
	unsigned nallowed;
};

/* One that is in no group yet is being made, and its maker gets the signal for it. */
static bool is_meant_by_all(const struct process *process)
{
	const struct process *self = process_current();

	if (!read_once(&process->group) || process == self || process->pid == INIT_PID)
		return false;
	return pid_namespace_sees(self->pid_namespace, process) &&
	       !(pid_namespace_is_init(process) && process->pid_namespace == self->pid_namespace);
}

/* Under family_lock. */
static bool is_meant(const struct kill_many *call, const struct process *process)
{
	if (!call->group)
		return is_meant_by_all(process);
	return read_once(&process->group) == call->group &&
	       (!call->serial || process->group_serial == call->serial);
}

static void signal_each(void *argument, struct process *process)
{
	struct kill_many *call = argument;

	if (!is_meant(call, process))
		return;
	call->nfound++;
	if (signal_send_allowed(process, &call->info))
		return;
	call->nallowed++;
	if (call->info.signal)
		family_signal_births_locked(process, call->info.signal);
}

static int signal_those(struct kill_many call)
{
	spin_lock(&family_lock);
	pid_for_each_rcu(signal_each, &call);
	spin_unlock(&family_lock);
	if (!call.nfound)
		return -ESRCH;
	return call.nallowed ? 0 : -EPERM;
}

static int signal_many(int32_t group, const struct signal_info *info)
{
	return signal_those((struct kill_many){.group = group, .info = *info});
}

err_t signal_send_to_group(int32_t group, uint64_t serial, const struct signal_info *info)
{
	if (group <= 0)
		return -ESRCH;
	return signal_those((struct kill_many){.group = group, .serial = serial, .info = *info});
}

int sys_kill(int pid, int signal)
{
	struct signal_info info = signal_info_from_self(signal, SI_USER);

	if (signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	if (pid > 0)
		return signal_one(pid, &info);
	if (pid == 0)
		return signal_many(process_current()->group, &info);
	if (pid == -1)
		return signal_many(0, &info);
	return pid == INT32_MIN ? -ESRCH : signal_many(pid_meant(-pid), &info);
}

/* ---- to one thread ---- */

struct thread_call {
	int32_t process; /* that it must be of; 0: any */
	struct signal_info info;
};

static err_t signal_thread(struct uthread *uthread, void *argument)
{
	const struct thread_call *call = argument;

	if (call->process && uthread->process->pid != call->process)
		return -ESRCH;
	if (!may_signal(uthread->process, call->info.signal))
		return -EPERM;
	return call->info.signal ? signal_send_thread(uthread, &call->info) : 0;
}

err_t signal_send_to_thread(struct process *process, int32_t tid, const struct signal_info *info)
{
	struct thread_call call = {.process = process->pid, .info = *info};
	err_t err = uthread_visit(tid, signal_thread, &call);

	if (err == -ESRCH && tid == process->pid)
		err = may_signal(process, info->signal) ? 0 : -EPERM;
	return err;
}

int sys_tgkill(int tgid, int tid, int signal)
{
	struct thread_call call = {.process = pid_meant(tgid),
				   .info = signal_info_from_self(signal, SI_TKILL)};

	if (tgid <= 0 || tid <= 0 || signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	return uthread_visit(pid_meant(tid), signal_thread, &call);
}

int sys_tkill(int tid, int signal)
{
	struct thread_call call = {.info = signal_info_from_self(signal, SI_TKILL)};

	if (tid <= 0 || signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	return uthread_visit(pid_meant(tid), signal_thread, &call);
}

/* ---- with the sender's own words ---- */

err_t signal_check_info(const struct process *target, const struct signal_info *info)
{
	return (info->code >= 0 || info->code == SI_TKILL) && target != process_current() ? -EPERM
											  : 0;
}

void signal_info_from_program(struct signal_info *info)
{
	uint32_t uid = (uint32_t)(info->fields[0] >> 32);

	if (signal_says_user(info))
		info->fields[0] =
			(uint32_t)info->fields[0] | (uint64_t)id_from_program(ID_USER, uid) << 32;
}

/* A target that there is not is told from one that may not be deceived: as Linux, by number. */
static err_t read_info(int32_t target, int signal, uptr_t from, struct signal_info *info)
{
	const struct process *self = process_current();

	if (signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	if (user_get(info, from))
		return -EFAULT;
	info->signal = signal;
	info->padding = 0;
	signal_info_from_program(info);
	return signal_check_info(target == self->own_pid ? self : NULL, info);
}

int sys_rt_sigqueueinfo(int pid, int signal, uptr_t from)
{
	struct signal_info info;
	err_t err = read_info(pid, signal, from, &info);

	return err ? err : signal_one(pid, &info);
}

int sys_rt_tgsigqueueinfo(int tgid, int tid, int signal, uptr_t from)
{
	struct thread_call call = {.process = pid_meant(tgid)};
	err_t err;

	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	err = read_info(tgid, signal, from, &call.info);
	return err ? err : uthread_visit(pid_meant(tid), signal_thread, &call);
}
