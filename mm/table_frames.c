/*
 * Frames for page tables: arch's hooks. A table that was taken out of a tree may still be walked by
 * a CPU until its TLB has been flushed, so who takes tables out of a living space says where they
 * wait (the limbo); in a space that no CPU uses any more they go back at once.
 */
#include "table_frames.h"

#include "frame_priv.h"

#include <arch/cpu.h>
#include <arch/paging.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <mm/mm.h>

static PERCPU(struct list *, table_limbo);
static PERCPU(int64_t, table_count); /* allocated here less freed here: only the sum means much */

void table_frames_init_cpu(void)
{
	*this_percpu(table_limbo) = NULL;
	*this_percpu(table_count) = 0;
}

static void count_table(int64_t change)
{
	preempt_disable();
	*this_percpu(table_count) += change;
	preempt_enable();
}

/* Those of programs can wait; the kernel's own are needed under locks. */
paddr_t pagetable_frame_alloc(vaddr_t for_address)
{
	struct frame *frame;
	paddr_t address;

	if (section_fill_frame(&address))
		return address;
	frame = frame_alloc(0, for_address < USER_MAX ? FRAME_ZERO | FRAME_PROGRAM : FRAME_ZERO);
	if (!frame)
		return 0;
	count_table(1);
	return frame_phys(frame);
}

void pagetable_frame_free(paddr_t address)
{
	struct frame *frame = frame_from_phys(address);
	struct list *limbo;

	count_table(-1);
	preempt_disable();
	limbo = *this_percpu(table_limbo);
	if (limbo)
		list_add_tail(limbo, &frame->link);
	preempt_enable();
	if (!limbo)
		frame_free(frame, 0);
}

void table_limbo_begin(struct list *limbo)
{
	preempt_disable();
	debug_assert(!*this_percpu(table_limbo));
	*this_percpu(table_limbo) = limbo;
}

void table_limbo_end(void)
{
	*this_percpu(table_limbo) = NULL;
	preempt_enable();
}

uint64_t table_limbo_free(struct list *limbo)
{
	uint64_t count = 0;

	while (!list_empty(limbo)) {
		struct frame *frame = list_first_entry(limbo, struct frame, link);

		list_del(&frame->link);
		frame_free(frame, 0);
		count++;
	}
	return count;
}

uint64_t mm_table_pages(void)
{
	int64_t count = 0;

	for_each_cpu (i)
		count += read_once(percpu_of(i, table_count));
	return (uint64_t)count;
}
