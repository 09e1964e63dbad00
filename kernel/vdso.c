/*
 * The vDSO as a memory object: its pages are the kernel's own, lent to whoever maps them, in two
 * regions with rights of their own. One object for all programs of a time namespace, which differ
 * in the first page; nothing else of it changes.
 */
#include "vdso.h"

#include <abi/errno.h>
#include <arch/vdso.h>
#include <lib/panic.h>
#include <lib/string.h>
#include <mm/frame.h>
#include <mm/object.h>
#include <mm/slab.h>
#include <mm/space.h>

#define DATA_PAGES 2 /* that of the namespace, and the machine's */

struct vdso {
	struct memory_object object;
	struct frame *page; /* constant: the namespace's; NULL: the first one, which has none */
};

static struct vdso *vdso_of(struct memory_object *object)
{
	return container_of(object, struct vdso, object);
}

static err_t vdso_get_page(struct memory_object *object, uint64_t page_index, unsigned fault_access,
			   struct page_ref *out)
{
	struct frame *page = vdso_of(object)->page;
	struct vdso_pages pages;

	(void)fault_access;
	vdso_pages(&pages);
	if (page_index >= DATA_PAGES + pages.image_pages)
		return -EIO;
	if (page_index == 0 && page) {
		frame_get(page);
		*out = (struct page_ref){.phys = frame_phys(page), .frame = page};
	} else if (page_index < DATA_PAGES) {
		*out = (struct page_ref){.phys = pages.data};
	} else {
		*out = (struct page_ref){.phys = pages.image +
						 (page_index - DATA_PAGES) * PAGE_SIZE};
	}
	return 0;
}

static void vdso_release(struct memory_object *object)
{
	struct vdso *vdso = vdso_of(object);

	if (!vdso->page)
		panic("the vDSO's memory object %p lost its last reference", object);
	frame_put(vdso->page);
	kfree(vdso);
}

static const struct memory_object_ops vdso_ops = {
	.get_page = vdso_get_page,
	.release = vdso_release,
};

/* The first reference is nobody's and stays. */
static struct vdso first = {.object = {.ops = &vdso_ops, .refs = REFCOUNT_INIT}};

struct memory_object *const vdso_first = &first.object;

struct memory_object *vdso_create(void)
{
	struct vdso *vdso = kmalloc(sizeof(*vdso));

	if (!vdso)
		return NULL;
	vdso->page = frame_alloc(0, FRAME_ZERO);
	if (!vdso->page) {
		kfree(vdso);
		return NULL;
	}
	memory_object_init(&vdso->object, &vdso_ops);
	return &vdso->object;
}

void vdso_set_offsets(struct memory_object *object, int64_t monotonic_ns, int64_t boot_ns)
{
	vdso_namespace_page(frame_virt(vdso_of(object)->page), monotonic_ns, boot_ns);
}

uint64_t vdso_bytes(void)
{
	struct vdso_pages pages;

	vdso_pages(&pages);
	return (DATA_PAGES + pages.image_pages) * PAGE_SIZE;
}

err_t vdso_map(struct space *space, struct memory_object *object, vaddr_t address, vaddr_t *image)
{
	struct space_request request = {
		.address = address,
		.length_bytes = DATA_PAGES * PAGE_SIZE,
		.prot = SPACE_READ,
		.max_prot = SPACE_READ,
		.flags = SPACE_NOREPLACE,
		.object = object,
		.name = "[vvar]",
	};
	err_t err = space_map(space, &request, &address);

	if (err)
		return err;
	request.address = address + DATA_PAGES * PAGE_SIZE;
	request.length_bytes = vdso_bytes() - DATA_PAGES * PAGE_SIZE;
	request.prot = SPACE_READ | SPACE_EXEC;
	request.max_prot = SPACE_PROT_ALL; /* a debugger's breakpoint is a private copy */
	request.offset_bytes = DATA_PAGES * PAGE_SIZE;
	request.name = "[vdso]";
	return space_map(space, &request, image);
}
