/*
 * Frames for everybody: a stock of single frames for each CPU, in front of the buddy allocator.
 * Invariant: a frame is in exactly one place: in a buddy list, in one CPU's stock, or with its
 * owner; `state` says which, and a frame that is given back in any other state ends in a panic.
 *
 * A stock belongs to its CPU, with preemption off; the pool is under frame_pool.lock, taken only to
 * move frames by the batch. Debug builds poison what is given back, and look whether it is still so
 * when it is handed out.
 */
#include "frame_priv.h"

#include <arch/cpu.h>
#include <lib/kasan.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <sched/thread.h>

#define STOCK_MAX      64
#define STOCK_ORDER    4 /* a batch is one block of 16 frames */
#define STOCK_BATCH    (1u << STOCK_ORDER)
#define ZEROED_MAX     32
#define POISON         UINT64_C(0x6f7766726565a5a5)
#define FRAME_POISONED 1 /* frame->spare */

struct frame_stock {
	uint32_t count;
	uint32_t nzeroed;
	struct frame *frames[STOCK_MAX];
	struct frame *zeroed[ZEROED_MAX];
};

static PERCPU(struct frame_stock, frame_stock);

void frame_init_cpu(void)
{
	*this_percpu(frame_stock) = (struct frame_stock){0};
}

static void poison(struct frame *frame, unsigned order)
{
	if (!IS_ON(FUSELAGE_DEBUG))
		return;
	for (struct frame *end = frame + (1u << order); frame < end; frame++) {
		uint64_t *words = frame_virt(frame);

		for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++)
			words[i] = POISON;
		frame->spare = FRAME_POISONED;
	}
}

static void check_poison(struct frame *frame, unsigned order)
{
	if (!IS_ON(FUSELAGE_DEBUG))
		return;
	for (struct frame *end = frame + (1u << order); frame < end; frame++) {
		const uint64_t *words = frame_virt(frame);

		if (frame->spare != FRAME_POISONED)
			continue;
		for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
			if (unlikely(words[i] != POISON))
				panic("frame %#lx was written after it was freed: %#lx at offset "
				      "%#lx",
				      frame_phys(frame), words[i], i * sizeof(*words));
		}
		frame->spare = 0;
	}
}

static struct frame *zone_alloc_locked(struct zone *zone, unsigned order) REQUIRES(frame_pool.lock)
{
	struct frame *frame = buddy_alloc(&zone->buddy, order);

	while (!frame && zone_populate_locked(zone))
		frame = buddy_alloc(&zone->buddy, order);
	return frame;
}

static struct frame *pool_alloc_locked(unsigned order, unsigned flags) REQUIRES(frame_pool.lock)
{
	struct frame *frame = NULL;

	frame_pool.allocs++;
	/* What any device can reach goes last. */
	if (!(flags & FRAME_DMA32))
		frame = zone_alloc_locked(&frame_pool.zones[ZONE_NORMAL], order);
	if (!frame)
		frame = zone_alloc_locked(&frame_pool.zones[ZONE_DMA32], order);
	return frame;
}

static void pool_free_locked(struct frame *frame, unsigned order) REQUIRES(frame_pool.lock)
{
	uint64_t section = (uint64_t)(frame - FRAME_TABLE) / SECTION_FRAMES;
	bool low = section < frame_pool.zones[ZONE_DMA32].end_section;

	buddy_free(&frame_pool.zones[low ? ZONE_DMA32 : ZONE_NORMAL].buddy, frame, order);
}

static uint64_t pool_count_locked(void) REQUIRES(frame_pool.lock)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < ZONES; i++)
		count += frame_pool.zones[i].buddy.nfree + frame_pool.zones[i].untouched;
	return count;
}

/* Before a trip to the pool. False: this one goes home with nothing. */
static bool may_take_locked(unsigned flags) REQUIRES(frame_pool.lock)
{
	uint64_t nfree = pool_count_locked();

	if (likely(nfree >= frame_pool.low))
		return true;
	pressure_note();
	if (nfree >= frame_pool.min)
		return true;
	if (flags & FRAME_PROGRAM)
		return false;
	/* Whom the kernel helps beyond the mark shall not go on as if nothing were. */
	if (current_thread()->process)
		thread_request_exit_work(current_thread());
	return true;
}

