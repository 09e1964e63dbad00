/*
 * Faults: objects behind regions, copy on write, copies of spaces, waiting.
 */
#include "selftest_spaces.h"
#include "space_priv.h"

#include <lib/string.h>
#include <mm/fault.h>

#include <abi/errno.h>

static vaddr_t map_object(struct space *space, struct memory_object *object, size_t npages,
			  unsigned prot, unsigned flags, uint64_t offset_bytes)
{
	struct space_request request = {.length_bytes = npages * PAGE_SIZE,
					.prot = prot,
					.flags = flags,
					.object = object,
					.offset_bytes = offset_bytes};
	vaddr_t address;

	return selftest_check(!space_map(space, &request, &address)) ? address : 0;
}

SELFTEST(faults_name_what_is_wrong)
{
	struct space *space = test_space();
	vaddr_t address;

	if (!space)
		return;
	address = test_map(space, 1, SPACE_READ);
	selftest_check(mm_user_fault(space, address, FAULT_READ) == 0);
	selftest_check(mm_user_fault(space, address, FAULT_WRITE) == -EACCES);
	selftest_check(mm_user_fault(space, address, FAULT_EXEC) == -EACCES);
	selftest_check(mm_user_fault(space, address + PAGE_SIZE, FAULT_READ) == -EFAULT);
	selftest_check(mm_user_fault(space, 0, FAULT_READ) == -EFAULT);
	selftest_check(mm_user_fault(space, UINT64_MAX, FAULT_READ) == -EFAULT);
	space_put(space);
}

SELFTEST(a_fault_twice_is_no_harm)
{
	struct space *space = test_space();
	vaddr_t address;

	if (!space)
		return;
	address = test_map(space, 1, READ_WRITE);
	selftest_check(mm_user_fault(space, address, FAULT_WRITE) == 0);
	test_put(space, address, 8);
	selftest_check(mm_user_fault(space, address + 5, FAULT_WRITE | FAULT_PRESENT) == 0);
	selftest_check(test_get(space, address) == 8);
	space_put(space);
}

SELFTEST(file_pages_are_mapped_in_place_and_ahead)
{
	struct test_object object;
	struct space *space;
	struct space_stats stats;
	vaddr_t address;

	if (!test_object_init(&object, 40))
		return;
	space = test_space();
	if (!space)
		return;
	address = map_object(space, &object.object, 40, SPACE_READ | SPACE_EXEC, 0, 0);
	selftest_check(test_get(space, address + 20 * PAGE_SIZE) == 21);
	space_stats(space, &stats);
	selftest_check(stats.resident_pages == 0);
	selftest_check(stats.in_place_pages >= 1 && stats.in_place_pages <= 16);
	/* The window is aligned in the address space. */
	for (unsigned i = 0; i < 40; i++)
		selftest_check(test_get(space, address + i * PAGE_SIZE) == (int)i + 1);
	space_stats(space, &stats);
	selftest_check(stats.in_place_pages == 40);
	space_put(space);
	test_object_done(&object);
}

SELFTEST(private_writes_copy_and_leave_the_file_alone)
{
	struct test_object object;
	struct space *space;
	struct space_stats stats;
	vaddr_t address;

	if (!test_object_init(&object, 4))
		return;
	space = test_space();
	if (!space)
		return;
	address = map_object(space, &object.object, 3, READ_WRITE, 0, PAGE_SIZE);
	selftest_check(test_get(space, address) == 2); /* read first, then written */
	selftest_check(test_put(space, address + 1, 200));
	selftest_check(test_get(space, address) == 2 && test_get(space, address + 1) == 200);
	selftest_check(!space_discard(space, address + PAGE_SIZE, PAGE_SIZE));
	selftest_check(test_put(space, address + PAGE_SIZE, 201)); /* written at once */
	selftest_check(test_get(space, address + PAGE_SIZE + 1) == 3);
	selftest_check(object.pages[PAGE_SIZE + 1] == 2 && object.pages[2 * PAGE_SIZE] == 3);
	selftest_check(!(object.last_access & FAULT_WRITE));
	space_stats(space, &stats);
	selftest_check(stats.resident_pages == 2);
	/* What was copied goes with the region; the file shines through again. */
	selftest_check(!space_discard(space, address, PAGE_SIZE));
	selftest_check(test_get(space, address + 1) == 2);
	space_put(space);
	test_object_done(&object);
}

