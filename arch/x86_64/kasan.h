/*
 * Shadow memory, for arch/ alone.
 */
#ifndef ARCH_KASAN_H
#define ARCH_KASAN_H

#include <lib/types.h>

/* Linux's: the kernel's half has its shadow from
 * 0xffffec0000000000 on. */
#define KASAN_SHADOW_OFFSET UINT64_C(0xdffffc0000000000)

static inline vaddr_t kasan_shadow(vaddr_t address)
{
	return (address >> 3) + KASAN_SHADOW_OFFSET;
}

/* From here on accesses are checked. The shadow is mapped and empty. */
void kasan_start(void);

#endif
