/*
 * The slab heap and the kernel's areas, in the running kernel.
 */
#include <arch/context.h>
#include <arch/paging.h>
#include <lib/selftest.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/kva.h>
#include <mm/slab.h>

struct odd {
	uint64_t words[5];
	char tail[3];
};
SLAB_CACHE(odd_cache, struct odd);

struct wide {
	char bytes[200];
} __attribute__((aligned(64)));
SLAB_CACHE(wide_cache, struct wide);

static void find_stats(void *argument, const struct slab_stats *stats)
{
	struct slab_stats *wanted = argument;

	if (strcmp(stats->name, wanted->name) == 0)
		*wanted = *stats;
}

static struct slab_stats stats_of(const char *name)
{
	struct slab_stats stats = {.name = name};

	slab_for_each(find_stats, &stats);
	return stats;
}

#define MANY 2000

/* As many objects as fit a table of pointers. */
static void **take_many(struct slab_cache *cache, unsigned count)
{
	void **objects = kva_alloc_zeroed(ALIGN_UP(count * sizeof(void *), PAGE_SIZE) / PAGE_SIZE);

	for (unsigned i = 0; objects && i < count; i++)
		objects[i] = slab_alloc(cache);
	return objects;
}

static void free_many(struct slab_cache *cache, void **objects, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		slab_free(cache, objects[i]);
	kva_free(objects);
}

SELFTEST(slab_objects_do_not_overlap)
{
	struct odd **objects = (struct odd **)take_many(&odd_cache, MANY);
	unsigned wrong = 0;

	if (!selftest_check(objects))
		return;
	for (unsigned i = 0; i < MANY; i++) {
		if (objects[i])
			memset(objects[i], (int)(i % 251), sizeof(struct odd));
	}
	for (unsigned i = 0; i < MANY; i++) {
		const uint8_t *bytes = (const uint8_t *)objects[i];

		wrong += !bytes || bytes[0] != i % 251 || bytes[sizeof(struct odd) - 1] != i % 251;
	}
	selftest_check(wrong == 0);
	free_many(&odd_cache, (void **)objects, MANY);
}

SELFTEST(slab_counts_what_lives)
{
	uint64_t before = stats_of("struct odd").live;
	void **objects = take_many(&odd_cache, 777);

	if (!selftest_check(objects))
		return;
	selftest_check(stats_of("struct odd").live == before + 777);
	slab_free(&odd_cache, objects[5]);
	objects[5] = NULL;
	selftest_check(stats_of("struct odd").live == before + 776);
	free_many(&odd_cache, objects, 777);
	selftest_check(stats_of("struct odd").live == before);
}

SELFTEST(slab_stock_is_bounded_and_frames_go_back)
{
	struct slab_stats full, after;
	void **objects = take_many(&odd_cache, MANY);

	if (!selftest_check(objects))
		return;
	full = stats_of("struct odd");
	free_many(&odd_cache, objects, MANY);
	after = stats_of("struct odd");
	selftest_check(after.nframes < full.nframes);
	selftest_check(after.stocked <= 500);
}

SELFTEST(slab_objects_are_aligned_as_their_type)
{
	void **objects = take_many(&wide_cache, 100);
	unsigned wrong = 0;

	if (!selftest_check(objects))
		return;
	for (unsigned i = 0; i < 100; i++)
		wrong += !objects[i] || !IS_ALIGNED((uintptr_t)objects[i], 64);
	selftest_check(wrong == 0);
	free_many(&wide_cache, objects, 100);
}

SELFTEST(slab_alloc_zeroed_clears_what_was_there)
{
	struct wide *object = slab_alloc(&wide_cache);
	unsigned sum = 0;

	if (!selftest_check(object))
		return;
	memset(object, 0xee, sizeof(*object));
	slab_free(&wide_cache, object);
	object = slab_alloc_zeroed(&wide_cache);
	if (!selftest_check(object))
		return;
	for (unsigned i = 0; i < sizeof(object->bytes); i++)
		sum += (uint8_t)object->bytes[i];
	selftest_check(sum == 0);
	slab_free(&wide_cache, object);
}

SELFTEST(kmalloc_serves_every_size_up_to_a_page)
{
	unsigned wrong = 0;

	for (size_t bytes = 1; bytes <= KMALLOC_MAX; bytes += bytes < 300 ? 1 : 97) {
		char *first = kmalloc(bytes);
		char *second = kmalloc(bytes);

		if (!first || !second || !IS_ALIGNED((uintptr_t)first, 16)) {
			wrong++;
		} else {
			memset(first, 1, bytes);
			memset(second, 2, bytes);
			wrong += first[0] != 1 || first[bytes - 1] != 1;
		}
		kfree(first);
		kfree(second);
	}
	selftest_check(wrong == 0);
}