SELFTEST(private_pages_stay_copied_under_any_rights)
{
	struct test_object object;
	struct space *space;
	vaddr_t address;

	if (!test_object_init(&object, 1))
		return;
	space = test_space();
	if (!space)
		return;
	address = map_object(space, &object.object, 1, SPACE_READ, 0, 0);
	selftest_check(test_get(space, address) == 1);
	/* Rights to write come later: still no right to write to the file's own page. */
	selftest_check(!space_protect(space, address, PAGE_SIZE, READ_WRITE));
	selftest_check(test_put(space, address, 99));
	selftest_check(object.pages[0] == 1);
	selftest_check(!space_protect(space, address, PAGE_SIZE, SPACE_READ));
	selftest_check(!test_put(space, address, 98));
	selftest_check(test_get(space, address) == 99);
	/* A debugger may, and it hits the copy. */
	selftest_check(!space_write(space, address, "\x61", 1, true));
	selftest_check(test_get(space, address) == 0x61 && object.pages[0] == 1);
	space_put(space);
	test_object_done(&object);
}

static bool is_present(struct space *space, vaddr_t address)
{
	unsigned level;
	const pte_t *entry;
	bool present;

	mutex_lock(&space->lock);
	entry = space_walk(space, address, &level);
	present = entry && pte_present(pte_read(entry));
	mutex_unlock(&space->lock);
	return present;
}

/* A debugger's write makes the page, but not one that the program may read. */
SELFTEST(forced_writes_grant_no_rights)
{
	struct space *space = test_space();
	struct test_object object;
	vaddr_t address, of_file;

	if (!space || !test_object_init(&object, 2))
		return;
	address = test_map(space, 1, 0);
	of_file = map_object(space, &object.object, 2, SPACE_READ, 0, 0);
	selftest_check(test_get(space, of_file) == 1); /* there, and a copy is due */
	selftest_check(!space_protect(space, of_file, 2 * PAGE_SIZE, 0));
	selftest_check(!space_write(space, address, "a", 1, true));
	selftest_check(!space_write(space, of_file, "b", 1, true));
	selftest_check(!is_present(space, address) && !is_present(space, of_file));
	selftest_check(mm_user_fault(space, address, FAULT_READ) == -EACCES);
	selftest_check(!space_protect(space, address, PAGE_SIZE, SPACE_READ));
	selftest_check(!space_protect(space, of_file, PAGE_SIZE, READ_WRITE));
	selftest_check(is_present(space, address) && test_get(space, address) == 'a');
	selftest_check(test_get(space, of_file) == 'b' && test_put(space, of_file, 'c'));
	selftest_check(object.pages[0] == 1);
	space_put(space);
	test_object_done(&object);
}

SELFTEST(shared_writes_reach_the_object)
{
	struct test_object object;
	struct space *space;
	vaddr_t address;

	if (!test_object_init(&object, 2))
		return;
	space = test_space();
	if (!space)
		return;
	address = map_object(space, &object.object, 2, READ_WRITE, SPACE_SHARED, 0);
	selftest_check(test_get(space, address) == 1);
	selftest_check(!(object.last_access & FAULT_WRITE));
	selftest_check(test_put(space, address, 50));
	selftest_check(object.last_access & FAULT_WRITE); /* it heard of the first write */
	selftest_check(object.pages[0] == 50);
	selftest_check(space_write(space, address, "x", 1, true) == 0);
	space_put(space);
	test_object_done(&object);
}

SELFTEST(anonymous_object_is_one_memory_for_all)
{
	struct space *first = test_space();
	struct space *second = test_space();
	struct memory_object *object;
	vaddr_t here, there;

	if (!first || !second ||
	    !selftest_check(!memory_object_anonymous(100 * PAGE_SIZE, &object)))
		return;
	here = map_object(first, object, 100, READ_WRITE, SPACE_SHARED, 0);
	there = map_object(second, object, 50, READ_WRITE, SPACE_SHARED, 50 * PAGE_SIZE);
	memory_object_put(object);
	selftest_check(test_put(first, here + 70 * PAGE_SIZE, 7));
	selftest_check(test_get(second, there + 20 * PAGE_SIZE) == 7);
	selftest_check(test_put(second, there + 20 * PAGE_SIZE, 8));
	selftest_check(test_get(first, here + 70 * PAGE_SIZE) == 8);
	selftest_check(!space_discard(first, here, 100 * PAGE_SIZE));
	selftest_check(test_get(first, here + 70 * PAGE_SIZE) == 8); /* it is the object's */
	space_put(first);
	selftest_check(test_get(second, there + 20 * PAGE_SIZE) == 8);
	space_put(second);
}

