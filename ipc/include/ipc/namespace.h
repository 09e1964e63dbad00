/*
 * What an IPC namespace has: System V's objects (ipc/sysv.h), the names of POSIX message queues
 * (ipc/mqueue.h), and the limits of both. A new one is empty, and its limits are the usual ones.
 *
 * Those who are in it have one reference together, which ipc_namespace_end() gives back. Who shows
 * its queues has one, and who has one of them open: as on Linux, queues have their names until all
 * of these have gone. Segments that are mapped somewhere live on.
 */
#ifndef IPC_NAMESPACE_H
#define IPC_NAMESPACE_H

#include <lib/types.h>

struct ipc_namespace;

/* That of who has not left it. */
extern struct ipc_namespace ipc_namespace_first;

/* Hook of kernel/: that of who calls, borrowed; the kernel's threads are in the first one. Does not
 * sleep. */
struct ipc_namespace *ipc_namespace_caller(void);

/* With one reference. NULL: no memory. */
struct ipc_namespace *ipc_namespace_create(void);
struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ipc);
void ipc_namespace_put(struct ipc_namespace *ipc); /* sleeps */
/* Nobody is in it any more: System V's objects go. Takes over their reference. Sleeps. */
void ipc_namespace_end(struct ipc_namespace *ipc);

#endif
