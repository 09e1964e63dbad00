/*
 * The start of memory management: which memory is ours, and the order in which its parts come up.
 */
#define LOG_SUBSYSTEM "mm"
#include "frame_priv.h"
#include "kva_priv.h"
#include "slab_priv.h"
#include "table_frames.h"

#include <arch/boot.h>
#include <lib/log.h>
#include <lib/panic.h>
#include <mm/frame.h>
#include <mm/mm.h>
#include <sched/thread.h>

/* The firmware, the video memory and real-mode structures: kept as they are. */
#define LOW_MEMORY_END MIB

static struct boot_ranges boot_ranges; /* too large for the boot stack */

static void collect_ranges(struct boot_ranges *ranges)
{
	for (unsigned i = 0; i < boot_info->nranges; i++) {
		const struct memory_range *range = &boot_info->ranges[i];

		if (range->type == MEMORY_USABLE)
			boot_ranges_add(ranges, range->start, range->end);
	}
	/* Whatever the firmware calls usable, in whatever order. */
	for (unsigned i = 0; i < boot_info->nranges; i++) {
		const struct memory_range *range = &boot_info->ranges[i];

		if (range->type != MEMORY_USABLE)
			boot_ranges_remove(ranges, range->start, range->end);
	}
	boot_ranges_remove(ranges, 0, LOW_MEMORY_END);
	boot_ranges_remove(ranges, boot_info->kernel_start, boot_info->kernel_end);
	for (unsigned i = 0; i < boot_info->nmodules; i++)
		boot_ranges_remove(ranges, boot_info->modules[i].start, boot_info->modules[i].end);
}

void mm_init(void)
{
	collect_ranges(&boot_ranges);
	frame_pool_init(&boot_ranges);
	pressure_init();
	slab_init();
	sched_set_idle_work(frame_stock_zeroed);
	if (boot_ranges.dropped)
		log_warn("the memory map has too many holes: %lu KiB are not used",
			 boot_ranges.dropped * PAGE_SIZE / KIB);
	log_info("%lu KiB of memory in %u ranges", frames_total() * PAGE_SIZE / KIB,
		 boot_ranges.count);
}

void mm_init_cpu(void)
{
	frame_init_cpu();
	slab_init_cpu();
	kva_init_cpu();
	table_frames_init_cpu();
}
