/*
 * Faults of programs: serving page faults, and the end of a program whose fault nothing cured, with
 * a line that names program, address and reason. Defines the hooks of arch/trap.h.
 */
#define LOG_SUBSYSTEM "fault"

#include "process/rseq.h"
#include "process/uthread.h"
#include "signal/signal.h"

#include <abi/errno.h>
#include <arch/registers.h>
#include <arch/trap.h>
#include <lib/log.h>
#include <mm/fault.h>
#include <mm/pressure.h>
#include <mm/space.h>

err_t trap_user_page_fault(vaddr_t address, unsigned fault_access)
{
	struct uthread *self = uthread_current();
	err_t err;

	/* The kernel's own threads have no user memory. */
	if (!self || !self->space)
		return -EFAULT;
	err = mm_user_fault(self->space, address, fault_access);
	self->fault_error = err;
	/* It may have waited: another thread may have run its sequence here meanwhile. */
	if (unlikely(self->rseq) && fault_access & FAULT_USER)
		thread_request_exit_work(self->thread);
	/* Killed, while it waited for the page or before, so that its memory may be gone already:
	 * it will not see user mode again, nothing to report. */
	if (unlikely(err) && fault_access & FAULT_USER && (err == -EINTR || thread_killed()))
		return 0;
	return err;
}

static int signal_of(const struct trap_frame *frame, err_t fault_error)
{
	switch (frame->vector) {
	case TRAP_DIVIDE:
	case TRAP_FPU:
	case TRAP_SIMD:
		return SIGFPE;
	case TRAP_DEBUG:
	case TRAP_BREAKPOINT:
		return SIGTRAP;
	case TRAP_INVALID_OPCODE:
		return SIGILL;
	case TRAP_ALIGNMENT:
	case TRAP_STACK_SEGMENT:
	case TRAP_NO_SEGMENT:
		return SIGBUS;
	case TRAP_PAGE_FAULT:
		/* As Linux: beyond a file's end, or a page that could not be had. */
		if (fault_error == -EIO)
			return SIGBUS;
		return fault_error == -ENOMEM ? SIGKILL : SIGSEGV;
	default:
		return SIGSEGV;
	}
}

static const char *signal_text(int signal)
{
	switch (signal) {
	case SIGFPE:
		return "arithmetic error";
	case SIGTRAP:
		return "breakpoint";
	case SIGILL:
		return "illegal instruction";
	case SIGBUS:
		return "bus error";
	case SIGKILL:
		return "killed";
	default:
		return "segmentation fault";
	}
}

static const char *access_text(uint64_t error_code)
{
	/* Bits of the error code: SDM 3A, 4.7. */
	if (error_code & 1 << 4)
		return "execution";
	return error_code & 1 << 1 ? "write" : "read";
}

static bool is_below_stack(struct space *space, vaddr_t address)
{
	struct region_info region;

	return space_next(space, address, &region) && address < region.start &&
	       (region.flags & SPACE_STACK) && region.start - address <= MIB;
}

static const char *page_fault_reason(const struct uthread *self, vaddr_t address)
{
	if (address >= USER_MAX)
		return "the kernel's memory";
	switch (self->fault_error) {
	case -EACCES:
		return "the page does not allow it";
	case -EIO:
		return "the file ends before, or cannot be read";
	case -ENOMEM:
		return "no memory is left";
	default:
		break;
	}
	if (is_below_stack(self->space, address))
		return "the stack is full";
	return "nothing mapped there";
}

/* What siginfo says of it (sigaction(2)). */
static int code_of(const struct trap_frame *frame, int signal, err_t fault_error)
{
	switch (signal) {
	case SIGFPE:
		return frame->vector == TRAP_DIVIDE ? FPE_INTDIV : fpu_fault_code(frame->vector);
	case SIGTRAP:
		if (frame->vector == TRAP_BREAKPOINT)
			return SI_KERNEL;
		return debug_trap_was_hit(&current_thread()->context) ? TRAP_HWBKPT : TRAP_TRACE;
	case SIGILL:
		return ILL_ILLOPN;
	case SIGBUS:
		return frame->vector == TRAP_PAGE_FAULT ? BUS_ADRERR : BUS_ADRALN;
	case SIGSEGV:
		if (frame->vector != TRAP_PAGE_FAULT)
			return SI_KERNEL;
		return fault_error == -EACCES ? SEGV_ACCERR : SEGV_MAPERR;
	default:
		return SI_KERNEL;
	}
}

static void tell(const struct trap_frame *frame, int signal, vaddr_t address)
{
	const struct uthread *self = uthread_current();
	const struct process *process = self->process;

	if (frame->vector == TRAP_PAGE_FAULT)
		log_limited(LOG_WARN, "%s[%d]: %s: %s of 0x%lx at 0x%lx (%s)", process->name,
			    process->pid, signal_text(signal), access_text(frame->error_code),
			    address, frame->rip, page_fault_reason(self, address));
	else
		log_limited(LOG_WARN, "%s[%d]: %s at 0x%lx (%s)", process->name, process->pid,
			    signal_text(signal), frame->rip, trap_name(frame->vector));
}

/* A handler of the program's may look at it; without one it is the end, and a line tells of it. The
 * last steps are taken by trap_user_exit_work(). */
void trap_user_fault(struct trap_frame *frame, vaddr_t address)
{
	struct uthread *self = uthread_current();
	err_t fault_error = address < USER_MAX ? self->fault_error : -EFAULT;
	struct signal_info info = {.signal = signal_of(frame, fault_error)};

	info.code = code_of(frame, info.signal, fault_error);
	if (frame->vector == TRAP_PAGE_FAULT)
		self->fault_address = info.fields[0] = address;
	else if (info.code > 0 && info.code != SI_KERNEL)
		info.fields[0] = frame->rip;
	if (!signal_force(&info))
		tell(frame, info.signal, address);
}

void trap_user_exit_work(struct trap_frame *frame)
{
	memory_throttle();
	rseq_resume(frame);
	signal_deliver(frame);
}
