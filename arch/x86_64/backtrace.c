/*
 * Return addresses and their names. The table of names (tools/symtab.py) is part of the image and
 * constant.
 */
#include "descriptors.h"
#include "x86.h"

#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <lib/atomic.h>

extern const uint32_t symtab_count;
extern const uint32_t symtab_offsets[];
extern const uint32_t symtab_names[];
extern const char symtab_strings[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
	uint64_t from_start = address - (uint64_t)kernel_image_start;
	uint32_t low = 0;
	uint32_t high = symtab_count;

	if (address < (uint64_t)kernel_text_start || address >= (uint64_t)kernel_text_end)
		return NULL;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symtab_offsets[middle] <= from_start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset = from_start - symtab_offsets[low - 1];
	return symtab_strings + symtab_names[low - 1];
}

static bool within(uint64_t address, uint64_t base, uint64_t top)
{
	return address >= base && address + 16 <= top;
}

/* A frame pointer is followed only inside the stacks that this CPU may be on. */
static bool on_known_stack(uint64_t fp)
{
	const struct context *context = (const struct context *)current_thread();
	uint64_t ist_top;

	if (!fp || fp & 7)
		return false;
	if (context && within(fp, context->stack_base, context->stack_top))
		return true;
	if (within(fp, (uint64_t)boot_stack_base, (uint64_t)boot_stack_top))
		return true;
	return descriptors_on_ist_stack(this_cpu(), fp, &ist_top) && fp + 16 <= ist_top;
}

unsigned backtrace_collect(uint64_t fp, uint64_t *out, unsigned max)
{
	unsigned count = 0;

	while (fp && count < max && on_known_stack(fp)) {
		const uint64_t *frame = (const uint64_t *)fp;

		if (!frame[1])
			break;
		out[count++] = frame[1];
		if (frame[0] <= fp && on_known_stack(frame[0]))
			break; /* the chain must go up, or it is no chain */
		fp = frame[0];
	}
	return count;
}

/* What context_switch_stacks() pushes: six registers, rbp first, below the return address. */
#define SAVED_RBP    5
#define SAVED_RETURN 6

unsigned backtrace_of_context(const struct context *context, uint64_t *out, unsigned max)
{
	uint64_t sp = read_once(&context->sp);
	unsigned count = 0;
	uint64_t fp;

	if (sp & 7 || sp < context->stack_base ||
	    sp + (SAVED_RETURN + 1) * sizeof(uint64_t) > context->stack_top || max == 0)
		return 0;
	out[count++] = ((const uint64_t *)sp)[SAVED_RETURN];
	fp = ((const uint64_t *)sp)[SAVED_RBP];
	while (count < max && !(fp & 7) && within(fp, context->stack_base, context->stack_top)) {
		const uint64_t *frame = (const uint64_t *)fp;

		if (!frame[1])
			break;
		out[count++] = frame[1];
		if (frame[0] <= fp)
			break; /* the chain must go up, or it is no chain */
		fp = frame[0];
	}
	return count;
}
