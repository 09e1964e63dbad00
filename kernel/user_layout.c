/*
 * The places of a program's parts, with the entropy that Linux gives them on x86-64: mappings and
 * position-independent programs 28 bits of pages, the stack 22 bits of pages and 9 bits of 16
 * bytes, the heap 18 bits of pages, the vDSO what is left of 2 MiB above the stack (so that both
 * share a page table). All of it is one draw: a block of the generator is the dearest part of it.
 */
#include "user_layout.h"

#include "random.h"

#include <arch/boot.h>
#include <arch/paging.h>
#include <lib/string.h>

/* Where position-independent programs go, as on Linux: two thirds up. */
#define IMAGE_BASE       UINT64_C(0x555555554000)
#define IMAGE_BITS       28
#define MAP_BITS         28
#define STACK_BITS       22
#define STACK_START_BITS 9 /* of 16 bytes */
#define BREAK_BITS       18
#define VDSO_BITS        9
/* Linux keeps this much for a stack that may still grow (mmap_base()): at least, and at most. */
#define STACK_ROOM_MIN (128 * MIB)
#define STACK_ROOM_MAX (USER_MAX / 6 * 5)
#define STACK_GAP      (2 * MIB)
#define TABLE_BYTES    (2 * MIB)

static bool fixed; /* constant after user_layout_init() */

void user_layout_init(void)
{
	fixed = boot_option("norandmaps", NULL, 0);
}

struct draw {
	uint64_t words[2];
	uint8_t at_random[AT_RANDOM_BYTES];
};

/* The lowest `bits` of the word, which then are gone. */
static uint64_t take(uint64_t *word, unsigned bits)
{
	uint64_t value = *word & ((UINT64_C(1) << bits) - 1);

	*word >>= bits;
	return value;
}

void user_layout_choose(struct user_layout *layout, uint64_t stack_bytes, uint64_t vdso_bytes,
			bool is_fixed)
{
	uint64_t stack_room = MIN(MAX(stack_bytes, STACK_ROOM_MIN), STACK_ROOM_MAX);
	struct draw draw;
	vaddr_t vdso_last;

	random_bytes(&draw, sizeof(draw));
	if (fixed || is_fixed)
		memset(draw.words, 0, sizeof(draw.words));
	_Static_assert(MAP_BITS + IMAGE_BITS <= 64, "the first word's");
	layout->map_top = USER_MAX - (PAGE_SIZE << STACK_BITS) - TABLE_BYTES - STACK_GAP -
			  stack_room - take(&draw.words[0], MAP_BITS) * PAGE_SIZE;
	layout->image = IMAGE_BASE + take(&draw.words[0], IMAGE_BITS) * PAGE_SIZE;

	_Static_assert(STACK_BITS + STACK_START_BITS + BREAK_BITS + VDSO_BITS <= 64,
		       "the second word's");
	layout->stack_top = USER_MAX - ALIGN_UP(vdso_bytes, PAGE_SIZE) -
			    take(&draw.words[1], STACK_BITS) * PAGE_SIZE;
	layout->stack_start = layout->stack_top - take(&draw.words[1], STACK_START_BITS) * 16;
	layout->break_gap_bytes = take(&draw.words[1], BREAK_BITS) * PAGE_SIZE;
	vdso_last =
		MIN(ALIGN_UP(layout->stack_top + vdso_bytes, TABLE_BYTES), USER_MAX) - vdso_bytes;
	layout->vdso = layout->stack_top +
		       take(&draw.words[1], VDSO_BITS) %
			       ((vdso_last - layout->stack_top) / PAGE_SIZE + 1) * PAGE_SIZE;
	memcpy(layout->at_random, draw.at_random, sizeof(draw.at_random));
}
