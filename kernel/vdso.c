/*
 * The vDSO as a memory object: its pages are the kernel's own, lent to whoever maps them, in two
 * regions with rights of their own. One object for all programs; nothing of it changes.
 */
#include "vdso.h"

#include <abi/errno.h>
#include <arch/vdso.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/object.h>
#include <mm/space.h>

static err_t vdso_get_page(struct memory_object *object, uint64_t page_index, unsigned fault_access,
			   struct page_ref *out)
{
	struct vdso_pages pages;

	(void)object, (void)fault_access;
	vdso_pages(&pages);
	if (page_index > pages.image_pages)
		return -EIO;
	*out = (struct page_ref){
		.phys = page_index == 0 ? pages.data : pages.image + (page_index - 1) * PAGE_SIZE};
	return 0;
}

static void vdso_release(struct memory_object *object)
{
	panic("the vDSO's memory object %p lost its last reference", object);
}

static const struct memory_object_ops vdso_ops = {
	.get_page = vdso_get_page,
	.release = vdso_release,
};

/* The first reference is nobody's and stays. */
static struct memory_object vdso_object = {.ops = &vdso_ops, .refs = REFCOUNT_INIT};

uint64_t vdso_bytes(void)
{
	struct vdso_pages pages;

	vdso_pages(&pages);
	return (1 + pages.image_pages) * PAGE_SIZE;
}

err_t vdso_map(struct space *space, vaddr_t address, vaddr_t *image)
{
	struct space_request request = {
		.address = address,
		.length_bytes = PAGE_SIZE,
		.prot = SPACE_READ,
		.max_prot = SPACE_READ,
		.flags = SPACE_NOREPLACE,
		.object = &vdso_object,
		.name = "[vvar]",
	};
	err_t err = space_map(space, &request, &address);

	if (err)
		return err;
	request.address = address + PAGE_SIZE;
	request.length_bytes = vdso_bytes() - PAGE_SIZE;
	request.prot = SPACE_READ | SPACE_EXEC;
	request.max_prot = SPACE_PROT_ALL; /* a debugger's breakpoint is a private copy */
	request.offset_bytes = PAGE_SIZE;
	request.name = "[vdso]";
	return space_map(space, &request, image);
}
