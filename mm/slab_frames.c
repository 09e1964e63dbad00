/*
 * Slabs: blocks of frames cut into equal blocks. What a slab must know lies in the record of its
 * first frame: the chain of free blocks (frame->slab_free, the next one's number in a free block's
 * first word), how many are in use, the list it is on, and in the records of all its frames the
 * cache (frame->owner), so that a block's address is enough to free it.
 *
 * Invariant: a slab with free and used blocks is on cache->partial, one without used ones on
 * cache->empty (a few, the rest goes back to the frames), a full one on no list. All of it under
 * cache->lock.
 */
#include "slab_priv.h"

#include <lib/panic.h>
#include <lib/string.h>

#define SLAB_ORDER_MAX 3
#define NO_BLOCK       UINT16_MAX

/* The smallest slab that wastes at most an eighth and has four blocks (two of the largest). */
static unsigned choose_order(uint32_t block_bytes)
{
	unsigned order;

	for (order = 0; order < SLAB_ORDER_MAX; order++) {
		size_t bytes = PAGE_SIZE << order;
		size_t blocks = bytes / block_bytes;

		if (blocks >= (block_bytes > 1024 ? 2 : 4) && bytes % block_bytes <= bytes / 8)
			break;
	}
	return order;
}

void slab_cache_layout(struct slab_cache *cache)
{
	uint32_t align = MAX(cache->align_bytes, (uint32_t)sizeof(void *));

	/* A free block holds the chain's link in its first word. */
	cache->object_bytes = MAX(cache->object_bytes, (uint32_t)sizeof(uint64_t));
	cache->block_bytes = ALIGN_UP(cache->object_bytes + (uint32_t)SLAB_DEBUG_BYTES, align);
	cache->slab_order = (uint8_t)choose_order(cache->block_bytes);
	cache->slab_blocks = (uint16_t)((PAGE_SIZE << cache->slab_order) / cache->block_bytes);
	/* Large blocks: fewer of them lie idle. */
	cache->magazine_size = cache->block_bytes <= 256    ? MAGAZINE_MAX
			       : cache->block_bytes <= 1024 ? MAGAZINE_MAX / 2
							    : MAGAZINE_MAX / 5;
	list_init(&cache->partial);
	list_init(&cache->empty);
}

static void *block_at(const struct slab_cache *cache, const struct frame *slab, unsigned number)
{
	return (char *)frame_virt(slab) + (size_t)number * cache->block_bytes;
}

/* The slab around a block: its first frame's record. */
static struct frame *slab_of(const struct slab_cache *cache, const void *block)
{
	paddr_t slab_bytes = (paddr_t)PAGE_SIZE << cache->slab_order;

	return frame_from_phys(ALIGN_DOWN(direct_to_phys(block), slab_bytes));
}

static uint64_t next_free(const void *block)
{
	return *(const uint64_t *)block;
}

static void set_next_free(void *block, uint64_t number)
{
	*(uint64_t *)block = number;
}

static struct frame *slab_make_locked(struct slab_cache *cache) REQUIRES(cache->lock)
{
	struct frame *slab = frame_alloc(cache->slab_order, 0);

	if (!slab)
		return NULL;
	for (unsigned i = 0; i < 1u << cache->slab_order; i++) {
		slab[i].owner = cache;
		slab[i].state = FRAME_SLAB;
	}
	for (unsigned i = 0; i < cache->slab_blocks; i++) {
		void *block = block_at(cache, slab, i);

		slab_debug_fresh(cache, block);
		set_next_free(block, i + 1u < cache->slab_blocks ? i + 1u : NO_BLOCK);
	}
	slab->slab_free = 0;
	slab->slab_used = 0;
	cache->nslabs++;
	return slab;
}

static void slab_destroy_locked(struct slab_cache *cache, struct frame *slab) REQUIRES(cache->lock)
{
	for (unsigned i = 1; i < 1u << cache->slab_order; i++)
		slab[i].state = FRAME_TAIL;
	slab->state = FRAME_USED;
	frame_free(slab, cache->slab_order);
	cache->nslabs--;
}

/* A slab that has a free block, on the partial list. */
static struct frame *slab_with_room_locked(struct slab_cache *cache) REQUIRES(cache->lock)
{
	struct frame *slab;

	if (!list_empty(&cache->partial))
		return list_first_entry(&cache->partial, struct frame, link);
	if (!list_empty(&cache->empty)) {
		slab = list_first_entry(&cache->empty, struct frame, link);
		list_del(&slab->link);
		cache->nempty--;
	} else {
		slab = slab_make_locked(cache);
		if (!slab)
			return NULL;
	}
	list_add_head(&cache->partial, &slab->link);
	return slab;
}

void *slab_take_locked(struct slab_cache *cache)
{
	struct frame *slab = slab_with_room_locked(cache);
	void *block;

	if (!slab)
		return NULL;
	block = block_at(cache, slab, slab->slab_free);
	slab->slab_free = (uint16_t)next_free(block);
	slab->slab_used++;
	if (slab->slab_used == cache->slab_blocks)
		list_del(&slab->link);
	cache->nout++;
	slab_debug_unlinked(cache, block);
	return block;
}

void slab_give_locked(struct slab_cache *cache, void *block)
{
	struct frame *slab = slab_of(cache, block);

	set_next_free(block, slab->slab_free);
	slab->slab_free =
		(uint16_t)(((char *)block - (char *)frame_virt(slab)) / cache->block_bytes);
	if (slab->slab_used == cache->slab_blocks)
		list_add_head(&cache->partial, &slab->link);
	slab->slab_used--;
	cache->nout--;
	if (slab->slab_used)
		return;
	list_del(&slab->link);
	if (cache->nempty < EMPTY_SLABS_MAX) {
		list_add_head(&cache->empty, &slab->link);
		cache->nempty++;
	} else {
		slab_destroy_locked(cache, slab);
	}
}

void slab_destroy_empty_locked(struct slab_cache *cache)
{
	while (!list_empty(&cache->empty)) {
		struct frame *slab = list_first_entry(&cache->empty, struct frame, link);

		list_del(&slab->link);
		cache->nempty--;
		slab_destroy_locked(cache, slab);
	}
}
