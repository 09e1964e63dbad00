/*
 * fcntl's commands that lock parts of files.
 */
#ifndef KERNEL_SYS_LOCK_H
#define KERNEL_SYS_LOCK_H

#include <lib/types.h>

struct object;

/* F_GETLK, F_SETLK, F_SETLKW and F_OFD_*, of what the descriptor `fd` named. */
err_t must_check fcntl_lock(int fd, struct object *object, int command, uptr_t argument);

#endif
