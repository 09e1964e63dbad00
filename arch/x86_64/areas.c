/*
 * The kernel's half as a list, for people. Owns nothing: reads where things are.
 */
#include "x86.h"

#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/paging.h>

bool kernel_area(unsigned number, struct kernel_area *out)
{
	uint64_t memory_bytes =
		boot_info->nranges ? boot_info->ranges[boot_info->nranges - 1].end : 0;
	const struct kernel_area areas[] = {
		{"memory", DIRECT_MAP_BASE, DIRECT_MAP_BASE + ALIGN_UP(memory_bytes, 2 * MIB),
		 PAGE_WRITE},
		{"kva", KVA_BASE, KVA_END, PAGE_WRITE},
		{"fixed", FIXED_BASE, FIXED_END, PAGE_WRITE | PAGE_UNCACHED},
		{"frames", FRAME_TABLE_BASE, FRAME_AREA_START + FRAME_AREA_BYTES, PAGE_WRITE},
		{"entry", ENTRY_AREA_START, ENTRY_AREA_START + (1 + CPU_MAX) * PAGE_SIZE, 0},
		{"text", (vaddr_t)kernel_text_start, (vaddr_t)kernel_text_end, PAGE_EXEC},
		{"rodata", (vaddr_t)kernel_rodata_start, (vaddr_t)kernel_rodata_end, 0},
		{"data", (vaddr_t)kernel_data_start, (vaddr_t)kernel_image_end, PAGE_WRITE},
		{"modules", MODULE_BASE, MODULE_END, 0},
	};

	if (number >= ARRAY_SIZE(areas))
		return false;
	*out = areas[number];
	return true;
}

/* Hops over what a missing table would have held. */
uint64_t kernel_pages_present(vaddr_t start, vaddr_t end)
{
	uint64_t npages = 0;
	uint64_t step_bytes;

	for (vaddr_t at = start; at < end; at += step_bytes) {
		unsigned level;
		const pte_t *entry = pagetable_walk(pagetable_kernel(), at, &level);

		step_bytes = MIN(level_bytes(level) - (at & (level_bytes(level) - 1)), end - at);
		if (entry && pte_present(pte_read(entry)))
			npages += step_bytes / PAGE_SIZE;
		if (step_bytes == end - at)
			break;
	}
	return npages;
}
