/*
 * What the self-tests of spaces share: short ways to map and look.
 */
#ifndef MM_SELFTEST_SPACES_H
#define MM_SELFTEST_SPACES_H

#include <lib/selftest.h>
#include <mm/space.h>

#define READ_WRITE (SPACE_READ | SPACE_WRITE)

/* A space, or NULL after noting the failure. */
struct space *test_space(void);
/* Anonymous memory somewhere; 0 after noting the failure. */
vaddr_t test_map(struct space *space, size_t npages, unsigned prot);
/* One byte, from outside of the space; get: -1 if it cannot be had. */
bool test_put(struct space *space, vaddr_t address, uint8_t value);
int test_get(struct space *space, vaddr_t address);

/* An object of `npages` pages in a kernel area, not counted, as a ramdisk's; page n is full of
 * n + 1. */
struct test_object {
	struct memory_object object;
	uint8_t *pages; /* an area of mm/kva.h */
	size_t npages;
	unsigned waits;  /* get_page() says MM_WAIT so many times */
	unsigned waited; /* times that it was waited for */
	unsigned last_access;
	unsigned released;
};
bool test_object_init(struct test_object *object, size_t npages);
/* All spaces have let go of it. */
void test_object_done(struct test_object *object);

#endif
