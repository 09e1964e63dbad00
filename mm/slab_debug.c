/*
 * Debug builds only: poison in free blocks, a red zone behind each block that says whether it is in
 * use. Invariant: a free block outside of its slab's free list is full of POISON and its red zone
 * says ZONE_FREE; a block in use has ZONE_USED there. A broken one is panic's: memory is corrupt.
 */
#include "slab_priv.h"

#include <lib/kasan.h>
#include <lib/panic.h>
#include <lib/string.h>

#define POISON 0x6b
/* No byte of them is zero: a NUL too many is seen as well. */
#define ZONE_FREE UINT64_C(0xf4ee0b10c4f4eeb7)
#define ZONE_USED UINT64_C(0x05ed0b10c405edd3)

/* Right behind the object, so that one byte too many is seen: never aligned for sure. */
static void zone_set(const struct slab_cache *cache, void *block, uint64_t value)
{
	memcpy((char *)block + cache->object_bytes, &value, sizeof(value));
}

static uint64_t zone_get(const struct slab_cache *cache, const void *block)
{
	uint64_t value;

	memcpy(&value, (const char *)block + cache->object_bytes, sizeof(value));
	return value;
}

void slab_poison_fresh(struct slab_cache *cache, void *block)
{
	memset(block, POISON, cache->object_bytes);
	zone_set(cache, block, ZONE_FREE);
	kasan_forbid(block, cache->block_bytes, KASAN_FREED);
}

void slab_poison_unlinked(struct slab_cache *cache, void *block)
{
	memset(block, POISON, MIN(sizeof(uint64_t), (size_t)cache->object_bytes));
}

void slab_check_alloc(struct slab_cache *cache, void *block)
{
	const uint8_t *bytes = block;

	if (zone_get(cache, block) != ZONE_FREE)
		panic("slab %s: red zone of the free block %p is broken: %#lx", cache->name, block,
		      zone_get(cache, block));
	for (size_t i = 0; i < cache->object_bytes; i++) {
		if (unlikely(bytes[i] != POISON))
			panic("slab %s: block %p was written after it was freed: %#x at offset %lu",
			      cache->name, block, bytes[i], i);
	}
	zone_set(cache, block, ZONE_USED);
	kasan_allow_object(block, cache->object_bytes, cache->block_bytes);
}

void slab_check_free(struct slab_cache *cache, void *block)
{
	uint64_t zone = zone_get(cache, block);

	if (zone == ZONE_FREE)
		panic("slab %s: block %p is freed twice", cache->name, block);
	if (zone != ZONE_USED)
		panic("slab %s: something was written behind block %p: %#lx", cache->name, block,
		      zone);
	memset(block, POISON, cache->object_bytes);
	zone_set(cache, block, ZONE_FREE);
	kasan_forbid(block, cache->block_bytes, KASAN_FREED);
}
