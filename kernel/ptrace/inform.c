/*
 * What a stop is about, and the tracee's signals.
 */
#include "request.h"

#include "../process/capability.h"
#include "../seccomp/seccomp.h"

#include <abi/errno.h>
#include <arch/context.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <lib/string.h>

/* ---- the stop's own siginfo ---- */

static err_t get_info(struct tracee *tracee, void *argument)
{
	struct signal_info *out = argument;

	if (!tracee->has_info)
		return -EINVAL;
	*out = tracee->info;
	return 0;
}

static err_t set_info(struct tracee *tracee, void *argument)
{
	const struct signal_info *from = argument;

	if (!tracee->has_info)
		return -EINVAL;
	tracee->info = *from;
	return 0;
}

static int64_t get_info_to(const struct trace_request *call)
{
	struct abi_siginfo report = {0};
	struct signal_info info;
	err_t err = ptrace_with(call->tid, false, get_info, &info);

	if (err)
		return err;
	memcpy(&report, &info, sizeof(info));
	return user_put(uptr(call->data), &report);
}

static int64_t set_info_from(const struct trace_request *call)
{
	struct abi_siginfo from;
	struct signal_info info;

	if (user_get(&from, uptr(call->data)))
		return -EFAULT;
	memcpy(&info, &from, sizeof(info));
	info.padding = 0;
	return ptrace_with(call->tid, false, set_info, &info);
}

/* ---- signals that wait ---- */

struct peek_call {
	bool shared;
	uint64_t skip;
	bool found;
	struct signal_info info;
};

static err_t peek_info(struct tracee *tracee, void *argument)
	REQUIRES(tracee->uthread->process->signal_lock);
static err_t peek_info(struct tracee *tracee, void *argument)
{
	struct peek_call *call = argument;
	const struct signal_pending *pending =
		call->shared ? &tracee->uthread->process->pending : &tracee->uthread->pending;
	uint64_t skip = call->skip;
	struct signal_entry *entry;

	call->found = false;
	list_for_each (entry, &pending->queue, link) {
		if (skip--)
			continue;
		call->info = entry->info;
		call->found = true;
		return 0;
	}
	return 0;
}

static int64_t peek_infos(const struct trace_request *request)
{
	struct abi_peeksiginfo args;
	struct peek_call call = {0};
	int32_t count;

	if (user_get(&args, uptr(request->address)))
		return -EFAULT;
	if (args.flags & ~PTRACE_PEEKSIGINFO_SHARED || args.count < 0)
		return -EINVAL;
	call.shared = args.flags & PTRACE_PEEKSIGINFO_SHARED;
	for (count = 0; count < args.count; count++) {
		struct abi_siginfo report = {0};
		err_t err;

		if (args.offset + (uint64_t)count < args.offset)
			break;
		call.skip = args.offset + (uint64_t)count;
		err = thread_interrupted() && count
			      ? -EINTR
			      : ptrace_with(request->tid, false, peek_info, &call);
		if (!err && !call.found)
			break;
		memcpy(&report, &call.info, sizeof(call.info));
		if (!err &&
		    user_put(uptr(request->data + (uint64_t)count * sizeof(report)), &report))
			err = -EFAULT;
		if (err)
			return count ? count : err;
	}
	return count;
}

/* ---- its mask ---- */

static err_t get_mask(struct tracee *tracee, void *argument)
{
	const struct uthread *uthread = tracee->uthread;

	*(uint64_t *)argument =
		uthread->restore_blocked ? uthread->blocked_before : uthread->blocked;
	return 0;
}

static err_t set_mask(struct tracee *tracee, void *argument)
{
	struct uthread *uthread = tracee->uthread;

	uthread->restore_blocked = false;
	uthread->blocked = *(const uint64_t *)argument & ~UNBLOCKABLE_SIGNALS;
	thread_interrupt(uthread->thread); /* it looks again */
	return 0;
}

static int64_t mask(const struct trace_request *call, bool is_set)
{
	uint64_t value;
	err_t err;

	if (call->address != ABI_SIGSET_BYTES)
		return -EINVAL;
	if (is_set && user_get(&value, uptr(call->data)))
		return -EFAULT;
	err = ptrace_with(call->tid, false, is_set ? set_mask : get_mask, &value);
	if (err || is_set)
		return err;
	return user_put(uptr(call->data), &value);
}

/* ---- what it is about ---- */

static err_t get_message(struct tracee *tracee, void *argument)
{
	*(uint64_t *)argument = tracee->message;
	return 0;
}

static int64_t message_to(const struct trace_request *call)
{
	uint64_t message;
	err_t err = ptrace_with(call->tid, false, get_message, &message);

	return err ? err : user_put(uptr(call->data), &message);
}

struct call_info {
	struct abi_syscall_info info;
	size_t len_bytes;
};

static void show_entry(struct abi_syscall_info *info, const struct abi_user_regs *regs)
{
	info->op = PTRACE_SYSCALL_INFO_ENTRY;
	info->entry.number = regs->orig_rax;
	info->entry.arguments[0] = regs->rdi;
	info->entry.arguments[1] = regs->rsi;
	info->entry.arguments[2] = regs->rdx;
	info->entry.arguments[3] = regs->r10;
	info->entry.arguments[4] = regs->r8;
	info->entry.arguments[5] = regs->r9;
}

