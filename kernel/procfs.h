/*
 * /proc and /sys: what Linux programs read about processes and the machine (proc(5), sysfs(5)), and
 * the links in /dev that lead there.
 */
#ifndef KERNEL_PROCFS_H
#define KERNEL_PROCFS_H

#include <lib/types.h>

/* Makes it known to mount(2), mounts it on /proc, the same for /sys, and makes /dev/fd, stdin,
 * stdout and stderr. What cannot be done is logged. Once, in a thread, when the root is mounted. */
void procfs_init(void);

struct object;
struct process;

/* The process whose directory in /proc is open, with a reference. -EBADF: it is something else;
 * -ESRCH: it has gone. */
err_t must_check procfs_process(struct object *directory, struct process **out);

#endif
