/*
 * Whole pages that change hands between a program and who serves it, instead of being copied
 * (mm/space_lend.c). All functions sleep, for the space's lock alone.
 */
#ifndef MM_LEND_H
#define MM_LEND_H

#include <lib/types.h>
#include <mm/frame.h>

struct space;

/* The pages from `address` (a multiple of the page size) on become `frames`, which get a reference
 * more each: as many as the result says, from the first one on. Those take part that are there or
 * were never touched, in private memory of no object that may be written. `shared`: somebody else
 * has the frames as well, so who writes first gets a copy; else they are the space's alone from now
 * on. */
uint32_t must_check space_give_frames(struct space *space, vaddr_t address,
				      struct frame *const *frames, uint32_t npages, bool shared);
/* Pages of this space are known to other CPUs, which would be interrupted if one was changed: to
 * copy a few bytes is cheaper. A hint. Does not sleep. */
bool space_is_elsewhere(const struct space *space);
/* What such memory has in its pages from `address` on are as if they had never been touched
 * (MADV_DONTNEED). */
void space_drop_frames(struct space *space, vaddr_t address, uint32_t npages);
/* The frames of such pages, with a reference each. They stay as they are: the program writes to a
 * copy later. */
uint32_t must_check space_lend_frames(struct space *space, vaddr_t address, struct frame **frames,
				      uint32_t npages);

/* The frames of the pages from `address` on in such memory, with a reference each, and they stay
 * the program's, which may change what is in them at any time. */
uint32_t must_check space_hold_frames(struct space *space, vaddr_t address, struct frame **frames,
				      uint32_t npages);

#endif
