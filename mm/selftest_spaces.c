/*
 * Helpers of the self-tests of spaces.
 */
#include "selftest_spaces.h"

#include <lib/string.h>
#include <mm/kva.h>

#include <abi/errno.h>

struct space *test_space(void)
{
	struct space *space = NULL;

	return selftest_check(space_create(&space, USER_MAX) == 0) ? space : NULL;
}

vaddr_t test_map(struct space *space, size_t npages, unsigned prot)
{
	vaddr_t address;
	err_t err = space_map(
		space, &(struct space_request){.length_bytes = npages * PAGE_SIZE, .prot = prot},
		&address);

	return selftest_check(err == 0) ? address : 0;
}

bool test_put(struct space *space, vaddr_t address, uint8_t value)
{
	return space_write(space, address, &value, 1, false) == 0;
}

int test_get(struct space *space, vaddr_t address)
{
	uint8_t value;

	return space_read(space, address, &value, 1) ? -1 : value;
}

/* ---- an object ---- */

static err_t get_page(struct memory_object *object, uint64_t page_index, unsigned fault_access,
		      struct page_ref *out)
{
	struct test_object *test = container_of(object, struct test_object, object);
	paddr_t phys;

	if (page_index >= test->npages)
		return -EIO;
	if (test->waits) {
		if (fault_access & FAULT_AHEAD)
			return -EAGAIN;
		test->waits--;
		return MM_WAIT;
	}
	if (!(fault_access & FAULT_AHEAD))
		test->last_access = fault_access;
	if (!kernel_translate((vaddr_t)test->pages + page_index * PAGE_SIZE, &phys))
		return -EIO;
	*out = (struct page_ref){.phys = phys};
	return 0;
}

static err_t wait_page(struct memory_object *object, uint64_t page_index)
{
	container_of(object, struct test_object, object)->waited++;
	return 0;
}

static void release(struct memory_object *object)
{
	container_of(object, struct test_object, object)->released++;
}

static const struct memory_object_ops test_ops = {
	.get_page = get_page,
	.wait_page = wait_page,
	.release = release,
};

bool test_object_init(struct test_object *object, size_t npages)
{
	*object = (struct test_object){.npages = npages, .pages = kva_alloc(npages)};
	memory_object_init(&object->object, &test_ops);
	for (size_t i = 0; object->pages && i < npages; i++)
		memset(object->pages + i * PAGE_SIZE, (int)i + 1, PAGE_SIZE);
	return selftest_check(object->pages);
}

void test_object_done(struct test_object *object)
{
	memory_object_put(&object->object);
	selftest_check(object->released == 1);
	kva_free(object->pages);
}
