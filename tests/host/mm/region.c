/* sources: mm/region.c lib/tree.c */
/*
 * The tree of regions against a map of pages: look-ups, gaps, resizing.
 */
#include "region.h"

#include <arch/paging.h>
#include <lib/panic.h>
#include <mm/space.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PAGES   2000
#define REGIONS 120
#define LOW     USER_MIN
#define TOP     (LOW + PAGES * PAGE_SIZE)

static struct region regions[REGIONS];
static bool used[REGIONS];
static int owner[PAGES]; /* number of the region + 1 */

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	abort();
}

static vaddr_t page_address(unsigned page)
{
	return LOW + page * PAGE_SIZE;
}

static void paint(const struct region *region, int value)
{
	for (vaddr_t at = region->start; at < region->end; at += PAGE_SIZE)
		owner[(at - LOW) / PAGE_SIZE] = value;
}

static bool model_free(unsigned page, unsigned npages)
{
	for (unsigned i = page; i < page + npages; i++) {
		if (owner[i])
			return false;
	}
	return true;
}

/* The highest place, by trying all. */
static vaddr_t model_gap(unsigned npages, unsigned low, unsigned top)
{
	for (unsigned page = top; page-- > low;) {
		if (page + npages <= top && model_free(page, npages))
			return page_address(page);
	}
	return 0;
}

static void check(const struct tree *tree)
{
	const struct region *region;

	for (unsigned page = 0; page < PAGES; page++) {
		unsigned next = page;

		while (next < PAGES && !owner[next])
			next++;
		region = region_from(tree, page_address(page));
		if (next == PAGES)
			assert_null(region);
		else
			assert_ptr_equal(region, &regions[owner[next] - 1]);
	}
	for (unsigned i = 0; i < 20; i++) {
		unsigned npages = 1 + (unsigned)rand() % 60;
		unsigned low = (unsigned)rand() % (PAGES / 2);
		unsigned top = low + (unsigned)rand() % (PAGES - low) + 1;

		assert_int_equal(region_find_gap(tree, npages * PAGE_SIZE, page_address(low),
						 page_address(top)),
				 model_gap(npages, low, top));
		npages = MIN(npages, top - low);
		assert_int_equal(
			region_is_free(tree, page_address(low), page_address(low + npages)),
			model_free(low, npages));
	}
}

static void add_region(struct tree *tree, unsigned i)
{
	unsigned npages = 1 + (unsigned)rand() % 25;
	unsigned page = (unsigned)rand() % (PAGES - npages);

	if (!model_free(page, npages))
		return;
	regions[i] =
		(struct region){.start = page_address(page), .end = page_address(page + npages)};
	region_link(tree, &regions[i]);
	paint(&regions[i], (int)i + 1);
	used[i] = true;
}

static void resize_region(struct tree *tree, struct region *region, int number)
{
	const struct region *next = region_next(region);
	unsigned room = (unsigned)(((next ? next->start : TOP) - region->end) / PAGE_SIZE);
	vaddr_t end = region->end + (room ? (unsigned)rand() % room : 0) * PAGE_SIZE;

	if (rand() % 2)
		end = region->start + PAGE_SIZE;
	paint(region, 0);
	region_resize(tree, region, end);
	paint(region, number);
}

/* Cuts the region and gives the upper part the free number, or joins it with its neighbour. */
static void split_or_join(struct tree *tree, unsigned i, unsigned unused)
{
	struct region *region = &regions[i];
	struct region *next = region_next(region);

	if (next && next->start == region->end) {
		region_join(tree, region, next);
		used[next - regions] = false;
	} else if (!used[unused] && region_npages(region) > 1) {
		vaddr_t at = region->start +
			     (1 + (unsigned)rand() % (region_npages(region) - 1)) * PAGE_SIZE;

		region_split(tree, region, at, &regions[unused]);
		used[unused] = true;
		paint(&regions[unused], (int)unused + 1);
	}
	paint(region, (int)i + 1);
}

static void agrees_with_a_map_of_pages(void **state)
{
	struct tree tree = REGION_TREE_INIT;

	(void)state;
	srand(13);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rand() % REGIONS;

		if (!used[i]) {
			add_region(&tree, i);
		} else if (rand() % 3 == 0) {
			split_or_join(&tree, i, (unsigned)rand() % REGIONS);
		} else if (rand() % 3 == 0) {
			resize_region(&tree, &regions[i], (int)i + 1);
		} else {
			region_unlink(&tree, &regions[i]);
			paint(&regions[i], 0);
			used[i] = false;
		}
		if (step % 50 == 0)
			check(&tree);
	}
}

static void a_gap_stays_free_below_a_stack(void **state)
{
	struct tree tree = REGION_TREE_INIT;
	struct region stack = {
		.start = LOW + 64 * MIB, .end = LOW + 72 * MIB, .flags = SPACE_STACK};

	(void)state;
	region_link(&tree, &stack);
	assert_int_equal(region_find_gap(&tree, PAGE_SIZE, LOW, stack.end),
			 stack.start - SPACE_STACK_GUARD_GAP - PAGE_SIZE);
	/* A place that is asked for by name may be inside of it. */
	assert_true(region_is_free(&tree, stack.start - PAGE_SIZE, stack.start));
}

static void only_what_continues_is_mergeable(void **state)
{
	struct region lower = {.start = 0x10000, .end = 0x13000, .prot = 3, .page_offset = 5};
	struct region upper = {.start = 0x13000, .end = 0x14000, .prot = 3, .page_offset = 77};
	struct memory_object *object = (struct memory_object *)&lower;

	(void)state;
	assert_true(region_mergeable(&lower, &upper));
	upper.prot = 1;
	assert_false(region_mergeable(&lower, &upper));
	upper.prot = 3;
	lower.object = upper.object = object;
	assert_false(region_mergeable(&lower, &upper));
	upper.page_offset = 8;
	assert_true(region_mergeable(&lower, &upper));
	upper.start = 0x15000;
	upper.end = 0x16000;
	assert_false(region_mergeable(&lower, &upper));
}

static void a_copied_part_keeps_the_offset_into_the_object(void **state)
{
	struct region region = {.start = 0x10000, .end = 0x18000, .page_offset = 3};
	struct region upper;

	(void)state;
	region_copy_from(&region, 0x12000, &upper);
	assert_int_equal(upper.start, 0x12000);
	assert_int_equal(upper.end, 0x18000);
	assert_int_equal(upper.page_offset, 5);
	assert_int_equal(region_page(&region, 0x12fff), region_page(&upper, 0x12000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_map_of_pages),
		cmocka_unit_test(a_gap_stays_free_below_a_stack),
		cmocka_unit_test(only_what_continues_is_mergeable),
		cmocka_unit_test(a_copied_part_keeps_the_offset_into_the_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