SELFTEST(kmalloc_refuses_more_than_a_page)
{
	void *block = kmalloc(0);

	selftest_check(!kmalloc(KMALLOC_MAX + 1));
	selftest_check(!kzalloc(SIZE_MAX));
	selftest_check(block); /* as malloc(0): something that can be freed */
	kfree(block);
	kfree(NULL);
}

/* ---- areas ---- */

SELFTEST(kva_area_is_mapped_between_pages_that_are_not)
{
	size_t npages = 5;
	char *area = kva_alloc_zeroed(npages);
	paddr_t phys;

	if (!selftest_check(area))
		return;
	selftest_check(kva_npages(area) == npages);
	for (size_t i = 0; i < npages * PAGE_SIZE; i += 512) {
		selftest_check(area[i] == 0);
		area[i] = 1;
	}
	selftest_check(!kernel_translate((vaddr_t)area - 1, &phys));
	selftest_check(!kernel_translate((vaddr_t)area + npages * PAGE_SIZE, &phys));
	kva_free(area);
	for (size_t i = 0; i < npages; i++)
		selftest_check(!kernel_translate((vaddr_t)area + i * PAGE_SIZE, &phys));
}

SELFTEST(kva_counts_and_reuses_its_areas)
{
	struct kva_stats before, during, after;
	void *area, *again;

	kva_stats(&before);
	area = kva_alloc(9);
	if (!selftest_check(area))
		return;
	kva_stats(&during);
	selftest_check(during.areas == before.areas + 1 && during.pages == before.pages + 9);
	kva_free(area);
	again = kva_alloc(9);
	selftest_check(again == area);
	kva_free(again);
	kva_stats(&after);
	selftest_check(after.areas == before.areas && after.pages == before.pages);
	selftest_check(!kva_alloc(0));
	kva_free(NULL);
}

SELFTEST(kva_refuses_what_memory_cannot_hold)
{
	uint64_t before = frames_free();
	/* What stays: the records of all frames, and the tables of what was mapped. */
	uint64_t kept = frames_total() * sizeof(struct frame) / PAGE_SIZE +
			frames_total() / PAGETABLE_ENTRIES + 100;

	if (frames_total() > GIB / PAGE_SIZE)
		return; /* it would take long to find out */
	selftest_check(!kva_alloc(frames_total() + 1));
	selftest_check(!kva_alloc(SIZE_MAX / 2));
	selftest_check(frames_free() + kept >= before);
}

SELFTEST(who_comes_near_the_end_of_a_stack_is_seen)
{
	vaddr_t stack = stack_alloc();

	if (!selftest_check(stack))
		return;
	selftest_check(stack_reserve_is_whole(stack));
	memset((void *)(stack + KERNEL_STACK_RESERVE_BYTES), 0,
	       KERNEL_STACK_BYTES - KERNEL_STACK_RESERVE_BYTES);
	selftest_check(stack_reserve_is_whole(stack));
	*(uint64_t *)(stack + KERNEL_STACK_RESERVE_BYTES - sizeof(uint64_t)) = stack;
	selftest_check(!stack_reserve_is_whole(stack));
	stack_free(stack);
	stack = stack_alloc(); /* the same, most times */
	selftest_check(stack && stack_reserve_is_whole(stack));
	stack_free(stack);
}

SELFTEST(stacks_have_a_guard_page_below)
{
	vaddr_t stacks[8];
	paddr_t phys;

	for (unsigned i = 0; i < ARRAY_SIZE(stacks); i++) {
		stacks[i] = stack_alloc();
		if (!selftest_check(stacks[i]))
			return;
		selftest_check(!kernel_translate(stacks[i] - 1, &phys));
		selftest_check(kernel_translate(stacks[i], &phys));
		selftest_check(kernel_translate(stacks[i] + KERNEL_STACK_BYTES - 1, &phys));
		memset((void *)stacks[i], (int)i, KERNEL_STACK_BYTES);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(stacks); i++) {
		selftest_check(*(uint8_t *)(stacks[i] + KERNEL_STACK_BYTES - 1) == i);
		stack_free(stacks[i]);
	}
}
