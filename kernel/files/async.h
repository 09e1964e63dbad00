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
/* The running process becomes its owner, unless it has one (`*before`): of leases and of what
 * directories tell. */
err_t must_check async_own(struct object *object, bool *before);
/* O_ASYNC is on: of a terminal the group in its foreground is told, or where there is none the
 * running process, unless it has an owner. -ENOMEM. Sleeps. */
err_t must_check async_own_terminal(struct object *object);
/* There is nothing to be told of: it is not, if it had none before. */
void async_disown(struct object *object, bool before);

#endif
