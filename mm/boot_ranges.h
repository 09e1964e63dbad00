/*
 * The memory that is ours to give, as ranges: made at boot from the firmware's map, constant
 * afterwards. Pure logic; the one who populates the frame table asks it what a section has.
 */
#ifndef MM_BOOT_RANGES_H
#define MM_BOOT_RANGES_H

#include <lib/types.h>

#define BOOT_USABLE_MAX 96

/* Frame numbers, end exclusive. */
struct frame_range {
	uint64_t first;
	uint64_t end;
};

struct boot_ranges {
	struct frame_range usable[BOOT_USABLE_MAX]; /* sorted, apart from each other */
	unsigned count;
	uint64_t dropped; /* frames lost because the table was full: the smallest pieces */
};

/* Only frames that lie in [start, end) as a whole. */
void boot_ranges_add(struct boot_ranges *ranges, uint64_t start_bytes, uint64_t end_bytes);
/* Every frame that [start, end) touches. */
void boot_ranges_remove(struct boot_ranges *ranges, uint64_t start_bytes, uint64_t end_bytes);
uint64_t boot_ranges_frames(const struct boot_ranges *ranges);

/* The first usable frame at `from` or behind it, with the end of its range; false: none. */
bool boot_ranges_next(const struct boot_ranges *ranges, uint64_t from, struct frame_range *out);

#endif
