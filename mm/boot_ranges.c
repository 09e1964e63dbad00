/*
 * Usable memory as a sorted list of ranges. Invariant: sorted by address, no two overlap or touch.
 * A full list never grows: adding then drops the smallest range, so memory may be lost, but never
 * given out twice.
 */
#include "boot_ranges.h"

static void drop(struct boot_ranges *ranges, unsigned at)
{
	for (unsigned i = at + 1; i < ranges->count; i++)
		ranges->usable[i - 1] = ranges->usable[i];
	ranges->count--;
}

static void make_room(struct boot_ranges *ranges)
{
	unsigned smallest = 0;

	for (unsigned i = 1; i < ranges->count; i++) {
		const struct frame_range *best = &ranges->usable[smallest];
		const struct frame_range *other = &ranges->usable[i];

		if (other->end - other->first < best->end - best->first)
			smallest = i;
	}
	ranges->dropped += ranges->usable[smallest].end - ranges->usable[smallest].first;
	drop(ranges, smallest);
}

static void insert(struct boot_ranges *ranges, uint64_t first, uint64_t end)
{
	unsigned at = 0;

	if (first >= end)
		return;
	if (ranges->count == BOOT_USABLE_MAX)
		make_room(ranges);
	while (at < ranges->count && ranges->usable[at].first < first)
		at++;
	for (unsigned i = ranges->count; i > at; i--)
		ranges->usable[i] = ranges->usable[i - 1];
	ranges->usable[at] = (struct frame_range){.first = first, .end = end};
	ranges->count++;
}

static void remove_frames(struct boot_ranges *ranges, uint64_t first, uint64_t end)
{
	for (unsigned i = 0; i < ranges->count;) {
		struct frame_range *range = &ranges->usable[i];
		struct frame_range behind = {.first = MAX(end, range->first), .end = range->end};

		if (range->end <= first || range->first >= end) {
			i++;
			continue;
		}
		range->end = first;
		if (range->end <= range->first)
			drop(ranges, i);
		insert(ranges, behind.first, behind.end);
		i = 0; /* the list has moved; what was cut does not overlap any more */
	}
}

void boot_ranges_add(struct boot_ranges *ranges, uint64_t start_bytes, uint64_t end_bytes)
{
	/* Rounding up would wrap for the last page of the address space, which is never memory. */
	uint64_t first = (start_bytes >> PAGE_SHIFT) + !IS_ALIGNED(start_bytes, PAGE_SIZE);
	uint64_t end = end_bytes >> PAGE_SHIFT;

	if (first >= end)
		return;
	for (unsigned i = 0; i < ranges->count;) {
		struct frame_range *range = &ranges->usable[i];

		if (range->end < first || range->first > end) {
			i++;
			continue;
		}
		first = MIN(first, range->first);
		end = MAX(end, range->end);
		drop(ranges, i);
	}
	insert(ranges, first, end);
}

void boot_ranges_remove(struct boot_ranges *ranges, uint64_t start_bytes, uint64_t end_bytes)
{
	if (start_bytes < end_bytes)
		remove_frames(ranges, start_bytes >> PAGE_SHIFT,
			      (end_bytes >> PAGE_SHIFT) + !IS_ALIGNED(end_bytes, PAGE_SIZE));
}

uint64_t boot_ranges_frames(const struct boot_ranges *ranges)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < ranges->count; i++)
		frames += ranges->usable[i].end - ranges->usable[i].first;
	return frames;
}

bool boot_ranges_next(const struct boot_ranges *ranges, uint64_t from, struct frame_range *out)
{
	for (unsigned i = 0; i < ranges->count; i++) {
		if (ranges->usable[i].end <= from)
			continue;
		out->first = MAX(from, ranges->usable[i].first);
		out->end = ranges->usable[i].end;
		return true;
	}
	return false;
}
