/*
 * The vDSO in a program's space.
 */
#ifndef KERNEL_VDSO_H
#define KERNEL_VDSO_H

#include <lib/types.h>

struct space;

/* What it takes of address space, the page of data below the image included. */
uint64_t vdso_bytes(void);
/* Maps it at `address`; *image is where its ELF header lies (AT_SYSINFO_EHDR). Errors of
 * space_map(). Sleeps. */
err_t must_check vdso_map(struct space *space, vaddr_t address, vaddr_t *image);

#endif
