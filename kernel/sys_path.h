/*
 * What system calls that take names share: a path copied from the program, and the descriptor that
 * a relative one starts at.
 */
#ifndef KERNEL_SYS_PATH_H
#define KERNEL_SYS_PATH_H

#include <lib/types.h>

struct object;

struct at_path {
	char *name;        /* PATH_MAX bytes from kmalloc */
	struct object *at; /* a reference, or NULL: the working directory */
};

/* -EFAULT, -ENAMETOOLONG, -ENOMEM; -EBADF: the name is relative and `dirfd` is not open. */
err_t must_check at_path_get(int dirfd, uptr_t name, struct at_path *out);
void at_path_put(struct at_path *path);

#endif
