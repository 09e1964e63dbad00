/*
 * Page tables that are parked: that memory is given back, and that everything that can be asked of
 * a space finds its pages all the same.
 */
#include "selftest_spaces.h"
#include "space_priv.h"

#include <mm/frame.h>

#include <abi/errno.h>

#define PARTS      3
#define MOVE_THERE 3u /* Linux: MREMAP_MAYMOVE | MREMAP_FIXED */

/* One page each in three places that are far from each other, and one more in the first table. */
static const vaddr_t places[PARTS] = {UINT64_C(0x400000), UINT64_C(0x555555554000),
				      UINT64_C(0x7ffff0000000)};

static bool map_fixed(struct space *space, vaddr_t address, size_t npages)
{
	const struct space_request request = {.address = address,
					      .length_bytes = npages * PAGE_SIZE,
					      .prot = READ_WRITE,
					      .flags = SPACE_NOREPLACE};
	vaddr_t mapped;

	return selftest_check(space_map(space, &request, &mapped) == 0);
}

static struct space *space_with_parts(void)
{
	struct space *space = test_space();

	for (unsigned i = 0; space && i < PARTS; i++)
		selftest_check(map_fixed(space, places[i], 2) &&
			       test_put(space, places[i], (uint8_t)(i + 1)));
	return space;
}

static void park(struct space *space)
{
	mutex_lock(&space->lock);
	space_park_locked(space);
	mutex_unlock(&space->lock);
}

static struct space_stats stats_of(struct space *space)
{
	struct space_stats stats;

	space_stats(space, &stats);
	return stats;
}

SELFTEST(parked_tables_give_back_those_above_them)
{
	struct space *space = space_with_parts();

	if (!space)
		return;
	selftest_check(stats_of(space).table_pages == 1 + 3 * PARTS);
	park(space);
	selftest_check(stats_of(space).table_pages == 1 + PARTS);
	selftest_check(stats_of(space).resident_pages == PARTS);
	/* One part comes back with its first fault, the others stay. */
	selftest_check(test_get(space, places[1]) == 2);
	selftest_check(stats_of(space).table_pages == 3 + PARTS);
	selftest_check(test_get(space, places[0]) == 1);
	selftest_check(test_get(space, places[2]) == 3);
	selftest_check(stats_of(space).table_pages == 1 + 3 * PARTS);
	selftest_check(stats_of(space).resident_pages == PARTS);
	space_put(space);
}

SELFTEST(what_is_parked_is_found_and_changed)
{
	struct space *space = space_with_parts();
	struct region_info info;
	struct space_usage usage = {0};
	uint8_t present[2];
	char name[8];

	if (!space)
		return;
	park(space);
	selftest_check(space_next(space, 0, &info) && info.start == places[0] &&
		       info.resident_pages == 1);
	for (vaddr_t at = 0; space_next_usage(space, at, &info, name, sizeof(name), &usage);)
		at = info.end;
	selftest_check(usage.resident == PARTS && usage.private_dirty == PARTS);
	selftest_check(!space_residence(space, places[2], places[2] + 2 * PAGE_SIZE, present));
	selftest_check(present[0] == 1 && present[1] == 0);
	/* Rights, and what is unmapped, in tables that are not in the tree. */
	selftest_check(!space_protect(space, places[0], PAGE_SIZE, SPACE_READ));
	selftest_check(!space_unmap(space, places[2], PAGE_SIZE));
	selftest_check(stats_of(space).table_pages == 1 + PARTS);
	selftest_check(stats_of(space).resident_pages == PARTS - 1);
	selftest_check(!test_put(space, places[0], 9) && test_get(space, places[0]) == 1);
	selftest_check(test_get(space, places[2]) == -1);
	/* A new page beside the old ones, in a table that comes back for it. */
	selftest_check(test_put(space, places[2] + PAGE_SIZE, 7));
	selftest_check(test_put(space, places[1] + PAGE_SIZE, 8));
	selftest_check(test_get(space, places[1]) == 2);
	space_put(space);
}

SELFTEST(a_copy_and_a_move_of_what_is_parked)
{
	struct space *space = space_with_parts();
	struct space *copy;
	vaddr_t moved;

	if (!space)
		return;
	park(space);
	if (selftest_check(!space_fork(space, &copy))) {
		park(copy);
		for (unsigned i = 0; i < PARTS; i++) {
			selftest_check(test_put(space, places[i], (uint8_t)(i + 11)));
			selftest_check(test_get(copy, places[i]) == (int)i + 1);
		}
		space_put(copy);
	}
	park(space);
	/* Into the table that is parked for its neighbour. */
	selftest_check(!space_remap(space, places[0], 2 * PAGE_SIZE, 2 * PAGE_SIZE, MOVE_THERE,
				    places[1] + 2 * PAGE_SIZE, &moved));
	selftest_check(test_get(space, places[1] + 2 * PAGE_SIZE) == 11);
	selftest_check(test_get(space, places[1]) == 12);
	selftest_check(test_get(space, places[0]) == -1);
	park(space);
	space_put(space);
}

/* What is unmapped in large takes its parked tables with it, so that large pages fit there. */
SELFTEST(parked_tables_go_with_what_they_were_for)
{
	struct space *space = test_space();
	vaddr_t start = UINT64_C(0x10000000);

	if (!space)
		return;
	if (map_fixed(space, start, 3 * HUGE_PAGE_BYTES / PAGE_SIZE + 1)) {
		selftest_check(test_put(space, start + 3 * HUGE_PAGE_BYTES, 1));
		park(space);
		selftest_check(stats_of(space).table_pages == 2);
		selftest_check(!space_unmap(space, start, 4 * HUGE_PAGE_BYTES));
		selftest_check(stats_of(space).table_pages == 1);
	}
	space_put(space);
}

SELFTEST(tables_are_used_when_they_are_made_and_then_no_more)
{
	struct space *space = space_with_parts();

	if (!space)
		return;
	mutex_lock(&space->lock);
	selftest_check(pagetable_take_used(&space->pagetable));
	selftest_check(!pagetable_take_used(&space->pagetable));
	mutex_unlock(&space->lock);
	space_put(space);
}
