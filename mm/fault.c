/*
 * The way of a page fault: find the region, find the page, copy it if it is shared, install it.
 * Everything happens under space->lock but for waiting: what is missing is named in struct
 * page_wait and waited for by the outermost caller, with no lock held.
 */
#include <mm/fault.h>

#include "huge.h"
#include "space_priv.h"

#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/pressure.h>

#include <abi/errno.h>

/* Pages around a file's fault that are mapped with it, if they are there already. */
#define AHEAD_PAGES 16

bool region_allows(const struct region *region, unsigned fault_access)
{
	if (fault_access & FAULT_WRITE)
		return region->prot & SPACE_WRITE;
	if (fault_access & FAULT_EXEC)
		return region->prot & SPACE_EXEC;
	return region->prot; /* x86 reads what it may write or run */
}

static bool is_private(const struct region *region)
{
	return !(region->flags & SPACE_SHARED);
}

/* ---- finding the page ---- */

static err_t object_page(struct region *region, vaddr_t address, unsigned fault_access,
			 struct page_ref *page, struct page_wait *wait)
{
	struct memory_object *object = region->object;
	uint64_t index = region_page(region, address);
	err_t err;

	if (is_private(region))
		fault_access &= ~(unsigned)FAULT_WRITE;
	else
		fault_access |= FAULT_SHARED;
	err = object->ops->get_page(object, index, fault_access, page);
	if (err == MM_WAIT)
		*wait = (struct page_wait){.object = memory_object_get(object),
					   .page_index = index};
	return err;
}

/* Rights of a page that comes from an object, for this access. */
static unsigned object_page_flags(const struct region *region, const struct page_ref *page,
				  unsigned fault_access)
{
	unsigned flags = region_page_flags(region);

	/* Private: the page stays the object's until a write copies it. Shared: the object must
	 * hear of the first write. */
	if (is_private(region))
		flags = (flags & ~(unsigned)PAGE_WRITE) | PAGE_SOFT_COW;
	else if (!(fault_access & FAULT_WRITE))
		flags &= ~(unsigned)PAGE_WRITE;
	return page->frame ? flags : flags | PAGE_SOFT_KEEP;
}

/* ---- copy on write ---- */

/* Rights of a page that is the space's own. */
static unsigned own_page_flags(const struct region *region)
{
	return region_page_flags(region) | (region->object ? PAGE_SOFT_COPY : 0);
}

/* A frame of our own with the contents of `from`. */
static struct frame *copy_page(paddr_t from)
{
	struct frame *copy = frame_alloc(0, FRAME_PROGRAM);

	if (copy)
		memcpy(frame_virt(copy), phys_to_virt(from), PAGE_SIZE);
	return copy;
}

/* The page is there, for reading, and not ours alone for sure. */
static err_t copy_on_write(struct space *space, const struct region *region, vaddr_t address,
			   pte_t *entry) REQUIRES(space->lock)
{
	pte_t before = pte_read(entry);
	bool counted = !(pte_flags(before) & PAGE_SOFT_KEEP);
	struct frame *old = counted ? frame_from_phys(pte_frame(before)) : NULL;
	struct frame *copy;

	/* Nobody else has it, and nobody could get it but through this space, which we hold. */
	if (old && !frame_is_shared(old)) {
		pte_exchange(entry,
			     region_entry(region, pte_frame(before), own_page_flags(region)));
		/* More rights: other CPUs that still know the old entry fault once and come here.
		 */
		tlb_flush_local(address);
		return 0;
	}
	copy = copy_page(pte_frame(before));
	if (!copy)
		return -ENOMEM;
	pte_exchange(entry, region_entry(region, frame_phys(copy), own_page_flags(region)));
	tlb_flush_range(&space->pagetable, address, 1);
	if (old) {
		frame_put(old);
	} else {
		space->in_place_pages--;
		space->resident_pages++;
	}
	return 0;
}

/* A shared page that is there for reading is written for the first time. */
static err_t write_shared(struct space *space, struct region *region, vaddr_t address, pte_t *entry,
			  struct page_wait *wait) REQUIRES(space->lock)
{
	struct page_ref page;
	err_t err = object_page(region, address, FAULT_WRITE, &page, wait);

	if (err)
		return err;
	/* It may be another page now: the object copied a lent one. */
	space_clear_pages_locked(space, address, address + PAGE_SIZE, 0);
	space_install_locked(space, region, entry, page.phys,
			     object_page_flags(region, &page, FAULT_WRITE));
	return 0;
}

/* ---- installing ---- */

/* The pages around, as far as they are there and have no entry yet. One table holds them all. */
static void map_ahead(struct space *space, struct region *region, vaddr_t address, pte_t *entry)
	REQUIRES(space->lock)
{
	vaddr_t start = ALIGN_DOWN(address, AHEAD_PAGES * PAGE_SIZE);
	vaddr_t end = MIN(start + AHEAD_PAGES * PAGE_SIZE, region->end);

	start = MAX(start, region->start);
	entry -= (address - start) >> PAGE_SHIFT;
	for (address = start; address < end; address += PAGE_SIZE, entry++) {
		struct page_ref page;

		if (pte_read(entry) ||
		    object_page(region, address, FAULT_READ | FAULT_AHEAD, &page, NULL))
			continue;
		space_install_locked(space, region, entry, page.phys,
				     object_page_flags(region, &page, FAULT_READ));
	}
}

