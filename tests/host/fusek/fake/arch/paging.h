/*
 * Physical memory as host tests have it: one arena, whose first byte is physical address 0.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <lib/types.h>

#define FAKE_MEMORY_BYTES (64 * MIB)

extern char *fake_memory;
extern char fake_frame_table[];

#define FRAME_TABLE_BASE ((uint64_t)fake_frame_table)

struct pagetable;

static inline void *phys_to_virt(paddr_t address)
{
	return fake_memory + address;
}

static inline paddr_t direct_to_phys(const void *address)
{
	return (paddr_t)((const char *)address - fake_memory);
}

bool kernel_translate(vaddr_t address, paddr_t *out);

#endif
