/*
 * The heap's upper half: each CPU keeps two magazines of free blocks for each cache, and changes
 * them against those of the cache's depot; only when the depot has none are slabs touched, a
 * magazine at a time. So the usual allocation is a decrement, and what it costs does not depend on
 * how many objects live.
 *
 * Invariant: a free block is in exactly one magazine or in its slab's chain. A CPU's stock is its
 * own, with preemption off; the depot is under cache->lock, taken with preemption off already.
 * Magazines come from a cache that has none itself.
 */
#include "slab_priv.h"

#include <lib/kasan.h>
#include <lib/panic.h>
#include <lib/string.h>

#define KMALLOC_MIN_SHIFT 4
#define KMALLOC_CLASSES   (12 - KMALLOC_MIN_SHIFT + 1)

/* Laid out by the linker script: pointers to the static caches. */
extern struct slab_cache *const slab_caches_start[];
extern struct slab_cache *const slab_caches_end[];

static PERCPU(struct slab_stock, slab_stocks[SLAB_CACHES_MAX]);

/* Stands where no magazine is: full and empty at once, so the fast paths need no further test. */
static struct slab_magazine no_magazine;

static struct slab_cache *caches[SLAB_CACHES_MAX]; /* by index; entries are written once */
static uint32_t ncaches = 1;                       /* under caches_lock; index 0 is nobody's */
static struct spinlock caches_lock = SPINLOCK_INIT(LOCK_SLAB);

/* Not in the linker's table: its lock is of a class of its own, taken under other caches'. */
static struct slab_cache magazine_cache = {
	.name = "struct slab_magazine",
	.object_bytes = sizeof(struct slab_magazine),
	.align_bytes = 64,
	.no_magazines = true,
	.kept = true,
	.lock = SPINLOCK_INIT(LOCK_MAGAZINE),
};
static struct slab_cache kmalloc_caches[KMALLOC_CLASSES];

static const char *const kmalloc_names[KMALLOC_CLASSES] = {
	"kmalloc-16",  "kmalloc-32",   "kmalloc-64",   "kmalloc-128",  "kmalloc-256",
	"kmalloc-512", "kmalloc-1024", "kmalloc-2048", "kmalloc-4096",
};

/* ---- magazines ---- */

static struct slab_stock *stock_of(const struct slab_cache *cache)
{
	return &(*this_percpu(slab_stocks))[cache->index];
}

/* The block that came last is still in the caches. Where accesses are checked it is the one that
 * came first, so that a free block lies there for long enough to be caught in use. */
static inline void *magazine_take(struct slab_magazine *magazine)
{
	void *block;

	if (!IS_ON(FUSELAGE_KASAN))
		return magazine->blocks[--magazine->count];
	block = magazine->blocks[0];
	magazine->count--;
	memmove(magazine->blocks, magazine->blocks + 1, magazine->count * sizeof(void *));
	return block;
}

static struct slab_magazine *pop(struct slab_magazine **chain)
{
	struct slab_magazine *magazine = *chain;

	if (magazine)
		*chain = magazine->next;
	return magazine;
}

static void push(struct slab_magazine **chain, struct slab_magazine *magazine)
{
	magazine->next = *chain;
	*chain = magazine;
}

/* An empty magazine; NULL: no memory. */
static struct slab_magazine *empty_magazine_locked(struct slab_cache *cache) REQUIRES(cache->lock)
{
	struct slab_magazine *magazine = pop(&cache->depot_empty);

	if (magazine) {
		cache->ndepot_empty--;
		return magazine;
	}
	spin_lock(&magazine_cache.lock);
	magazine = slab_take_locked(&magazine_cache);
	spin_unlock(&magazine_cache.lock);
	if (magazine) {
		magazine->count = 0;
		magazine->size = cache->magazine_size;
	}
	return magazine;
}

