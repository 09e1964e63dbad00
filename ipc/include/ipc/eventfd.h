/*
 * Counters that can be waited for: eventfd(2). A write adds, a read takes all of it, or one at a
 * time where it is a semaphore; who finds nothing to take, or no room to add, waits.
 */
#ifndef IPC_EVENTFD_H
#define IPC_EVENTFD_H

#include <ipc/object.h>

/* One reference for the caller. `flags`: O_NONBLOCK or 0. NULL: no memory. */
struct object *eventfd_create(uint32_t count, bool semaphore, unsigned flags);

#endif
