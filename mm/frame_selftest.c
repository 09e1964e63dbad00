/*
 * Frames, in the running kernel.
 */
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/frame.h>

/* Keeps what was allocated on a list by frame->link. */
static unsigned take_frames(struct list *taken, unsigned count, unsigned flags)
{
	unsigned n = 0;

	for (; n < count; n++) {
		struct frame *frame = frame_alloc(0, flags);

		if (!frame)
			break;
		list_add_tail(taken, &frame->link);
	}
	return n;
}

static void free_frames(struct list *taken)
{
	while (!list_empty(taken)) {
		struct frame *frame = list_first_entry(taken, struct frame, link);

		list_del(&frame->link);
		frame_free(frame, 0);
	}
}

SELFTEST(frames_are_distinct_and_come_back)
{
	LIST_HEAD(taken);
	uint64_t before = frames_free();
	struct frame *frame;
	unsigned wrong = 0;
	unsigned count = take_frames(&taken, 1500, 0);

	selftest_check(count == 1500);
	selftest_check(frames_free() <= before - count);
	list_for_each (frame, &taken, link)
		*(paddr_t *)frame_virt(frame) = frame_phys(frame);
	list_for_each (frame, &taken, link)
		wrong += *(paddr_t *)frame_virt(frame) != frame_phys(frame) ||
			 frame_from_phys(frame_phys(frame)) != frame;
	selftest_check(wrong == 0);
	free_frames(&taken);
	/* Less what new sections took for their records. */
	selftest_check(frames_free() + 64 >= before);
}

SELFTEST(frame_blocks_are_aligned_to_their_size)
{
	for (unsigned order = 0; order <= 9; order++) {
		struct frame *frame = frame_alloc(order, 0);

		if (!frame)
			continue; /* a small machine may have none so large */
		selftest_check(IS_ALIGNED(frame_phys(frame), (paddr_t)PAGE_SIZE << order));
		memset(frame_virt(frame), 0x11, PAGE_SIZE << order);
		frame_free(frame, order);
	}
}

static bool is_zero(const void *memory, size_t len_bytes)
{
	const uint64_t *words = memory;

	for (size_t i = 0; i < len_bytes / sizeof(*words); i++) {
		if (words[i])
			return false;
	}
	return true;
}

SELFTEST(zeroed_frames_are_zero_whatever_was_there)
{
	LIST_HEAD(taken);
	struct frame *frame;

	take_frames(&taken, 40, 0);
	list_for_each (frame, &taken, link)
		memset(frame_virt(frame), 0xff, PAGE_SIZE);
	free_frames(&taken);
	take_frames(&taken, 40, FRAME_ZERO);
	list_for_each (frame, &taken, link)
		selftest_check(is_zero(frame_virt(frame), PAGE_SIZE));
	free_frames(&taken);
	frame = frame_alloc(2, FRAME_ZERO);
	if (!selftest_check(frame))
		return;
	selftest_check(is_zero(frame_virt(frame), 4 * PAGE_SIZE));
	frame_free(frame, 2);
}

SELFTEST(frames_zeroed_in_advance_are_zero_and_counted)
{
	LIST_HEAD(taken);
	uint64_t before = frames_free();
	struct frame *frame;
	unsigned stocked = 0;

	while (stocked < 1000 && frame_stock_zeroed())
		stocked++;
	selftest_check(stocked < 1000); /* the stock is bounded */
	selftest_check(!frame_stock_zeroed());
	selftest_check(frames_free() + 64 >= before);
	take_frames(&taken, 48, FRAME_ZERO);
	list_for_each (frame, &taken, link)
		selftest_check(is_zero(frame_virt(frame), PAGE_SIZE));
	free_frames(&taken);
}

SELFTEST(dma32_frames_lie_below_4_gib)
{
	for (unsigned order = 0; order <= 3; order++) {
		struct frame *frame = frame_alloc(order, FRAME_DMA32);

		if (!selftest_check(frame))
			return;
		selftest_check(frame_phys(frame) + (PAGE_SIZE << order) <= 4 * GIB);
		frame_free(frame, order);
	}
}

SELFTEST(shared_frame_is_freed_by_its_last_owner)
{
	struct frame *frame = frame_alloc(0, 0);

	if (!selftest_check(frame))
		return;
	selftest_check(!frame_is_shared(frame));
	frame_get(frame);
	selftest_check(frame_is_shared(frame));
	frame_put(frame);
	selftest_check(!frame_is_shared(frame) && frame->state == FRAME_USED);
	frame_put(frame);
	selftest_check(frame->state == FRAME_CACHED);
}

SELFTEST(no_memory_is_an_answer_and_all_comes_back)
{
	LIST_HEAD(taken);
	struct frame_stats before, after;
	unsigned order;
	struct frame *frame;

	frame_stats(&before);
	if (before.total > GIB / PAGE_SIZE)
		return; /* poisoning so much takes too long; the small machines show it */
	for (order = 9; order != UINT32_MAX; order--) {
		while ((frame = frame_alloc(order, 0)))
			list_add_tail(&taken, &frame->link);
	}
	selftest_check(!frame_alloc(0, 0));
	selftest_check(!frame_alloc(0, FRAME_ZERO | FRAME_DMA32));
	selftest_check(!frame_alloc(5, 0));
	while (!list_empty(&taken)) {
		frame = list_first_entry(&taken, struct frame, link);
		list_del(&frame->link);
		frame_free(frame, frame->order);
	}
	frame_stats(&after);
	selftest_check(after.failures > before.failures);
	selftest_check(after.free + (after.records - before.records) + 64 >= before.free);
	selftest_check(after.untouched == 0);
}
