/*
 * What frames and slab objects cost, with few and with very many in use: the figures must not grow.
 * The live ones are kept in a chain through themselves. A row is one allocation and its release,
 * measured in batches larger than a CPU's stock, so that the trips to the shared allocator count.
 */
#include "bench_priv.h"

#include <abi/errno.h>
#include <lib/fmt.h>
#include <mm/frame.h>
#include <mm/slab.h>

#define BATCH   512
#define BATCHES 16

static const uint64_t live_counts[] = {10, 1000, 100000, 1000000};

/* How the loop below gets, chains and frees one object. */
struct kind {
	const char *name;
	void *(*alloc)(void);
	void (*free)(void *object);
	void **(*link)(void *object); /* a word of the object that is the chain's */
	uint64_t bytes;               /* of memory for one */
};

struct chain {
	void *first;
	uint64_t count;
};

static bool chain_push(const struct kind *kind, struct chain *chain)
{
	void *object = kind->alloc();

	if (!object)
		return false;
	*kind->link(object) = chain->first;
	chain->first = object;
	chain->count++;
	return true;
}

static void chain_pop(const struct kind *kind, struct chain *chain)
{
	void *object = chain->first;

	chain->first = *kind->link(object);
	chain->count--;
	kind->free(object);
}

/* False: no memory; the batch is undone. */
static bool run_batch(const struct kind *kind)
{
	struct chain batch = {0};

	while (batch.count < BATCH && chain_push(kind, &batch))
		;
	if (batch.count < BATCH) {
		while (batch.count)
			chain_pop(kind, &batch);
		return false;
	}
	while (batch.count)
		chain_pop(kind, &batch);
	return true;
}

static bool measure(struct bench_rows *rows, const struct kind *kind, uint64_t live)
{
	uint64_t least = 0;
	char name[48];

	for (unsigned i = 0; i <= BATCHES; i++) {
		uint64_t start = clock_cycles();

		if (!run_batch(kind))
			return false;
		if (i) /* the first one fills the stock */
			bench_keep_least(&least, clock_cycles() - start);
	}
	kernel_format(name, sizeof(name), "%s, %lu live", kind->name, live);
	bench_add(rows, name, least, BATCH, 0, "get and give back");
	return true;
}

/* A row without a figure. */
static void add_missing(struct bench_rows *rows, const struct kind *kind, uint64_t live)
{
	char name[48];

	kernel_format(name, sizeof(name), "%s, %lu live", kind->name, live);
	bench_add_value(rows, name, "", 0, 0, "they do not fit in the memory of this machine");
}

static err_t measure_all(struct bench_rows *rows, const struct kind *kind)
{
	struct chain chain = {0};

	for (size_t i = 0; i < ARRAY_SIZE(live_counts); i++) {
		uint64_t live = live_counts[i];

		/* An eighth of the memory stays free for everybody else. */
		if ((live - chain.count) * kind->bytes > frames_free() * PAGE_SIZE / 8 * 7) {
			add_missing(rows, kind, live);
			break;
		}
		while (chain.count < live && chain_push(kind, &chain))
			;
		if (chain.count < live || !measure(rows, kind, live)) {
			add_missing(rows, kind, live);
			break;
		}
	}
	while (chain.count)
		chain_pop(kind, &chain);
	return 0;
}

/* ---- frames ---- */

static void *get_frame(void)
{
	return frame_alloc(0, 0);
}

static void give_frame(void *object)
{
	frame_free(object, 0);
}

static void **frame_word(void *object)
{
	return (void **)&((struct frame *)object)->owner;
}

err_t bench_frames(struct bench_rows *rows)
{
	static const struct kind frames = {"frame", get_frame, give_frame, frame_word, PAGE_SIZE};

	return measure_all(rows, &frames);
}

/* ---- slab objects ---- */

struct bench_object {
	void *next;
	uint64_t filler[3];
};

SLAB_CACHE(bench_objects, struct bench_object);

static void *get_object(void)
{
	return slab_alloc(&bench_objects);
}

static void give_object(void *object)
{
	slab_free(&bench_objects, object);
}

static void **object_word(void *object)
{
	return &((struct bench_object *)object)->next;
}

err_t bench_slab(struct bench_rows *rows)
{
	static const struct kind objects = {"slab object of 32 bytes", get_object, give_object,
					    object_word, sizeof(struct bench_object)};

	return measure_all(rows, &objects);
}
