/*
 * /proc and /sys: what Linux programs read about processes and the machine (proc(5), sysfs(5)), and
 * the links in /dev that lead there.
 */
#ifndef KERNEL_PROCFS_H
#define KERNEL_PROCFS_H

/* Makes it known to mount(2), mounts it on /proc, the same for /sys, and makes /dev/fd, stdin,
 * stdout and stderr. What cannot be done is logged. Once, in a thread, when the root is mounted. */
void procfs_init(void);

#endif
