/*
 * What becomes of a call, by what the filters of its thread say (seccomp(2)). Owns no state.
 */
#include "seccomp.h"

#include "../process/exit.h"
#include "../ptrace/ptrace.h"
#include "../signal/signal.h"
#include "../syscall.h"
#include "syscall_table.h"

#include <abi/errno.h>
#include <abi/wait.h>
#include <arch/trap.h>

#define ERRNO_MAX 4095u

/* The calls of strict mode, as x86-64 numbers them. */
#define CALL_READ         0
#define CALL_WRITE        1
#define CALL_RT_SIGRETURN 15
#define CALL_EXIT         60

static struct abi_seccomp_data data_of(const struct trap_frame *frame)
{
	return (struct abi_seccomp_data){
		.number = (int32_t)frame->error_code,
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = frame->rip,
		.arguments = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9},
	};
}

/* ---- strict mode ---- */

static bool strict_passes(uint64_t number)
{
	switch (number) {
	case CALL_READ:
	case CALL_WRITE:
	case CALL_RT_SIGRETURN:
	case CALL_EXIT:
		return true;
	default:
		uthread_exit(WAIT_STATUS_SIGNAL(SIGKILL));
	}
}

/* ---- signals ---- */

static struct signal_info trap_info(const struct trap_frame *frame, uint32_t data)
{
	return (struct signal_info){
		.signal = SIGSYS,
		.error = (int32_t)data,
		.code = SYS_SECCOMP,
		.fields = {frame->rip,
			   (uint32_t)frame->error_code | (uint64_t)AUDIT_ARCH_X86_64 << 32}};
}

/* Whatever it does about the signal. */
static void kill(const struct trap_frame *frame, uint32_t action, uint32_t data)
{
	const struct process *process = process_current();
	struct signal_info info = trap_info(frame, data);

	if (action == SECCOMP_RET_KILL_THREAD && read_once(&process->nliving) > 1)
		uthread_exit(WAIT_STATUS_SIGNAL(SIGSYS));
	signal_force_default(&info);
}

/* ---- a tracer decides ---- */

/* False: the call is not made. True: it is looked at once more, as it is now. */
static bool ask_tracer(struct trap_frame *frame, uint32_t data)
{
	frame->rax = (uint64_t)-ENOSYS;
	return ptrace_call_decided(frame, data);
}

/* ---- all ---- */

/* `traced`: a tracer has had its say. */
static bool filters_pass(struct trap_frame *frame, bool traced)
{
	struct abi_seccomp_data data = data_of(frame);
	const struct seccomp_filter *filter;
	uint32_t said = seccomp_ask_filters(&data, &filter);
	uint32_t action = said & SECCOMP_RET_ACTION;
	uint32_t value = said & SECCOMP_RET_DATA;
	bool is_made = false;

	if (action != SECCOMP_RET_ALLOW && !(traced && action == SECCOMP_RET_TRACE))
		seccomp_log(action, &data, seccomp_is_logged(filter));
	switch (action) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return true;
	case SECCOMP_RET_ERRNO:
		frame->rax = (uint64_t) - (int64_t)MIN(value, ERRNO_MAX);
		return false;
	case SECCOMP_RET_TRAP: {
		struct signal_info info = trap_info(frame, value);

		frame->rax = frame->error_code;
		(void)signal_force(&info);
		return false;
	}
	case SECCOMP_RET_TRACE:
		return traced || (ask_tracer(frame, value) && filters_pass(frame, true));
	case SECCOMP_RET_USER_NOTIF:
		frame->rax = (uint64_t)-ENOSYS;
		if (seccomp_notifier(filter))
			frame->rax =
				(uint64_t)notifier_ask(seccomp_notifier(filter), &data, &is_made);
		return is_made;
	default: /* those that are not known kill as well */
		frame->rax = frame->error_code;
		kill(frame, action, value);
		return false;
	}
}

bool seccomp_passes(struct trap_frame *frame)
{
	struct uthread *self = uthread_current();

	if (ptrace_suspends_filters(self))
		return true;
	if (self->call_filter.confined)
		return strict_passes(frame->error_code);
	if (!read_once(&self->seccomp))
		return true;
	/* Filters are written for Linux's calls. Who makes several in one gets none of it: that is
	 * what a Linux says, and what the C library is ready for. */
	if (frame->error_code >= SYSCALL_NATIVE && frame->error_code < SYSCALL_LIMIT) {
		frame->rax = (uint64_t)-ENOSYS;
		return false;
	}
	return filters_pass(frame, false);
}
