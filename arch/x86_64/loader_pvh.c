/*
 * The PVH start information (Xen's public/arch-x86/hvm/start_info.h describes the layout). Input:
 * everything is checked before it is followed.
 */
#include "loader.h"

#include <arch/paging.h>
#include <lib/string.h>

#define PVH_MAGIC   0x336ec578
#define EARLY_LIMIT (4 * GIB)

struct PACKED pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nmodules;
	uint64_t modules;
	uint64_t cmdline;
	uint64_t rsdp;
	/* from version 1 on */
	uint64_t memory_map;
	uint32_t memory_map_entries;
	uint32_t reserved;
};

struct PACKED pvh_module {
	uint64_t start;
	uint64_t size_bytes;
	uint64_t cmdline;
	uint64_t reserved;
};

struct PACKED pvh_memory {
	uint64_t start;
	uint64_t size_bytes;
	uint32_t type; /* as in an E820 map */
	uint32_t reserved;
};

static bool reachable(uint64_t start, uint64_t size_bytes)
{
	return start && start < EARLY_LIMIT && size_bytes <= EARLY_LIMIT - start;
}

const char *loader_read_pvh(struct boot_info *info, paddr_t from)
{
	const struct pvh_start_info *start;

	info->loader = "PVH";
	if (!reachable(from, sizeof(*start)))
		return "the PVH start information lies out of reach";
	start = phys_to_virt(from);
	if (start->magic != PVH_MAGIC)
		return "the PVH start information has a wrong magic number";
	if (start->version < 1 || !start->memory_map_entries)
		return "the PVH loader gives no memory map";
	if (start->memory_map_entries > 4096 ||
	    !reachable(start->memory_map, start->memory_map_entries * sizeof(struct pvh_memory)))
		return "the PVH memory map lies out of reach";

	for (unsigned pass = 0; pass < E820_PASSES; pass++) {
		const struct pvh_memory *memory = phys_to_virt(start->memory_map);

		for (uint32_t i = 0; i < start->memory_map_entries; i++)
			loader_add_e820(info, memory[i].start, memory[i].size_bytes, memory[i].type,
					pass);
	}

	if (start->nmodules > BOOT_MODULES_MAX ||
	    (start->nmodules &&
	     !reachable(start->modules, start->nmodules * sizeof(struct pvh_module))))
		return "the PVH module list lies out of reach";
	for (uint32_t i = 0; i < start->nmodules; i++) {
		const struct pvh_module *module =
			(const struct pvh_module *)phys_to_virt(start->modules) + i;
		uint64_t end;

		if (__builtin_add_overflow(module->start, module->size_bytes, &end))
			return "a PVH module ends beyond the end of memory";
		loader_add_module(info, module->start, end, i == 0 ? "ramdisk" : "module");
	}

	info->cmdline = "";
	if (reachable(start->cmdline, 1))
		info->cmdline = phys_to_virt(start->cmdline);
	info->rsdp = start->rsdp;
	loader_carve(info, from, from + sizeof(*start), MEMORY_TAKEN);
	loader_carve(info, start->cmdline, start->cmdline + strlen(info->cmdline) + 1,
		     MEMORY_TAKEN);
	return NULL;
}
