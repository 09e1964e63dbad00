/*
 * What fcntl has for seals.
 */
#ifndef KERNEL_MEMORY_MEMFD_H
#define KERNEL_MEMORY_MEMFD_H

#include <ipc/object.h>

/* F_ADD_SEALS, F_GET_SEALS. */
int64_t must_check fcntl_seals(struct object *object, int command, uint64_t argument);

#endif