/* Preemption is off. Leaves the stock empty only if there is no memory. */
static NOINLINE void stock_refill(struct frame_stock *stock, unsigned flags)
{
	struct frame *block;

	spin_lock(&frame_pool.lock);
	if (!may_take_locked(flags)) {
		if (stock->nzeroed)
			stock->frames[stock->count++] = stock->zeroed[--stock->nzeroed];
		spin_unlock(&frame_pool.lock);
		return;
	}
	block = pool_alloc_locked(STOCK_ORDER, 0);
	if (block) {
		/* The highest on top of the stock last: they leave in ascending order. */
		for (unsigned i = STOCK_BATCH; i-- > 0;) {
			block[i].state = FRAME_CACHED;
			block[i].order = 0;
			stock->frames[stock->count++] = &block[i];
		}
	} else {
		block = pool_alloc_locked(0, 0);
		if (block) {
			block->state = FRAME_CACHED;
			stock->frames[stock->count++] = block;
		} else if (stock->nzeroed) {
			stock->frames[stock->count++] = stock->zeroed[--stock->nzeroed];
		} else {
			frame_pool.failures++;
		}
	}
	spin_unlock(&frame_pool.lock);
}

/* Preemption is off. Gives the older `count` frames back to the pool. */
static NOINLINE void stock_drain(struct frame_stock *stock, unsigned count)
{
	spin_lock(&frame_pool.lock);
	for (unsigned i = 0; i < count; i++)
		pool_free_locked(stock->frames[i], 0);
	spin_unlock(&frame_pool.lock);
	stock->count -= count;
	for (unsigned i = 0; i < stock->count; i++)
		stock->frames[i] = stock->frames[i + count];
}

void frame_drain_cpu(void)
{
	struct frame_stock *stock;

	preempt_disable();
	stock = this_percpu(frame_stock);
	stock_drain(stock, stock->count);
	while (stock->nzeroed)
		stock->frames[stock->count++] = stock->zeroed[--stock->nzeroed];
	stock_drain(stock, stock->count);
	preempt_enable();
}

static struct frame *alloc_block(unsigned order, unsigned flags)
{
	struct frame *frame = NULL;

	spin_lock(&frame_pool.lock);
	if (may_take_locked(flags))
		frame = pool_alloc_locked(order, flags);
	spin_unlock(&frame_pool.lock);
	if (!frame && !(flags & FRAME_PROGRAM)) {
		/* What lies in our own stock may be the missing half of a block. */
		preempt_disable();
		stock_drain(this_percpu(frame_stock), this_percpu(frame_stock)->count);
		preempt_enable();
		spin_lock(&frame_pool.lock);
		frame = pool_alloc_locked(order, flags);
		if (!frame)
			frame_pool.failures++;
		spin_unlock(&frame_pool.lock);
	}
	return frame;
}

static struct frame *alloc_single(unsigned *flags)
{
	struct frame_stock *stock;
	struct frame *frame = NULL;

	preempt_disable();
	stock = this_percpu(frame_stock);
	if (*flags & FRAME_ZERO && stock->nzeroed) {
		frame = stock->zeroed[--stock->nzeroed];
		*flags &= ~(unsigned)FRAME_ZERO;
	} else {
		if (unlikely(!stock->count))
			stock_refill(stock, *flags);
		if (likely(stock->count))
			frame = stock->frames[--stock->count];
	}
	preempt_enable();
	return frame;
}

struct frame *frame_alloc(unsigned order, unsigned flags)
{
	struct frame *frame;

	debug_assert(order <= FRAME_ORDER_MAX);
	if (likely(order == 0 && !(flags & FRAME_DMA32)))
		frame = alloc_single(&flags);
	else
		frame = alloc_block(order, flags);
	if (unlikely(!frame))
		return NULL;
	check_poison(frame, order);
	frame->state = FRAME_USED;
	frame->refs = 1;
	kasan_allow(frame_virt(frame), PAGE_SIZE << order);
	if (flags & FRAME_ZERO)
		memset(frame_virt(frame), 0, PAGE_SIZE << order);
	return frame;
}

