/*
 * prctl: what a process or a thread asks to be remembered of it. Capabilities, memory, the machine
 * and filters of calls have files of their own. What is not here
 * is EINVAL, as of a Linux that is built without it, or for another machine. Owns no state.
 */
#include "prctl.h"

#include "../seccomp/seccomp.h"
#include "call_filter.h"
#include "capability.h"
#include "syscall_table.h"
#include "uthread.h"

#include <abi/errno.h>
#include <abi/prctl.h>
#include <arch/user.h>
#include <lib/string.h>

static int64_t set_name(uptr_t from)
{
	const struct uthread *self = uthread_current();
	char name[PROCESS_NAME_BYTES];
	ssize_t len = user_copy_string(name, from, sizeof(name));

	if (len == -EFAULT)
		return -EFAULT;
	name[sizeof(name) - 1] = '\0'; /* longer ones are cut */
	if (self == self->process->leader)
		string_copy(self->process->name, PROCESS_NAME_BYTES, name);
	thread_set_name(name);
	return 0;
}

struct renaming {
	struct process *process;
	const char *name;
};

static err_t rename_thread(struct uthread *uthread, void *argument)
{
	const struct renaming *renaming = argument;

	if (uthread->process != renaming->process)
		return -ESRCH;
	if (uthread == uthread->process->leader)
		string_copy(uthread->process->name, PROCESS_NAME_BYTES, renaming->name);
	string_copy(uthread->thread->name, sizeof(uthread->thread->name), renaming->name);
	return 0;
}

err_t process_rename(struct process *process, int32_t tid, const char *name)
{
	struct renaming renaming = {.process = process, .name = name};
	err_t err = uthread_visit(tid ? tid : process->pid, rename_thread, &renaming);

	if (!err || tid)
		return err;
	string_copy(process->name, PROCESS_NAME_BYTES, name); /* its first thread has ended */
	return 0;
}

static int64_t set_dumpable(uint64_t dumpable)
{
	if (dumpable > 1)
		return -EINVAL;
	write_once(&process_current()->not_dumpable, !dumpable);
	return 0;
}

/* What cannot be taken back; the other arguments are kept for later. */
static int64_t set_no_new_privileges(uint64_t value, bool others)
{
	if (value != 1 || others)
		return -EINVAL;
	write_once(&uthread_current()->no_new_privileges, true);
	return 0;
}

static int64_t set_death_signal(uint64_t signal)
{
	if (signal > SIGNAL_MAX)
		return -EINVAL;
	write_once(&process_current()->death_signal, (uint8_t)signal);
	return 0;
}

/* How late its sleeps may end. They end in time, whatever it is. */
static int64_t set_timer_slack(uint64_t slack_ns)
{
	struct uthread *self = uthread_current();

	self->timer_slack_ns =
		slack_ns && slack_ns <= INT64_MAX ? slack_ns : self->timer_slack_default_ns;
	return 0;
}

static int64_t put_int(uint64_t to, int value)
{
	return user_put(uptr(to), &value);
}

int64_t sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct process *process = process_current();
	struct uthread *self = uthread_current();
	int64_t result = capability_prctl(option, a, b, c, d);

	if (result == -ENODATA)
		result = prctl_memory(option, a, b, c, d);
	if (result == -ENODATA)
		result = prctl_machine(option, a, b, c, d);
	if (result != -ENODATA)
		return result;
	switch (option) {
	case PR_SET_NAME:
		return set_name(uptr(a));
	case PR_GET_NAME:
		return user_copy_out(uptr(a), current_thread()->name, PROCESS_NAME_BYTES);
	case PR_SET_PDEATHSIG:
		return set_death_signal(a);
	case PR_GET_PDEATHSIG:
		return put_int(a, process->death_signal);
	case PR_SET_DUMPABLE:
		return set_dumpable(a);
	case PR_GET_DUMPABLE:
		return !process->not_dumpable;
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privileges(a, b || c || d);
	case PR_GET_NO_NEW_PRIVS:
		return a || b || c || d ? -EINVAL : self->no_new_privileges;
	case PR_SET_CHILD_SUBREAPER:
		process->subreaper = a != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_int(a, process->subreaper);
	case PR_SET_TIMERSLACK:
		return set_timer_slack(a);
	case PR_GET_TIMERSLACK:
		return (int64_t)self->timer_slack_ns;
	case PR_SET_TIMING:
		return a == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_GET_SECCOMP:
		return seccomp_mode(self);
	case PR_SET_SECCOMP:
		return prctl_set_seccomp(a, b);
	case PR_SET_SYSCALL_USER_DISPATCH:
		return call_filter_dispatch(a, b, c, d);
	case PR_GET_TID_ADDRESS:
		return user_put(uptr(a), &self->clear_tid);
	default:
		return -EINVAL;
	}
}
