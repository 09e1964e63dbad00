/*
 * The vDSO's pages, for whoever maps them into programs.
 */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#include <lib/types.h>

struct vdso_pages {
	/* One page, read-only for programs, mapped twice, one above the other, and the image right
	 * above that. In time namespaces one of vdso_namespace_page() is in the lower place. */
	paddr_t data;
	paddr_t image;
	unsigned image_pages;
};

void vdso_pages(struct vdso_pages *out);
/* Makes `page`, all zeros or made before, one that no program reads yet, that of a time namespace:
 * what its clocks are ahead of clock_ns(). */
void vdso_namespace_page(void *page, int64_t monotonic_offset_ns, int64_t boot_offset_ns);

#endif
