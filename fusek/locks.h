/*
 * Locks on parts of files that the kernel itself keeps: fcntl's, of a process or of an open file,
 * and flock's. They bind only those who ask.
 */
#ifndef FUSEK_LOCKS_H
#define FUSEK_LOCKS_H

#include "names.h"

#include <ipc/object.h>

/* Takes, changes or gives back (F_UNLCK). -EAGAIN: another has it, and `wait` is false; -EDEADLK:
 * who has it waits for us; -EINTR; -ENOLCK: no memory. Sleeps. */
err_t must_check locks_set(struct node *node, const struct object_lock *request, bool wait);
/* What is in the way of `request` comes back in it, or the type F_UNLCK. Sleeps. */
void locks_test(struct node *node, struct object_lock *request);
/* All that the owner has of this kind. Sleeps. */
void locks_drop(struct node *node, enum object_lock_kind kind, uint64_t owner);
/* With the node's last reference: nothing is locked any more. */
void locks_free(struct node *node);

#endif
