/*
 * Regions of a space: mapping, cutting, rights, the heap. Pages are touched from outside, as exec
 * does it.
 */
#include "selftest_spaces.h"

#include <lib/string.h>
#include <mm/frame.h>

#include <abi/errno.h>

static uint32_t nregions(struct space *space)
{
	struct space_stats stats;

	space_stats(space, &stats);
	return stats.nregions;
}

static uint64_t resident(struct space *space)
{
	struct space_stats stats;

	space_stats(space, &stats);
	return stats.resident_pages;
}

SELFTEST(space_gives_back_every_frame)
{
	struct frame_stats before, after;

	/* The second time nothing has to be made that stays: slabs, stocks. */
	for (unsigned round = 0; round < 2; round++) {
		struct space *space = test_space();
		vaddr_t address;

		frame_stats(&before);
		if (!space)
			return;
		address = test_map(space, 300, READ_WRITE);
		for (unsigned i = 0; i < 300; i++)
			selftest_check(test_put(space, address + i * PAGE_SIZE, 1));
		selftest_check(resident(space) == 300);
		space_put(space);
		frame_stats(&after);
	}
	selftest_check(after.free + after.records >= before.free + before.records);
}

SELFTEST(anonymous_memory_reads_as_zeros_until_written)
{
	struct space *space = test_space();
	vaddr_t address;
	char text[] = "across the border of two pages";
	char back[sizeof(text)];

	if (!space)
		return;
	address = test_map(space, 4, READ_WRITE);
	selftest_check(test_get(space, address) == 0);
	selftest_check(test_get(space, address + 4 * PAGE_SIZE - 1) == 0);
	selftest_check(!space_write(space, address + PAGE_SIZE - 7, text, sizeof(text), false));
	selftest_check(!space_read(space, address + PAGE_SIZE - 7, back, sizeof(back)));
	selftest_check(memcmp(text, back, sizeof(text)) == 0);
	selftest_check(space_read(space, address + 4 * PAGE_SIZE - 1, back, 2) == -EFAULT);
	space_put(space);
}

SELFTEST(mappings_go_from_the_top_down_and_reuse_holes)
{
	struct space *space = test_space();
	vaddr_t first, second, third;

	if (!space)
		return;
	first = test_map(space, 3, SPACE_READ);
	second = test_map(space, 3, READ_WRITE); /* other rights: it stays apart */
	third = test_map(space, 3, SPACE_READ);
	selftest_check(first == USER_MAX - 3 * PAGE_SIZE);
	selftest_check(second == first - 3 * PAGE_SIZE && third == second - 3 * PAGE_SIZE);
	selftest_check(!space_unmap(space, second, 3 * PAGE_SIZE));
	selftest_check(test_map(space, 2, SPACE_READ) == first - 2 * PAGE_SIZE);
	space_put(space);
}

SELFTEST(neighbours_that_are_alike_become_one_region)
{
	struct space *space = test_space();

	if (!space)
		return;
	for (unsigned i = 0; i < 50; i++)
		test_map(space, 2, READ_WRITE);
	selftest_check(nregions(space) == 1);
	test_map(space, 1, SPACE_READ);
	selftest_check(nregions(space) == 2);
	space_put(space);
}

SELFTEST(hints_are_followed_where_there_is_room)
{
	struct space *space = test_space();
	struct space_request request = {
		.address = 0x500000123, .length_bytes = 100, .prot = READ_WRITE};
	vaddr_t address;

	if (!space)
		return;
	selftest_check(!space_map(space, &request, &address) && address == 0x500000000);
	selftest_check(!space_map(space, &request, &address) && address != 0x500000000);
	request.address = 1; /* below what may be mapped: no hint at all */
	selftest_check(!space_map(space, &request, &address) && address > USER_MIN);
	space_put(space);
}