static void drop_magazine_locked(struct slab_cache *cache, struct slab_magazine *magazine)
	REQUIRES(cache->lock)
{
	if (magazine == &no_magazine)
		return;
	if (cache->ndepot_empty < DEPOT_EMPTY_MAX) {
		push(&cache->depot_empty, magazine);
		cache->ndepot_empty++;
		return;
	}
	spin_lock(&magazine_cache.lock);
	slab_give_locked(&magazine_cache, magazine);
	spin_unlock(&magazine_cache.lock);
}

/* Both of this CPU's magazines are empty: gets a full one from the depot, or fills one from slabs.
 * Returns a block, NULL: no memory. Preemption is off. */
static NOINLINE void *alloc_slow(struct slab_cache *cache, struct slab_stock *stock)
{
	struct slab_magazine *full;
	void *block = NULL;

	spin_lock(&cache->lock);
	full = pop(&cache->depot_full);
	if (full) {
		cache->ndepot--;
		drop_magazine_locked(cache, stock->previous);
		stock->previous = stock->loaded;
		stock->loaded = full;
		block = magazine_take(full);
	} else {
		if (stock->loaded == &no_magazine && !cache->no_magazines) {
			struct slab_magazine *empty = empty_magazine_locked(cache);

			if (empty)
				stock->loaded = empty;
		}
		/* Half a magazine: room is left for what is freed next. */
		for (uint32_t i = 0; i < stock->loaded->size / 2; i++) {
			block = slab_take_locked(cache);
			if (!block)
				break;
			stock->loaded->blocks[stock->loaded->count++] = block;
		}
		block = stock->loaded->count ? magazine_take(stock->loaded)
					     : slab_take_locked(cache);
		if (!block)
			cache->failures++;
	}
	spin_unlock(&cache->lock);
	return block;
}

/* The loaded magazine is full, the previous one is not empty: puts a full one into the depot (or
 * its blocks back into slabs, if that has enough) and goes on with an empty one. Preemption is
 * off. */
static NOINLINE void free_slow(struct slab_cache *cache, struct slab_stock *stock, void *block)
{
	struct slab_magazine *previous = stock->previous;

	spin_lock(&cache->lock);
	if (previous != &no_magazine && cache->ndepot >= DEPOT_FULL_MAX) {
		while (previous->count)
			slab_give_locked(cache, previous->blocks[--previous->count]);
	} else {
		struct slab_magazine *empty =
			cache->no_magazines ? NULL : empty_magazine_locked(cache);

		if (!empty) {
			slab_give_locked(cache, block);
			goto unlock;
		}
		if (previous != &no_magazine) {
			push(&cache->depot_full, previous);
			cache->ndepot++;
		}
		previous = empty;
	}
	/* `previous` is empty now, and changes places with the full one. */
	stock->previous = stock->loaded;
	stock->loaded = previous;
	previous->blocks[previous->count++] = block;
unlock:
	spin_unlock(&cache->lock);
}

void *slab_alloc(struct slab_cache *cache)
{
	struct slab_stock *stock;
	struct slab_magazine *loaded;
	void *block;

	preempt_disable();
	stock = stock_of(cache);
	loaded = stock->loaded;
	if (likely(loaded->count)) {
		block = magazine_take(loaded);
	} else if (stock->previous->count) {
		stock->loaded = stock->previous;
		stock->previous = loaded;
		block = magazine_take(stock->loaded);
	} else {
		block = alloc_slow(cache, stock);
	}
	preempt_enable();
	if (likely(block))
		slab_debug_alloc(cache, block);
	return block;
}

void *slab_alloc_zeroed(struct slab_cache *cache)
{
	void *block = slab_alloc(cache);

	if (likely(block))
		memset(block, 0, cache->object_bytes);
	return block;
}

/* What any build checks: a pointer that is not the cache's would corrupt the heap. */
static void check_owner(const struct slab_cache *cache, const void *block)
{
	const struct frame *frame = frame_from_phys(direct_to_phys(block));

	if (unlikely(frame->state != FRAME_SLAB || frame->owner != cache))
		panic("slab %s: %p is not of this cache", cache->name, block);
}

