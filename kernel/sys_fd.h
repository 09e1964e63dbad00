/*
 * What the calls that make descriptors share.
 */
#ifndef KERNEL_SYS_FD_H
#define KERNEL_SYS_FD_H

#include <abi/errno.h>
#include <lib/types.h>

struct object;

/* Two descriptors at once, whose numbers the program learns at `fds`; takes over the references, on
 * errors too. `fd_flags`: O_CLOEXEC or 0. */
int must_check fd_add_two(struct object *const objects[2], unsigned fd_flags, uptr_t fds);

#endif
