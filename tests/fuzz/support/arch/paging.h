/*
 * Physical memory as the fuzzers of the loaders have it: 4 GiB of zeros, of which only the pieces
 * that are looked at exist.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <lib/types.h>

#define FUZZ_MEMORY_BYTES (4 * GIB)

extern char *fuzz_memory;

static inline void *phys_to_virt(paddr_t address)
{
	return fuzz_memory + address;
}

static inline paddr_t direct_to_phys(const void *address)
{
	return (paddr_t)((const char *)address - fuzz_memory);
}

#endif