void frame_split(struct frame *frame, unsigned order)
{
	debug_assert(frame->state == FRAME_USED && frame->order == order);
	for (struct frame *end = frame + (1u << order); frame < end; frame++) {
		frame->state = FRAME_USED;
		frame->order = 0;
		frame->refs = 1;
	}
}

void frame_free(struct frame *frame, unsigned order)
{
	struct frame_stock *stock;

	if (unlikely(frame->state != FRAME_USED || frame->order != order))
		panic("frame %#lx freed with order %u in state %u, order %u", frame_phys(frame),
		      order, frame->state, frame->order);
	poison(frame, order);
	kasan_forbid(frame_virt(frame), PAGE_SIZE << order, KASAN_FRAME);
	if (unlikely(order)) {
		spin_lock(&frame_pool.lock);
		pool_free_locked(frame, order);
		spin_unlock(&frame_pool.lock);
		return;
	}
	preempt_disable();
	stock = this_percpu(frame_stock);
	if (unlikely(stock->count == STOCK_MAX))
		stock_drain(stock, STOCK_MAX / 2);
	frame->state = FRAME_CACHED;
	stock->frames[stock->count++] = frame;
	preempt_enable();
}

void frame_put(struct frame *frame)
{
	/* An only owner needs no atomic step. Acquire: pairs with the release of those who left. */
	if (load_acquire(&frame->refs) != 1 &&
	    __atomic_fetch_sub(&frame->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	frame_free(frame, 0);
}

bool frame_stock_zeroed(void)
{
	struct frame_stock *stock;
	bool wanted;

	/* Before a frame is taken: a full stock must not cost a trip. */
	preempt_disable();
	stock = this_percpu(frame_stock);
	wanted = stock->nzeroed < ZEROED_MAX &&
		 frames_free() > 4 * cpu_count() * (STOCK_MAX + ZEROED_MAX);
	if (wanted && !stock->count)
		stock_refill(stock, FRAME_PROGRAM);
	wanted &= stock->count != 0;
	if (wanted) {
		/* Where it lies, so that it is counted all the time. */
		struct frame *frame = stock->frames[stock->count - 1];

		check_poison(frame, 0);
		memset(frame_virt(frame), 0, PAGE_SIZE);
		stock->zeroed[stock->nzeroed++] = frame;
		stock->count--;
	}
	preempt_enable();
	return wanted;
}

static uint64_t stocked(void)
{
	uint64_t count = 0;

	for_each_cpu (i) {
		const struct frame_stock *stock = percpu_of(i, frame_stock);

		count += read_once(&stock->count) + read_once(&stock->nzeroed);
	}
	return count;
}

uint64_t frames_free(void)
{
	uint64_t count = stocked();

	for (unsigned i = 0; i < ZONES; i++)
		count += read_once(&frame_pool.zones[i].buddy.nfree) +
			 read_once(&frame_pool.zones[i].untouched);
	return count;
}

uint64_t frames_total(void)
{
	return read_once(&frame_pool.total);
}

void frame_stats(struct frame_stats *out)
{
	*out = (struct frame_stats){0};
	spin_lock(&frame_pool.lock);
	out->cached = stocked(); /* under the lock: what moves between the two is counted once */
	out->total = frame_pool.total;
	out->records = frame_pool.records;
	out->sections = frame_pool.sections;
	out->allocs = frame_pool.allocs;
	out->failures = frame_pool.failures;
	for (unsigned i = 0; i < ZONES; i++) {
		const struct zone *zone = &frame_pool.zones[i];

		out->untouched += zone->untouched;
		out->free += zone->buddy.nfree + zone->untouched;
		for (unsigned order = 0; order <= FRAME_ORDER_MAX; order++)
			out->blocks[order] += zone->buddy.blocks[order];
	}
	spin_unlock(&frame_pool.lock);
	out->free += out->cached;
}
