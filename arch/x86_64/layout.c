/*
 * Owns the places of the kernel's areas (kernel_layout). Called from boot.asm with the image still
 * running at its physical address, in the loader's flat view of memory: nothing has been relocated,
 * so no pointer that lies in data may be followed here, only addresses that code computes. What it
 * calls (the loaders' readers, lib/) keeps to that, too.
 *
 * phys_to_virt() works by kernel_layout itself: while that is all zeros, an address is its own.
 */
#include "entropy.h"
#include "loader.h"
#include "paging_priv.h"
#include "x86.h"

#include <arch/cpu.h>
#include <arch/paging.h>
#include <lib/string.h>

#define TABLE_ENTRIES 512
#define EARLY_GIB     4 /* what boot.asm maps, and what early code may use of memory */
/* As boot.asm has it: kernel.ld allows less than 7 MiB, 15 for the checked kernel, which may begin
 * anywhere. */
#define IMAGE_TABLES (IS_ON(FUSELAGE_KASAN) ? 9 : 5)
#define ENTRY_TABLE  UINT64_C(0x3) /* SDM 3A 4.5.4: present, writable */

/* Block of boot.asm, as far as it is filled in here. */
extern struct {
	uint64_t top[TABLE_ENTRIES];
	uint64_t low[TABLE_ENTRIES];
	uint64_t directories[EARLY_GIB][TABLE_ENTRIES];
	uint64_t high[TABLE_ENTRIES];
	uint64_t direct[TABLE_ENTRIES];
	uint64_t image_directory[TABLE_ENTRIES];
	uint64_t image[IMAGE_TABLES][TABLE_ENTRIES];
} early_tables;

/* Written here, once; its page is read-only before anybody else looks. */
struct kernel_layout kernel_layout_storage __attribute__((section(".once")));
extern const struct kernel_layout kernel_layout __attribute__((alias("kernel_layout_storage")));

uint64_t layout_choose(enum loader loader, paddr_t loader_info);

/* One of `count` numbers from 0 on: the upper half of a product, so no division. */
static uint64_t one_of(uint64_t count)
{
	return (uint64_t)((unsigned __int128)cpu_random() * count >> 64);
}

static void choose_places(struct kernel_layout *layout, const struct boot_info *info)
{
	uint64_t memory_gib = EARLY_GIB;
	uint64_t image_bytes = (uint64_t)(kernel_image_end - kernel_image_start);

	if (info->nranges)
		memory_gib = MAX(memory_gib, (info->ranges[info->nranges - 1].end + GIB - 1) / GIB);
	layout->direct_map = DIRECT_AREA_START;
	if (memory_gib < DIRECT_AREA_BYTES / GIB)
		layout->direct_map += one_of(DIRECT_AREA_BYTES / GIB - memory_gib + 1) * GIB;
	layout->kva = KVA_AREA_START +
		      one_of((KVA_AREA_BYTES - KVA_BYTES - FIXED_BYTES) / GIB + 1) * GIB +
		      one_of(GIB / PAGE_SIZE) * PAGE_SIZE;
	layout->frame_table =
		FRAME_AREA_START + one_of(FRAME_AREA_SLACK / PAGE_SIZE + 1) * PAGE_SIZE;
	layout->image_slide =
		one_of((MODULE_BASE - KERNEL_BASE - KERNEL_PHYSICAL_START - image_bytes) /
		       PAGE_SIZE) *
		PAGE_SIZE;
}

/* Addresses of these tables are physical ones here. */
static void map_image(uint64_t slide)
{
	uint64_t image_bytes = (uint64_t)(kernel_image_end - kernel_image_start);
	vaddr_t start = KERNEL_BASE + KERNEL_PHYSICAL_START + slide;
	vaddr_t first_table = ALIGN_DOWN(start, 2 * MIB);

	early_tables.top[TABLE_ENTRIES - 1] = (uint64_t)early_tables.high | ENTRY_TABLE;
	early_tables.high[TABLE_ENTRIES - 2] = (uint64_t)early_tables.image_directory | ENTRY_TABLE;
	for (unsigned i = 0; i < IMAGE_TABLES; i++)
		early_tables.image_directory[(first_table - KERNEL_BASE) / (2 * MIB) + i] =
			(uint64_t)early_tables.image[i] | ENTRY_TABLE;
	for (uint64_t at = 0; at < image_bytes; at += PAGE_SIZE) {
		uint64_t page = (start - first_table + at) / PAGE_SIZE;

		early_tables.image[page / TABLE_ENTRIES][page % TABLE_ENTRIES] =
			(KERNEL_PHYSICAL_START + at) | ENTRY_TABLE;
	}
}

static void map_direct(vaddr_t base)
{
	for (uint64_t i = 0; i < EARLY_GIB; i++)
		early_tables.direct[(base / GIB + i) % TABLE_ENTRIES] = early_tables.low[i];
	/* The four may lie across a border of two top-level entries: each sees its own part. */
	for (uint64_t i = 0; i < EARLY_GIB; i += EARLY_GIB - 1)
		early_tables.top[(base / GIB + i) / TABLE_ENTRIES % TABLE_ENTRIES] =
			(uint64_t)early_tables.direct | ENTRY_TABLE;
}

/* Returns by how much the image is to be moved up from where it is linked. */
uint64_t layout_choose(enum loader loader, paddr_t loader_info)
{
	struct boot_info info = {0};
	struct kernel_layout layout = {
		.direct_map = DIRECT_AREA_START,
		.kva = KVA_AREA_START,
		.frame_table = FRAME_AREA_START,
	};
	const char *cmdline;

	/* A loader that is refused is refused later, by those who can say so. */
	if (loader == LOADER_PVH)
		loader_read_pvh(&info, loader_info);
	else if (loader == LOADER_MULTIBOOT2)
		loader_read_multiboot2(&info, loader_info);
	entropy_gather(&info);
	cmdline = info.cmdline ? info.cmdline : "";
	if (!boot_option_in(cmdline, "nokaslr", NULL, 0))
		choose_places(&layout, &info);
	boot_option_blank((char *)cmdline, "seed");

	map_image(layout.image_slide);
	map_direct(layout.direct_map);
	kernel_layout_storage = layout;
	return layout.image_slide;
}
