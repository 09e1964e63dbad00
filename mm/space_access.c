/*
 * Reading and writing a space from outside, a page at a time: the page is faulted in as its program
 * would do it, and copied through the kernel's own map while space->lock keeps it there.
 */
#include "space_priv.h"

#include <lib/string.h>
#include <mm/frame.h>
#include <mm/pressure.h>

#include <abi/errno.h>

struct access {
	void *kernel; /* read: target; write: source */
	unsigned fault_access;
	bool force;
};

static err_t copy_locked(struct space *space, struct access *access, vaddr_t address,
			 size_t len_bytes, struct page_wait *wait) REQUIRES(space->lock)
{
	vaddr_t page = ALIGN_DOWN(address, PAGE_SIZE);
	struct region *region = space_region_locked(space, address);
	unsigned level;
	char *user;
	err_t err;

	if (!region || (region->object && region->object->page_flags))
		return -EFAULT;
	/* Who may force it reads all, and writes private pages; others are not the space's alone.
	 */
	if (!region_allows(region, access->fault_access) &&
	    (!access->force ||
	     (access->fault_access & FAULT_WRITE && region->flags & SPACE_SHARED)))
		return -EFAULT;
	err = fault_page_locked(space, region, page, access->fault_access, wait);
	if (err)
		return err;
	user = phys_to_virt(pte_frame(pte_read(pagetable_walk(&space->pagetable, page, &level))));
	user += address & (level_bytes(level) - 1);
	if (access->fault_access & FAULT_WRITE)
		memcpy(user, access->kernel, len_bytes);
	else
		memcpy(access->kernel, user, len_bytes);
	return 0;
}

static err_t copy_page_part(struct space *space, struct access *access, vaddr_t address,
			    size_t len_bytes, struct page_wait *wait)
{
	err_t err;

	mutex_lock(&space->lock);
	err = copy_locked(space, access, address, len_bytes, wait);
	mutex_unlock(&space->lock);
	return err;
}

static err_t access_space(struct space *space, struct access *access, vaddr_t address,
			  size_t len_bytes)
{
	if (address >= USER_MAX || len_bytes > USER_MAX - address)
		return -EFAULT;
	while (len_bytes) {
		size_t here = MIN(len_bytes, PAGE_SIZE - (address & PAGE_MASK));
		struct page_wait wait;
		err_t err = MEMORY_RETRY(copy_page_part(space, access, address, here, &wait));

		if (err == MM_WAIT) {
			err = page_wait(&wait);
			if (!err)
				continue;
		}
		if (err)
			return err;
		access->kernel = (char *)access->kernel + here;
		address += here;
		len_bytes -= here;
	}
	return 0;
}

err_t space_read(struct space *space, vaddr_t address, void *to, size_t len_bytes)
{
	struct access access = {.kernel = to, .fault_access = FAULT_READ};

	return access_space(space, &access, address, len_bytes);
}

err_t space_read_forced(struct space *space, vaddr_t address, void *to, size_t len_bytes)
{
	struct access access = {.kernel = to, .fault_access = FAULT_READ, .force = true};

	return access_space(space, &access, address, len_bytes);
}

err_t space_write(struct space *space, vaddr_t address, const void *from, size_t len_bytes,
		  bool force)
{
	struct access access = {.kernel = (void *)(uintptr_t)from, /* only read: FAULT_WRITE */
				.fault_access = FAULT_WRITE,
				.force = force};

	return access_space(space, &access, address, len_bytes);
}