SELFTEST(unmapping_the_middle_leaves_both_ends)
{
	struct space *space = test_space();
	struct region_info info;
	vaddr_t address;

	if (!space)
		return;
	address = test_map(space, 10, READ_WRITE);
	for (unsigned i = 0; i < 10; i++)
		test_put(space, address + i * PAGE_SIZE, (uint8_t)(i + 1));
	selftest_check(!space_unmap(space, address + 3 * PAGE_SIZE, 4 * PAGE_SIZE - 5));
	selftest_check(nregions(space) == 2 && resident(space) == 6);
	selftest_check(test_get(space, address + 2 * PAGE_SIZE) == 3);
	selftest_check(test_get(space, address + 3 * PAGE_SIZE) == -1);
	selftest_check(test_get(space, address + 7 * PAGE_SIZE) == 8);
	selftest_check(space_next(space, address + 3 * PAGE_SIZE, &info));
	selftest_check(info.start == address + 7 * PAGE_SIZE && info.resident_pages == 3);
	selftest_check(!space_find(space, address + 4 * PAGE_SIZE, &info));
	selftest_check(!space_unmap(space, address, 10 * PAGE_SIZE)); /* over the hole */
	selftest_check(nregions(space) == 0 && resident(space) == 0);
	space_put(space);
}

SELFTEST(fixed_mapping_replaces_and_noreplace_refuses)
{
	struct space *space = test_space();
	struct space_request request = {.length_bytes = 2 * PAGE_SIZE, .prot = READ_WRITE};
	vaddr_t address, mapped;

	if (!space)
		return;
	address = test_map(space, 6, READ_WRITE);
	test_put(space, address + 2 * PAGE_SIZE, 9);
	request.address = address + 2 * PAGE_SIZE;
	request.flags = SPACE_NOREPLACE;
	selftest_check(space_map(space, &request, &mapped) == -EEXIST);
	selftest_check(test_get(space, address + 2 * PAGE_SIZE) == 9);
	request.flags = SPACE_FIXED;
	selftest_check(!space_map(space, &request, &mapped) && mapped == request.address);
	selftest_check(test_get(space, address + 2 * PAGE_SIZE) == 0);
	space_put(space);
}

SELFTEST(mapping_errors_are_those_of_linux)
{
	static const struct {
		struct space_request request;
		err_t err;
	} cases[] = {
		{{.length_bytes = 0}, -EINVAL},
		{{.length_bytes = UINT64_MAX}, -ENOMEM},
		{{.length_bytes = USER_MAX + PAGE_SIZE}, -ENOMEM},
		{{.length_bytes = PAGE_SIZE, .prot = 8}, -EINVAL},
		{{.length_bytes = PAGE_SIZE, .offset_bytes = 7}, -EINVAL},
		{{.length_bytes = 2 * PAGE_SIZE, .offset_bytes = -PAGE_SIZE}, -EOVERFLOW},
		{{.length_bytes = PAGE_SIZE, .prot = 3, .max_prot = 1}, -EACCES},
		{{.length_bytes = PAGE_SIZE, .address = USER_MIN + 1, .flags = SPACE_FIXED},
		 -EINVAL},
		{{.length_bytes = PAGE_SIZE, .address = USER_MAX, .flags = SPACE_FIXED}, -ENOMEM},
		{{.length_bytes = PAGE_SIZE,
		  .address = UINT64_MAX & ~PAGE_MASK,
		  .flags = SPACE_FIXED},
		 -ENOMEM},
		{{.length_bytes = PAGE_SIZE, .address = 0, .flags = SPACE_FIXED}, -EPERM},
		/* More private memory than the machine could ever have. */
		{{.length_bytes = USER_MAX / 2, .prot = 3}, -ENOMEM},
	};
	struct space *space = test_space();
	vaddr_t address;

	if (!space)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++)
		selftest_check(space_map(space, &cases[i].request, &address) == cases[i].err);
	/* Address space alone costs nothing. */
	selftest_check(
		!space_map(space, &(struct space_request){.length_bytes = USER_MAX / 2}, &address));
	selftest_check(space_unmap(space, address + 1, PAGE_SIZE) == -EINVAL);
	selftest_check(space_unmap(space, address, 0) == -EINVAL);
	selftest_check(space_unmap(space, USER_MAX, PAGE_SIZE) == -EINVAL);
	space_put(space);
}

SELFTEST(a_space_may_be_limited)
{
	struct space *space = test_space();
	vaddr_t address;

	if (!space)
		return;
	space_set_limits(space, &(struct space_limits){.mapped_pages = 100,
						       .data_pages = UINT64_MAX,
						       .locked_pages = UINT64_MAX,
						       .stack_bytes = UINT64_MAX});
	test_map(space, 60, READ_WRITE);
	selftest_check(space_map(space, &(struct space_request){.length_bytes = 41 * PAGE_SIZE},
				 &address) == -ENOMEM);
	selftest_check(test_map(space, 40, READ_WRITE));
	space_put(space);
}

