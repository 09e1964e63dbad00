/*
 * Where the parts of a program lie: drawn at each start.
 */
#ifndef KERNEL_USER_LAYOUT_H
#define KERNEL_USER_LAYOUT_H

#include <lib/types.h>

#define AT_RANDOM_BYTES 16

struct user_layout {
	vaddr_t stack_top;        /* exclusive, page-aligned */
	vaddr_t stack_start;      /* the strings end below it, 16-byte-aligned */
	vaddr_t vdso;             /* above the stack */
	vaddr_t map_top;          /* mappings without an address go below */
	vaddr_t image;            /* of a position-independent program, before its alignment */
	uint64_t break_gap_bytes; /* from the end of the image to the heap */
	uint8_t at_random[AT_RANDOM_BYTES]; /* for the program's own use */
};

/* `stack_bytes`: how long the stack may become; `vdso_bytes`: what goes above it. `is_fixed`:
 * nothing is drawn. */
void user_layout_choose(struct user_layout *layout, uint64_t stack_bytes, uint64_t vdso_bytes,
			bool is_fixed);
/* Reads the command line: `norandmaps`. Once, before the first program. */
void user_layout_init(void);

#endif
