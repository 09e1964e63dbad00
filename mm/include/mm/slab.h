/*
 * The kernel's heap: caches of blocks of one size, each CPU with a stock of its own. None of it
 * sleeps, none of it may be called by an interrupt handler; it may be called under any lock of a
 * class before LOCK_SLAB.
 *
 * Debug builds poison free blocks and check the poison when they are handed out, keep a red zone
 * behind every block, and panic on a double free or on a block that is not the cache's.
 */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include <arch/spin.h>
#include <lib/list.h>
#include <lib/types.h>

#define SLAB_CACHES_MAX 96
#define KMALLOC_MAX     4096

struct slab_magazine;

/*
 *   [c] constant after slab_init() or slab_cache_create()
 *   [l] lock
 */
struct slab_cache {
	const char *name;      /* [c] */
	uint32_t object_bytes; /* [c] what the user asked for */
	uint32_t align_bytes;  /* [c] power of two, at most a page */
	uint32_t block_bytes;  /* [c] with red zone and padding */
	uint16_t index; /* [c] of this cache in each CPU's table of stocks; 0: not set up yet */
	uint16_t slab_blocks;   /* [c] blocks in one slab */
	uint8_t slab_order;     /* [c] */
	bool no_magazines;      /* [c] for the cache that magazines come from */
	bool kept;              /* [c] its objects are kept for reuse by their owner: slab_live()
				   does not count them */
	uint16_t magazine_size; /* [c] blocks in a full magazine */
	struct spinlock lock;
	struct list partial;               /* [l] slabs with used and free blocks, by frame->link */
	struct list empty;                 /* [l] slabs that nobody uses, a few */
	uint32_t nempty;                   /* [l] */
	uint32_t ndepot;                   /* [l] full magazines in the depot, bounded */
	struct slab_magazine *depot_full;  /* [l] */
	struct slab_magazine *depot_empty; /* [l] */
	uint32_t ndepot_empty;             /* [l] */
	uint64_t nslabs;                   /* [l] */
	uint64_t nout;                     /* [l] blocks out of slabs: in use or in a magazine */
	uint64_t failures;                 /* [l] times that there was no memory */
};

/* Defines the static cache `cache` of objects of `type`; it works as soon as mm_init() has run. */
#define SLAB_CACHE(cache, type) SLAB_CACHE_DEFINE(cache, type, false)
/* The same for objects that their owner keeps when they are not needed. */
#define SLAB_CACHE_KEPT(cache, type) SLAB_CACHE_DEFINE(cache, type, true)

#define SLAB_CACHE_DEFINE(cache, type, is_kept)                                                    \
	static struct slab_cache cache = {                                                         \
		.kept = (is_kept),                                                                 \
		.name = #type,                                                                     \
		.object_bytes = sizeof(type),                                                      \
		.align_bytes = _Alignof(type),                                                     \
		.lock = SPINLOCK_INIT(LOCK_SLAB),                                                  \
	};                                                                                         \
	static struct slab_cache *const cache##_entry                                              \
		__attribute__((section(".slab_caches"), used)) = &cache

/* A cache whose size is known at run time only. It lives for good. `name` must, too. NULL: no
 * memory or too many caches. */
struct slab_cache *slab_cache_create(const char *name, size_t object_bytes, size_t align_bytes);

/* NULL: no memory. The contents are arbitrary, or zeros. */
void *slab_alloc(struct slab_cache *cache);
void *slab_alloc_zeroed(struct slab_cache *cache);
/* NULL is allowed. */
void slab_free(struct slab_cache *cache, void *object);

/* Up to KMALLOC_MAX bytes (above: mm/kva.h), aligned to 16. NULL: no memory, or too long. */
void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
/* Of kmalloc() or of any cache. NULL is allowed. */
void kfree(void *object);

struct slab_stats {
	const char *name;
	uint32_t object_bytes;
	uint64_t live;    /* objects in use: exact while nobody else allocates */
	uint64_t stocked; /* free objects in magazines */
	uint64_t nslabs;
	uint64_t nframes; /* that the slabs take */
	uint64_t failures;
};

/* Calls `each` for every cache. */
void slab_for_each(void (*each)(void *argument, const struct slab_stats *stats), void *argument);
/* Objects in use of all caches together, without those that are kept for reuse: what grows here is
 * a leak. */
uint64_t slab_live(void);

#endif
