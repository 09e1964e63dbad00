/*
 * System calls on signals. What a signal does stands in process_signal.c. Owns no state.
 *
 * Handlers do not exist yet: rt_sigaction() refuses them with -ENOSYS, so a program that depends on
 * one is told instead of being ended by the signal that it meant to catch.
 */
#include "process.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <arch/user.h>
#include <sched/wait.h>

/* ---- actions and masks ---- */

int sys_rt_sigaction(int signal, uptr_t action, uptr_t before, size_t set_bytes)
{
	struct process *process = process_current();
	struct abi_sigaction wanted;
	struct abi_sigaction old;

	if (set_bytes != ABI_SIGSET_BYTES || signal < 1 || signal > SIGNAL_MAX)
		return -EINVAL;
	if (!uptr_is_null(action)) {
		if (SIGNAL_BIT(signal) & UNBLOCKABLE_SIGNALS)
			return -EINVAL;
		if (user_get(&wanted, action))
			return -EFAULT;
		if (wanted.handler != SIG_DFL && wanted.handler != SIG_IGN)
			return -ENOSYS;
	}
	old = process->actions[signal - 1];
	if (!uptr_is_null(action))
		process_set_action(signal, &wanted);
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

int sys_rt_sigprocmask(int how, uptr_t set, uptr_t before, size_t set_bytes)
{
	uint64_t old = process_current()->blocked;
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
		process_set_blocked(value);
	}
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

int sys_rt_sigpending(uptr_t out, size_t set_bytes)
{
	uint64_t pending = read_once(&process_current()->pending);

	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	return user_put(out, &pending);
}

int sys_sigaltstack(uptr_t stack, uptr_t before)
{
	struct process *process = process_current();
	struct abi_stack old = process->alternate_stack;
	struct abi_stack wanted;

	if (!uptr_is_null(stack)) {
		if (user_get(&wanted, stack))
			return -EFAULT;
		if (wanted.ss_flags & ~SS_DISABLE)
			return -EINVAL;
		if (!(wanted.ss_flags & SS_DISABLE) && wanted.ss_size < MINSIGSTKSZ)
			return -ENOMEM;
		process->alternate_stack = wanted;
	}
	return uptr_is_null(before) ? 0 : user_put(before, &old);
}

/* ---- waiting for one ---- */

/* Nothing but the end of the process ends it while there are no handlers. */
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
	uint64_t before = process_current()->blocked;
	uint64_t blocked;
	int result;

	if (set_bytes != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (user_get(&blocked, set))
		return -EFAULT;
	process_set_blocked(blocked);
	result = wait_for_signal();
	process_set_blocked(before);
	return result;
}

/* ---- sending ---- */

static bool may_signal(const struct process *process)
{
	uint32_t uid = process_current()->fs.uid;

	return uid == 0 || uid == read_once(&process->fs.uid);
}

static int signal_one(int32_t pid, int signal)
{
	struct process *process = process_find(pid);
	int result = 0;

	if (!process)
		return -ESRCH;
	if (!may_signal(process))
		result = -EPERM;
	else if (signal)
		process_signal(process, signal);
	process_put(process);
	return result;
}

struct kill_many {
	int32_t group; /* 0: everybody but the caller and init */
	int signal;
	unsigned nfound;
	unsigned nallowed;
};

static void signal_each(void *argument, struct process *process)
{
	struct kill_many *call = argument;

	if (call->group ? read_once(&process->group) != call->group
			: process == process_current() || process->pid == 1)
		return;
	call->nfound++;
	if (!may_signal(process))
		return;
	call->nallowed++;
	if (call->signal)
		process_signal(process, call->signal);
}

static int signal_many(int32_t group, int signal)
{
	struct kill_many call = {.group = group, .signal = signal};

	pid_for_each_rcu(signal_each, &call);
	if (!call.nfound)
		return -ESRCH;
	return call.nallowed ? 0 : -EPERM;
}

int sys_kill(int pid, int signal)
{
	if (signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	if (pid > 0)
		return signal_one(pid, signal);
	if (pid == 0)
		return signal_many(process_current()->group, signal);
	if (pid == -1)
		return signal_many(0, signal);
	return pid == INT32_MIN ? -ESRCH : signal_many(-pid, signal);
}

/* A process has one thread, whose number is the process's. */
int sys_tkill(int tid, int signal)
{
	if (tid <= 0 || signal < 0 || signal > SIGNAL_MAX)
		return -EINVAL;
	return signal_one(tid, signal);
}

int sys_tgkill(int tgid, int tid, int signal)
{
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	return tgid == tid ? sys_tkill(tid, signal) : -ESRCH;
}
