/*
 * What lies at an address, for the reports of the address sanitizer. No state; reads records
 * without a lock, since everything has stopped.
 */
#include "../slab_priv.h"

#include <lib/fmt.h>
#include <lib/kasan.h>

static bool has_record(const struct frame *frame)
{
	paddr_t phys;

	return kernel_translate((vaddr_t)frame, &phys);
}

static bool in_direct_map(vaddr_t address)
{
	return address >= DIRECT_MAP_BASE && address < DIRECT_MAP_BASE + DIRECT_AREA_BYTES;
}

void kasan_describe(const void *address, char *to, size_t to_bytes)
{
	const struct frame *frame;
	const struct slab_cache *cache;
	uint64_t offset_bytes;

	if (!in_direct_map((vaddr_t)address)) {
		kernel_format(to, to_bytes, "the kernel's own data");
		return;
	}
	frame = frame_from_phys(direct_to_phys(address));
	if (!has_record(frame) || frame->state != FRAME_SLAB) {
		kernel_format(to, to_bytes, "physical %#lx", direct_to_phys(address));
		return;
	}
	cache = frame->owner;
	offset_bytes = (direct_to_phys(address) & ((PAGE_SIZE << cache->slab_order) - 1)) %
		       cache->block_bytes;
	kernel_format(to, to_bytes, "%lu bytes into the object of %s at %#lx", offset_bytes,
		      cache->name, (vaddr_t)address - offset_bytes);
}
