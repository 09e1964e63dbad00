/*
 * Makes the kernel's page tables, once, on the first CPU, while the loader's tables (boot.asm)
 * still map the first 4 GiB writable. Afterwards nothing is writable and executable at once.
 *
 * Frames for the tables come off the usable memory ranges before mm/ sees them.
 */
#include "paging_priv.h"

#include "kasan.h"
#include "x86.h"

#include <arch/cpu.h>
#include <lib/panic.h>
#include <lib/string.h>

#define LARGE_BYTES (2 * MIB)
#define HUGE_BYTES  GIB
#define TOP_BYTES   (512 * GIB)
#define EARLY_LIMIT (4 * GIB) /* what boot.asm mapped */

static struct boot_info *boot;

/* Cuts one frame off the start of the first usable range with one to spare below 4 GiB. */
static paddr_t early_frame(UNUSED vaddr_t for_address)
{
	for (unsigned i = 0; i < boot->nranges; i++) {
		struct memory_range *range = &boot->ranges[i];
		paddr_t frame = ALIGN_UP(MAX(range->start, MIB), PAGE_SIZE);

		if (range->type != MEMORY_USABLE ||
		    frame + PAGE_SIZE > MIN(range->end, EARLY_LIMIT))
			continue;
		range->start = frame + PAGE_SIZE;
		memset(phys_to_virt(frame), 0, PAGE_SIZE);
		return frame;
	}
	panic("no memory for the page tables");
}

static void map_at(vaddr_t address, paddr_t frame, unsigned page_flags, unsigned level)
{
	pte_t *entry = pagetable_walk_early(address, level, early_frame);

	*entry = pte_make(frame, page_flags | PAGE_GLOBAL, level);
}

static void map_image_part(const char *start, const char *end, unsigned page_flags)
{
	for (vaddr_t address = (vaddr_t)start; address < (vaddr_t)end; address += PAGE_SIZE) {
		if (address != (vaddr_t)boot_stack_guard)
			map_at(address,
			       boot->kernel_start + (address - (vaddr_t)kernel_image_start),
			       page_flags, 0);
	}
}

/* All memory that the firmware told of, in pages as large as they come. Rounded outwards to 2 MiB:
 * what lies beside memory stays uncached by the MTRRs, and nobody uses its alias here. */
static void map_direct(void)
{
	paddr_t mapped_to = 0;
	bool huge = cpu_features()->pdpe1gb;

	for (unsigned i = 0; i < boot->nranges; i++) {
		paddr_t start = MAX(ALIGN_DOWN(boot->ranges[i].start, LARGE_BYTES), mapped_to);
		paddr_t end = ALIGN_UP(boot->ranges[i].end, LARGE_BYTES);

		while (start < end) {
			bool fits =
				huge && IS_ALIGNED(start, HUGE_BYTES) && end - start >= HUGE_BYTES;

			map_at(DIRECT_MAP_BASE + start, start, PAGE_WRITE, fits ? 2 : 1);
			start += fits ? HUGE_BYTES : LARGE_BYTES;
		}
		mapped_to = MAX(mapped_to, end);
	}
}

/* A byte for eight, all of them 0: everything may be touched. */
static void map_shadow(vaddr_t start, vaddr_t end)
{
	vaddr_t shadow_end = kasan_shadow(end - 1) + 1;

	for (vaddr_t at = ALIGN_DOWN(kasan_shadow(start), PAGE_SIZE); at < shadow_end;
	     at += PAGE_SIZE)
		map_at(at, early_frame(at), PAGE_WRITE, 0);
}

static void make_top_entries(vaddr_t start, vaddr_t end)
{
	vaddr_t base = ALIGN_DOWN(start, TOP_BYTES);

	/* By the distance: the last one ends where addresses do. */
	for (uint64_t offset = 0; offset < end - base; offset += TOP_BYTES)
		pagetable_walk_early(base + offset, 2, early_frame);
}

void paging_init(struct boot_info *info)
{
	paddr_t memory_end = 0;

	boot = info;
	paging_detect();
	pagetable_kernel()->root = early_frame(0);
	map_image_part(kernel_text_start, kernel_text_end, PAGE_EXEC);
	map_image_part(kernel_rodata_start, kernel_rodata_end, 0);
	map_image_part(kernel_data_start, kernel_image_end, PAGE_WRITE);
	/* early_frame() cuts at the ranges' starts while they are mapped here, so what it took is
	 * mapped too. */
	map_direct();

	for (unsigned i = 0; i < boot->nranges; i++)
		memory_end = MAX(memory_end, boot->ranges[i].end);
	if (IS_ON(FUSELAGE_KASAN)) {
		map_shadow(DIRECT_MAP_BASE, DIRECT_MAP_BASE + memory_end);
		map_shadow((vaddr_t)kernel_image_start, (vaddr_t)kernel_image_end);
	}
	make_top_entries(DIRECT_MAP_BASE, DIRECT_MAP_BASE + memory_end);
	make_top_entries(FRAME_AREA_START, FRAME_AREA_START + FRAME_AREA_BYTES);
	make_top_entries(KVA_BASE, FIXED_END);
	make_top_entries(ENTRY_AREA_START, ENTRY_AREA_START + 1);
	make_top_entries(KERNEL_BASE, KERNEL_BASE + 1);
	cr3_write(pagetable_kernel()->root);
}
