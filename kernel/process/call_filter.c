/*
 * What a thread may call. Owns no state: that is in the struct uthread, its own thread's alone.
 */
#include "call_filter.h"

#include "../signal/signal.h"
#include "uthread.h"

#include <abi/errno.h>
#include <abi/prctl.h>
#include <abi/ptrace.h>
#include <abi/wait.h>
#include <arch/paging.h>
#include <arch/trap.h>
#include <arch/user.h>

static void watch_calls(void)
{
	(void)atomic_fetch_or_full(&process_current()->call_watch, (uint32_t)CALLS_FILTERED);
}

void call_filter_confine(void)
{
	uthread_current()->call_filter.confined = true;
	context_allow_timestamp(false); /* as Linux: no clock to measure others by */
	watch_calls();
}

err_t call_filter_dispatch(uint64_t mode, uint64_t offset, uint64_t len_bytes, uint64_t selector)
{
	struct call_filter *filter = &uthread_current()->call_filter;

	if (mode == PR_SYS_DISPATCH_OFF) {
		if (offset || len_bytes || selector)
			return -EINVAL;
		call_filter_forget();
		return 0;
	}
	if (mode != PR_SYS_DISPATCH_ON || (offset && offset + len_bytes <= offset))
		return -EINVAL;
	if (selector >= USER_MAX)
		return -EFAULT;
	filter->dispatches = true;
	filter->offset = offset;
	filter->len_bytes = len_bytes;
	filter->selector = selector;
	watch_calls();
	return 0;
}

void call_filter_forget(void)
{
	struct call_filter *filter = &uthread_current()->call_filter;

	filter->dispatches = false;
	filter->offset = filter->len_bytes = filter->selector = 0;
}

/* Whatever handler there is. */
static bool end_by(int signal)
{
	signal_end_process(process_current(), WAIT_STATUS_SIGNAL(signal));
	return false;
}

bool call_filter_passes(struct trap_frame *frame)
{
	const struct call_filter *filter = &uthread_current()->call_filter;
	uint64_t number = frame->error_code;
	uint8_t state = PR_SYS_DISPATCH_BLOCK;

	if (!filter->dispatches || frame->rip - filter->offset < filter->len_bytes)
		return true;
	if (filter->selector && user_get(&state, uptr(filter->selector)))
		return end_by(SIGSEGV);
	if (state == PR_SYS_DISPATCH_ALLOW)
		return true;
	if (state != PR_SYS_DISPATCH_BLOCK)
		return end_by(SIGSYS);
	frame->rax = number;
	(void)signal_force(&(struct signal_info){
		.signal = SIGSYS,
		.code = SYS_USER_DISPATCH,
		.fields = {frame->rip, (uint32_t)number | (uint64_t)AUDIT_ARCH_X86_64 << 32}});
	return false;
}