SELFTEST(a_stack_keeps_its_distance)
{
	struct space *space = test_space();
	struct space_request request = {.length_bytes = SPACE_STACK_BYTES,
					.prot = READ_WRITE,
					.flags = SPACE_STACK,
					.name = "[stack]"};
	struct region_info info;
	vaddr_t stack;

	if (!space || !selftest_check(!space_map(space, &request, &stack)))
		return;
	selftest_check(test_map(space, 1, READ_WRITE) + PAGE_SIZE <= stack - SPACE_STACK_GUARD_GAP);
	selftest_check(space_find(space, stack, &info) && strcmp(info.name, "[stack]") == 0);
	selftest_check(resident(space) == 0); /* demand-paged */
	space_put(space);
}

/* ---- rights ---- */

SELFTEST(protection_splits_regions_and_joins_them_again)
{
	struct space *space = test_space();
	vaddr_t address;

	if (!space)
		return;
	address = test_map(space, 9, READ_WRITE);
	for (unsigned i = 0; i < 9; i++)
		test_put(space, address + i * PAGE_SIZE, (uint8_t)(i + 1));
	selftest_check(!space_protect(space, address + 3 * PAGE_SIZE, 3 * PAGE_SIZE, SPACE_READ));
	selftest_check(nregions(space) == 3);
	selftest_check(!test_put(space, address + 4 * PAGE_SIZE, 77));
	selftest_check(test_get(space, address + 4 * PAGE_SIZE) == 5);
	selftest_check(test_put(space, address + 6 * PAGE_SIZE, 77));
	selftest_check(!space_protect(space, address, 9 * PAGE_SIZE, READ_WRITE));
	selftest_check(nregions(space) == 1);
	selftest_check(test_put(space, address + 4 * PAGE_SIZE, 78));
	selftest_check(test_get(space, address + 4 * PAGE_SIZE) == 78);
	space_put(space);
}

SELFTEST(memory_without_rights_keeps_its_contents)
{
	struct space *space = test_space();
	struct page_wait wait;
	vaddr_t address;

	if (!space)
		return;
	address = test_map(space, 2, READ_WRITE);
	test_put(space, address, 42);
	selftest_check(!space_protect(space, address, 2 * PAGE_SIZE, 0));
	selftest_check(test_get(space, address) == -1);
	selftest_check(space_fault(space, address, FAULT_READ, &wait) == -EACCES);
	selftest_check(resident(space) == 1);
	selftest_check(!space_protect(space, address, PAGE_SIZE, SPACE_READ));
	selftest_check(test_get(space, address) == 42);
	selftest_check(test_get(space, address + PAGE_SIZE) == -1);
	space_put(space); /* with a hidden page to free: */
	space = test_space();
	if (!space)
		return;
	address = test_map(space, 1, READ_WRITE);
	test_put(space, address, 1);
	selftest_check(!space_protect(space, address, PAGE_SIZE, 0));
	selftest_check(!space_unmap(space, address, PAGE_SIZE));
	selftest_check(resident(space) == 0);
	space_put(space);
}

SELFTEST(protection_errors_are_those_of_linux)
{
	struct space *space = test_space();
	struct space_request request = {
		.length_bytes = PAGE_SIZE, .prot = SPACE_READ, .max_prot = SPACE_READ};
	vaddr_t address, hole;

	if (!space)
		return;
	hole = test_map(space, 4, READ_WRITE);
	selftest_check(!space_unmap(space, hole + PAGE_SIZE, PAGE_SIZE));
	selftest_check(space_protect(space, hole, 3 * PAGE_SIZE, SPACE_READ) == -ENOMEM);
	selftest_check(!test_put(space, hole, 1));                /* what lay before the hole */
	selftest_check(test_put(space, hole + 2 * PAGE_SIZE, 1)); /* what lay behind */
	selftest_check(!space_map(space, &request, &address));
	selftest_check(space_protect(space, address, PAGE_SIZE, READ_WRITE) == -EACCES);
	selftest_check(space_protect(space, address, PAGE_SIZE, 8) == -EINVAL);
	selftest_check(space_protect(space, address + 1, PAGE_SIZE, SPACE_READ) == -EINVAL);
	selftest_check(space_protect(space, address, 0, READ_WRITE) == 0);
	space_put(space);
}

