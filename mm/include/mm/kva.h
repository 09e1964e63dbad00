/*
 * Whole pages at kernel addresses: what is too large for kmalloc(), and stacks. Each area is mapped
 * page by page, writable and not executable, and is surrounded by pages that are never mapped: who
 * runs out of it faults.
 *
 * None of it sleeps, none of it may be called by an interrupt handler.
 */
#ifndef MM_KVA_H
#define MM_KVA_H

#include <lib/types.h>

/* `npages` pages with arbitrary contents (kva_alloc_zeroed: zeros). NULL: no memory. */
void *kva_alloc(size_t npages);
void *kva_alloc_zeroed(size_t npages);
/* What kva_alloc() gave, whole. NULL is allowed. */
void kva_free(void *area);
/* How many pages an area has. */
size_t kva_npages(const void *area);

/* From kmalloc() if it is short enough, else whole pages. NULL: no memory. */
void *kvmalloc(size_t len_bytes);
/* `len_bytes` as it was asked for. NULL is allowed. */
void kvfree(void *block, size_t len_bytes);

/* A device's registers or other memory that is not ours, uncached. NULL: no memory. */
void *kva_map_device(paddr_t address, size_t len_bytes);
/* The same for video memory: writes are gathered on their way, and seen in any order. */
void *kva_map_combining(paddr_t address, size_t len_bytes);

/* A kernel stack of KERNEL_STACK_BYTES: its lowest address; the page below is a guard. 0: no
 * memory. */
vaddr_t stack_alloc(void);
/* False: somebody stood in its last KERNEL_STACK_RESERVE_BYTES since stack_alloc(). */
bool stack_reserve_is_whole(vaddr_t stack_base);
/* Nobody may be running on it any more. */
void stack_free(vaddr_t stack_base);

struct kva_stats {
	uint64_t areas; /* in use, stocked stacks included */
	uint64_t pages; /* mapped in them */
	uint64_t stacks_stocked;
};
void kva_stats(struct kva_stats *out);

#endif