void slab_free(struct slab_cache *cache, void *block)
{
	struct slab_stock *stock;
	struct slab_magazine *loaded;

	if (!block)
		return;
	if (IS_ON(FUSELAGE_DEBUG))
		check_owner(cache, block);
	slab_debug_free(cache, block);
	preempt_disable();
	stock = stock_of(cache);
	loaded = stock->loaded;
	if (likely(loaded->count < loaded->size)) {
		loaded->blocks[loaded->count++] = block;
	} else if (stock->previous->size && !stock->previous->count) {
		stock->loaded = stock->previous;
		stock->previous = loaded;
		stock->loaded->blocks[stock->loaded->count++] = block;
	} else {
		free_slow(cache, stock, block);
	}
	preempt_enable();
}

/* ---- by size ---- */

static struct slab_cache *kmalloc_cache(size_t bytes)
{
	unsigned shift = bytes <= 1u << KMALLOC_MIN_SHIFT
				 ? KMALLOC_MIN_SHIFT
				 : 64 - (unsigned)__builtin_clzll(bytes - 1);

	return &kmalloc_caches[shift - KMALLOC_MIN_SHIFT];
}

void *kmalloc(size_t bytes)
{
	struct slab_cache *cache;
	void *block;

	if (unlikely(bytes > KMALLOC_MAX))
		return NULL;
	cache = kmalloc_cache(bytes);
	block = slab_alloc(cache);
	if (likely(block))
		kasan_allow_object(block, bytes, cache->block_bytes);
	return block;
}

void *kzalloc(size_t bytes)
{
	void *block = kmalloc(bytes);

	if (likely(block))
		memset(block, 0, bytes);
	return block;
}

void kfree(void *object)
{
	const struct frame *frame;

	if (!object)
		return;
	frame = frame_from_phys(direct_to_phys(object));
	if (unlikely(frame->state != FRAME_SLAB))
		panic("kfree: %p came from no slab", object);
	slab_free(frame->owner, object);
}

/* ---- caches ---- */

static bool cache_register(struct slab_cache *cache)
{
	uint32_t index = 0;

	slab_cache_layout(cache);
	spin_lock(&caches_lock);
	if (ncaches < SLAB_CACHES_MAX)
		index = ncaches++;
	spin_unlock(&caches_lock);
	if (!index)
		return false;
	cache->index = (uint16_t)index;
	store_release(&caches[index], cache); /* pairs with slab_for_each() */
	return true;
}

struct slab_cache *slab_cache_create(const char *name, size_t object_bytes, size_t align_bytes)
{
	struct slab_cache *cache = kzalloc(sizeof(*cache));

	debug_assert(object_bytes <= 2 * PAGE_SIZE && align_bytes <= PAGE_SIZE);
	if (!cache)
		return NULL;
	cache->name = name;
	cache->object_bytes = (uint32_t)object_bytes;
	cache->align_bytes = (uint32_t)align_bytes;
	spin_init(&cache->lock, LOCK_SLAB);
	if (!cache_register(cache)) {
		kfree(cache);
		return NULL;
	}
	return cache;
}

void slab_init_cpu(void)
{
	for (unsigned i = 0; i < SLAB_CACHES_MAX; i++)
		(*this_percpu(slab_stocks))[i] =
			(struct slab_stock){.loaded = &no_magazine, .previous = &no_magazine};
}

/* The table of caches is written here and never runs full: their number is the build's. */
static void register_static(struct slab_cache *cache)
{
	if (!cache_register(cache))
		panic("slab: more than %u caches", SLAB_CACHES_MAX);
}

