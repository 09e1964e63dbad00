/*
 * The start of memory management, and its figures.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include <lib/types.h>

/* Takes over all usable memory that boot_info names, less what already lies in it: kernel image,
 * modules, the first MiB. From then on everything of mm/ works. Called once, by CPU 0. */
void mm_init(void);
/* The other CPUs, each for itself, before it allocates anything. */
void mm_init_cpu(void);

/* Frames that are page tables, of all spaces and the kernel. */
uint64_t mm_table_pages(void);

#endif
