/*
 * From the entry to the handler: one table call, and one test for a program whose calls are
 * watched. Owns the list of missing calls that the log has named, each once for a program's name.
 */
#define LOG_SUBSYSTEM "syscall"

#include "syscall.h"

#include "process/call_filter.h"
#include "process/uthread.h"
#include "ptrace/ptrace.h"
#include "seccomp/seccomp.h"
#include "syscall_table.h"
#include "trace.h"
#include "userspace.h"

#include <abi/errno.h>
#include <arch/spin.h>
#include <arch/trap.h>
#include <lib/log.h>
#include <lib/string.h>

#define TOLD_MAX 128

/* A call that the log has named, by a program of this name. */
struct told {
	char program[PROCESS_NAME_BYTES];
	uint64_t number;
};

static struct spinlock told_lock = SPINLOCK_INIT(LOCK_TOLD);
static struct told told[TOLD_MAX]; /* told_lock */
static unsigned ntold;             /* told_lock */
static bool told_full;             /* told_lock: it was said that no more are named */

const struct syscall_info *syscall_info(uint64_t number)
{
	if (number >= SYSCALL_NATIVE && number < SYSCALL_LIMIT)
		number = number - SYSCALL_NATIVE + SYSCALL_LINUX_LIMIT;
	else if (number >= SYSCALL_LINUX_LIMIT)
		return NULL;
	return syscall_infos[number].name ? &syscall_infos[number] : NULL;
}

enum what_to_tell { TELL_NOTHING, TELL_CALL, TELL_FULL };

static enum what_to_tell add_told_locked(const char *program, uint64_t number) REQUIRES(told_lock);
static enum what_to_tell add_told_locked(const char *program, uint64_t number)
{
	for (unsigned i = 0; i < ntold; i++) {
		if (told[i].number == number && strcmp(told[i].program, program) == 0)
			return TELL_NOTHING;
	}
	if (ntold == TOLD_MAX) {
		if (told_full)
			return TELL_NOTHING;
		told_full = true;
		return TELL_FULL;
	}
	string_copy(told[ntold].program, sizeof(told->program), program);
	told[ntold++].number = number;
	return TELL_CALL;
}

#define KNOWN_BITS (sizeof(((struct process *)NULL)->missing_known) * 8)
_Static_assert(KNOWN_BITS > SYSCALL_LINUX_LIMIT, "a bit for each, and one for all other numbers");

/* Whether the process has come here with this number before, since its exec. Threads that race for
 * it only look into the list once more. */
static bool known_to_process(struct process *process, uint64_t number)
{
	uint64_t *word = &process->missing_known[number / 64];
	uint64_t bit = UINT64_C(1) << number % 64;
	uint64_t before = read_once(word);

	write_once(word, before | bit);
	return before & bit;
}

/* The first time for a program of this name and call; numbers beyond Linux's count as one. */
static enum what_to_tell tell_missing(struct process *process, uint64_t number)
{
	char program[PROCESS_NAME_BYTES];
	enum what_to_tell what;

	number = MIN(number, (uint64_t)SYSCALL_LINUX_LIMIT);
	if (known_to_process(process, number))
		return TELL_NOTHING;
	string_copy(program, sizeof(program), process->name); /* it may change meanwhile */
	spin_lock(&told_lock);
	what = add_told_locked(program, number);
	spin_unlock(&told_lock);
	return what;
}

int64_t syscall_missing(const struct trap_frame *frame)
{
	struct process *process = process_current();
	uint64_t number = frame->error_code;
	const struct syscall_info *info = syscall_info(number);

	/* Programs ask for calls to find out whether there are such: nothing is wrong, and a user's
	 * screen is not the place for it. */
	enum log_level level = userspace_is_up() ? LOG_DEBUG : LOG_INFO;

	switch (tell_missing(process, number)) {
	case TELL_CALL:
		log_emit(level, LOG_SUBSYSTEM, "%s[%d]: system call %s (%lu) is missing",
			 process->name, process->pid, info ? info->name : "without a name", number);
		break;
	case TELL_FULL:
		log_emit(level, LOG_SUBSYSTEM,
			 "%u missing system calls were named: others will not be", TOLD_MAX);
		break;
	default:
		break;
	}
	return -ENOSYS;
}

/* Cold, so that dispatch needs no frame of its own for it. */
static NOINLINE void dispatch_slowly(struct trap_frame *frame)
{
	uint64_t number;
	unsigned watch = read_once(&process_current()->call_watch);
	struct trace_line line;

	if (watch & CALLS_FILTERED && !call_filter_passes(frame))
		return;
	if (watch & CALLS_STOP && !ptrace_call_begin(frame)) {
		ptrace_call_end();
		return;
	}
	if (watch & CALLS_FILTERED && !seccomp_passes(frame)) {
		ptrace_call_end();
		return;
	}
	number = frame->error_code; /* a tracer may have changed it */
	if (watch & CALLS_LOGGED)
		trace_begin(&line, frame);
	frame->rax = (uint64_t)(number < SYSCALL_LIMIT ? syscall_handlers[number](frame)
						       : syscall_missing(frame));
	if (watch & CALLS_LOGGED)
		trace_end(&line, frame);
	ptrace_call_end();
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

	if (unlikely(number >= SYSCALL_LIMIT || read_once(&process_current()->call_watch))) {
		dispatch_slowly(frame);
		return;
	}
	frame->rax = (uint64_t)syscall_handlers[number](frame);
}
