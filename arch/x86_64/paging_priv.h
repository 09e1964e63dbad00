/*
 * The start of paging, for arch/ alone.
 */
#ifndef ARCH_PAGING_PRIV_H
#define ARCH_PAGING_PRIV_H

#include <arch/boot.h>
#include <arch/paging.h>

/* As pagetable_walk_alloc() in the kernel's tree, before mm/ can give frames. */
pte_t *pagetable_walk_early(vaddr_t address, unsigned level,
			    paddr_t (*frame_alloc)(vaddr_t for_address));

/* What of the entries' format depends on the CPU. Before the first entry is made. */
void paging_detect(void);

/* Makes the kernel's real tree and loads it: W^X for the image, the direct map, every top-level
 * entry. Takes the frames for it out of `info`'s usable ranges. */
void paging_init(struct boot_info *info);

/* Gives a tree, whose root is empty, the kernel's half. */
void pagetable_share_kernel(struct pagetable *table);

/* The running CPU forgets all that its TLB holds, pages of the kernel as well. */
void tlb_flush_everything_local(void);

/* Maps `len_bytes` of physical memory for good, readable and what `page_flags` adds. NULL: no
 * memory, or no such address. On the first CPU, before others run. */
void *fixed_map(paddr_t address, size_t len_bytes, unsigned page_flags);

#endif
