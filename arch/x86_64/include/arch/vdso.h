/*
 * The vDSO's pages, for whoever maps them into programs.
 */
#ifndef ARCH_VDSO_H
#define ARCH_VDSO_H

#include <lib/types.h>

struct vdso_pages {
	paddr_t data; /* one page, read-only for programs; the image comes right above it */
	paddr_t image;
	unsigned image_pages;
};

void vdso_pages(struct vdso_pages *out);

#endif
