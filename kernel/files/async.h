/*
 * Whom an object's signals go to, as programs say it (F_SETOWN and its like).
 */
#ifndef KERNEL_FILES_ASYNC_H
#define KERNEL_FILES_ASYNC_H

#include <lib/types.h>

struct object;

/* F_SETOWN, F_GETOWN, F_SETOWN_EX, F_GETOWN_EX, F_SETSIG, F_GETSIG. */
int64_t fcntl_owner(struct object *object, int command, uint64_t argument);
/* FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP, which are a socket's. -ENOTTY: another command. */
int64_t socket_owner_ioctl(struct object *socket, unsigned command, uptr_t argument);
/* The running process becomes its owner, unless it has one: of leases and of what directories tell.
 */
err_t must_check async_own(struct object *object);

#endif
