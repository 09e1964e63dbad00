/*
 * What the start maps for good: registers of the interrupt controllers and timers, and the
 * firmware's tables. Owns FIXED_BASE..FIXED_END, given out from below and never taken back. Only
 * the first CPU maps here, before others run: no lock.
 */
#include "paging_priv.h"

#include <arch/cpu.h>

static uint64_t used_bytes;

void *fixed_map(paddr_t address, size_t len_bytes, unsigned page_flags)
{
	paddr_t first = ALIGN_DOWN(address, PAGE_SIZE);
	paddr_t end;
	size_t npages;
	vaddr_t at = FIXED_BASE + used_bytes;

	if (__builtin_add_overflow(address, len_bytes, &end) ||
	    end > UINT64_C(1) << cpu_features()->physical_bits)
		return NULL;
	npages = (ALIGN_UP(end, PAGE_SIZE) - first) / PAGE_SIZE;
	if (npages > (FIXED_END - at) / PAGE_SIZE || kernel_map(at, first, npages, page_flags))
		return NULL;
	used_bytes += npages * PAGE_SIZE;
	return (char *)at + (address - first);
}