SELFTEST(discarded_memory_reads_as_zeros)
{
	struct space *space = test_space();
	vaddr_t address;

	if (!space)
		return;
	address = test_map(space, 8, READ_WRITE);
	for (unsigned i = 0; i < 8; i++)
		test_put(space, address + i * PAGE_SIZE, 5);
	selftest_check(!space_discard(space, address + 2 * PAGE_SIZE, 3 * PAGE_SIZE));
	selftest_check(resident(space) == 5 && nregions(space) == 1);
	selftest_check(test_get(space, address + 2 * PAGE_SIZE) == 0);
	selftest_check(test_get(space, address + 5 * PAGE_SIZE) == 5);
	selftest_check(space_discard(space, address - PAGE_SIZE, 3 * PAGE_SIZE) == -ENOMEM);
	selftest_check(test_get(space, address + PAGE_SIZE) == 0); /* but the rest was done */
	space_put(space);
}

/* ---- the heap ---- */

SELFTEST(heap_grows_shrinks_and_stops_at_a_neighbour)
{
	struct space *space = test_space();
	struct space_request wall = {
		.address = 0x10040000, .length_bytes = PAGE_SIZE, .flags = SPACE_FIXED};
	const vaddr_t start = 0x10000010;
	vaddr_t address;

	if (!space)
		return;
	selftest_check(space_brk(space, start) == 0); /* none yet */
	space_set_brk(space, start);
	selftest_check(space_brk(space, 0) == start);
	selftest_check(space_brk(space, start + 5 * PAGE_SIZE) == start + 5 * PAGE_SIZE);
	selftest_check(test_put(space, start + 5 * PAGE_SIZE - 1, 3));
	selftest_check(space_brk(space, start + 6 * PAGE_SIZE) == start + 6 * PAGE_SIZE);
	selftest_check(nregions(space) == 1);
	selftest_check(space_brk(space, start + PAGE_SIZE) == start + PAGE_SIZE);
	selftest_check(resident(space) == 0);
	selftest_check(!space_map(space, &wall, &address));
	selftest_check(space_brk(space, wall.address) == start + PAGE_SIZE);
	selftest_check(space_brk(space, wall.address - PAGE_SIZE) == wall.address - PAGE_SIZE);
	selftest_check(space_brk(space, start - 1) == wall.address - PAGE_SIZE);
	space_put(space);
}

/* ---- moving ---- */

SELFTEST(remapped_memory_keeps_its_contents)
{
	struct space *space = test_space();
	vaddr_t address, moved, again;

	if (!space)
		return;
	address = test_map(space, 6, READ_WRITE);
	for (unsigned i = 0; i < 6; i++)
		test_put(space, address + i * PAGE_SIZE, (uint8_t)(i + 1));
	/* There is nothing free above: growing means moving. */
	selftest_check(space_remap(space, address, 6 * PAGE_SIZE, 9 * PAGE_SIZE, 0, 0, &moved) ==
		       -ENOMEM);
	selftest_check(!space_remap(space, address, 6 * PAGE_SIZE, 900 * PAGE_SIZE, 1, 0, &moved));
	selftest_check(moved != address && nregions(space) == 1 && resident(space) == 6);
	for (unsigned i = 0; i < 6; i++)
		selftest_check(test_get(space, moved + i * PAGE_SIZE) == (int)i + 1);
	selftest_check(test_get(space, moved + 899 * PAGE_SIZE) == 0);
	selftest_check(test_get(space, address) == -1);
	/* Cutting stays where it is; then there is room to grow again. */
	selftest_check(!space_remap(space, moved, 900 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 0, &again));
	selftest_check(again == moved && resident(space) == 2);
	selftest_check(!space_remap(space, moved, 2 * PAGE_SIZE, 3 * PAGE_SIZE, 0, 0, &again));
	selftest_check(again == moved && test_get(space, moved + 2 * PAGE_SIZE) == 0);
	/* The middle goes to a place of its own. */
	selftest_check(
		!space_remap(space, moved + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 3, 0x7000000, &again));
	selftest_check(again == 0x7000000 && test_get(space, again) == 2);
	selftest_check(test_get(space, moved + PAGE_SIZE) == -1 && nregions(space) == 3);
	selftest_check(space_remap(space, address, PAGE_SIZE, PAGE_SIZE, 1, 0, &again) == -EFAULT);
	space_put(space);
}
