/*
 * What the files behind mm/slab.h share. The layers, top down: a CPU's two magazines (slab.c), the
 * depot of magazines (slab.c), slabs of frames (slab_frames.c).
 */
#ifndef MM_SLAB_PRIV_H
#define MM_SLAB_PRIV_H

#include <arch/cpu.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define MAGAZINE_MAX    30 /* with the header 256 bytes */
#define DEPOT_FULL_MAX  8  /* full magazines that a cache keeps */
#define DEPOT_EMPTY_MAX 8
#define EMPTY_SLABS_MAX 2

struct slab_magazine {
	struct slab_magazine *next; /* in a depot */
	uint32_t count;
	uint32_t size; /* 0: the one that stands for "none" */
	void *blocks[MAGAZINE_MAX];
};
_Static_assert(sizeof(struct slab_magazine) == 256, "magazines are one size class");

/* A cache's stock on one CPU, with preemption off. Never NULL once slab_init() has run. */
struct slab_stock {
	struct slab_magazine *loaded;
	struct slab_magazine *previous; /* full or empty */
};

void slab_init(void);
/* Empty stocks for the calling CPU. */
void slab_init_cpu(void);
/* What the calling CPU and the depots have goes back to the slabs, and slabs that nobody uses to
 * the frames. */
void slab_drain_cpu(void);
/* Fills in what follows from object_bytes and align_bytes. */
void slab_cache_layout(struct slab_cache *cache);

/* ---- slabs ---- */

/* A block from a slab, a fresh one if need be; NULL: no memory. */
void *slab_take_locked(struct slab_cache *cache) REQUIRES(cache->lock);
void slab_give_locked(struct slab_cache *cache, void *block) REQUIRES(cache->lock);
/* Gives back those that nobody uses. */
void slab_destroy_empty_locked(struct slab_cache *cache) REQUIRES(cache->lock);

/* ---- slab_debug.c: what debug builds check of each block ---- */

/* Bytes that a block needs beyond the object. */
#define SLAB_DEBUG_BYTES (IS_ON(FUSELAGE_KASAN) ? 32 : IS_ON(FUSELAGE_DEBUG) ? sizeof(uint64_t) : 0)

void slab_poison_fresh(struct slab_cache *cache, void *block);
void slab_poison_unlinked(struct slab_cache *cache, void *block);
void slab_check_alloc(struct slab_cache *cache, void *block);
void slab_check_free(struct slab_cache *cache, void *block);

/* A block of a fresh slab. */
static inline void slab_debug_fresh(struct slab_cache *cache, void *block)
{
	if (IS_ON(FUSELAGE_DEBUG))
		slab_poison_fresh(cache, block);
}

/* A block comes from the free list, whose link lay in its first word. */
static inline void slab_debug_unlinked(struct slab_cache *cache, void *block)
{
	if (IS_ON(FUSELAGE_DEBUG))
		slab_poison_unlinked(cache, block);
}

/* A block goes to its user. */
static inline void slab_debug_alloc(struct slab_cache *cache, void *block)
{
	if (IS_ON(FUSELAGE_DEBUG))
		slab_check_alloc(cache, block);
}

/* A block comes back from its user. */
static inline void slab_debug_free(struct slab_cache *cache, void *block)
{
	if (IS_ON(FUSELAGE_DEBUG))
		slab_check_free(cache, block);
}

#endif
