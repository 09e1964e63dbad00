/*
 * Owns what of each CPU's debug registers is loaded. A thread's own (struct debug_registers) are
 * written by its debugger while it rests, and by itself when one of them hits.
 *
 * Each set that is written has a number of its own, by which a CPU knows what it has loaded: a
 * thread's memory may be another thread's by now.
 */
#include "debug_registers.h"

#include "x86.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/paging.h>
#include <arch/registers.h>
#include <arch/trap.h>
#include <lib/atomic.h>

#include <abi/errno.h>

/* DR6, SDM 3B 18.2.3: which of the four it was, a single step. */
#define DR6_HITS UINT64_C(0xf)
#define DR6_STEP (UINT64_C(1) << 14)
#define DR6_IDLE UINT64_C(0xffff0ff0)

/* DR7, SDM 3B 18.2.4: two bits to enable each, and four that say for what and how long. */
#define DR7_ENABLES    UINT64_C(0xff)
#define DR7_EXACT      UINT64_C(0x300) /* of no effect since long */
#define DR7_KINDS      UINT64_C(0xffff0000)
#define DR7_FIXED      (UINT64_C(1) << 10)
#define DR7_ENABLED(n) (UINT64_C(3) << 2 * (n))
#define DR7_KIND(n)    (16 + 4 * (n))
#define KIND_EXECUTE   0u
#define KIND_IO        2u

/* The number of what this CPU has loaded; 0: nothing. Its CPU's alone, interrupts off. */
static PERCPU(uint64_t, loaded);

static uint64_t next_number = 1; /* atomic */

static void unload(void)
{
	__asm__ volatile("mov %0, %%dr7" ::"r"(DR7_FIXED));
	*this_percpu(loaded) = 0;
}

void debug_registers_load(const struct context *context)
{
	const struct debug_registers *debug = context->debug;

	if (likely(!(read_once(&context->exit_work) & EXIT_WORK_DEBUG)) ||
	    *this_percpu(loaded) == debug->number)
		return;
	__asm__ volatile("mov %0, %%dr7" ::"r"(DR7_FIXED));
	__asm__ volatile("mov %0, %%dr0" ::"r"(debug->address[0]));
	__asm__ volatile("mov %0, %%dr1" ::"r"(debug->address[1]));
	__asm__ volatile("mov %0, %%dr2" ::"r"(debug->address[2]));
	__asm__ volatile("mov %0, %%dr3" ::"r"(debug->address[3]));
	__asm__ volatile("mov %0, %%dr7" ::"r"((debug->control & ~DR7_EXACT) | DR7_FIXED));
	*this_percpu(loaded) = debug->number;
}

/* ---- the trap ---- */

static unsigned kind_of(uint64_t control, unsigned index)
{
	return control >> DR7_KIND(index) & 3;
}

/* A breakpoint strikes before its instruction, which shall run when the program goes on. */
static void step_over(struct trap_frame *frame, const struct debug_registers *debug, uint64_t hits)
{
	for (unsigned i = 0; i < DEBUG_ADDRESSES; i++) {
		if (hits & UINT64_C(1) << i && kind_of(debug->control, i) == KIND_EXECUTE)
			frame->rflags |= RFLAGS_RF;
	}
}

bool debug_trap(struct trap_frame *frame)
{
	const struct context *context = (const struct context *)current_thread();
	struct debug_registers *debug = context->debug;
	uint64_t status;
	uint64_t hits;

	__asm__ volatile("mov %%dr6, %0" : "=r"(status));
	__asm__ volatile("mov %0, %%dr6" ::"r"(DR6_IDLE));
	hits = status & DR6_HITS;
	if (!trap_from_user(frame)) {
		/* In a copy on the program's behalf, as on Linux: nobody is told. */
		frame->rflags &= ~RFLAGS_TF;
		return false;
	}
	if (hits && (!debug || debug->number != *this_percpu(loaded))) {
		unload(); /* somebody else's */
		hits = 0;
		/* Neither step nor hit of this program's. */
		if (!(status & DR6_STEP))
			return false;
	}
	if (debug) {
		debug->status = hits | (status & DR6_STEP);
		step_over(frame, debug, hits);
	}
	return true;
}

bool debug_trap_was_hit(const struct context *context)
{
	return context->debug && context->debug->status & DR6_HITS;
}

/* ---- for debuggers ---- */

static bool is_acceptable(const struct debug_registers *debug)
{
	for (unsigned i = 0; i < DEBUG_ADDRESSES; i++) {
		unsigned kind = kind_of(debug->control, i);
		unsigned bytes = (debug->control >> (DR7_KIND(i) + 2) & 3) + 1; /* 3: 8, as 4 */

		if (!(debug->control & DR7_ENABLED(i)))
			continue;
		if (bytes == 3)
			bytes = 8;
		if (kind == KIND_IO || (kind == KIND_EXECUTE && bytes != 1))
			return false;
		/* As Linux: aligned, and the program's. */
		if (debug->address[i] & (bytes - 1) || debug->address[i] >= USER_MAX)
			return false;
	}
	return true;
}

uint64_t debug_register_get(const struct context *context, unsigned index)
{
	const struct debug_registers *debug = context->debug;

	if (!debug)
		return 0;
	if (index < DEBUG_ADDRESSES)
		return debug->address[index];
	if (index == DEBUG_STATUS)
		return debug->status;
	return index == DEBUG_CONTROL ? debug->control : 0;
}

err_t debug_register_set(struct context *context, unsigned index, uint64_t value)
{
	struct debug_registers changed = *context->debug;

	if (index < DEBUG_ADDRESSES) {
		if (value >= USER_MAX)
			return -EIO;
		changed.address[index] = value;
	} else if (index == DEBUG_STATUS) {
		changed.status = value;
	} else if (index == DEBUG_CONTROL) {
		changed.control = value & (DR7_ENABLES | DR7_EXACT | DR7_KINDS);
	} else {
		return -EIO;
	}
	if (!is_acceptable(&changed))
		return -EINVAL;
	changed.number = atomic_fetch_add_full(&next_number, 1);
	*context->debug = changed;
	if (changed.control & DR7_ENABLES)
		(void)atomic_fetch_or_full(&context->exit_work, (uint32_t)EXIT_WORK_DEBUG);
	else
		(void)atomic_fetch_and_full(&context->exit_work, ~(uint32_t)EXIT_WORK_DEBUG);
	return 0;
}

void debug_registers_clear(void)
{
	struct context *context = (struct context *)current_thread();

	if (!context->debug)
		return;
	(void)atomic_fetch_and_full(&context->exit_work, ~(uint32_t)EXIT_WORK_DEBUG);
	*context->debug =
		(struct debug_registers){.number = atomic_fetch_add_full(&next_number, 1)};
}