static err_t install_object_page(struct space *space, struct region *region, vaddr_t address,
				 pte_t *entry, unsigned fault_access, struct page_wait *wait)
	REQUIRES(space->lock)
{
	struct page_ref page;
	struct frame *copy;
	err_t err;

	if (unlikely(space->reaped && is_private(region)))
		return -EFAULT; /* its own page was taken, the file's is another one */
	err = object_page(region, address, fault_access, &page, wait);
	if (err)
		return err;
	if (!is_private(region) || !(fault_access & FAULT_WRITE)) {
		space_install_locked(space, region, entry, page.phys,
				     object_page_flags(region, &page, fault_access));
		if (!(fault_access & FAULT_WRITE))
			map_ahead(space, region, address, entry);
		return 0;
	}
	copy = copy_page(page.phys);
	if (page.frame)
		frame_put(page.frame);
	if (!copy)
		return -ENOMEM;
	space_install_locked(space, region, entry, frame_phys(copy), own_page_flags(region));
	return 0;
}

static err_t install_zeroes(struct space *space, const struct region *region, pte_t *entry)
	REQUIRES(space->lock)
{
	struct frame *frame = frame_alloc(0, FRAME_ZERO | FRAME_PROGRAM);

	if (!frame)
		return -ENOMEM;
	space_install_locked(space, region, entry, frame_phys(frame), region_page_flags(region));
	return 0;
}

/* What there is where no table leads to a page of 4 KiB. */
struct missing {
	pte_t *entry; /* made just now; NULL: a larger page is there, or `err` */
	err_t err;
};

/* By value: an address of the fault's own entry would cost every fault. */
static NOINLINE struct missing fault_without_table(struct space *space, const struct region *region,
						   vaddr_t address) REQUIRES(space->lock)
{
	struct missing missing = {0};
	unsigned level;

	if (pagetable_walk(&space->pagetable, address, &level)) {
		/* It allows all that the region does: a CPU remembered something else. */
		tlb_flush_local(address);
		return missing;
	}
	if (unlikely(!list_empty(&space->parked))) {
		missing.err = parked_attach_locked(space, address) ? 0 : -ENOMEM;
		missing.entry = pagetable_find(&space->pagetable, address);
		if (missing.err || missing.entry)
			return missing;
	}
	if (huge_install_locked(space, region, address))
		return missing;
	missing.entry = space_walk_alloc(space, address);
	missing.err = missing.entry ? 0 : -ENOMEM;
	return missing;
}

err_t fault_page_locked(struct space *space, struct region *region, vaddr_t address,
			unsigned fault_access, struct page_wait *wait)
{
	pte_t *entry = pagetable_find(&space->pagetable, address);
	pte_t value;

	if (unlikely(!entry)) {
		struct missing missing = fault_without_table(space, region, address);

		if (!missing.entry)
			return missing.err;
		entry = missing.entry;
	}
	value = pte_read(entry);
	if (!value) {
		if (region->object)
			return install_object_page(space, region, address, entry, fault_access,
						   wait);
		return install_zeroes(space, region, entry);
	}
	if (fault_access & FAULT_WRITE && !(pte_flags(value) & PAGE_WRITE)) {
		if (pte_flags(value) & PAGE_SOFT_COW)
			return copy_on_write(space, region, address, entry);
		if (!is_private(region))
			return write_shared(space, region, address, entry, wait);
	}
	/* Somebody was faster, or this CPU remembered an entry with fewer rights. */
	tlb_flush_local(address);
	return 0;
}

/* ---- entry ---- */

err_t space_fault(struct space *space, vaddr_t address, unsigned fault_access,
		  struct page_wait *wait)
{
	struct region *region;
	err_t err;

	mutex_lock(&space->lock);
	space->faults++;
	region = space_region_locked(space, address);
	if (unlikely(!region))
		region = space_grow_stack_locked(space, address);
	if (unlikely(!region))
		err = -EFAULT;
	else if (unlikely(!region_allows(region, fault_access)))
		err = -EACCES;
	else
		err = fault_page_locked(space, region, ALIGN_DOWN(address, PAGE_SIZE), fault_access,
					wait);
	mutex_unlock(&space->lock);
	return err;
}

err_t page_wait(struct page_wait *wait)
{
	err_t err = wait->object->ops->wait_page(wait->object, wait->page_index);

	memory_object_put(wait->object);
	return err;
}

/* The first try came to `err`. */
static NOINLINE err_t wait_and_fault(struct space *space, vaddr_t address, unsigned fault_access,
				     struct page_wait *wait, err_t err)
{
	struct memory_wait memory = {0};

	for (; err; err = space_fault(space, address, fault_access, wait)) {
		if (err == MM_WAIT) {
			atomic_fetch_add_full(&space->major_faults, 1);
			err = page_wait(wait);
		}
		if (err == -ENOMEM)
			err = memory_wait(&memory);
		if (err)
			return err;
	}
	return 0;
}

err_t mm_user_fault(struct space *space, vaddr_t address, unsigned fault_access)
{
	struct page_wait wait;
	err_t err = space_fault(space, address, fault_access, &wait);

	return likely(!err) ? 0 : wait_and_fault(space, address, fault_access, &wait, err);
}
