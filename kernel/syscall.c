/*
 * From the entry to the handler: one table call, and one test for a traced program. Owns no state;
 * what was said about missing calls is kept in the process.
 */
#define LOG_SUBSYSTEM "syscall"

#include "syscall.h"

#include "process/uthread.h"
#include "syscall_table.h"
#include "trace.h"

#include <abi/errno.h>
#include <arch/trap.h>
#include <lib/log.h>

#define TOLD_BITS (sizeof(((struct process *)NULL)->missing_told) * 8)

/* True the first time for this program and call. Numbers beyond the table share a bit. */
static bool tell_missing(struct process *process, uint64_t number)
{
	uint64_t bit = MIN(number, TOLD_BITS - 1);
	uint64_t *word = &process->missing_told[bit / 64];

	if (*word & UINT64_C(1) << bit % 64)
		return false;
	*word |= UINT64_C(1) << bit % 64;
	return true;
}
_Static_assert(TOLD_BITS > SYSCALL_LIMIT, "a bit for each call, and one for all other numbers");

int64_t syscall_missing(const struct trap_frame *frame)
{
	struct process *process = process_current();
	uint64_t number = frame->error_code;
	const char *name = number < SYSCALL_LIMIT ? syscall_infos[number].name : NULL;

	if (tell_missing(process, number))
		log_warn("%s[%d]: system call %s (%lu) is missing", process->name, process->pid,
			 name ? name : "without a name", number);
	return -ENOSYS;
}

/* Cold, so that dispatch needs no frame of its own for it. */
static NOINLINE void dispatch_slowly(struct trap_frame *frame)
{
	uint64_t number = frame->error_code;
	bool traced = read_once(&process_current()->traced);
	struct trace_line line;

	if (traced)
		trace_begin(&line, frame);
	frame->rax = (uint64_t)(number < SYSCALL_LIMIT ? syscall_handlers[number](frame)
						       : syscall_missing(frame));
	if (traced)
		trace_end(&line, frame);
}

#define POISON_WORDS 256

/* Debug builds: what a handler forgets to fill in and gives to a program is not what happened to be
 * there, but numbers that look like the kernel's addresses: tests/guest/leaks.c looks for them. */
static NOINLINE void poison_stack(void)
{
	uint64_t below[POISON_WORDS];
	volatile uint64_t *word = below;

	for (size_t i = 0; i < POISON_WORDS; i++)
		word[i] = UINT64_C(0xffffb0b0b0b0b0b0);
}

void syscall_dispatch(struct trap_frame *frame)
{
	uint64_t number = frame->error_code;

	if (IS_ON(FUSELAGE_DEBUG))
		poison_stack();

	if (unlikely(number >= SYSCALL_LIMIT || read_once(&process_current()->traced))) {
		dispatch_slowly(frame);
		return;
	}
	frame->rax = (uint64_t)syscall_handlers[number](frame);
}