void slab_init(void)
{
	slab_init_cpu();
	register_static(&magazine_cache);
	for (struct slab_cache *const *cache = slab_caches_start; cache < slab_caches_end; cache++)
		register_static(*cache);
	for (unsigned i = 0; i < KMALLOC_CLASSES; i++) {
		struct slab_cache *cache = &kmalloc_caches[i];

		cache->name = kmalloc_names[i];
		cache->object_bytes = 1u << (i + KMALLOC_MIN_SHIFT);
		cache->align_bytes = 16;
		spin_init(&cache->lock, LOCK_SLAB);
		register_static(cache);
	}
}

/* ---- giving back ---- */

static void empty_magazine_into_slabs_locked(struct slab_cache *cache,
					     struct slab_magazine *magazine) REQUIRES(cache->lock);
static void empty_magazine_into_slabs_locked(struct slab_cache *cache,
					     struct slab_magazine *magazine)
{
	if (magazine == &no_magazine)
		return;
	while (magazine->count)
		slab_give_locked(cache, magazine->blocks[--magazine->count]);
	spin_lock(&magazine_cache.lock);
	slab_give_locked(&magazine_cache, magazine);
	spin_unlock(&magazine_cache.lock);
}

static void drain_cache(struct slab_cache *cache)
{
	struct slab_magazine *magazine;
	struct slab_stock *stock;

	preempt_disable();
	stock = stock_of(cache);
	spin_lock(&cache->lock);
	if (!cache->no_magazines) {
		empty_magazine_into_slabs_locked(cache, stock->loaded);
		empty_magazine_into_slabs_locked(cache, stock->previous);
		*stock = (struct slab_stock){.loaded = &no_magazine, .previous = &no_magazine};
		while ((magazine = pop(&cache->depot_full)))
			empty_magazine_into_slabs_locked(cache, magazine);
		while ((magazine = pop(&cache->depot_empty)))
			empty_magazine_into_slabs_locked(cache, magazine);
		cache->ndepot = cache->ndepot_empty = 0;
	}
	slab_destroy_empty_locked(cache);
	spin_unlock(&cache->lock);
	preempt_enable();
}

void slab_drain_cpu(void)
{
	/* That of the magazines is the first one, and the last to be asked. */
	for (unsigned i = SLAB_CACHES_MAX; i-- > 1;) {
		struct slab_cache *cache = load_acquire(&caches[i]);

		if (cache)
			drain_cache(cache);
	}
}

/* ---- figures ---- */

static void collect(struct slab_cache *cache, struct slab_stats *out)
{
	*out = (struct slab_stats){.name = cache->name, .object_bytes = cache->object_bytes};
	spin_lock(&cache->lock);
	for (const struct slab_magazine *full = cache->depot_full; full; full = full->next)
		out->stocked += full->count;
	for_each_cpu (i) {
		const struct slab_stock *stock = &(*percpu_of(i, slab_stocks))[cache->index];

		out->stocked +=
			read_once(&stock->loaded)->count + read_once(&stock->previous)->count;
	}
	out->live = cache->nout - out->stocked;
	out->nslabs = cache->nslabs;
	out->nframes = cache->nslabs << cache->slab_order;
	out->failures = cache->failures;
	spin_unlock(&cache->lock);
}

void slab_for_each(void (*each)(void *argument, const struct slab_stats *stats), void *argument)
{
	for (unsigned i = 1; i < SLAB_CACHES_MAX; i++) {
		struct slab_cache *cache = load_acquire(&caches[i]);
		struct slab_stats stats;

		if (!cache)
			continue;
		collect(cache, &stats);
		each(argument, &stats);
	}
}

uint64_t slab_live(void)
{
	uint64_t live = 0;

	for (unsigned i = 1; i < SLAB_CACHES_MAX; i++) {
		struct slab_cache *cache = load_acquire(&caches[i]);
		struct slab_stats stats;

		if (!cache || cache->kept)
			continue;
		collect(cache, &stats);
		live += stats.live;
	}
	return live;
}