static err_t get_call(struct tracee *tracee, void *argument)
{
	struct call_info *out = argument;
	struct abi_syscall_info *info = &out->info;
	bool is_good = tracee->has_info && tracee->info.code == (SIGTRAP | 0x80);
	struct abi_user_regs regs;

	ptrace_get_registers(tracee, &regs);
	info->arch = AUDIT_ARCH_X86_64;
	info->instruction_pointer = regs.rip;
	info->stack_pointer = regs.rsp;
	out->len_bytes = offsetof(struct abi_syscall_info, entry);
	if (is_good && tracee->kind == TRACE_STOP_CALL_BEGIN) {
		show_entry(info, &regs);
		out->len_bytes = offsetof(struct abi_syscall_info, entry.filter_data);
	} else if (is_good && tracee->kind == TRACE_STOP_CALL_END) {
		info->op = PTRACE_SYSCALL_INFO_EXIT;
		info->exit.value = (int64_t)regs.rax;
		info->exit.is_error = info->exit.value < 0 && info->exit.value >= -4095;
		out->len_bytes = offsetof(struct abi_syscall_info, exit.is_error) + 1;
	} else if (tracee->has_info && tracee->info.code >> 8 == PTRACE_EVENT_SECCOMP) {
		show_entry(info, &regs);
		info->op = PTRACE_SYSCALL_INFO_SECCOMP;
		info->entry.filter_data = (uint32_t)tracee->message;
		out->len_bytes = offsetof(struct abi_syscall_info, entry.filter_data) +
				 sizeof(info->entry.filter_data);
	}
	return 0;
}

static int64_t call_info_to(const struct trace_request *request)
{
	struct call_info out = {0};
	err_t err = ptrace_with(request->tid, false, get_call, &out);

	if (!err)
		err = user_copy_out(uptr(request->data), &out.info,
				    MIN(request->address, (uint64_t)out.len_bytes));
	return err ? err : (int64_t)out.len_bytes;
}

/* ---- restartable sequences ---- */

static err_t get_sequences(struct tracee *tracee, void *argument)
{
	const struct uthread *uthread = tracee->uthread;

	*(struct abi_ptrace_rseq *)argument =
		(struct abi_ptrace_rseq){.address = uthread->rseq,
					 .len_bytes = uthread->rseq_bytes,
					 .signature = uthread->rseq_signature};
	return 0;
}

static int64_t sequences_to(const struct trace_request *call)
{
	struct abi_ptrace_rseq told;
	err_t err = ptrace_with(call->tid, false, get_sequences, &told);

	if (!err)
		err = user_copy_out(uptr(call->data), &told,
				    MIN(call->address, (uint64_t)sizeof(told)));
	return err ? err : (int64_t)sizeof(told);
}

/* ---- its filters of calls ---- */

struct filter_call {
	uint64_t place;
	struct seccomp_filter *filter;
};

static err_t get_filter(struct tracee *tracee, void *argument)
	REQUIRES(tracee->uthread->process->signal_lock);
static err_t get_filter(struct tracee *tracee, void *argument)
{
	struct filter_call *call = argument;

	if (!capable(CAP_SYS_ADMIN) || seccomp_mode(uthread_current()) != SECCOMP_MODE_DISABLED)
		return -EACCES;
	return seccomp_nth_locked(tracee->uthread, call->place, &call->filter);
}

/* How many instructions it has; those themselves, if there is somewhere for them. */
static int64_t filter_to(const struct trace_request *request)
{
	struct filter_call call = {.place = request->address};
	const struct abi_filter_instruction *instructions;
	unsigned count;
	int64_t result = ptrace_with(request->tid, false, get_filter, &call);

	if (result)
		return result;
	instructions = seccomp_instructions(call.filter, &count);
	if (request->data)
		result = user_copy_out(uptr(request->data), instructions,
				       count * sizeof(*instructions));
	seccomp_filter_put(call.filter);
	return result ? result : (int64_t)count;
}

static int64_t filter_facts_to(const struct trace_request *request)
{
	struct abi_seccomp_metadata facts = {0};
	size_t len_bytes = MIN(request->address, (uint64_t)sizeof(facts));
	struct filter_call call;
	err_t err;

	if (len_bytes < sizeof(facts.offset))
		return -EINVAL;
	if (user_get(&facts.offset, uptr(request->data)))
		return -EFAULT;
	call = (struct filter_call){.place = facts.offset};
	err = ptrace_with(request->tid, false, get_filter, &call);
	if (err)
		return err;
	facts.flags = seccomp_is_logged(call.filter) ? SECCOMP_FILTER_FLAG_LOG : 0;
	seccomp_filter_put(call.filter);
	err = user_copy_out(uptr(request->data), &facts, len_bytes);
	return err ? err : (int64_t)len_bytes;
}

int64_t ptrace_inform_request(const struct trace_request *call)
{
	switch (call->request) {
	case PTRACE_GETSIGINFO:
		return get_info_to(call);
	case PTRACE_SETSIGINFO:
		return set_info_from(call);
	case PTRACE_PEEKSIGINFO:
		return peek_infos(call);
	case PTRACE_GETSIGMASK:
	case PTRACE_SETSIGMASK:
		return mask(call, call->request == PTRACE_SETSIGMASK);
	case PTRACE_GETEVENTMSG:
		return message_to(call);
	case PTRACE_SECCOMP_GET_FILTER:
		return filter_to(call);
	case PTRACE_SECCOMP_GET_METADATA:
		return filter_facts_to(call);
	case PTRACE_GET_RSEQ_CONFIGURATION:
		return sequences_to(call);
	case PTRACE_GET_SYSCALL_INFO:
		return call_info_to(call);
	default:
		return -ENOSYS;
	}
}
