/*
 * The vDSO in a program's space.
 */
#ifndef KERNEL_VDSO_H
#define KERNEL_VDSO_H

#include <lib/types.h>

struct memory_object;
struct space;

/* What programs map that are in no time namespace but the first. */
extern struct memory_object *const vdso_first;
/* What those of another one map, with a reference for the caller; its offsets are to be set. NULL:
 * no memory. */
struct memory_object *vdso_create(void);
/* What the namespace's clocks are ahead of clock_ns(). No program of it runs yet. */
void vdso_set_offsets(struct memory_object *object, int64_t monotonic_ns, int64_t boot_ns);

/* What it takes of address space, the pages of data below the image included. */
uint64_t vdso_bytes(void);
/* Maps it at `address`; *image is where its ELF header lies (AT_SYSINFO_EHDR). Errors of
 * space_map(). Sleeps. */
err_t must_check vdso_map(struct space *space, struct memory_object *object, vaddr_t address,
			  vaddr_t *image);

#endif