SELFTEST(behind_the_end_of_an_object_is_an_error)
{
	struct test_object object;
	struct space *space;
	vaddr_t address;

	if (!test_object_init(&object, 2))
		return;
	space = test_space();
	if (!space)
		return;
	address = map_object(space, &object.object, 4, SPACE_READ, 0, 0);
	selftest_check(mm_user_fault(space, address + PAGE_SIZE, FAULT_READ) == 0);
	selftest_check(mm_user_fault(space, address + 2 * PAGE_SIZE, FAULT_READ) == -EIO);
	space_put(space);
	test_object_done(&object);
}

SELFTEST(a_missing_page_is_waited_for_without_the_lock)
{
	struct test_object object;
	struct page_wait wait;
	struct space *space;
	vaddr_t address;

	if (!test_object_init(&object, 2))
		return;
	space = test_space();
	if (!space)
		return;
	address = map_object(space, &object.object, 2, SPACE_READ, 0, 0);
	object.waits = 1;
	if (selftest_check(space_fault(space, address, FAULT_READ, &wait) == MM_WAIT)) {
		selftest_check(!mutex_is_locked(&space->lock));
		selftest_check(wait.object == &object.object && wait.page_index == 0);
		selftest_check(page_wait(&wait) == 0);
	}
	object.waits = 3;
	selftest_check(mm_user_fault(space, address + PAGE_SIZE, FAULT_READ) == 0);
	object.waits = 2;
	selftest_check(!space_discard(space, address, 2 * PAGE_SIZE));
	selftest_check(test_get(space, address) == 1);
	selftest_check(object.waited == 1 + 3 + 2);
	space_put(space);
	test_object_done(&object);
}

/* ---- copies of spaces ---- */

SELFTEST(a_copied_space_shares_until_one_side_writes)
{
	struct space *parent = test_space();
	struct space *child;
	struct space_stats stats;
	vaddr_t address;

	if (!parent)
		return;
	address = test_map(parent, 600, READ_WRITE);
	for (unsigned i = 0; i < 600; i += 2)
		test_put(parent, address + i * PAGE_SIZE, (uint8_t)(i / 2));
	if (!selftest_check(!space_fork(parent, &child)))
		return;
	space_stats(child, &stats);
	selftest_check(stats.resident_pages == 300 && stats.nregions == 1);
	selftest_check(test_put(child, address, 111));
	selftest_check(test_put(parent, address + 2 * PAGE_SIZE, 112));
	selftest_check(test_put(parent, address + PAGE_SIZE, 113)); /* nobody had it yet */
	selftest_check(test_get(parent, address) == 0 && test_get(child, address) == 111);
	selftest_check(test_get(child, address + 2 * PAGE_SIZE) == 1);
	selftest_check(test_get(child, address + PAGE_SIZE) == 0);
	for (unsigned i = 4; i < 600; i += 2)
		selftest_check(test_get(child, address + i * PAGE_SIZE) == (uint8_t)(i / 2));
	space_put(parent);
	/* Alone with its frames now: written in place. */
	selftest_check(test_put(child, address + 8 * PAGE_SIZE, 9));
	selftest_check(test_get(child, address + 8 * PAGE_SIZE) == 9);
	space_put(child);
}

SELFTEST(a_copied_space_keeps_objects_rights_and_heap)
{
	struct memory_object *object;
	struct space *parent = test_space();
	struct space *child;
	vaddr_t shared, hidden;

	if (!parent || !selftest_check(!memory_object_anonymous(PAGE_SIZE, &object)))
		return;
	shared = map_object(parent, object, 1, READ_WRITE, SPACE_SHARED, 0);
	memory_object_put(object);
	hidden = test_map(parent, 1, READ_WRITE);
	test_put(parent, hidden, 31);
	test_put(parent, shared, 32);
	selftest_check(!space_protect(parent, hidden, PAGE_SIZE, 0));
	space_set_brk(parent, 0x20000000);
	space_brk(parent, 0x20003000);
	if (!selftest_check(!space_fork(parent, &child)))
		return;
	selftest_check(test_put(child, shared, 33) && test_get(parent, shared) == 33);
	selftest_check(test_get(child, hidden) == -1);
	selftest_check(!space_protect(child, hidden, PAGE_SIZE, READ_WRITE));
	selftest_check(test_put(child, hidden, 34));
	selftest_check(!space_protect(parent, hidden, PAGE_SIZE, SPACE_READ));
	selftest_check(test_get(parent, hidden) == 31);
	selftest_check(space_brk(child, 0x20004000) == 0x20004000);
	selftest_check(space_brk(parent, 0) == 0x20003000);
	space_put(child);
	space_put(parent);
}
